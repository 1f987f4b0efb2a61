// A binary buddy allocator over an arena that grows by megabytes.
#include <stddef.h>
#include <stdint.h>

#define SMALLEST 5
#define LARGEST 20
#define ORDERS (LARGEST + 1)
#define ARENAS 64

struct space {
    struct space *next, *before;
};

static struct space *spaces[ORDERS];
// The order of each block that is handed out, by its unit; spaces have it negative.
static signed char orders[ARENAS << (LARGEST - SMALLEST)];
static uintptr_t base;

static signed char *order_of(void *block) {
    return &orders[((uintptr_t)block - base) >> SMALLEST];
}

__attribute__((noinline)) static void insert(struct space *space, int order) {
    space->before = NULL;
    space->next = spaces[order];
    if (space->next != NULL) space->next->before = space;
    spaces[order] = space;
    *order_of(space) = (signed char)-order;
}

__attribute__((noinline)) static void take_out(struct space *space, int order) {
    if (space->before != NULL) space->before->next = space->next;
    else spaces[order] = space->next;
    if (space->next != NULL) space->next->before = space->before;
    *order_of(space) = 0;
}

__attribute__((noinline)) static int more(void) {
    size_t pages = ((size_t)1 << LARGEST) / 65536;
    size_t before = __builtin_wasm_memory_grow(0, pages);
    if (before == (size_t)-1) return 0;
    uintptr_t start = before * 65536;
    if (base == 0) base = start;
    if (start - base >= (uintptr_t)ARENAS << LARGEST) return 0;
    insert((struct space *)start, LARGEST);
    return 1;
}

__attribute__((noinline)) void *buddy_get(size_t size) {
    int order = SMALLEST;
    while (order <= LARGEST && ((size_t)1 << order) < size) order++;
    if (order > LARGEST) return NULL;
    int from = order;
    while (from <= LARGEST && spaces[from] == NULL) from++;
    if (from > LARGEST) {
        if (!more()) return NULL;
        from = LARGEST;
    }
    struct space *space = spaces[from];
    take_out(space, from);
    while (from > order) {
        from--;
        insert((struct space *)((char *)space + ((size_t)1 << from)), from);
    }
    *order_of(space) = (signed char)order;
    return space;
}

__attribute__((noinline)) void buddy_put(void *block) {
    if (block == NULL) return;
    int order = *order_of(block);
    uintptr_t at = (uintptr_t)block - base;
    while (order < LARGEST) {
        uintptr_t buddy = at ^ ((uintptr_t)1 << order);
        if (orders[buddy >> SMALLEST] != -order) break;
        take_out((struct space *)(base + buddy), order);
        at &= ~((uintptr_t)1 << order);
        order++;
    }
    *order_of(block) = 0;
    insert((struct space *)(base + at), order);
}

#define take buddy_get
#define give buddy_put
#include "work.h"
