// A program that brings its own suppressions, as LeakSanitizer lets it: by function names.
#include "kinds.h"

__attribute__((noinline, export_name("__lsan_default_suppressions"))) const char *
__lsan_default_suppressions(void) {
    return "# Known, and not to be mended.\nleak:forgiven_*\nleak:never_called\n";
}

NOINLINE static void *forgiven_pool(size_t bytes) {
    state(SUPPRESSED, bytes);
    return escape(malloc(bytes));
}

NOINLINE static void forgiven_outer(void) {
    state(SUPPRESSED, 60);
    escape(malloc(60));
    __asm__ volatile("");
}

NOINLINE static void not_forgiven(void) {
    block(LOST, 30);
}

static void by_name(void) {
    escape(forgiven_pool(100));
    escape(forgiven_pool(10));
    forgiven_outer();
    not_forgiven();
}

static void only_forgiven(void) {
    escape(forgiven_pool(100));
    forgiven_outer();
}

static const struct scenario all[] = {
    {"by_name", by_name},
    {"only_forgiven", only_forgiven},
};

int main(int argc, char **argv) {
    state_arguments(argc, argv);
    RUN(all, argc > 1 ? argv[1] : "by_name");
    tell();
    return 0;
}
