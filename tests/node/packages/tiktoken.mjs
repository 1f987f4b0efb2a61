import { get_encoding } from "@dqbd/tiktoken";

const encoding = get_encoding("gpt2");
const tokens = encoding.encode("Where does the memory go? ".repeat(40));
console.log(tokens.length, [...tokens.slice(0, 12)].join(" "));
console.log(new TextDecoder().decode(encoding.decode(tokens)).length);
encoding.free();
