// A stack that grows: what is popped is always what was pushed last.
#include <stdint.h>
#include "decoys.h"

static uintptr_t bottom, top, end;

OWN void *push(size_t size) {
    size = (size + 7) & ~(size_t)7;
    if (end - top < size) {
        size_t pages = (size + 65535) / 65536;
        size_t before = __builtin_wasm_memory_grow(0, pages);
        if (before == (size_t)-1) __builtin_trap();
        if (bottom == 0) bottom = top = before * 65536;
        end = (before + pages) * 65536;
    }
    void *at = (void *)top;
    top += size;
    return at;
}

OWN void pop(size_t size) {
    top -= (size + 7) & ~(size_t)7;
    if (top < bottom) __builtin_trap();
}

static OWN unsigned depth(unsigned n) {
    unsigned *frame = push(64);
    *frame = n == 0 ? 0 : depth(n - 1) + 1;
    unsigned result = *frame;
    pop(64);
    return result;
}

int main(void) {
    tell("depth=", depth(1500));
    return 0;
}
