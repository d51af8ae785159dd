/* course.h - a scenario under way: what scenario.c, calls.c and record.c know together. Nobody else includes it. */
#ifndef WEIR_VECTORS_COURSE_H
#define WEIR_VECTORS_COURSE_H

#include "scenario.h"

#define COURSE_FDS_MAX 64
#define COURSE_WATCHES_MAX 16
#define COURSE_OPTIONS_MAX 16
#define COURSE_FIRED_MAX 128

/* A segment that the stack has sent and the script has not yet asked for. */
struct course_seen {
    struct packet packet;
    int64_t when;      /* since the script began */
    uint8_t *octets;   /* a copy for the record; NULL without one */
    uint32_t len;
};

enum course_fd_kind { COURSE_TCP, COURSE_EPOLL };
struct course_watch {
    int fd;            /* of the script */
    int64_t events;
    int64_t data;      /* what epoll_wait hands back */
};
/* A socket: what the script calls it, and what the target does. */
struct course_fd {
    int number, socket;
    enum course_fd_kind kind;
    bool closed, nonblock, opened; /* opened: connect was begun */
    struct { const char *name; int64_t value; } options[COURSE_OPTIONS_MAX]; /* as they were set */
    int option_count;
    struct course_watch watches[COURSE_WATCHES_MAX];
    int watch_count;
};

/* A call that blocks: it is tried again until it has an answer. */
struct course_blocked {
    const struct script_event *event; /* NULL: none */
    int64_t base;                     /* the event before it: its end is counted from there as its beginning was */
    int64_t began, done;              /* done: octets so far */
    int64_t wake;                     /* when it has waited long enough; -1: never */
};

struct course {
    const struct script *script;
    struct target *target;
    const struct scenario_options *options;
    struct outcome *out;
    struct record *record;
    struct target_world world;
    struct packet_space space;
    uint32_t syn_seq;              /* of the last SYN that was sent to the stack */
    bool syn_seen, spoken;         /* since the stack's ISN was learnt: a SYN came in; anything but SYNs was exchanged */
    bool isn_guessed;              /* from a SYN that the script has not asked for yet */
    int64_t start, last;           /* the target's time when the script began; of the event before, since then */
    int64_t floor;                 /* the earliest scripted time that may come: it never goes back */
    bool exact, strict_segments, ended;
    bool larger;                   /* over IPv6 although the script was not written for it */
    int64_t tolerance;             /* -1: packetdrill's */
    int64_t tolerance_permille;    /* of the gap since the event before */
    uint16_t connect_port;
    struct course_fd fds[COURSE_FDS_MAX];
    int fd_count, current;         /* current: the socket under test, for what code asks; -1 */
    struct course_blocked blocked;
    struct course_seen *seen;      /* a queue */
    int seen_head, seen_count, seen_cap;
    struct { const char *row, *state; } fired[COURSE_FIRED_MAX];
    int fired_count;
    const char *state;             /* of the stack, as it was told last */
    char rows[160];                /* of the last trace, for the record */
    struct expr *expr;
    uint8_t octets[TARGET_PACKET_MAX];
};

/* ---- scenario.c ---- */
int64_t course_now(const struct course *c);
/* Ends it with this verdict; `event` NULL: nowhere in the script. Only the first counts. */
void course_end(struct course *c, enum outcome_verdict verdict, const struct script_event *event, const char *format, ...)
    __attribute__((__format__(__printf__, 4, 5)));
/* True if the answer was one that ends the scenario: dead, wrong; NAME is what was asked for. */
bool course_fatal(struct course *c, const struct script_event *event, answer a);
/* Rows that fired since the last time; takes what the stack has sent. */
void course_settle(struct course *c, const struct script_event *event);
/* The window of a time, since the script began; *gap since the event before. */
void course_window(const struct course *c, const struct script_time *time, int64_t *from, int64_t *to, int64_t *gap);
/* Ends it if `when` is not in the window. */
bool course_on_time(struct course *c, const struct script_event *event, const struct script_time *time, int64_t when, const char *what);
struct packet_space course_fresh_space(const struct course *c);

/* ---- calls.c ---- */
void course_call(struct course *c, const struct script_event *event, int64_t base); /* base: the time of the event before */
/* Tries the call that blocks again. */
void course_retry(struct course *c);
struct course_fd *course_fd_find(struct course *c, int number);

/* ---- record.c: each does nothing without a record ---- */
void record_packet(struct course *c, const struct packet *p, const uint8_t *octets, uint32_t len, int64_t when, int line);
void record_call(struct course *c, const struct script_event *event, answer a, bool begun);
void record_text(struct course *c, enum record_kind kind, const char *text, int line);
void record_miss(struct course *c, const char *expected, const char *seen, int line);
void record_state(struct course *c);
void record_take_octets(struct course *c, struct course_seen *seen, const uint8_t *octets, size_t len);

#endif
