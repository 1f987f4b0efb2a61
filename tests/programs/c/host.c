// Shows what the host gives: stdin, arguments, environment, a directory.
//
//   host [directory [file in it]]      exits with $EXIT_CODE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include "ledger.h"

extern char **environ;

static void echo(FILE *from) {
    char buffer[512];
    size_t n;
    while ((n = fread(buffer, 1, sizeof buffer, from)) > 0) fwrite(buffer, 1, n, stdout);
}

static void list(const char *path) {
    DIR *directory = opendir(path);
    if (directory == NULL) {
        printf("cannot open %s\n", path);
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] != '.') printf("entry %s\n", entry->d_name);
    closedir(directory);
}

static void show(const char *directory, const char *name) {
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = malloc(size);
    ledger_add(size);
    snprintf(path, size, "%s/%s", directory, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        printf("cannot open %s\n", path);
    } else {
        echo(file);
        fclose(file);
    }
    ledger_remove(size);
    free(path);
}

int main(int argc, char **argv) {
    for (int i = 0; i < argc; i++) printf("argument %s\n", argv[i]);
    for (char **entry = environ; *entry != NULL; entry++) printf("environment %s\n", *entry);
    echo(stdin);
    if (argc > 1) list(argv[1]);
    if (argc > 2) show(argv[1], argv[2]);
    fflush(stdout);
    ledger_tell();
    const char *code = getenv("EXIT_CODE");
    return code != NULL ? atoi(code) : 0;
}
