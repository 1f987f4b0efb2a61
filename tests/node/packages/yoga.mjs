import Yoga from "yoga-layout";

const root = Yoga.Node.create();
root.setFlexDirection(Yoga.FLEX_DIRECTION_ROW);
root.setWidth(300);
root.setHeight(100);
for (let n = 0; n < 5; n++) {
  const child = Yoga.Node.create();
  child.setFlexGrow(n + 1);
  root.insertChild(child, n);
}
root.calculateLayout(300, 100, Yoga.DIRECTION_LTR);
for (let n = 0; n < 5; n++) console.log(JSON.stringify(root.getChild(n).getComputedLayout()));
root.freeRecursive();
