// Every way to end, behind the same leaks: what was lost is lost however the program ends.
//
// The lost blocks are those of a function that has returned, and the stack is scrubbed after it. No
// frame that is live at the end will read a local again that could be one of them.
#include "kinds.h"

static void *volatile held[2];
static volatile int zero;

NOINLINE static void leak(void) {
    for (int i = 0; i < 3; i++) block(LOST, 100);
    void **top = block(LOST, 40);
    top[0] = block(INDIRECT, 50);
    held[0] = block(REACHABLE, 60);
    held[1] = escape((char *)block(POSSIBLE, 70) + 4);
}

NOINLINE static int end(const char *how, int code) {
    if (strcmp(how, "exit") == 0) exit(code);
    if (strcmp(how, "proc_exit") == 0) _exit(code);
    if (strcmp(how, "abort") == 0) abort();
    if (strcmp(how, "trap") == 0) __builtin_trap();
    if (strcmp(how, "div_zero") == 0) return (code + 7) / zero;
    if (strcmp(how, "out_of_bounds") == 0) return *(volatile int *)(0x7ffffff0 + zero);
    return code;
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "return";
    int code = argc > 2 ? atoi(argv[2]) : 0;
    int stays = strcmp(how, "return") == 0;
    int exits = strcmp(how, "exit") == 0 || strcmp(how, "proc_exit") == 0;
    state_arguments(argc, argv);
    leak();
    if (stays && code == 0) {
        expect("outcome returned", 0, 0, 0);
    } else if (stays || exits) {
        expect("outcome exited", 0, 0, 0);
        expect("exit_code", 1, (size_t)code, 0);
    }
    if (stays || exits) {
        tell();
    } else {
        tell_and_trap();
    }
    scrub_stack();
    return end(how, code);
}
