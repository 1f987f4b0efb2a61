// Random traffic on every entry of the C heap, over several call paths, with exact books.
//
//   truth [seed] [steps]
//
// main takes its arguments, so that libc's two blocks for argv are live beside ours.
#include <stdint.h>
#include <stdlib.h>
#include "ledger.h"

enum { SLOTS = 200, LARGEST = 5000 };

struct slot {
    unsigned char *block;
    size_t size;
};

static struct slot slots[SLOTS];
static uint32_t state;

static uint32_t next(uint32_t below) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % below;
}

// Marks both ends, so that an allocator disturbed by an instrument would be found out.
static void fill(struct slot *slot) {
    if (slot->size == 0) return;
    slot->block[0] = (unsigned char)slot->size;
    slot->block[slot->size - 1] = (unsigned char)slot->size;
}

static void check(const struct slot *slot) {
    if (slot->size == 0) return;
    if (slot->block[slot->size - 1] != (unsigned char)slot->size) abort();
}

static void keep(struct slot *slot, void *block, size_t size) {
    if (block == NULL) abort();
    slot->block = block;
    slot->size = size;
    ledger_add(size);
    fill(slot);
}

__attribute__((noinline)) static void *by_malloc(size_t size) {
    return malloc(size);
}

__attribute__((noinline)) static void *by_calloc(size_t size) {
    unsigned char *block = size % 4 == 0 ? calloc(size / 4, 4) : calloc(1, size);
    for (size_t i = 0; i < size; i++)
        if (block[i] != 0) abort();
    return block;
}

__attribute__((noinline)) static void *by_realloc_of_null(size_t size) {
    return realloc(NULL, size);
}

__attribute__((noinline)) static void *by_aligned_alloc(size_t size) {
    size_t alignment = (size_t)16 << next(7);
    void *block = aligned_alloc(alignment, size);
    if ((uintptr_t)block % alignment != 0) abort();
    return block;
}

__attribute__((noinline)) static void *by_posix_memalign(size_t size) {
    void *block = NULL;
    size_t alignment = (size_t)8 << next(7);
    if (posix_memalign(&block, alignment, size) != 0) abort();
    if ((uintptr_t)block % alignment != 0) abort();
    return block;
}

// The same allocation from many depths: one site, several stacks.
__attribute__((noinline)) static void *by_recursion(size_t size, uint32_t depth) {
    if (depth == 0) return malloc(size);
    void *block = by_recursion(size, depth - 1);
    if (block == NULL) abort();
    return block;
}

static void *(*volatile const by_pointer[])(size_t) = {
    by_malloc, by_calloc, by_realloc_of_null, by_aligned_alloc, by_posix_memalign,
};

static void allocate(struct slot *slot) {
    size_t size = next(LARGEST + 1);
    switch (next(5)) {
    case 0: keep(slot, malloc(size), size); break;
    case 1: keep(slot, calloc(size, 1), size); break;
    case 2: keep(slot, by_recursion(size, next(6)), size); break;
    case 3: keep(slot, by_malloc(size), size); break;
    default: keep(slot, by_pointer[next(5)](size), size); break;
    }
}

static void release(struct slot *slot) {
    check(slot);
    free(slot->block);
    ledger_remove(slot->size);
    slot->block = NULL;
}

static void resize(struct slot *slot, size_t size) {
    check(slot);
    void *block = realloc(slot->block, size);
    ledger_remove(slot->size);
    slot->block = NULL;
    // Some libcs free on realloc(p, 0) and answer NULL; wasi-libc gives an empty block.
    if (block != NULL || size != 0) keep(slot, block, size);
}

static void step(void) {
    struct slot *slot = &slots[next(SLOTS)];
    if (slot->block == NULL) {
        if (next(20) == 0) free(slot->block);
        allocate(slot);
        return;
    }
    switch (next(10)) {
    case 0: slot->block = NULL; break; // Forgotten: live for ever, and nothing points to it.
    case 1:
    case 2: resize(slot, slot->size + next(LARGEST)); break;
    case 3:
    case 4: resize(slot, next((uint32_t)slot->size + 1)); break;
    default: release(slot); break;
    }
}

int main(int argc, char **argv) {
    state = argc > 1 ? (uint32_t)atoi(argv[1]) : 1;
    if (state == 0) state = 1;
    int steps = argc > 2 ? atoi(argv[2]) : 2000;
    for (int i = 0; i < steps; i++) step();
    // Half of what is left stays, and a static array points to it.
    for (int i = 0; i < SLOTS; i += 2)
        if (slots[i].block != NULL) release(&slots[i]);
    ledger_tell();
    return 0;
}
