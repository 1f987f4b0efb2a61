// Frees one block twice. wasi-libc's dlmalloc does not notice, as long as the block between two
// live ones goes to a small bin and comes back from it in the same order; the guest must end well.
#include <stdlib.h>
#include "ledger.h"

static char *volatile before;
static char *volatile twice;
static char *volatile after;

__attribute__((noinline)) static void free_once_more(char *block) {
    free(block);
}

int main(void) {
    before = malloc(24);
    twice = malloc(24);
    after = malloc(24);
    for (int i = 0; i < 3; i++) ledger_add(24);
    free(twice);
    ledger_remove(24);
    free_once_more(twice);
    ledger_tell();
    return 0;
}
