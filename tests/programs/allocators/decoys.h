// Printing for the decoys: what is here is no allocator, or not the program's.
#ifndef DECOYS_H
#define DECOYS_H

#include "../c/ledger.h"

#define OWN __attribute__((noinline))

static OWN void tell(const char *name, unsigned long value) {
    ledger_number(name, value);
}

#endif
