// The books a guest keeps about its own heap, and the last line it prints from them:
//
//   truth live_blocks=N live_bytes=B allocated_blocks=.. allocated_bytes=.. freed_blocks=..
//
// Bytes are the bytes asked for. A realloc of a live block counts as one block freed and one
// allocated, whether or not the block moved. What libc allocates for itself (argv, directories,
// FILEs) is not in the books.
//
// The line goes out by write() from a buffer on the stack. wasi-libc's printf would not allocate
// either (stdout's buffer is static), but that is libc's secret, not a promise to rely on.
#ifndef LEDGER_H
#define LEDGER_H

#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct ledger {
    unsigned long live_blocks, live_bytes, allocated_blocks, allocated_bytes, freed_blocks;
};

static struct ledger ledger;

static inline void ledger_add(size_t bytes) {
    ledger.live_blocks += 1;
    ledger.live_bytes += bytes;
    ledger.allocated_blocks += 1;
    ledger.allocated_bytes += bytes;
}

static inline void ledger_remove(size_t bytes) {
    ledger.live_blocks -= 1;
    ledger.live_bytes -= bytes;
    ledger.freed_blocks += 1;
}

static inline char *ledger_field(char *at, const char *name, unsigned long value) {
    char digits[24];
    int n = 0;
    size_t length = strlen(name);
    memcpy(at, name, length);
    at += length;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (n > 0) *at++ = digits[--n];
    return at;
}

static inline void ledger_number(const char *name, unsigned long value) {
    char line[96];
    char *end = ledger_field(line, name, value);
    *end++ = '\n';
    write(1, line, (size_t)(end - line));
}

static inline void ledger_tell(void) {
    char line[256];
    char *end = line;
    end = ledger_field(end, "truth live_blocks=", ledger.live_blocks);
    end = ledger_field(end, " live_bytes=", ledger.live_bytes);
    end = ledger_field(end, " allocated_blocks=", ledger.allocated_blocks);
    end = ledger_field(end, " allocated_bytes=", ledger.allocated_bytes);
    end = ledger_field(end, " freed_blocks=", ledger.freed_blocks);
    *end++ = '\n';
    write(1, line, (size_t)(end - line));
}

#endif
