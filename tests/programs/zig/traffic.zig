//! Random traffic on an allocator, below a counting one that keeps the books; the last line on
//! stdout is what they say is live.
const std = @import("std");
const Allocator = std.mem.Allocator;
const Alignment = std.mem.Alignment;

const Counting = struct {
    below: Allocator,
    live_blocks: usize = 0,
    live_bytes: usize = 0,

    fn allocator(self: *Counting) Allocator {
        return .{
            .ptr = self,
            .vtable = &.{ .alloc = alloc, .resize = resize, .remap = remap, .free = free },
        };
    }

    fn of(context: *anyopaque) *Counting {
        return @ptrCast(@alignCast(context));
    }

    fn alloc(context: *anyopaque, len: usize, alignment: Alignment, ra: usize) ?[*]u8 {
        const self = of(context);
        const block = self.below.rawAlloc(len, alignment, ra) orelse return null;
        self.live_blocks += 1;
        self.live_bytes += len;
        return block;
    }

    fn resize(context: *anyopaque, block: []u8, alignment: Alignment, len: usize, ra: usize) bool {
        const self = of(context);
        if (!self.below.rawResize(block, alignment, len, ra)) return false;
        self.live_bytes = self.live_bytes - block.len + len;
        return true;
    }

    fn remap(context: *anyopaque, block: []u8, alignment: Alignment, len: usize, ra: usize) ?[*]u8 {
        const self = of(context);
        const moved = self.below.rawRemap(block, alignment, len, ra) orelse return null;
        self.live_bytes = self.live_bytes - block.len + len;
        return moved;
    }

    fn free(context: *anyopaque, block: []u8, alignment: Alignment, ra: usize) void {
        const self = of(context);
        self.live_blocks -= 1;
        self.live_bytes -= block.len;
        self.below.rawFree(block, alignment, ra);
    }
};

const Random = struct {
    state: u32 = 1,

    fn next(self: *Random, below: u32) u32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        return self.state % below;
    }
};

fn lists(heap: Allocator, random: *Random) !void {
    for (0..20) |round| {
        var list: std.ArrayListUnmanaged(u32) = .empty;
        for (0..random.next(300) + 1) |_| try list.append(heap, random.next(1000));
        // Every fourth list is forgotten.
        if (round % 4 != 0) list.deinit(heap);
    }
}

fn blocks(heap: Allocator, random: *Random) !void {
    var slots = [_]?[]u8{null} ** 60;
    for (0..1500) |_| {
        const slot = &slots[random.next(slots.len)];
        const block = slot.* orelse {
            slot.* = try heap.alloc(u8, random.next(4000) + 1);
            continue;
        };
        switch (random.next(8)) {
            0 => slot.* = null, // Forgotten.
            1, 2 => slot.* = try heap.realloc(block, random.next(6000) + 1),
            3 => _ = heap.resize(block, block.len),
            else => {
                heap.free(block);
                slot.* = null;
            },
        }
    }
    for (slots, 0..) |slot, i| {
        if (i % 2 == 0) if (slot) |block| heap.free(block);
    }
}

fn objects(heap: Allocator) !void {
    const Wide = struct { bytes: [96]u8 align(64) };
    var names: std.StringHashMapUnmanaged(*Wide) = .empty;
    for (0..40) |i| {
        const name = try std.fmt.allocPrint(heap, "object {d}", .{i});
        const wide = try heap.create(Wide);
        try names.put(heap, name, wide);
    }
    // The table goes, with half of what is in it.
    var entries = names.iterator();
    var n: usize = 0;
    while (entries.next()) |entry| : (n += 1) {
        if (n % 2 == 0) continue;
        heap.destroy(entry.value_ptr.*);
        heap.free(entry.key_ptr.*);
    }
    names.deinit(heap);
}

pub fn run(below: Allocator) !void {
    var counting: Counting = .{ .below = below };
    const heap = counting.allocator();
    var random: Random = .{};
    try lists(heap, &random);
    try blocks(heap, &random);
    try objects(heap);
    try std.io.getStdOut().writer().print(
        "truth live_blocks={d} live_bytes={d}\n",
        .{ counting.live_blocks, counting.live_bytes },
    );
}
