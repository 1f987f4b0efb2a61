// malloc, which is used little and well, and beside it four megabytes that the program takes by itself.
// With an argument one block is lost.
#include <stdlib.h>
#include "ledger.h"

enum { PAGE = 65536, PAGES = 64 };

static char *volatile block;

static char *__attribute__((noinline)) take_pages(void) {
    return (char *)(__builtin_wasm_memory_grow(0, PAGES) * PAGE);
}

int main(int count, char **arguments) {
    (void)arguments;
    for (int i = 1; i <= 100; i++) {
        block = malloc((size_t)i);
        ledger_add((size_t)i);
        block[0] = 'x';
        if (i == 50 && count > 1) continue;
        free(block);
        ledger_remove((size_t)i);
    }
    block = NULL;
    char *own = take_pages();
    own[0] = own[PAGES * PAGE - 1] = 'x';
    ledger_tell();
    return 0;
}
