// A library whose exports are called again and again; each return is a moment when no frame is
// live. `request` leaks one block of its argument's size a call; `clean` none.
#include "kinds.h"

static void *volatile cached;
static size_t calls;

// What holds at the end of this call, and, until there is another, at the end of the run.
static void tell_call(void) {
    for (int kind = LOST; kind <= REACHABLE; kind++) {
        char words[64];
        char *end = put_number(put_text(words, "mark"), calls);
        *end++ = ' ';
        *put_text(end, kind_names[kind]) = '\0';
        expect(words, 2, stated((enum kind)kind, 0), stated((enum kind)kind, 1));
    }
    calls++;
    tell();
}

__attribute__((export_name("request"))) int request(int bytes) {
    if (cached == NULL) cached = block(REACHABLE, 500);
    void **top = block(LOST, (size_t)bytes);
    top[0] = block(INDIRECT, 24);
    free(filled(1000));
    tell_call();
    return bytes;
}

__attribute__((export_name("clean"))) int clean(int bytes) {
    if (cached == NULL) cached = block(REACHABLE, 500);
    free(filled((size_t)bytes));
    tell_call();
    return bytes;
}

int main(void) {
    return 0;
}
