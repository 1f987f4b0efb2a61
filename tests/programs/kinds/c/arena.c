// An arena: many objects in one block of malloc's, and blocks of malloc's that only its objects
// point to. An arena is one block; nothing is said of the objects inside.
#include "kinds.h"

struct object {
    struct object *next;
    void *outside;
};

struct arena {
    size_t used;
    char *bytes;
};

enum { ARENA = 4096 };

static struct arena *volatile held;
static void *volatile one_object;

static struct object *take(struct arena *arena) {
    struct object *object = (struct object *)(arena->bytes + arena->used);
    arena->used += sizeof(struct object);
    return object;
}

// The objects form a list from the last to the first; every tenth has a block outside.
NOINLINE static struct arena *make(enum kind head, enum kind body, enum kind outside) {
    struct arena *arena = block(head, sizeof(struct arena));
    arena->used = 0;
    arena->bytes = block(body, ARENA);
    struct object *last = NULL;
    for (int i = 0; i < 100; i++) {
        struct object *object = take(arena);
        object->next = last;
        object->outside = i % 10 == 0 ? block(outside, 30) : NULL;
        last = object;
    }
    return arena;
}

static void arena_held(void) {
    held = make(REACHABLE, REACHABLE, REACHABLE);
}

static void arena_lost(void) {
    escape(make(LOST, INDIRECT, INDIRECT));
}

// The arena's own head is gone, but somebody holds one of its objects: inside the arena's block.
static void arena_by_object(void) {
    struct arena *arena = make(LOST, POSSIBLE, POSSIBLE);
    one_object = (struct object *)arena->bytes + 50;
}

// The first object has the same address as the arena's block: that is a pointer to its start.
static void arena_by_first_object(void) {
    struct arena *arena = make(LOST, REACHABLE, REACHABLE);
    one_object = arena->bytes;
}

static void arena_freed(void) {
    struct arena arena = {0, filled(ARENA)};
    for (int i = 0; i < 100; i++) take(&arena)->next = NULL;
    free(arena.bytes);
}

// The arena was freed, and nobody freed what its objects had pointed to.
static void arena_freed_only(void) {
    struct arena arena = {0, filled(ARENA)};
    for (int i = 0; i < 10; i++) take(&arena)->outside = block(LOST, 30 + (size_t)i);
    free(escape(arena.bytes));
}

// Taken again and again, emptied each time: one block for good.
static void arena_reused(void) {
    held = block(REACHABLE, sizeof(struct arena));
    held->bytes = block(REACHABLE, ARENA);
    for (int round = 0; round < 500; round++) {
        held->used = 0;
        for (int i = 0; i < 200; i++) take(held)->next = NULL;
    }
}

static const struct scenario all[] = {
    {"arena_held", arena_held},
    {"arena_lost", arena_lost},
    {"arena_by_object", arena_by_object},
    {"arena_by_first_object", arena_by_first_object},
    {"arena_freed", arena_freed},
    {"arena_freed_only", arena_freed_only},
    {"arena_reused", arena_reused},
};

int main(int argc, char **argv) {
    state_arguments(argc, argv);
    RUN(all, argc > 1 ? argv[1] : "arena_held");
    tell();
    return 0;
}
