// Where the only pointer to a block lies: one scenario an argument. Those that end in the middle
// have scrubbed the stack before, so that live frames hold nothing but what they say.
#include "kinds.h"

// Volatile, or -O2 would see that nobody reads them.
static void *volatile in_bss;
static void *volatile much_bss[5000];
static void *volatile in_data[4] = {(void *)1, (void *)2, (void *)3, (void *)4};
static struct {
    const char *name;
    struct {
        int number;
        void *volatile pointer;
    } inner[3];
} structured = {"root", {{1, NULL}, {2, NULL}, {3, NULL}}};

// A WebAssembly global, which lies in no memory.
unsigned __attribute__((address_space(1))) in_global;

static void set_global(void *pointer) {
    in_global = (unsigned)pointer;
}

static void bss(void) {
    in_bss = block(REACHABLE, 100);
    much_bss[4999] = block(REACHABLE, 200);
}

static void data(void) {
    in_data[2] = block(REACHABLE, 100);
    structured.inner[1].pointer = block(REACHABLE, 30);
}

static void function_static(void) {
    static void *volatile own = (void *)1;
    own = block(REACHABLE, 100);
    (void)own;
}

static void global(void) {
    void **first = block(REACHABLE, 100);
    first[3] = block(REACHABLE, 50);
    set_global(first);
}

static void global_cleared(void) {
    set_global(block(LOST, 100));
    set_global(NULL);
}

static void cleared(void) {
    in_bss = block(LOST, 100);
    much_bss[77] = block(LOST, 110);
    in_bss = much_bss[77] = NULL;
}

enum how { BY_PROC_EXIT, BY_EXIT, BY_TRAP };

// The blocks are those of a caller whose frame is live when the program ends inside.
NOINLINE static void end_inside(enum how how) {
    if (how == BY_TRAP) {
        tell_and_trap();
    } else {
        tell();
    }
    scrub_stack();
    if (how == BY_PROC_EXIT) _exit(0);
    if (how == BY_EXIT) exit(0);
    if (how == BY_TRAP) __builtin_trap();
}

NOINLINE static void deeper(int levels, enum how how) {
    volatile int frame[50];
    memset((void *)frame, 0, sizeof frame);
    frame[levels] = levels;
    if (levels == 0) {
        end_inside(how);
    } else {
        deeper(frame[levels] - 1, how);
    }
    frame[levels] = 0;
}

NOINLINE static void make_for_stack(void **frame) {
    frame[0] = block(REACHABLE, 100);
    frame[1] = block(REACHABLE, 24);
    ((void **)frame[1])[0] = block(REACHABLE, 60);
    frame[9] = escape((char *)block(POSSIBLE, 80) + 8);
}

NOINLINE static void hold_on_stack(enum how how) {
    void *frame[10];
    memset(frame, 0, sizeof frame);
    escape(frame);
    make_for_stack(frame);
    scrub_stack();
    deeper(20, how);
    escape(frame);
}

static void live_stack_exit(void) {
    hold_on_stack(BY_EXIT);
}

static void live_stack_proc_exit(void) {
    hold_on_stack(BY_PROC_EXIT);
}

static void live_stack_trap(void) {
    hold_on_stack(BY_TRAP);
}

// A frame as large as its caller wants it.
NOINLINE static void hold_on_dynamic_stack(size_t count) {
    void **frame = __builtin_alloca(count * sizeof *frame);
    memset(frame, 0, count * sizeof *frame);
    escape(frame);
    make_for_stack(frame + count - 10);
    scrub_stack();
    deeper(3, BY_PROC_EXIT);
    escape(frame);
}

static void live_stack_dynamic(void) {
    hold_on_dynamic_stack((size_t)strlen(structured.name) * 100);
}

// Copies of the pointer all over a large frame that is gone when the program ends.
NOINLINE static void fill_a_frame(void) {
    void *frame[1500];
    for (int i = 0; i < 1500; i++) frame[i] = NULL;
    void *first = block(LOST, 100), *second = block(LOST, 40);
    for (int i = 0; i < 1500; i++) frame[i] = i % 2 == 0 ? first : second;
    escape(frame);
}

static void dead_stack(void) {
    fill_a_frame();
}

// The dead frame lies below those that are live when the program ends.
static void dead_stack_exit(void) {
    fill_a_frame();
    tell();
    _exit(0);
}

static void dead_stack_trap(void) {
    fill_a_frame();
    tell_and_trap();
    __builtin_trap();
}

static volatile int goes_on;

NOINLINE static void exit_inside(void) {
    if (goes_on == 0) _exit(0);
}

// In -O2 the only pointer is in a local of a live frame, which is no memory. The program would
// have freed it, had it gone on: whoever cannot see locals must not accuse it.
static void live_local_exit(void) {
    enum { BYTES = 100 };
    char *only = filled(BYTES);
    expect("definitely_lost", 2, 0, 0);
    expect("indirectly_lost", 2, 0, 0);
    expect("possibly_lost+still_reachable", 2, 1, BYTES);
    expect("verdict clean+inconclusive", 0, 0, 0);
    exit_inside();
    only[1] = 'x';
    free(escape(only));
}

// main's own frame is dead when main has returned.
static void *volatile *main_frame;

static void stack_of_main(void) {
    main_frame[0] = block(LOST, 100);
}

static const struct scenario all[] = {
    {"bss", bss},
    {"data", data},
    {"function_static", function_static},
    {"global", global},
    {"global_cleared", global_cleared},
    {"cleared", cleared},
    {"live_stack_exit", live_stack_exit},
    {"live_stack_proc_exit", live_stack_proc_exit},
    {"live_stack_trap", live_stack_trap},
    {"live_stack_dynamic", live_stack_dynamic},
    {"dead_stack", dead_stack},
    {"dead_stack_exit", dead_stack_exit},
    {"dead_stack_trap", dead_stack_trap},
    {"live_local_exit", live_local_exit},
    {"stack_of_main", stack_of_main},
};

int main(int argc, char **argv) {
    void *volatile frame[4] = {NULL};
    main_frame = frame;
    state_arguments(argc, argv);
    RUN(all, argc > 1 ? argv[1] : "bss");
    tell();
    return 0;
}
