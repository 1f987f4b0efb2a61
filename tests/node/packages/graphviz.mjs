import { Graphviz } from "@hpcc-js/wasm-graphviz";

const graphviz = await Graphviz.load();
console.log(graphviz.dot("digraph { a -> b -> c; a -> c; c -> d [label=back]; }"));
console.log(graphviz.neato("graph { a -- b -- c -- a }", "plain"));
