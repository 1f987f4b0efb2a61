// Blocks that are freed by the door of another family: one scenario an argument. In this libc all
// doors end in free(), so that the guest ends well.
#include <new>

#include "../c/kinds.h"

static void *volatile root[2];

static void *made(std::size_t bytes) {
    return escape(::operator new(bytes));
}

static void *made_array(std::size_t bytes) {
    return escape(::operator new[](bytes));
}

static void malloc_delete() {
    ::operator delete(filled(40));
    expect("heap_error mismatched_free", 1, 1, 0);
}

static void malloc_delete_array() {
    for (int i = 0; i < 3; i++) ::operator delete[](filled(40));
    expect("heap_error mismatched_free", 1, 3, 0);
}

static void new_free() {
    free(made(40));
    expect("heap_error mismatched_free", 1, 1, 0);
}

static void new_array_free() {
    free(made_array(40));
    expect("heap_error mismatched_free", 1, 1, 0);
}

static void new_array_delete() {
    ::operator delete(made_array(40));
    expect("heap_error mismatched_free", 1, 1, 0);
}

static void new_delete_array() {
    ::operator delete[](made(40));
    expect("heap_error mismatched_free", 1, 1, 0);
}

static void new_realloc() {
    root[0] = realloc(made(40), 400);
    state(REACHABLE, 400);
    expect("heap_error mismatched_free", 1, 1, 0);
}

static void delete_twice() {
    root[0] = made_array(24);
    void *twice = made_array(24);
    root[1] = made_array(24);
    state(REACHABLE, 24);
    state(REACHABLE, 24);
    ::operator delete[](twice);
    ::operator delete[](escape(twice));
    expect("heap_error double_free", 1, 1, 0);
}

// Each by its own door, and what may be deleted in more than one way.
static void allowed() {
    free(filled(10));
    ::operator delete(made(10));
    ::operator delete[](made_array(10));
    ::operator delete(made(10), std::size_t{10});
    ::operator delete(escape(::operator new(10, std::nothrow)));
    ::operator delete[](escape(::operator new[](10, std::nothrow)));
    ::operator delete(escape(::operator new(64, std::align_val_t{64})), std::align_val_t{64});
    ::operator delete[](escape(::operator new[](64, std::align_val_t{64})), std::align_val_t{64});
    ::operator delete(nullptr);
}

static const scenario all[] = {
    {"malloc_delete", malloc_delete},
    {"malloc_delete_array", malloc_delete_array},
    {"new_free", new_free},
    {"new_array_free", new_array_free},
    {"new_array_delete", new_array_delete},
    {"new_delete_array", new_delete_array},
    {"new_realloc", new_realloc},
    {"delete_twice", delete_twice},
    {"allowed", allowed},
};

int main(int argc, char **argv) {
    RUN(all, argc > 1 ? argv[1] : "allowed");
    state_arguments(argc, argv);
    tell();
    return 0;
}
