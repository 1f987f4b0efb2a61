// Random traffic on a heap, and at the end what the allocator itself says that the live blocks take:
//
//   truth live_blocks=N live_bytes=B … freed_blocks=..
//   usable_bytes=U
//
// A program defines `take`, `resize`, `give` and `usable`.
#include "../c/ledger.h"

static unsigned state = 1;

static unsigned chance(unsigned bound) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % bound;
}

static size_t some_size(void) {
    switch (chance(20)) {
    case 0: return 1 + chance(60000);
    case 1: return 1 + chance(6000);
    default: return 1 + chance(500);
    }
}

static char *blocks[300];
static size_t sizes[300];

int main(void) {
    for (int step = 0; step < 20000; step++) {
        unsigned slot = chance(300);
        size_t size = some_size();
        if (blocks[slot] == NULL) {
            blocks[slot] = take(size);
            ledger_add(size);
        } else if (chance(3) == 0) {
            // What is made smaller may keep its place.
            blocks[slot] = resize(blocks[slot], size);
            ledger_remove(sizes[slot]);
            ledger_add(size);
        } else {
            give(blocks[slot]);
            ledger_remove(sizes[slot]);
            blocks[slot] = NULL;
            continue;
        }
        sizes[slot] = size;
        memset(blocks[slot], (int)step, size);
    }
    size_t bytes = 0;
    for (int slot = 0; slot < 300; slot++) {
        if (blocks[slot] != NULL) bytes += usable(blocks[slot]);
    }
    ledger_number("usable_bytes=", bytes);
    ledger_tell();
    return 0;
}
