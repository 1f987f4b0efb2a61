// mimalloc 3, as one file. What it has for WASI calls this by an earlier name.
#define mi_align_up_ptr (void *)_mi_align_up_ptr
#include "static.c"

#define take mi_malloc
#define resize mi_realloc
#define give mi_free
#define usable mi_usable_size
#include "usable.h"
