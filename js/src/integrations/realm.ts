/**
 * What a test runner needs within a realm that it makes for the tests: this file is evaluated there,
 * with the `WebAssembly` and the `FinalizationRegistry` of that realm.
 */

export { toNotLeak } from "./matcher.js";
export { startInRealm } from "../start.js";
export { Verdicts } from "./verdict.js";
