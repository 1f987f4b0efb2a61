// Descriptors opened and never closed. Needs a directory that it may write to, as `.`.
//
// By libc's own functions; what libc keeps for paths and directories is its own affair, so of the
// blocks nothing is said but that none is lost.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include "kinds.h"

static volatile int files[16];

NOINLINE static int open_one(const char *name) {
    int file = open(name, O_RDWR | O_CREAT, 0600);
    if (file < 0) _exit(2);
    return file;
}

static void all_closed(void) {
    for (int i = 0; i < 3; i++) {
        int file = open_one("a.txt");
        if (write(file, "a", 1) != 1) _exit(2);
        close(file);
    }
    DIR *folder = opendir(".");
    if (folder == NULL) _exit(2);
    while (readdir(folder) != NULL) continue;
    closedir(folder);
}

static void never_closed(void) {
    files[0] = open_one("a.txt");
    files[1] = open_one("b.txt");
    close(open_one("c.txt"));
    expect("open file", 1, 2, 0);
}

static void by_a_loop(void) {
    for (int i = 0; i < 10; i++) files[i] = open_one("a.txt");
    for (int i = 0; i < 10; i += 2) close(files[i]);
    expect("open file", 1, 5, 0);
}

static void directory(void) {
    files[0] = open(".", O_RDONLY | O_DIRECTORY);
    if (files[0] < 0) _exit(2);
    expect("open directory", 1, 1, 0);
}

static void both(void) {
    directory();
    files[1] = open_one("a.txt");
    expect("open file", 1, 1, 0);
}

// Closed under another number.
static void renumbered(void) {
    int one = open_one("a.txt"), two = open_one("b.txt");
    if (__wasi_fd_renumber((__wasi_fd_t)one, (__wasi_fd_t)two) != 0) _exit(2);
    close(two);
}

// Ends with exit while files are open.
static void then_exit(void) {
    files[0] = open_one("a.txt");
    expect("open file", 1, 1, 0);
    expect("definitely_lost+indirectly_lost+possibly_lost", 2, 0, 0);
    _exit(0);
}

static const struct scenario all[] = {
    {"all_closed", all_closed},
    {"never_closed", never_closed},
    {"by_a_loop", by_a_loop},
    {"directory", directory},
    {"both", both},
    {"renumbered", renumbered},
    {"then_exit", then_exit},
};

int main(int argc, char **argv) {
    RUN(all, argc > 1 ? argv[1] : "all_closed");
    expect("definitely_lost+indirectly_lost+possibly_lost", 2, 0, 0);
    return 0;
}
