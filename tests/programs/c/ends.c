// Every way for a program to end, each with three blocks of 100 bytes leaked:
//
//   ends return N | exit N | trap | abort | loop | oom | oom-trap | stack-overflow | div-zero
//
// It is linked with a memory of at most 64 MiB, so that oom comes soon.
#include <stdlib.h>
#include "ledger.h"

enum { HUNGRY_BLOCK = 1 << 20 };

static char *volatile sink;
static volatile int zero;

__attribute__((noinline)) static void leak_three(void) {
    for (int i = 0; i < 3; i++) {
        sink = malloc(100);
        ledger_add(100);
    }
}

__attribute__((noinline)) static void eat_all_memory(void) {
    while ((sink = malloc(HUNGRY_BLOCK)) != NULL) ledger_add(HUNGRY_BLOCK);
}

// Each frame hands its buffer down, so that no optimiser can make a loop of it.
__attribute__((noinline)) static int fall(volatile int *above) {
    volatile int frame[64];
    frame[0] = *above + 1;
    if (zero != 0) return 0;
    return fall(frame) + frame[0];
}

__attribute__((noinline)) static void loop_for_ever(void) {
    for (unsigned turn = 1;; turn++) {
        if (turn % 1000000 != 0) {
            zero = 0;
            continue;
        }
        sink = malloc(64);
        free(sink);
    }
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "return";
    int code = argc > 2 ? atoi(argv[2]) : 0;
    leak_three();
    if (strncmp(mode, "oom", 3) == 0) {
        eat_all_memory();
        ledger_tell();
        if (strcmp(mode, "oom-trap") == 0) __builtin_trap();
        exit(3);
    }
    ledger_tell();
    if (strcmp(mode, "exit") == 0) exit(code);
    if (strcmp(mode, "trap") == 0) __builtin_trap();
    if (strcmp(mode, "abort") == 0) abort();
    if (strcmp(mode, "loop") == 0) loop_for_ever();
    if (strcmp(mode, "stack-overflow") == 0) return fall(&zero);
    if (strcmp(mode, "div-zero") == 0) return (code + 7) / zero;
    return code;
}
