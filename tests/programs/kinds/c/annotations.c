// LeakSanitizer's interface, as a program built for it would call it. Here the functions are our
// own and do nothing: whoever watches the program knows them by their names.
//
// An ignored block is no leak, nor is what only it points to. Whether the latter counts as
// suppressed or as reachable is left open.
#include "kinds.h"

#define EXPORT(name) __attribute__((noinline, export_name(#name)))

// What the empty functions do, so that no optimiser can tell that it is nothing.
static volatile int calls;

EXPORT(__lsan_ignore_object) void __lsan_ignore_object(const void *pointer) {
    calls += pointer != NULL;
}

EXPORT(__lsan_disable) void __lsan_disable(void) {
    calls++;
}

EXPORT(__lsan_enable) void __lsan_enable(void) {
    calls--;
}

static size_t beside[2];

// A block that is ignored, or held by one that is.
static void *ignored(size_t bytes) {
    beside[0]++;
    beside[1] += bytes;
    return filled(bytes);
}

static void ignore_object(void) {
    __lsan_ignore_object(ignored(100));
    block(LOST, 90);
    void **top = ignored(40);
    top[0] = ignored(50);
    __lsan_ignore_object(top);
}

static void disable(void) {
    block(LOST, 10);
    __lsan_disable();
    ignored(100);
    ignored(200);
    __lsan_enable();
    block(LOST, 20);
}

// They nest.
static void disable_twice(void) {
    __lsan_disable();
    ignored(100);
    __lsan_disable();
    ignored(200);
    __lsan_enable();
    ignored(300);
    __lsan_enable();
    block(LOST, 20);
}

// An ignored block keeps what it points to, though that was made outside.
static void disabled_holds(void) {
    __lsan_disable();
    void **top = ignored(40);
    __lsan_enable();
    top[3] = ignored(70);
}

// Nothing but ignored blocks: clean.
static void ignore_all(void) {
    __lsan_disable();
    for (size_t i = 1; i < 30; i++) ignored(i * 10);
    __lsan_enable();
    __lsan_ignore_object(ignored(1000));
}

static const struct scenario all[] = {
    {"ignore_object", ignore_object},
    {"disable", disable},
    {"disable_twice", disable_twice},
    {"disabled_holds", disabled_holds},
    {"ignore_all", ignore_all},
};

int main(int argc, char **argv) {
    state_arguments(argc, argv);
    RUN(all, argc > 1 ? argv[1] : "ignore_all");
    expect("definitely_lost", 2, stated(LOST, 0), stated(LOST, 1));
    expect("indirectly_lost", 2, 0, 0);
    expect("possibly_lost", 2, 0, 0);
    size_t blocks = beside[0] + stated(SUPPRESSED, 0), bytes = beside[1] + stated(SUPPRESSED, 1);
    expect("still_reachable+suppressed", 2, blocks, bytes);
    return 0;
}
