// One list of spaces by rising address: the first that is large enough serves, and neighbours melt
// together. It can resize a block.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct space {
    size_t size;
    struct space *next;
};

static struct space *spaces;

__attribute__((noinline)) void fit_put(void *block) {
    if (block == NULL) return;
    struct space *space = (struct space *)((char *)block - 8);
    struct space **at = &spaces;
    struct space *before = NULL;
    while (*at != NULL && *at < space) {
        before = *at;
        at = &(*at)->next;
    }
    struct space *next = *at;
    if (next != NULL && (char *)space + space->size == (char *)next) {
        space->size += next->size;
        next = next->next;
    }
    space->next = next;
    if (before != NULL && (char *)before + before->size == (char *)space) {
        before->size += space->size;
        before->next = next;
    } else {
        *at = space;
    }
}

__attribute__((noinline)) void *fit_get(size_t size) {
    size_t whole = (size + 8 + 15) & ~(size_t)15;
    if (whole < size) return NULL;
    for (;;) {
        for (struct space **at = &spaces; *at != NULL; at = &(*at)->next) {
            struct space *space = *at;
            if (space->size < whole) continue;
            if (space->size - whole >= 32) {
                struct space *rest = (struct space *)((char *)space + whole);
                rest->size = space->size - whole;
                rest->next = space->next;
                *at = rest;
                space->size = whole;
            } else {
                *at = space->next;
            }
            return (char *)space + 8;
        }
        size_t pages = (whole + 65535) / 65536;
        size_t before = __builtin_wasm_memory_grow(0, pages);
        if (before == (size_t)-1) return NULL;
        struct space *space = (struct space *)(before * 65536);
        space->size = pages * 65536;
        fit_put((char *)space + 8);
    }
}

__attribute__((noinline)) void *fit_resize(void *block, size_t size) {
    if (block == NULL) return fit_get(size);
    size_t room = ((struct space *)((char *)block - 8))->size - 8;
    if (size <= room) return block;
    void *other = fit_get(size);
    if (other == NULL) return NULL;
    memcpy(other, block, room);
    fit_put(block);
    return other;
}

#define take(size) fit_resize(fit_get((size) / 2 + 1), size)
#define give fit_put
#include "work.h"
