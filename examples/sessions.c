// A small server in a loop, with a leak, a fragmented heap, and a cache that is neither.
//
// - A login that is refused returns early and forgets the session it has just opened: lost.
// - The page cache fills and stays, and its table is a static variable: held, and no leak.
// - Of each report that is read into a buffer, a line is kept for the log. These lines lie between
//   the freed buffers, so that the larger ones in which the log is sent fit nowhere: fragmentation.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES = 16, PAGE_BYTES = 48 * 1024, REQUESTS = 2000 };
enum { REPORTS = 512, REPORT_BYTES = 3 * 1024, MIRRORS = 20, MESSAGE_BYTES = 96 * 1024 };

struct session {
    char *user;
    char *inbox;
    size_t inbox_size;
};

static char *page_cache[PAGES];
static char *day_log[REPORTS];

static struct session *open_session(const char *user) {
    struct session *session = malloc(sizeof *session);
    session->user = strdup(user);
    session->inbox_size = 1024;
    session->inbox = malloc(session->inbox_size);
    snprintf(session->inbox, session->inbox_size, "welcome, %s", user);
    return session;
}

static void close_session(struct session *session) {
    free(session->inbox);
    free(session->user);
    free(session);
}

static int password_is_right(unsigned request) {
    return request % 25 != 7;
}

static struct session *login(unsigned request) {
    char user[32];
    snprintf(user, sizeof user, "user-%u", request);
    struct session *session = open_session(user);
    if (!password_is_right(request)) {
        return NULL; // The leak: close_session(session) is missing here.
    }
    return session;
}

static const char *load_page(unsigned number) {
    char **page = &page_cache[number % PAGES];
    if (*page == NULL) {
        *page = malloc(PAGE_BYTES);
        memset(*page, 'a' + (int)(number % 26), PAGE_BYTES - 1);
        (*page)[PAGE_BYTES - 1] = '\0';
    }
    return *page;
}

static size_t render(const struct session *session, const char *page) {
    size_t size = strlen(page) / 8 + strlen(session->inbox) + 1;
    char *scratch = malloc(size);
    snprintf(scratch, size, "%s %s", session->inbox, page);
    size_t length = strlen(scratch);
    free(scratch);
    return length;
}

static size_t serve(unsigned request) {
    struct session *session = login(request);
    if (session == NULL) return 0;
    if (request % 10 == 0) {
        session->inbox_size *= 4;
        session->inbox = realloc(session->inbox, session->inbox_size);
    }
    size_t sent = render(session, load_page(request * 7));
    close_session(session);
    return sent;
}

static void read_reports(void) {
    char *reports[REPORTS];
    for (unsigned i = 0; i < REPORTS; i++) {
        reports[i] = malloc(REPORT_BYTES);
        snprintf(reports[i], REPORT_BYTES, "report %u: all is well", i);
        day_log[i] = strdup(reports[i]);
    }
    for (unsigned i = 0; i < REPORTS; i++) free(reports[i]);
}

// Much of the heap is free by now, and nowhere are so many bytes of it in one piece.
static void send_log(void) {
    char *messages[MIRRORS];
    for (unsigned i = 0; i < MIRRORS; i++) {
        messages[i] = malloc(MESSAGE_BYTES);
        int length = snprintf(messages[i], MESSAGE_BYTES, "to mirror %u\n", i);
        for (unsigned line = 0; line < REPORTS; line++) {
            length += sprintf(messages[i] + length, "%s\n", day_log[line]);
        }
    }
    for (unsigned i = 0; i < MIRRORS; i++) free(messages[i]);
}

int main(void) {
    size_t sent = 0;
    unsigned refused = 0;
    for (unsigned request = 0; request < REQUESTS; request++) {
        size_t bytes = serve(request);
        sent += bytes;
        refused += bytes == 0;
    }
    read_reports();
    send_log();
    printf("%u requests, %zu bytes sent, %u logins refused\n", REQUESTS, sent, refused);
    return 0;
}
