// o1js under register: a circuit is compiled, and proved and verified several times. It takes minutes
// and is no test. In an empty folder, with this package built:
//
//   npm install o1js@2.15.0 && cp …/benches/javascript/o1js.mjs . && node --import …/js/dist/register.js o1js.mjs 2
import { Field, Poseidon, ZkProgram, setBackend } from "o1js";

setBackend("wasm");
const program = ZkProgram({
  name: "hash",
  publicInput: Field,
  publicOutput: Field,
  methods: {
    run: {
      privateInputs: [Field],
      async method(x, y) {
        return { publicOutput: Poseidon.hash([x, y]) };
      },
    },
  },
});
await program.compile();
for (let i = 0; i < Number(process.argv[2] ?? 2); i++) {
  const { proof } = await program.run(Field(i), Field(7));
  await program.verify(proof);
}
process.exit();
