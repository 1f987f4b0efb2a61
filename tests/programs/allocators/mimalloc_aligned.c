// mimalloc, of which the program uses the aligned functions, as Rust's crate does.
#include "static.c"

#define OWN_FUNCTION __attribute__((noinline))

OWN_FUNCTION void *aligned(size_t size, size_t align) { return mi_malloc_aligned(size, align); }
OWN_FUNCTION void *zeroed(size_t size, size_t align) { return mi_zalloc_aligned(size, align); }
OWN_FUNCTION void *resized(void *block, size_t size, size_t align) {
    return mi_realloc_aligned(block, size, align);
}
OWN_FUNCTION void *plain(size_t size) { return mi_malloc(size); }
OWN_FUNCTION void put(void *block) { mi_free(block); }

static void *get(size_t size) {
    switch (size % 4) {
    case 0: return aligned(size, 16);
    case 1: return zeroed(size, size % 8 == 1 ? 64 : 16);
    case 2: return resized(aligned(size / 2, 32), size, 32);
    default: return plain(size);
    }
}

#define take get
#define give put
#include "work.h"
