// Recursive trees, built, counted and torn down: deep stacks and small blocks.
//
//   trees [depth, default 18]
#include <stdio.h>
#include <stdlib.h>

struct tree {
    struct tree *left, *right;
};

__attribute__((noinline)) static struct tree *grow(int depth) {
    struct tree *tree = malloc(sizeof *tree);
    tree->left = depth > 0 ? grow(depth - 1) : NULL;
    tree->right = depth > 0 ? grow(depth - 1) : NULL;
    return tree;
}

__attribute__((noinline)) static long count(const struct tree *tree) {
    return tree == NULL ? 0 : 1 + count(tree->left) + count(tree->right);
}

__attribute__((noinline)) static void fell(struct tree *tree) {
    if (tree == NULL) return;
    fell(tree->left);
    fell(tree->right);
    free(tree);
}

int main(int argc, char **argv) {
    int deepest = argc > 1 ? atoi(argv[1]) : 18;
    long total = 0;
    struct tree *old = grow(deepest);
    for (int depth = 4; depth <= deepest; depth += 4) {
        // As many nodes at each depth: many small trees, few large ones.
        for (long i = 0; i < 1L << (deepest - depth + 2); i++) {
            struct tree *young = grow(depth);
            total += count(young);
            fell(young);
        }
    }
    total += count(old);
    fell(old);
    printf("checksum %ld\n", total);
    return 0;
}
