// Calls `seepage_mark`, which does nothing, between phases: whoever watches looks at the heap then.
//
// At a mark in the middle of the run, locals may hold what nothing else does. So of what is lost by
// then only the sum of the three kinds is said.
#include "kinds.h"

#ifdef IMPORTED
__attribute__((import_module("env"), import_name("seepage_mark"))) void seepage_mark(void);
#else
static volatile int marks_seen;

__attribute__((noinline, export_name("seepage_mark"))) void seepage_mark(void) {
    marks_seen++;
}
#endif

static void *volatile held[8];
static size_t marks;

static void expect_kind(const char *kinds, size_t blocks, size_t bytes) {
    char words[96];
    char *end = put_text(words, "mark");
    end = put_number(end, marks);
    *end++ = ' ';
    *put_text(end, kinds) = '\0';
    expect(words, 2, blocks, bytes);
}

// What is stated as kinds by now is what there is at the mark. The caller has scrubbed the stack, or
// this frame would have old pointers in its gaps.
NOINLINE static void mark_scrubbed(void) {
    seepage_mark();
    size_t lost[2] = {0, 0};
    for (int kind = LOST; kind <= POSSIBLE; kind++) {
        lost[0] += stated((enum kind)kind, 0);
        lost[1] += stated((enum kind)kind, 1);
    }
    expect_kind("definitely_lost+indirectly_lost+possibly_lost", lost[0], lost[1]);
    expect_kind("still_reachable", stated(REACHABLE, 0), stated(REACHABLE, 1));
    marks++;
}

static void mark(void) {
    scrub_stack();
    mark_scrubbed();
}

NOINLINE static void leak_tree(size_t bytes) {
    void **top = block(LOST, bytes);
    top[0] = block(INDIRECT, bytes * 2);
    top[1] = block(INDIRECT, bytes * 3);
}

NOINLINE static void hold(size_t index, size_t bytes) {
    held[index] = block(REACHABLE, bytes);
}

static void none_lost(void) {
    for (size_t i = 0; i < 3; i++) {
        hold(i, 100 * (i + 1));
        mark();
    }
}

static void lost_between(void) {
    mark();
    hold(0, 50);
    mark();
    leak_tree(40);
    mark();
    hold(1, 60);
    leak_tree(30);
    mark();
}

static void many_marks(void) {
    for (size_t i = 0; i < 40; i++) {
        if (i % 8 == 3) leak_tree(20);
        mark();
    }
}

static const struct scenario all[] = {
    {"none_lost", none_lost},
    {"lost_between", lost_between},
    {"many_marks", many_marks},
};

int main(int argc, char **argv) {
    state_arguments(argc, argv);
    RUN(all, argc > 1 ? argv[1] : "lost_between");
    tell();
    return 0;
}
