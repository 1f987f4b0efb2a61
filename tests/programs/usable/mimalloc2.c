// mimalloc 2, as one file.
#include "static.c"

#define take mi_malloc
#define resize mi_realloc
#define give mi_free
#define usable mi_usable_size
#include "usable.h"
