// An allocator of the program's own above malloc: pool_alloc and pool_free hand out pieces of
// slabs. The truth is told of the pool's objects; the slabs under them get a line of their own.
#include <stdlib.h>
#include "ledger.h"

enum { SLAB_BYTES = 4096, CLASSES = 8, CLASS_STEP = 32 };

struct piece {
    struct piece *next;
};

struct pool {
    struct piece *spare[CLASSES];
    char *slab;
    size_t used;
    unsigned long slabs;
};

static size_t class_of(size_t size) {
    return size == 0 ? 0 : (size - 1) / CLASS_STEP;
}

__attribute__((noinline)) void *pool_alloc(struct pool *pool, size_t size) {
    size_t class = class_of(size);
    if (class >= CLASSES) return NULL;
    struct piece *piece = pool->spare[class];
    if (piece != NULL) {
        pool->spare[class] = piece->next;
        return piece;
    }
    size_t bytes = (class + 1) * CLASS_STEP;
    if (pool->slab == NULL || pool->used + bytes + sizeof(size_t) * 2 > SLAB_BYTES) {
        pool->slab = malloc(SLAB_BYTES);
        pool->slabs += 1;
        pool->used = 0;
    }
    // A word of header keeps the class, for pool_free is not told the size.
    size_t *header = (size_t *)(pool->slab + pool->used);
    pool->used += bytes + sizeof(size_t) * 2;
    header[0] = class;
    return header + 2;
}

__attribute__((noinline)) void pool_free(struct pool *pool, void *object) {
    if (object == NULL) return;
    struct piece *piece = object;
    size_t class = ((size_t *)object)[-2];
    piece->next = pool->spare[class];
    pool->spare[class] = piece;
}

static struct pool pool;
static void *volatile objects[300];

static size_t size_of(size_t i) {
    return 8 + i * 7 % 240;
}

int main(void) {
    for (size_t i = 0; i < 300; i++) {
        objects[i] = pool_alloc(&pool, size_of(i));
        ledger_add(size_of(i));
    }
    for (size_t i = 0; i < 300; i++) {
        if (i % 3 == 0) continue;
        pool_free(&pool, objects[i]);
        ledger_remove(size_of(i));
    }
    // From the spare lists this time.
    for (size_t i = 1; i < 300; i += 30) {
        objects[i] = pool_alloc(&pool, size_of(i));
        ledger_add(size_of(i));
    }
    ledger_number("slabs live_blocks=", pool.slabs);
    ledger_number("slabs live_bytes=", pool.slabs * SLAB_BYTES);
    ledger_tell();
    return 0;
}
