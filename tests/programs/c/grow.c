// Memory that grows in both ways: by memory.grow of the program's own, behind malloc's back,
// and by malloc of big blocks.
#include <stdlib.h>
#include "ledger.h"

enum { PAGE = 65536 };

static char *volatile blocks[4];
static const size_t sizes[4] = {3 << 20, 100 << 10, 1 << 20, 5 << 20};

int main(void) {
    ledger_number("pages at start=", __builtin_wasm_memory_size(0));
    for (size_t i = 0; i < 4; i++) {
        size_t page = __builtin_wasm_memory_grow(0, i + 1);
        char *own = (char *)(page * PAGE);
        own[0] = own[(i + 1) * PAGE - 1] = 'x';
        blocks[i] = malloc(sizes[i]);
        blocks[i][0] = blocks[i][sizes[i] - 1] = 'y';
        ledger_add(sizes[i]);
        if (own[0] != 'x' || own[(i + 1) * PAGE - 1] != 'x') return 1;
    }
    for (size_t i = 0; i < 3; i++) {
        free(blocks[i]);
        ledger_remove(sizes[i]);
    }
    ledger_number("pages at end=", __builtin_wasm_memory_size(0));
    ledger_tell();
    return 0;
}
