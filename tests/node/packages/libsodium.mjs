import sodium from "libsodium-wrappers";

await sodium.ready;
const key = new Uint8Array(32).fill(1);
const nonce = new Uint8Array(24).fill(2);
const secret = sodium.crypto_secretbox_easy("a message", nonce, key);
console.log(sodium.to_hex(secret));
console.log(sodium.to_string(sodium.crypto_secretbox_open_easy(secret, nonce, key)));
console.log(sodium.to_hex(sodium.crypto_generichash(32, "text")));
const pair = sodium.crypto_sign_seed_keypair(key);
console.log(sodium.to_hex(sodium.crypto_sign_detached("text", pair.privateKey)));
