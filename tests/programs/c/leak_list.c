// A cache of sessions that forgets: expired sessions are unlinked, and neither the node nor the
// user's name is ever freed. Lookups and scratch buffers are clean.
#include <stdio.h>
#include <stdlib.h>
#include "ledger.h"

struct session {
    struct session *next;
    char *user;
    unsigned id, last_seen;
};

struct cache {
    struct session *first;
    unsigned now;
};

static char *copy_user(const char *user) {
    size_t size = strlen(user) + 1;
    char *copy = malloc(size); // Leaked with each expired session.
    ledger_add(size);
    return memcpy(copy, user, size);
}

static struct session *session_open(struct cache *cache, unsigned id, const char *user) {
    struct session *session = malloc(sizeof *session); // Leaked on expiry.
    ledger_add(sizeof *session);
    session->user = copy_user(user);
    session->id = id;
    session->last_seen = cache->now;
    session->next = cache->first;
    cache->first = session;
    return session;
}

static void session_close(struct session *session) {
    ledger_remove(strlen(session->user) + 1);
    free(session->user);
    ledger_remove(sizeof *session);
    free(session);
}

static void expire_old_sessions(struct cache *cache, unsigned age) {
    struct session **link = &cache->first;
    while (*link != NULL) {
        if (cache->now - (*link)->last_seen > age)
            *link = (*link)->next; // The bug: session_close was forgotten.
        else
            link = &(*link)->next;
    }
}

static unsigned serve_request(struct cache *cache, unsigned id) {
    size_t size = 200 + id % 50;
    char *reply = malloc(size);
    ledger_add(size);
    struct session *session = cache->first;
    while (session != NULL && session->id != id) session = session->next;
    int length = snprintf(reply, size, "hello %s", session != NULL ? session->user : "stranger");
    ledger_remove(size);
    free(reply);
    return (unsigned)length;
}

static void close_cache(struct cache *cache) {
    while (cache->first != NULL) {
        struct session *session = cache->first;
        cache->first = session->next;
        session_close(session);
    }
}

int main(void) {
    struct cache cache = {NULL, 0};
    unsigned served = 0;
    for (unsigned id = 0; id < 100; id++) {
        char user[32];
        snprintf(user, sizeof user, "user-%u", id);
        session_open(&cache, id, user);
        served += serve_request(&cache, id / 2);
        cache.now += 1;
        if (id % 10 == 9) expire_old_sessions(&cache, 20);
    }
    close_cache(&cache);
    ledger_number("served bytes=", served);
    ledger_tell();
    return 0;
}
