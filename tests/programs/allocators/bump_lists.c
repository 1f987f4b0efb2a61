// A bump allocator with a list of freed blocks for each class of sizes, the last one freed first.
#include <stddef.h>
#include <stdint.h>

#define CLASSES 28

struct freed {
    struct freed *next;
};

static struct freed *lists[CLASSES];
static uintptr_t top, end;

static unsigned class_of(size_t size) {
    unsigned number = 0;
    while (((size_t)16 << number) < size) number++;
    return number;
}

__attribute__((noinline)) void *bump_get(size_t size) {
    unsigned number = class_of(size + 8);
    if (number >= CLASSES) return NULL;
    struct freed *block = lists[number];
    if (block != NULL) {
        lists[number] = block->next;
        return block;
    }
    size_t whole = (size_t)16 << number;
    if (top == 0 || end - top < whole) {
        size_t pages = (whole + 65535) / 65536;
        size_t before = __builtin_wasm_memory_grow(0, pages);
        if (before == (size_t)-1) return NULL;
        if (before * 65536 != end) top = before * 65536;
        end = (before + pages) * 65536;
    }
    unsigned *head = (unsigned *)top;
    top += whole;
    *head = number;
    return head + 2;
}

__attribute__((noinline)) void bump_put(void *block) {
    if (block == NULL) return;
    unsigned number = ((unsigned *)block)[-2];
    struct freed *freed = block;
    freed->next = lists[number];
    lists[number] = freed;
}

#define take bump_get
#define give bump_put
#include "work.h"
