// A slab allocator: a page of 64 KiB serves one class of sizes, and a bitmap at its front says which
// of its slots are taken. What is larger than half a page has pages of its own.
#include <stddef.h>
#include <stdint.h>

#define PAGE 65536u
#define CLASSES 12
#define WORDS 128

struct page {
    struct page *next;
    unsigned size, slots, used, pages;
    uint32_t taken[WORDS];
};

static struct page *partial[CLASSES];
static struct page *empty;

__attribute__((noinline)) static struct page *page_get(unsigned pages) {
    for (struct page **at = &empty; *at != NULL; at = &(*at)->next) {
        if ((*at)->pages == pages) {
            struct page *page = *at;
            *at = page->next;
            return page;
        }
    }
    size_t before = __builtin_wasm_memory_grow(0, pages);
    if (before == (size_t)-1) return NULL;
    struct page *page = (struct page *)(before * PAGE);
    page->pages = pages;
    return page;
}

__attribute__((noinline)) static void page_put(struct page *page) {
    page->next = empty;
    empty = page;
}

__attribute__((noinline)) void *slab_get(size_t size) {
    unsigned number = 0;
    while (number < CLASSES && (16u << number) < size) number++;
    if (number == CLASSES) {
        unsigned pages = (unsigned)((size + sizeof(struct page) + PAGE - 1) / PAGE);
        struct page *page = page_get(pages);
        if (page == NULL) return NULL;
        page->size = 0;
        return page + 1;
    }
    struct page *page = partial[number];
    if (page == NULL) {
        page = page_get(1);
        if (page == NULL) return NULL;
        page->size = 16u << number;
        page->slots = (PAGE - sizeof(struct page)) / page->size;
        page->used = 0;
        for (unsigned i = 0; i < WORDS; i++) page->taken[i] = 0;
        page->next = NULL;
        partial[number] = page;
    }
    unsigned word = 0;
    while (page->taken[word] == UINT32_MAX) word++;
    unsigned slot = word * 32 + (unsigned)__builtin_ctz(~page->taken[word]);
    page->taken[word] |= 1u << slot % 32;
    page->used++;
    if (page->used == page->slots) partial[number] = page->next;
    return (char *)(page + 1) + slot * page->size;
}

__attribute__((noinline)) void slab_put(void *block) {
    if (block == NULL) return;
    struct page *page = (struct page *)((uintptr_t)block & ~(uintptr_t)(PAGE - 1));
    if (page->size == 0) {
        page_put(page);
        return;
    }
    unsigned number = (unsigned)__builtin_ctz(page->size / 16);
    unsigned slot = (unsigned)((char *)block - (char *)(page + 1)) / page->size;
    page->taken[slot / 32] &= ~(1u << slot % 32);
    if (page->used == page->slots) {
        page->next = partial[number];
        partial[number] = page;
    }
    page->used--;
}

#define take slab_get
#define give slab_put
#include "work.h"
