/* scenario.h - one script against one target: its time, its sequence spaces, its sockets, and the record of what happened. */
#ifndef WEIR_VECTORS_SCENARIO_H
#define WEIR_VECTORS_SCENARIO_H

#include "packet.h"
#include "script.h"
#include "target.h"

enum outcome_verdict {
    OUTCOME_PASS,
    OUTCOME_FAIL,
    OUTCOME_UNSUPPORTED, /* the target lacks something that is named */
    OUTCOME_BROKEN,      /* the vector itself is wrong: it cannot be read, or contradicts itself */
    OUTCOME_DEAD         /* the target died on it */
};

/* One line of what happened, for ladders. */
enum record_kind { RECORD_IN, RECORD_OUT, RECORD_CALL, RECORD_TIMER, RECORD_STATE, RECORD_NOTE, RECORD_MISS };
struct record_line {
    enum record_kind kind;
    int64_t time;            /* microseconds since the script began */
    char text[200];          /* as the script would write it */
    char expected[200];      /* RECORD_MISS: what should have come; empty otherwise */
    char rows[160];          /* the rows it went through; empty */
    const char *state;       /* of the stack under test, afterwards; NULL: not told */
    const uint8_t *octets;   /* of the packet; NULL */
    uint32_t len;
    struct packet packet;    /* IN and OUT: decoded */
    int script_line;         /* 0: none */
    char remark[120];        /* the comment at the end of that line, for who draws (ladder_remarks fills it); empty */
    int64_t timer;           /* RECORD_TIMER: when the next deadline is; -1 */
    char timer_name[24];
};
struct record {
    struct record_line *lines;
    int count, cap;
    struct packet_space space;
    bool v6;
};
void record_free(struct record *r);

struct outcome {
    enum outcome_verdict strict, semantic; /* semantic is never worse than strict */
    char reason[1200];     /* one line: where (file:line) and what; empty on a strict pass */
    char taste[400];       /* strict failed, semantic passed: the first difference in taste */
    char row[16];          /* the last row that fired before the failure, where the target tells; and its source */
    char rows[512];        /* all rows fired, in order of first firing, separated by blanks */
    int line;              /* of the script, where it ended; 0: at its end */
    int packets_in, packets_out, calls;
    int64_t virtual_us;
};

struct scenario_options {
    const char *profile;        /* "rfc" "linux" "freebsd": what is set before the script's own settings; NULL: rfc for a vector with
                                   a head, linux for a script without */
    const struct script_setting *overrides; /* --name=value of the command line: they win over the script's */
    int override_count;
    int64_t tolerance_us;       /* -1: packetdrill's, 4 ms and 12.5 % */
    bool v6;
    bool real_time_limit;       /* kernel: scripts whose scripted time exceeds limit_us are OUTCOME_UNSUPPORTED "takes N s" */
    int64_t limit_us;
    bool quiet_end;             /* segments that nobody expected at the end are a failure; vectors with a head: always */
};

/* Runs it. `record` may be NULL (fast); else every line is kept. The target is reset first and can be used again. */
void scenario_run(const struct script *script, struct target *target, const struct scenario_options *options,
                  struct outcome *outcome, struct record *record);

/* settings.c: what scripts say about their host, in weir's words. */
/* The list of (name, value) of a profile; ends with a NULL name. NULL: no such profile. */
const struct script_setting *settings_profile(const char *profile);
/* A shell command of a script: sysctls and defaults become settings through `apply`; what is known to be harmless is passed over;
 * false with its name in `why` if it is not supported. */
bool settings_shell(const char *command, bool (*apply)(void *self, const char *name, const char *value), void *self,
                    char *why, size_t cap);
/* A socket option by its C names -> FORMAT.md's name, NULL if unknown. *scale: what the value is multiplied by; less than 0: divided
 * by -*scale (dscp stands above two bits of IP_TOS). */
const char *settings_socket_option(const char *level, const char *name, int64_t *scale);

#endif
