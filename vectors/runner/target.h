/* target.h - what a stack under test can be asked to do. One struct of functions for each kind of target: weir in this process
 * (target_weir.c over its stack, target_conn.c over a bare connection), the Linux kernel over TUN (target_kernel.c), any program
 * that speaks the line protocol of FORMAT.md (target_exec.c). */
#ifndef WEIR_VECTORS_TARGET_H
#define WEIR_VECTORS_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a call answers: a number, or less than 0. */
typedef int64_t answer;
#define ANSWER_UNIMPLEMENTED INT64_MIN       /* the target cannot do this: "not supported", never "wrong" */
#define ANSWER_DEAD (INT64_MIN + 1)          /* the target is gone: why() says how */
#define ANSWER_WRONG (INT64_MIN + 2)         /* the target found itself in the wrong, a broken invariant: why() says which */
#define ANSWER_ERRNO(e) (-(answer)(e))       /* -1 .. -4095: an error of the call, by Linux's errno numbers */

#define TARGET_PACKET_MAX 65600

/* The two hosts of every scenario. The stack under test has `local`; the script plays `remote`. */
struct target_world {
    bool v6;
    uint8_t local[16], remote[16];  /* network order; an IPv4 address fills the first 4 */
    uint16_t listen_port, remote_port; /* 8080, and the peer's port for connections it opens */
};

/* Facts about a connection; names as tcp_info has them. -1: the target does not say. */
struct target_info {
    const char *state;  /* "SYN-RECEIVED"; "CLOSED" when there is no connection any more */
    int64_t rto, rtt, rttvar, min_rtt;  /* microseconds */
    int64_t snd_mss, rcv_mss, advmss, pmtu;
    int64_t snd_cwnd, snd_ssthresh;     /* segments */
    int64_t unacked, sacked, lost, retrans; /* segments */
    int64_t total_retrans, backoff, probes, retransmits, options, snd_wscale, rcv_wscale, ca_state, reordering, delivered;
    int64_t delivered_ce;
    int64_t segs_in, segs_out, data_segs_in, data_segs_out, dsack_dups, reord_seen, rcv_ooopack, total_rto; /* counts */
    int64_t ato, busy_time, rwnd_limited, sndbuf_limited; /* microseconds */
    int64_t delivery_rate, pacing_rate, delivery_rate_app_limited; /* octets a second; 1: there was not enough to send */
    int64_t snd_wnd, rcv_wnd, bytes_acked, bytes_received, notsent_bytes; /* octets */
};

#define TARGET_ROWS_MAX 64
/* Where a packet or a call took the state machine; for targets that can tell. */
struct target_trace {
    char text[160];     /* "P3 Q1 R6 Y3 A6", the rows in order; empty if the target does not tell */
    const char *state;  /* afterwards */
    int count;          /* the same rows one by one, as far as there is room, with the state each fired in; 0: not told */
    struct { const char *row, *state; } fired[TARGET_ROWS_MAX];
};

struct target;
struct target_ops {
    const char *name;
    bool real_time;     /* waiting takes time; tolerances as packetdrill's */

    /* Forgets everything and builds a fresh stack. Then settings come, then calls. False: dead. */
    bool (*reset)(struct target *t, const struct target_world *world);
    /* A setting of FORMAT.md's list before the first call: 0, ANSWER_UNIMPLEMENTED, or ANSWER_ERRNO(EINVAL). */
    answer (*set)(struct target *t, const char *name, const char *value);

    /* Sockets are small numbers that the target gives out, from 0. All calls answer at once: "not yet" is ANSWER_ERRNO(EAGAIN)
     * or, of connect, ANSWER_ERRNO(EINPROGRESS). */
    answer (*socket)(struct target *t);
    answer (*listen)(struct target *t, int socket, uint16_t port, int backlog); /* passive OPEN */
    answer (*connect)(struct target *t, int socket, uint16_t port);             /* active OPEN to `remote`, that port; again: how it went */
    answer (*accept)(struct target *t, int socket);                             /* a new socket */
    answer (*send)(struct target *t, int socket, const uint8_t *octets, size_t len, int flags); /* octets taken */
    answer (*recv)(struct target *t, int socket, uint8_t *octets, size_t cap, int flags);       /* octets got; 0: at the FIN */
    answer (*shutdown)(struct target *t, int socket, int how);                  /* SHUT_WR is the RFC's CLOSE */
    answer (*close)(struct target *t, int socket);                              /* the user walks away: CLOSE, and nobody reads */
    answer (*abort)(struct target *t, int socket);                              /* ABORT */
    answer (*option)(struct target *t, int socket, const char *name, int64_t value); /* socket option of FORMAT.md's list */
    answer (*ready)(struct target *t, int socket);                              /* poll(2) bits: POLLIN POLLOUT POLLHUP POLLERR POLLRDHUP */
    answer (*error)(struct target *t, int socket);                              /* SO_ERROR: errno as a positive number, and forgets it */
    answer (*queued)(struct target *t, int socket, bool sent);                  /* SIOCINQ; sent: SIOCOUTQ */
    answer (*info)(struct target *t, int socket, struct target_info *info);     /* STATUS */

    /* Calls of FORMAT.md that have no function here, by their names ("urgent", "hold", "admit", "remote", "timeout"); `word` NULL or
     * the second argument. May be NULL: none of them. */
    answer (*call)(struct target *t, int socket, const char *name, const char *word);

    /* One IP packet from the wire, at the present time. */
    answer (*packet_in)(struct target *t, const uint8_t *octets, size_t len);
    /* The next packet the stack has sent, and when (microseconds since reset); its length, 0: none now. */
    answer (*packet_out)(struct target *t, uint8_t *octets, size_t cap, int64_t *when);
    /* Time since reset. */
    int64_t (*now)(struct target *t);
    /* Goes on to `until`, or stops earlier at the first instant at which a packet comes out or a socket may have become ready. */
    answer (*advance)(struct target *t, int64_t until);

    /* What the last packet_in, call or advance went through; rows since the trace before. May be NULL. */
    void (*trace)(struct target *t, struct target_trace *trace);
    const char *(*why)(struct target *t); /* after ANSWER_DEAD or ANSWER_WRONG: a sentence */
    bool (*has)(struct target *t, const char *need); /* a feature of FORMAT.md's list ("needs:") */
    void (*free)(struct target *t);
};
struct target {
    const struct target_ops *ops;
    /* the target's own fields follow */
};

/* Each returns NULL with a reason in `why`. */
struct target *target_weir_new(char *why, size_t cap);
struct target *target_conn_new(char *why, size_t cap);
struct target *target_kernel_new(char *why, size_t cap);
struct target *target_exec_new(const char *command, char *why, size_t cap);

/* A line of the protocol that is no call: "segment ...", "function ...". What follows "ok" goes into `reply`. ANSWER_UNIMPLEMENTED
 * if the target is no program, or does not know the command. */
answer target_exec_ask(struct target *t, const char *command, char *reply, size_t cap);
/* The real time that a program has for one answer: 10 s. */
void target_exec_limit(struct target *t, int milliseconds);

/* Rows of lib/conn/rows.h that fired since the process began, for the report of rows that no vector fires: weir targets only. */
bool target_weir_row_fired(unsigned row);
void target_weir_rows_clear(void);

#endif
