// A function with a number for a number that merely asks for memory, and one that gives nothing back.
#include <stdint.h>
#include "decoys.h"

static size_t asked, limit = 40;

OWN size_t ask(size_t pages) {
    return __builtin_wasm_memory_grow(0, pages);
}

OWN size_t ask_within_limit(size_t pages) {
    if (asked + pages > limit) return (size_t)-1;
    asked += pages;
    return ask(pages);
}

OWN void forget(size_t pages) {
    asked -= pages < asked ? pages : asked;
    limit += 1;
    if (limit > 100) limit = 100;
}

int main(void) {
    unsigned granted = 0;
    for (unsigned i = 0; i < 30; i++) {
        if (ask_within_limit(i % 4 + 1) != (size_t)-1) granted++;
        if (i % 5 == 0) forget(3);
    }
    tell("granted=", granted);
    return 0;
}
