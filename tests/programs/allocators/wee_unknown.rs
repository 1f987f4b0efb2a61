//! wee_alloc as Rust's global allocator.

mod work;

#[global_allocator]
static WEE: wee_alloc::WeeAlloc = wee_alloc::WeeAlloc::INIT;
