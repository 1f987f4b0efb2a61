// Nothing may be live at the end: main takes no arguments, so libc keeps none either.
#include <stdlib.h>
#include "ledger.h"

// Through volatile pointers, or -O2 would remove each malloc along with its free.
static char *volatile blocks[64];

int main(void) {
    for (int round = 0; round < 8; round++) {
        for (size_t i = 0; i < 64; i++) {
            blocks[i] = malloc(i * 40 + 1);
            ledger_add(i * 40 + 1);
        }
        for (size_t i = 0; i < 64; i++) {
            free(blocks[i]);
            ledger_remove(i * 40 + 1);
        }
    }
    ledger_tell();
    return 0;
}
