// An arena: blocks one after the other, and all of them given up at once.
#include <stdint.h>
#include "decoys.h"

static uintptr_t first, top, end;

OWN void *arena_get(size_t size) {
    size = (size + 7) & ~(size_t)7;
    if (end - top < size) {
        size_t pages = (size + 65535) / 65536;
        size_t before = __builtin_wasm_memory_grow(0, pages);
        if (before == (size_t)-1) return NULL;
        if (first == 0) first = top = before * 65536;
        end = (before + pages) * 65536;
    }
    uintptr_t block = top;
    top += size;
    return (void *)block;
}

OWN void arena_reset(unsigned keep) {
    top = first + keep;
}

static OWN unsigned parse(unsigned count) {
    unsigned total = 0;
    for (unsigned i = 1; i < count; i++) {
        unsigned *cell = arena_get(i % 100 + 4);
        *cell = i;
        total += *cell;
    }
    arena_reset(0);
    return total;
}

int main(void) {
    tell("parsed=", parse(20000) + parse(100));
    return 0;
}
