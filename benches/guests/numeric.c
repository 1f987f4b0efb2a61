// Computes, and allocates three times: what an instrument costs where it has nothing to watch.
//
//   numeric [size, default 320]
#include <stdio.h>
#include <stdlib.h>

static double *matrix(int n, unsigned seed) {
    double *cells = malloc(sizeof *cells * (size_t)n * (size_t)n);
    for (int i = 0; i < n * n; i++) {
        seed = seed * 1664525u + 1013904223u;
        cells[i] = (double)(seed >> 24) / 256.0;
    }
    return cells;
}

__attribute__((noinline)) static double dot(const double *row, const double *column, int n) {
    double sum = 0;
    for (int k = 0; k < n; k++) sum += row[k] * column[(size_t)k * (size_t)n];
    return sum;
}

static void multiply(const double *a, const double *b, double *out, int n) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) out[i * n + j] = dot(a + i * n, b + j, n);
}

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 320;
    double *a = matrix(n, 1), *b = matrix(n, 2), *product = matrix(n, 3);
    double trace = 0;
    for (int round = 0; round < 4; round++) {
        multiply(a, b, product, n);
        for (int i = 0; i < n; i++) trace += product[i * n + i];
        double *swap = a;
        a = product;
        product = swap;
        for (int i = 0; i < n * n; i++) a[i] /= n;
    }
    printf("checksum %.6f\n", trace);
    free(a);
    free(b);
    free(product);
    return 0;
}
