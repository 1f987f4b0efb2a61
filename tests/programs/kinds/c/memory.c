// Why the memory grew, and where its bytes are: one scenario an argument.
//
// The growth that a program expects of a cause is a range: what the blocks take by themselves, and
// what an allocator of any sense may take on top of that.
#include <stdint.h>
#include "kinds.h"

enum { PAGE = 65536, MOST = 8192 };

static void *volatile held[MOST];

static size_t memory_bytes(void) {
    return (size_t)__builtin_wasm_memory_size(0) * PAGE;
}

/* In pages: as bytes it would look like an address in the heap. */
static size_t pages_before;

static void expect_growth(const char *cause, size_t least, size_t most) {
    char words[64];
    char *end = put_text(put_text(words, "growth "), cause);
    *end = '\0';
    expect(words, 2, least, most);
}

static size_t grown(void) {
    return memory_bytes() - pages_before * PAGE;
}

static size_t holes;

// Blocks of one size, side by side, which then shrink to 16 bytes where they are: the holes
// between them are a little too small for another of that size.
NOINLINE static void leave_holes(size_t from, size_t count, size_t size) {
    for (size_t i = from; i < from + count; i++) held[i] = filled(size);
    for (size_t i = from; i < from + count; i++) {
        void *block = held[i];
        held[i] = realloc(block, 16);
        if (held[i] != block) _exit(2);
        state(REACHABLE, 16);
        holes += size - 32;
    }
}

// Three rounds, of which the first is demand. The others never have more live than it had, but
// what is free is in pieces too small.
static void rounds(void) {
    leave_holes(0, 1200, 1000);
    size_t demand = grown();
    leave_holes(1200, 590, 2000);
    leave_holes(1790, 280, 4000);
    expect_growth("demand", demand - PAGE, demand + PAGE);
    expect_growth("fragmentation", grown() - demand - PAGE, grown() - demand + PAGE);
}

static void fragmented(void) {
    rounds();
    expect("account free_fragmented+free_fitting", 2, holes, holes + 3 * PAGE);
}

static void leak(void) {
    for (int i = 0; i < 2000; i++) block(LOST, 1000);
    expect_growth("demand", grown() - PAGE, grown());
    expect_growth("fragmentation", 0, 0);
    expect("no_finding fragmentation", 0, 0, 0);
}

// Half a megabyte of leaks, and then holes.
static void leak_and_fragmented(void) {
    for (int i = 0; i < 600; i++) block(LOST, 1000);
    rounds();
}

// Large blocks go, and what was lost between them stays: the next ones fit nowhere.
static void leak_between(void) {
    for (size_t i = 0; i < 400; i++) {
        held[i] = filled(3000);
        block(LOST, 16);
    }
    for (size_t i = 0; i < 400; i++) {
        free(held[i]);
        held[i] = NULL;
    }
    for (size_t i = 0; i < 10; i++) held[i] = block(REACHABLE, 100000);
}

// Much at once, all of it freed: the memory stays as large as it was, and nothing is wrong.
static void peak(void) {
    for (int i = 0; i < 3000; i++) held[i] = filled(1000);
    for (int i = 0; i < 3000; i++) {
        free(held[i]);
        held[i] = NULL;
    }
    expect_growth("demand", grown() - PAGE, grown());
    expect_growth("fragmentation", 0, 0);
}

// One block that grew the memory alone, and is gone.
static void one_large(void) {
    free(filled(5000000));
    expect_growth("demand", grown() - PAGE, grown());
    expect("account free_fitting+tail", 2, 5000000 - PAGE, grown() + 2 * PAGE);
}

// Fills up, and then replaces: no leak, no growth without a bound.
static void cache(void) {
    enum { ENTRIES = 500 };
    for (size_t i = 0; i < 20000; i++) {
        size_t entry = (i * 7919) % ENTRIES;
        free(held[entry]);
        held[entry] = filled(800);
    }
    for (int i = 0; i < ENTRIES; i++) state(REACHABLE, 800);
    expect_growth("demand", grown() - 2 * PAGE, grown());
    expect_growth("fragmentation", 0, 0);
    expect("no_finding growth", 0, 0, 0);
    expect("no_finding containers", 0, 0, 0);
    expect("no_finding fragmentation", 0, 0, 0);
}

// The same with entries of all sizes.
static void cache_of_sizes(void) {
    enum { ENTRIES = 300 };
    static volatile size_t sizes[ENTRIES];
    uint32_t random = 12345;
    for (size_t i = 0; i < 20000; i++) {
        random = random * 1664525 + 1013904223;
        size_t entry = (random >> 8) % ENTRIES;
        free(held[entry]);
        sizes[entry] = 16 + (random >> 16) % 2000;
        held[entry] = filled(sizes[entry]);
    }
    for (int i = 0; i < ENTRIES; i++) {
        if (held[i] != NULL) state(REACHABLE, sizes[i]);
    }
    expect("no_finding growth", 0, 0, 0);
    expect("no_finding containers", 0, 0, 0);
    expect("no_finding fragmentation", 0, 0, 0);
}

// dlmalloc's smallest chunk is 16 bytes: of these, 15 of each are overhead.
static void tiny(void) {
    void **last = block(REACHABLE, sizeof(void *));
    held[0] = last;
    for (int i = 0; i < 20000; i++) block(LOST, 1);
    expect("account overhead", 2, 20000 * 15, 20000 * 15 + 4096);
    expect_growth("demand", grown() - PAGE, grown());
}

// A little more than a power of two, on a boundary of its own: the rest of each page is overhead
// or free, as the allocator can make use of it.
static void aligned(void) {
    for (int i = 0; i < 100; i++) {
        void *pointer = NULL;
        if (posix_memalign(&pointer, 4096, 100) != 0) _exit(2);
        memset(pointer, 0xee, 100);
        held[i] = pointer;
        state(REACHABLE, 100);
    }
}

// Ten pages that no allocator asked for.
static void direct(void) {
    held[0] = block(REACHABLE, 100);
    __builtin_wasm_memory_grow(0, 10);
    expect_growth("direct", 10 * PAGE, 10 * PAGE);
    expect_growth("demand", 0, 0);
    expect("account untracked", 2, 10 * PAGE, 10 * PAGE);
}

// Grows by itself and by the allocator in turns.
static void direct_and_demand(void) {
    for (size_t i = 0; i < 8; i++) {
        __builtin_wasm_memory_grow(0, 1);
        held[i] = block(REACHABLE, 100000);
    }
    expect_growth("direct", 8 * PAGE, 8 * PAGE);
}

static void no_growth(void) {
    for (int i = 0; i < 5000; i++) free(filled(500));
    expect_growth("demand", 0, 0);
    expect_growth("fragmentation", 0, 0);
}

static const struct scenario all[] = {
    {"fragmented", fragmented},
    {"leak", leak},
    {"leak_and_fragmented", leak_and_fragmented},
    {"leak_between", leak_between},
    {"peak", peak},
    {"one_large", one_large},
    {"cache", cache},
    {"cache_of_sizes", cache_of_sizes},
    {"tiny", tiny},
    {"aligned", aligned},
    {"direct", direct},
    {"direct_and_demand", direct_and_demand},
    {"no_growth", no_growth},
};

int main(int argc, char **argv) {
    pages_before = __builtin_wasm_memory_size(0);
    state_arguments(argc, argv);
    RUN(all, argc > 1 ? argv[1] : "leak");
    tell();
    return 0;
}
