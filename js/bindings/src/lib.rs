//! What `seepage.wasm` of the npm package exports: the instrumenter, a session and the report.
//!
//! JavaScript instantiates the module in two roles, and one instance never has both. For one
//! module to [`instrument`], an instance that is thrown away afterwards, so that neither a panic
//! nor the memory it took stay. For a realm, one instance with the [`session`] of all its guests:
//! their events come in through [`guests`], wasm to wasm.
//!
//! Arguments and results that are no numbers are bytes or JSON; [`abi`] hands them over. There is
//! no wasm-bindgen: the events need raw exports in any case, and the rest is too little for a tool
//! whose version must fit.

mod abi;
mod guests;
mod instrument;
mod locals;
mod memory;
mod probe;
mod session;
