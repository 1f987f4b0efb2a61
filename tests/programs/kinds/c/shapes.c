// What block points to what: one scenario an argument. The only root is `root`, in bss.
//
// The nine cases of Valgrind's manual (4.2.8) are `nine`. As there, what is reached from a
// possibly lost block is possibly lost too, and of a ring one block is lost, the others indirectly.
#include "kinds.h"

struct node {
    struct node *next, *other;
    char payload[24];
};

// Volatile, or -O2 would see that nobody reads it.
static void *volatile root[24];

static struct node *node(enum kind kind) {
    struct node *made = block(kind, sizeof(struct node));
    made->next = made->other = NULL;
    return made;
}

// A pointer into the middle of a block.
static void *inside(void *whole) {
    return escape((char *)whole + 12);
}

// Keeps its neighbours apart.
static void spacer(void) {
    block(LOST, 8);
}

static void nothing(void) {
    for (size_t i = 1; i < 40; i++) free(filled(i * 13));
}

// Each alone, and each the last before the end of the heap when it was made: an allocator that
// keeps the address of what follows has one past the end of it, or one that lies inside.
static void lost(void) {
    block(LOST, 1);
    block(LOST, 4);
    block(LOST, 12);
    block(LOST, 16);
    block(LOST, 100);
    block(LOST, 5000);
    block(LOST, 20);
}

static void lost_small(void) {
    block(LOST, 16);
}

// Free blocks between lost ones: the allocator's lists of free blocks point around them.
static void lost_among_free(void) {
    void *between[12];
    for (int i = 0; i < 12; i++) {
        block(LOST, 20);
        between[i] = filled(40);
    }
    for (int i = 0; i < 12; i += 2) free(between[i]);
    for (int i = 1; i < 12; i += 2) free(between[i]);
}

static void reachable(void) {
    struct node *first = node(REACHABLE);
    first->next = node(REACHABLE);
    first->next->next = node(REACHABLE);
    first->next->other = block(REACHABLE, 77);
    root[3] = first;
}

static void indirect(void) {
    struct node *top = node(LOST);
    top->next = node(INDIRECT);
    top->other = node(INDIRECT);
    top->next->next = block(INDIRECT, 9);
    top->next->other = block(INDIRECT, 500);
    top->other->next = node(INDIRECT);
    top->other->next->next = block(INDIRECT, 1000);
}

static void ring(void) {
    struct node *first = node(LOST), *last = first;
    for (int i = 0; i < 4; i++) last = last->next = node(INDIRECT);
    last->next = first;
}

static void ring_with_tail(void) {
    struct node *first = node(LOST);
    first->next = node(INDIRECT);
    first->next->next = first;
    first->next->other = node(INDIRECT);
    first->next->other->next = block(INDIRECT, 333);
}

// A block before the ring is what was lost; the ring hangs from it.
static void ring_below(void) {
    struct node *top = block(LOST, 64);
    struct node *first = node(INDIRECT);
    memset(top, 0, 64);
    top->next = first;
    first->next = node(INDIRECT);
    first->next->next = first;
}

// One ring points to another, not the other way round: only the first is nobody's.
static void two_rings(void) {
    struct node *first = node(LOST);
    first->next = node(INDIRECT);
    first->next->next = first;
    struct node *second = node(INDIRECT);
    second->next = node(INDIRECT);
    second->next->next = second;
    first->other = second;
}

static void itself(void) {
    struct node *only = node(LOST);
    only->next = only->other = only;
    void **by_its_middle = block(LOST, 40);
    by_its_middle[1] = inside(by_its_middle);
}

static void both_ways(void) {
    struct node *first = node(LOST), *last = first;
    for (int i = 0; i < 9; i++) {
        struct node *next = node(INDIRECT);
        last->next = next;
        next->other = last;
        last = next;
    }
}

static void held_ring(void) {
    struct node *first = node(REACHABLE);
    first->next = node(REACHABLE);
    first->next->next = first;
    root[0] = first->next;
}

static void head(void) {
    struct node *first = node(LOST), *last = first;
    for (int i = 0; i < 9; i++) last = last->next = node(INDIRECT);
}

// The list is cut: its first half is held, the first of the second half is nobody's.
static void middle(void) {
    struct node *last = node(REACHABLE);
    root[1] = last;
    for (int i = 0; i < 4; i++) last = last->next = node(REACHABLE);
    last = node(LOST);
    for (int i = 0; i < 3; i++) last = last->next = node(INDIRECT);
}

// One node was taken out and not freed; it still points to its former neighbour, which is held.
static void unlinked(void) {
    struct node *first = node(REACHABLE), *gone = node(LOST), *last = node(REACHABLE);
    root[2] = first;
    first->next = gone;
    gone->next = last;
    first->next = gone->next;
}

static void shared_tail(void) {
    struct node *one = node(LOST), *two = node(LOST), *tail = node(INDIRECT);
    one->next = two->next = tail;
}

static void held_by_both(void) {
    struct node *lost = node(LOST), *held = node(REACHABLE), *shared = node(REACHABLE);
    lost->next = shared;
    held->next = shared;
    root[5] = held;
}

static void interior(void) {
    root[0] = inside(block(POSSIBLE, 64));
    root[1] = escape((char *)block(POSSIBLE, 50) + 49);
}

static void one_past(void) {
    root[0] = escape((char *)block(POSSIBLE, 40) + 40);
    spacer();
    root[1] = escape((char *)block(POSSIBLE, 44) + 44);
    spacer();
}

static void interior_and_start(void) {
    char *both = block(REACHABLE, 64);
    root[0] = inside(both);
    root[1] = both;
}

// The interior pointer is found first, the sure one only behind a chain.
static void sure_by_a_chain(void) {
    struct node *chain = node(REACHABLE);
    char *both = block(REACHABLE, 64);
    root[0] = inside(both);
    root[9] = chain;
    chain->next = node(REACHABLE);
    chain->next->next = (struct node *)both;
}

static void nine(void) {
    root[0] = node(REACHABLE); // 1: root -> B

    struct node *a = node(REACHABLE); // 2: root -> A -> B
    a->next = node(REACHABLE);
    root[1] = a;

    node(LOST); // 3: root    B

    a = node(LOST); // 4: root    A -> B
    a->next = node(INDIRECT);

    root[2] = inside(node(POSSIBLE)); // 5: root -?-> B

    a = node(REACHABLE); // 6: root -> A -?-> B
    a->next = inside(node(POSSIBLE));
    root[3] = a;

    a = node(POSSIBLE); // 7: root -?-> A -> B
    a->next = node(POSSIBLE);
    root[4] = inside(a);

    a = node(POSSIBLE); // 8: root -?-> A -?-> B
    a->next = inside(node(POSSIBLE));
    root[5] = inside(a);

    a = node(LOST); // 9: root    A -?-> B
    a->next = inside(node(INDIRECT));
}

static void mixed(void) {
    nine();
    ring();
    both_ways();
    indirect();
    block(LOST, 3000);
    struct node *held = node(REACHABLE);
    held->next = node(REACHABLE);
    held->other = inside(node(POSSIBLE));
    root[20] = held;
    root[21] = inside(block(POSSIBLE, 444));
}

static void overwritten(void) {
    root[0] = block(LOST, 80);
    root[0] = block(REACHABLE, 90);
    root[1] = block(LOST, 70);
    root[1] = NULL;
}

// The only pointer lies in a block that was freed, whose bytes are still what they were.
static void in_freed(void) {
    struct node *freed[8];
    for (int i = 0; i < 8; i++) {
        freed[i] = filled(200);
        ((void **)freed[i])[20] = block(LOST, 60);
        spacer();
    }
    for (int i = 0; i < 8; i++) free(freed[i]);
}

// Aligned words only: this pointer lies across two of them.
static struct __attribute__((packed)) {
    char before;
    void *pointer;
} packed __attribute__((aligned(8)));

static void unaligned(void) {
    void *pointer = block(LOST, 120);
    memcpy((char *)&packed + 1, &pointer, sizeof pointer);
}

// The same where the scan is told to look at every byte.
static void unaligned_scanned(void) {
    void *pointer = block(REACHABLE, 120);
    memcpy((char *)&packed + 1, &pointer, sizeof pointer);
}

// A pointer that is kept in a disguise is none.
static void disguised(void) {
    root[0] = (void *)~(size_t)block(LOST, 48);
}

// realloc: the pointer that is held is the old one, or the new one.
static void moved(void) {
    char *small = filled(24);
    spacer();
    root[0] = small;
    escape(realloc(small, 4000));
    state(LOST, 4000);
    char *other = filled(24);
    spacer();
    root[1] = realloc(other, 6000);
    state(REACHABLE, 6000);
}

static void deep(void) {
    struct node *last = node(REACHABLE);
    root[0] = last;
    for (int i = 0; i < 20000; i++) last = last->next = node(REACHABLE);
    last = node(LOST);
    for (int i = 0; i < 20000; i++) last = last->next = node(INDIRECT);
}

static const struct scenario all[] = {
    {"nothing", nothing},
    {"lost", lost},
    {"lost_small", lost_small},
    {"lost_among_free", lost_among_free},
    {"reachable", reachable},
    {"indirect", indirect},
    {"ring", ring},
    {"ring_with_tail", ring_with_tail},
    {"ring_below", ring_below},
    {"two_rings", two_rings},
    {"itself", itself},
    {"both_ways", both_ways},
    {"held_ring", held_ring},
    {"head", head},
    {"middle", middle},
    {"unlinked", unlinked},
    {"shared_tail", shared_tail},
    {"held_by_both", held_by_both},
    {"interior", interior},
    {"one_past", one_past},
    {"interior_and_start", interior_and_start},
    {"sure_by_a_chain", sure_by_a_chain},
    {"nine", nine},
    {"mixed", mixed},
    {"overwritten", overwritten},
    {"in_freed", in_freed},
    {"unaligned", unaligned},
    {"unaligned_scanned", unaligned_scanned},
    {"disguised", disguised},
    {"moved", moved},
    {"deep", deep},
};

int main(int argc, char **argv) {
    state_arguments(argc, argv);
    RUN(all, argc > 1 ? argv[1] : "nothing");
    tell();
    return 0;
}
