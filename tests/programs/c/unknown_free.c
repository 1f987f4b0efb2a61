// Frees two addresses no allocator ever gave out: a static's, and one inside a live block.
// Both look to dlmalloc like small chunks in use, which is what lets the guest end well.
#include <stdint.h>
#include <stdlib.h>
#include "ledger.h"

// A forged heap: dlmalloc reads the size of a chunk in the word before it, and of the next one
// behind it. Flags: 1 = the chunk before is in use, 2 = this one is.
struct forged {
    uint32_t previous, head, body[4], next_previous, next_head, rest[8];
};

static struct forged fixed;

static void forge(struct forged *chunk) {
    chunk->head = 24 | 3;
    chunk->next_head = 24 | 3;
}

static void *volatile block;
static void *volatile pointer;

int main(void) {
    // The chunks freed below must lie above the lowest address of the heap.
    block = malloc(400);
    ledger_add(400);
    struct forged *inside = (struct forged *)((char *)block + 64);
    forge(inside);
    pointer = inside->body;
    free(pointer);
    forge(&fixed);
    pointer = fixed.body;
    free(pointer);
    ledger_tell();
    return 0;
}
