import * as sha256 from "@chainsafe/as-sha256";

for (const length of [0, 1, 55, 64, 1000]) {
  console.log(Buffer.from(sha256.digest(new Uint8Array(length).fill(7))).toString("hex"));
}
