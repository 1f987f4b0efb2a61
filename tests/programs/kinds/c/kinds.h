// What a guest says of its own heap, for tests/kinds.rs to compare with the report:
//
//   expect definitely_lost 3 300        blocks and bytes of that kind at the end
//   expect lost 3 300                   a sum: see `lines` in tests/kinds.rs
//
// A guest says what will become of a block where it allocates it: `block(LOST, 100)`. So nothing
// is counted a second time by hand. The books hold no address, and no number that could be taken
// for one: they are kept as their complements.
//
// The lines go out by write() from a buffer on the stack, so that printing allocates nothing.
#ifndef KINDS_H
#define KINDS_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

enum kind { LOST, INDIRECT, POSSIBLE, REACHABLE, SUPPRESSED, KINDS };

static const char *const kind_names[KINDS] = {
    "definitely_lost", "indirectly_lost", "possibly_lost", "still_reachable", "suppressed",
};

// Complements of blocks and bytes, so that no sum of sizes looks like an address.
static size_t books[KINDS][2];

// The optimiser must believe that the pointer is used, and cannot know what for.
static inline void *escape(void *pointer) {
    __asm__ volatile("" : "+r"(pointer) : : "memory");
    return pointer;
}

static inline void state(enum kind kind, size_t bytes) {
    if (books[kind][0] == 0) books[kind][0] = books[kind][1] = ~(size_t)0;
    books[kind][0] -= 1;
    books[kind][1] -= bytes;
}

static inline size_t stated(enum kind kind, int what) {
    return books[kind][0] == 0 ? 0 : ~books[kind][what];
}

// Takes back what was said of a block: it is freed after all.
static inline void unstate(enum kind kind, size_t bytes) {
    books[kind][0] += 1;
    books[kind][1] += bytes;
}

// Filled with what is no address, for a new block may hold the old pointers of a freed one.
NOINLINE __attribute__((unused)) static void *filled(size_t bytes) {
    void *pointer = escape(malloc(bytes));
    memset(pointer, 0xee, bytes);
    return escape(pointer);
}

// A block of which the guest says what it will be at the end.
NOINLINE __attribute__((unused)) static void *block(enum kind kind, size_t bytes) {
    state(kind, bytes);
    return filled(bytes);
}

// Writes zeros over what returned functions have left on the stack. A frame that is live when the
// guest ends would otherwise have old pointers in its gaps.
NOINLINE __attribute__((unused)) static void scrub_stack(void) {
    char zeros[16384];
    memset(zeros, 0, sizeof zeros);
    escape(zeros);
}

static inline char *put_text(char *at, const char *text) {
    size_t length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}

static inline char *put_number(char *at, size_t value) {
    char digits[24];
    int n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    *at++ = ' ';
    while (n > 0) *at++ = digits[--n];
    return at;
}

// One line: the words and up to two numbers.
NOINLINE static void expect(const char *words, size_t numbers, size_t first, size_t second) {
    char line[160];
    char *end = put_text(put_text(line, "expect "), words);
    if (numbers > 0) end = put_number(end, first);
    if (numbers > 1) end = put_number(end, second);
    *end++ = '\n';
    write(1, line, (size_t)(end - line));
}

// libc copies the arguments of a main that takes them: the strings in one block, the pointers and
// a null in another. They are known noise.
static inline void state_arguments(int argc, char **argv) {
    size_t strings = 0;
    for (int i = 0; i < argc; i++) strings += strlen(argv[i]) + 1;
    state(SUPPRESSED, strings);
    state(SUPPRESSED, (size_t)(argc + 1) * sizeof(char *));
}

// Says what has been stated, and leaves no trace of it on the stack.
NOINLINE __attribute__((unused)) static void tell(void) {
    for (int kind = 0; kind < KINDS; kind++) {
        expect(kind_names[kind], 2, stated((enum kind)kind, 0), stated((enum kind)kind, 1));
    }
}

// The same for a program that traps: it had no chance to free anything, so nobody is accused.
NOINLINE __attribute__((unused)) static void tell_and_trap(void) {
    tell();
    expect("outcome trapped", 0, 0, 0);
    expect("verdict inconclusive", 0, 0, 0);
}

struct scenario {
    const char *name;
    void (*run)(void);
};

// Runs the scenario of that name; exits with 2 if there is none.
static inline void run_scenario(const struct scenario *all, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i].name, name) == 0) {
            all[i].run();
            return;
        }
    }
    _exit(2);
}

#define RUN(all, name) run_scenario(all, sizeof(all) / sizeof *(all), name)

#endif
