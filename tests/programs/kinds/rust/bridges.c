// The C half of bridges.rs.
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

NOINLINE void *c_malloc(size_t bytes) {
    return malloc(bytes);
}

NOINLINE void *c_calloc(size_t bytes) {
    return calloc(1, bytes);
}

NOINLINE void *c_realloc(void *pointer, size_t bytes) {
    return realloc(pointer, bytes);
}

NOINLINE void c_free(void *pointer) {
    free(pointer);
}

// Another way for what Rust made: back to it.
NOINLINE void c_give_back(void *pointer, void (*release)(void *)) {
    release(pointer);
}

NOINLINE char *c_copy(const char *text) {
    return strdup(text);
}
