#include <malloc.h>
#include <stdlib.h>

#define take malloc
#define resize realloc
#define give free
#define usable malloc_usable_size
#include "usable.h"
