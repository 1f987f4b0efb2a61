//! The malloc of the wasi-libc that comes with Zig, below Zig's interface.
const std = @import("std");
const traffic = @import("traffic.zig");

pub fn main() !void {
    try traffic.run(std.heap.c_allocator);
}
