// The same marks, where the function is the host's.
#define IMPORTED
#include "marks.c"
