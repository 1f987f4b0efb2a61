// A pool of equal objects above libc's malloc: malloc is what allocates, not the pool.
#include <stdlib.h>
#include "decoys.h"

struct object {
    struct object *next;
    unsigned data[9];
};

static struct object *freed;

OWN void *pool_get(size_t size) {
    if (size > sizeof(struct object)) return malloc(size);
    if (freed == NULL) {
        struct object *slab = malloc(32 * sizeof *slab);
        ledger_add(32 * sizeof *slab);
        for (unsigned i = 0; i < 32; i++) {
            slab[i].next = freed;
            freed = &slab[i];
        }
    }
    struct object *object = freed;
    freed = object->next;
    return object;
}

OWN void pool_put(void *block) {
    struct object *object = block;
    object->next = freed;
    freed = object;
}

static OWN unsigned sum(unsigned count) {
    struct object *list = NULL;
    unsigned total = 0;
    for (unsigned i = 0; i < count; i++) {
        struct object *object = pool_get(sizeof *object);
        object->data[0] = i;
        object->next = list;
        list = object;
    }
    while (list != NULL) {
        struct object *next = list->next;
        total += list->data[0];
        pool_put(list);
        list = next;
    }
    return total;
}

int main(void) {
    void *scratch = malloc(100);
    tell("sum=", sum(300) + sum(200));
    free(scratch);
    ledger_tell();
    return 0;
}
