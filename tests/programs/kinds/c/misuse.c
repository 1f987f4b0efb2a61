// What must not be done to a heap, in ways that dlmalloc survives: one scenario an argument.
#include <stdint.h>
#include "kinds.h"

static void *volatile before, *volatile victim, *volatile after;

// A block between two live ones: freed, it goes to a small bin, and comes back from it.
static void three(enum kind kind) {
    before = block(REACHABLE, 24);
    victim = kind == KINDS ? filled(24) : block(kind, 24);
    after = block(REACHABLE, 24);
}

NOINLINE static void free_first(void *pointer) {
    free(pointer);
}

NOINLINE static void free_again(void *pointer) {
    free(pointer);
}

static void double_free(void) {
    three(KINDS);
    free_first(victim);
    free_again(victim);
    expect("heap_error double_free", 1, 1, 0);
}

static void triple_free(void) {
    three(KINDS);
    free_first(victim);
    free_again(victim);
    free_again(victim);
    expect("heap_error double_free", 1, 2, 0);
}

// The same address, freed twice, and no error: it had been given out again in between.
static void free_of_reused(void) {
    three(KINDS);
    void *first = victim;
    free_first(victim);
    victim = filled(24);
    if (victim != first) _exit(2);
    free_again(victim);
}

// dlmalloc reads the size of a chunk in the word before it, and that of the next one behind it.
// Flags: 1 = the chunk before is in use, 2 = this one is.
struct forged {
    uint32_t previous, head, body[4], next_previous, next_head, rest[8];
};

static struct forged fixed;

static void *forge(struct forged *chunk) {
    chunk->head = 24 | 3;
    chunk->next_head = 24 | 3;
    return escape(chunk->body);
}

static void never_allocated(void) {
    before = block(REACHABLE, 400);
    free(forge(&fixed));
    expect("heap_error unknown_free", 1, 1, 0);
}

static void interior_free(void) {
    before = block(REACHABLE, 400);
    free(forge((struct forged *)((char *)before + 64)));
    expect("heap_error interior_free", 1, 1, 0);
}

// The freed block is too small for what is asked: dlmalloc takes another, and copies.
static void realloc_of_freed(void) {
    three(KINDS);
    free(victim);
    victim = realloc(victim, 200);
    state(REACHABLE, 200);
    expect("heap_error unknown_realloc", 1, 1, 0);
}

static void realloc_of_static(void) {
    before = block(REACHABLE, 400);
    victim = realloc(forge(&fixed), 200);
    state(REACHABLE, 200);
    expect("heap_error unknown_realloc", 1, 1, 0);
}

// None of these is an error.
static void allowed(void) {
    free(NULL);
    free(realloc(NULL, 30));
    free(escape(malloc(0)));
    free(escape(calloc(0, 8)));
    void *aligned = NULL;
    if (posix_memalign(&aligned, 64, 100) != 0) _exit(2);
    free(escape(aligned));
    free(escape(aligned_alloc(32, 64)));
    victim = realloc(filled(100), 10);
    state(REACHABLE, 10);
}

// An error in one place and a leak in another.
static void with_leak(void) {
    three(KINDS);
    free_first(victim);
    free_again(victim);
    block(LOST, 700);
    expect("heap_error double_free", 1, 1, 0);
}

static const struct scenario all[] = {
    {"double_free", double_free},
    {"triple_free", triple_free},
    {"free_of_reused", free_of_reused},
    {"never_allocated", never_allocated},
    {"interior_free", interior_free},
    {"realloc_of_freed", realloc_of_freed},
    {"realloc_of_static", realloc_of_static},
    {"allowed", allowed},
    {"with_leak", with_leak},
};

int main(int argc, char **argv) {
    state_arguments(argc, argv);
    RUN(all, argc > 1 ? argv[1] : "allowed");
    tell();
    return 0;
}
