// Containers with a bound and without: all that they hold is reachable, so none of it is a leak. A
// container without a bound is suspected, no more.
#include "kinds.h"

struct entry {
    struct entry *next;
    unsigned key;
    char value[20];
};

enum { BUCKETS = 64 };

static struct entry *volatile list;
static struct entry *volatile buckets[BUCKETS];
static char *volatile growing;
static void *volatile ring[32];

static void suspected(void) {
    expect("finding containers", 1, 1, 0);
    expect("verdict clean+growth", 0, 0, 0);
}

static void not_suspected(void) {
    expect("no_finding containers", 0, 0, 0);
    expect("no_finding growth", 0, 0, 0);
}

NOINLINE static void append(size_t *used, size_t *capacity, size_t bytes) {
    if (*used + bytes > *capacity) {
        *capacity += 64;
        growing = realloc(growing, *capacity);
    }
    memset(growing + *used, 'x', bytes);
    *used += bytes;
}

// A log that is never emptied.
static void realloc_chain(void) {
    size_t used = 0, capacity = 0;
    for (int i = 0; i < 3000; i++) {
        append(&used, &capacity, 20);
        free(filled(100));
    }
    state(REACHABLE, capacity);
    suspected();
}

// The same, emptied by each request.
static void realloc_and_reset(void) {
    for (int request = 0; request < 100; request++) {
        size_t used = 0, capacity = 0;
        for (int i = 0; i < 30; i++) append(&used, &capacity, 20);
        free(growing);
        growing = NULL;
    }
    not_suspected();
}

NOINLINE static void push(void) {
    struct entry *entry = block(REACHABLE, sizeof(struct entry));
    entry->next = list;
    list = entry;
}

// A list that only ever gets longer.
static void list_forever(void) {
    for (int i = 0; i < 3000; i++) {
        push();
        free(filled(100));
    }
    suspected();
}

NOINLINE static void insert(unsigned key) {
    struct entry *entry = block(REACHABLE, sizeof(struct entry));
    entry->key = key;
    entry->next = buckets[key % BUCKETS];
    buckets[key % BUCKETS] = entry;
}

// A map from which nothing is ever taken.
static void map_forever(void) {
    for (unsigned key = 0; key < 3000; key++) {
        insert(key);
        free(filled(100));
    }
    suspected();
}

// A ring of the last 32: the history that has a bound.
static void ring_buffer(void) {
    for (size_t i = 0; i < 3000; i++) {
        free(ring[i % 32]);
        ring[i % 32] = filled(50);
    }
    for (int i = 0; i < 32; i++) state(REACHABLE, 50);
    not_suspected();
}

// Filled once at the start and then only read, as a table of symbols is.
static void table_at_start(void) {
    for (unsigned key = 0; key < 1000; key++) insert(key);
    for (int i = 0; i < 5000; i++) free(filled(100));
    not_suspected();
}

// As long as the work of the day asks for, and empty in the end.
static void queue(void) {
    struct entry *first = NULL;
    for (int day = 0; day < 20; day++) {
        for (int i = 0; i < 100; i++) {
            struct entry *entry = filled(sizeof(struct entry));
            entry->next = first;
            first = entry;
        }
        while (first != NULL) {
            struct entry *next = first->next;
            free(first);
            first = next;
        }
    }
    not_suspected();
}

static const struct scenario all[] = {
    {"realloc_chain", realloc_chain},
    {"realloc_and_reset", realloc_and_reset},
    {"list_forever", list_forever},
    {"map_forever", map_forever},
    {"ring_buffer", ring_buffer},
    {"table_at_start", table_at_start},
    {"queue", queue},
};

int main(int argc, char **argv) {
    state_arguments(argc, argv);
    RUN(all, argc > 1 ? argv[1] : "queue");
    tell();
    return 0;
}
