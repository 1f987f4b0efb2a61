// This build takes a host with fetch for a browser.
delete globalThis.fetch;
const { default: argon2 } = await import("argon2-browser");

const hash = await argon2.hash({ pass: "password", salt: "somesalt", time: 2, mem: 1024 });
console.log(hash.encoded);
