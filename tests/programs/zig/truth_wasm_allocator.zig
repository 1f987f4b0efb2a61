//! Zig's own allocator for wasm, which serves small sizes from free lists of its own.
const std = @import("std");
const traffic = @import("traffic.zig");

pub fn main() !void {
    try traffic.run(std.heap.wasm_allocator);
}
