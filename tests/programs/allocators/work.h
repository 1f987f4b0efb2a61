// What the programs of this folder do with a heap, and the books they keep of it. A program
// defines `take` and `give` before it includes this. Nothing here calls libc's malloc.
#ifndef WORK_H
#define WORK_H

#include "../c/ledger.h"

#define OWN __attribute__((noinline))

struct item {
    struct item *next;
    size_t size;
    char text[];
};

static unsigned work_state = 1;

static unsigned chance(unsigned bound) {
    work_state = work_state * 1664525u + 1013904223u;
    return (work_state >> 8) % bound;
}

static OWN struct item *make_item(size_t length) {
    size_t size = sizeof(struct item) + length;
    struct item *item = take(size);
    item->next = NULL;
    item->size = size;
    memset(item->text, (int)length, length);
    ledger_add(size);
    return item;
}

static OWN void drop_item(struct item *item) {
    ledger_remove(item->size);
    give(item);
}

static OWN struct item *make_list(unsigned length) {
    struct item *list = NULL;
    for (unsigned i = 0; i < length; i++) {
        struct item *item = make_item(1 + chance(400));
        item->next = list;
        list = item;
    }
    return list;
}

static OWN void drop_list(struct item *list) {
    while (list != NULL) {
        struct item *next = list->next;
        drop_item(list);
        list = next;
    }
}

struct node {
    struct node *left, *right;
    unsigned key;
};

static OWN struct node *make_tree(unsigned depth) {
    if (depth == 0) return NULL;
    struct node *node = take(sizeof *node);
    ledger_add(sizeof *node);
    node->key = chance(1000);
    node->left = make_tree(depth - 1);
    node->right = make_tree(depth - 1);
    return node;
}

static OWN void drop_tree(struct node *node) {
    if (node == NULL) return;
    drop_tree(node->left);
    drop_tree(node->right);
    ledger_remove(sizeof *node);
    give(node);
}

// A table of blocks that come and go; its last blocks stay.
static OWN void churn(unsigned steps) {
    static struct item *table[64];
    for (unsigned i = 0; i < steps; i++) {
        struct item **slot = &table[chance(64)];
        if (*slot != NULL) drop_item(*slot);
        *slot = make_item(1 + chance(chance(10) == 0 ? 6000 : 200));
    }
}

int main(void) {
    struct item *kept = make_list(40);
    struct item *list = make_list(500);
    struct node *tree = make_tree(9);
    churn(3000);
    drop_list(list);
    drop_tree(tree);
    // Every third item of the list is forgotten.
    for (unsigned i = 0; kept != NULL; i++) {
        struct item *next = kept->next;
        if (i % 3 != 0) drop_item(kept);
        kept = next;
    }
    ledger_tell();
    return 0;
}

#endif
