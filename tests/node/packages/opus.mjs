import { createHash } from "node:crypto";
import OpusScript from "opusscript";

const opus = new OpusScript(48000, 2, OpusScript.Application.AUDIO);
const pcm = Buffer.alloc(960 * 2 * 2);
for (let n = 0; n < 960 * 2; n++) pcm.writeInt16LE(Math.round(9000 * Math.sin(n / 20)), n * 2);
const digest = createHash("sha256");
for (let frame = 0; frame < 20; frame++) {
  const packet = opus.encode(pcm, 960);
  digest.update(packet).update(opus.decode(packet));
}
console.log(digest.digest("hex"));
opus.delete();
