// An allocator that nobody knows: classes of sizes, each with pages of its own, and whole pages for what
// is larger. Its `malloc_usable_size` tells the class of a block's page. With HEADER it has so many
// bytes in front of each block as well, with the number of its class.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef HEADER
#define HEADER 0
#endif

#define OWN __attribute__((noinline))
#define PAGE 65536u
#define MAX_PAGES 1024

struct free_block {
    struct free_block *next;
};

static const uint16_t classes[] = {16, 32, 48, 80, 128, 208, 336, 544, 1024, 2048, 4096, 8192};
#define CLASSES (sizeof classes / sizeof *classes)

static struct free_block *free_blocks[CLASSES];
static struct free_block *free_pages[MAX_PAGES];
// By page: what a block in it can hold, or how many pages it takes.
static uint16_t class_of_page[MAX_PAGES], pages_of_block[MAX_PAGES];

static OWN size_t class_for(size_t size) {
    size_t number = 0;
    while (number < CLASSES && classes[number] < size) number++;
    return number;
}

static OWN char *take_pages(size_t pages) {
    if (pages < MAX_PAGES && free_pages[pages] != NULL) {
        struct free_block *block = free_pages[pages];
        free_pages[pages] = block->next;
        return (char *)block;
    }
    size_t first = __builtin_wasm_memory_grow(0, pages);
    if (first == (size_t)-1 || first + pages > MAX_PAGES) return NULL;
    pages_of_block[first] = (uint16_t)pages;
    return (char *)(first * PAGE);
}

OWN size_t malloc_usable_size(void *block) {
    uintptr_t place = (uintptr_t)block - HEADER;
    size_t page = place / PAGE;
#if HEADER > 0
    size_t number = *(size_t *)place;
    if (number < CLASSES) return classes[number];
#else
    if (class_of_page[page] != 0) return class_of_page[page];
#endif
    return pages_of_block[page] * PAGE - HEADER;
}

OWN void *malloc(size_t size) {
    size_t number = class_for(size);
    if (number == CLASSES) {
        size_t pages = (size + HEADER + PAGE - 1) / PAGE;
        char *place = take_pages(pages);
        if (place == NULL) return NULL;
        if (HEADER > 0) *(size_t *)place = CLASSES;
        return place + HEADER;
    }
    size_t held = classes[number];
    if (free_blocks[number] == NULL) {
        char *place = take_pages(1);
        if (place == NULL) return NULL;
        class_of_page[(uintptr_t)place / PAGE] = (uint16_t)held;
        size_t count = PAGE / (held + HEADER);
        for (size_t index = count; index-- > 0;) {
            struct free_block *block = (struct free_block *)(place + index * (held + HEADER));
            block->next = free_blocks[number];
            free_blocks[number] = block;
        }
    }
    char *place = (char *)free_blocks[number];
    free_blocks[number] = free_blocks[number]->next;
    if (HEADER > 0) *(size_t *)place = number;
    return place + HEADER;
}

OWN void free(void *block) {
    if (block == NULL) return;
    struct free_block *place = (struct free_block *)((char *)block - HEADER);
    size_t page = (uintptr_t)place / PAGE;
    struct free_block **list = &free_pages[pages_of_block[page]];
    if (class_of_page[page] != 0) list = &free_blocks[class_for(class_of_page[page])];
    place->next = *list;
    *list = place;
}

OWN void *realloc(void *block, size_t size) {
    if (block == NULL) return malloc(size);
    size_t held = malloc_usable_size(block);
    if (size <= held && size > held / 2) return block;
    void *moved = malloc(size);
    if (moved == NULL) return NULL;
    memcpy(moved, block, size < held ? size : held);
    free(block);
    return moved;
}

OWN void *calloc(size_t count, size_t size) {
    void *block = malloc(count * size);
    return block == NULL ? NULL : memset(block, 0, count * size);
}

#define take malloc
#define resize realloc
#define give free
#define usable malloc_usable_size
#define TELLS_PEAK
#include "usable.h"
