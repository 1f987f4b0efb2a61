// Allocation under every kind of recursion: direct, mutual (a parser of sums) and by function
// pointer. Of each pair of results one is freed and one is leaked.
#include <stdlib.h>
#include "ledger.h"

struct node {
    struct node *left, *right;
    int value;
};

// Volatile, or -O2 would see that nobody looks at the leaked results and not build them.
static struct node *volatile leaked;

static struct node *node_new(struct node *left, struct node *right, int value) {
    struct node *node = malloc(sizeof *node);
    ledger_add(sizeof *node);
    node->left = left;
    node->right = right;
    node->value = value;
    return node;
}

static void node_free(struct node *node) {
    if (node == NULL) return;
    node_free(node->left);
    node_free(node->right);
    ledger_remove(sizeof *node);
    free(node);
}

__attribute__((noinline)) static struct node *build_tree(int depth) {
    if (depth == 0) return NULL;
    return node_new(build_tree(depth - 1), build_tree(depth - 1), depth);
}

static struct node *parse_expr(const char **text);

__attribute__((noinline)) static struct node *parse_factor(const char **text) {
    if (**text == '(') {
        ++*text;
        struct node *inner = parse_expr(text);
        ++*text;
        return inner;
    }
    return node_new(NULL, NULL, *(*text)++ - '0');
}

__attribute__((noinline)) static struct node *parse_term(const char **text) {
    struct node *left = parse_factor(text);
    while (**text == '*') {
        ++*text;
        left = node_new(left, parse_factor(text), '*');
    }
    return left;
}

__attribute__((noinline)) static struct node *parse_expr(const char **text) {
    struct node *left = parse_term(text);
    while (**text == '+') {
        ++*text;
        left = node_new(left, parse_term(text), '+');
    }
    return left;
}

struct walk;
typedef struct node *step(const struct walk *walk, int left);

struct walk {
    step *ping, *pong;
};

static struct node *ping(const struct walk *walk, int left) {
    return left == 0 ? NULL : node_new(walk->pong(walk, left - 1), NULL, left);
}

static struct node *pong(const struct walk *walk, int left) {
    return left == 0 ? NULL : node_new(NULL, walk->ping(walk, left - 1), -left);
}

static volatile struct walk steps = {ping, pong};

int main(void) {
    static const char source[] = "1+2*(3+4*(5+6))*7+(8*(9+(1+2)*3))";
    const char *text = source;
    leaked = build_tree(7);
    node_free(leaked);
    leaked = build_tree(6);

    leaked = parse_expr(&text);
    node_free(leaked);
    text = source;
    leaked = parse_expr(&text);

    struct walk walk = {steps.ping, steps.pong};
    leaked = walk.ping(&walk, 30);
    node_free(leaked);
    leaked = walk.pong(&walk, 20);
    ledger_tell();
    return 0;
}
