//! talc as Rust's global allocator.

mod work;

#[global_allocator]
static TALC: talc::TalckWasm = unsafe { talc::TalckWasm::new_global() };
