// mimalloc, whose sources the crate libmimalloc-sys brings along; as one file, which its authors
// provide for.
#include "static.c"

__attribute__((noinline)) void *mi_get(size_t size) { return mi_malloc(size); }
__attribute__((noinline)) void mi_put(void *block) { mi_free(block); }

#define take mi_get
#define give mi_put
#include "work.h"
