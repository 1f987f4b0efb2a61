// Nothing but malloc and free over a live set: the worst case for an instrument.
//
//   alloc_bound [operations, default 5000000]
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIVE = 4096 };

static uint32_t *live[LIVE];
static uint32_t state = 2463534242u;

static uint32_t next(void) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

__attribute__((noinline)) static uint32_t *acquire(uint32_t size, uint32_t tag) {
    uint32_t *block = malloc(size);
    *block = tag;
    return block;
}

__attribute__((noinline)) static uint32_t give_back(uint32_t *block) {
    uint32_t tag = *block;
    free(block);
    return tag;
}

int main(int argc, char **argv) {
    long operations = argc > 1 ? atol(argv[1]) : 5000000;
    uint32_t sum = 0;
    for (long i = 0; i < operations; i++) {
        uint32_t pick = next();
        uint32_t **slot = &live[pick % LIVE];
        if (*slot != NULL) {
            sum = sum * 31 + give_back(*slot);
            *slot = NULL;
        } else {
            *slot = acquire(8 + (pick >> 16) % 248, (uint32_t)i);
        }
    }
    for (int i = 0; i < LIVE; i++)
        if (live[i] != NULL) sum = sum * 31 + give_back(live[i]);
    printf("checksum %u\n", sum);
    return 0;
}
