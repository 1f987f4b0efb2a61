// Random traffic on a heap, and at the end what the allocator itself says that the live blocks take:
//
//   truth live_blocks=N live_bytes=B … freed_blocks=..
//   usable_bytes=U
//
// A program defines `take`, `resize`, `give` and `usable`; with TELLS_PEAK it also says what its blocks
// were able to hold when most bytes were live.
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

#ifdef TELLS_PEAK
static size_t peak_bytes, peak_usable_bytes, peak_blocks;

static void look_at_peak(void) {
    if (ledger.live_bytes <= peak_bytes) return;
    peak_bytes = ledger.live_bytes;
    peak_blocks = ledger.live_blocks;
    peak_usable_bytes = 0;
    for (int slot = 0; slot < 300; slot++) {
        if (blocks[slot] != NULL) peak_usable_bytes += usable(blocks[slot]);
    }
}
#endif

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
#ifdef TELLS_PEAK
        look_at_peak();
#endif
    }
    size_t bytes = 0;
    for (int slot = 0; slot < 300; slot++) {
        if (blocks[slot] != NULL) bytes += usable(blocks[slot]);
    }
    ledger_number("usable_bytes=", bytes);
#ifdef TELLS_PEAK
    ledger_number("peak_usable_bytes=", peak_usable_bytes);
    ledger_number("peak_blocks=", peak_blocks);
#endif
    ledger_tell();
    return 0;
}
