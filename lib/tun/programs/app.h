/* app.h - what the subcommands of weir-tun share: one running instance, its sessions, and the loop's terms.
 *
 * A session is one connection seen by a subcommand. The loop (run.c) makes it when a connection first shows an event,
 * calls the subcommand's `serve` while something it wants is true, and takes it down when the connection is closed or
 * the subcommand has said that it is done. */
#ifndef WEIR_TUN_APP_H
#define WEIR_TUN_APP_H

#include "tun/programs/guard.h"
#include "tun/programs/options.h"

struct instance;

struct session {
    struct session *next, *previous;
    weir_handle conn;
    weir_us opened_at, active_at;
    unsigned want; /* enum weir_event, as the stack has it now */
    bool connected, closing, done, aborted;
    uint64_t seen; /* octets both ways when last looked at, to know idleness */
};

#define APP_FDS_MAX 4

/* A subcommand. Any function may be NULL but serve. */
struct app {
    size_t session_size;                /* of its own struct, which begins with struct session */
    uint16_t port;                      /* where it listens if not told otherwise */
    weir_us idle_us;                    /* give up silent connections after so long, unless --idle; 0: never */
    bool (*start)(struct instance *in); /* before privileges are dropped; false: it has complained */
    bool (*begin)(struct instance *in); /* the stack runs: listen or connect; NULL: listen on the port */
    void (*opened)(struct instance *in, struct session *s);
    unsigned (*serve)(struct instance *in, struct session *s, unsigned events); /* returns the events it wants next */
    bool (*lingers)(const struct session *s); /* at the end: true: let it finish, serve will close it */
    void (*ended)(struct instance *in, struct session *s, weir_err err);
    size_t (*fds)(struct instance *in, struct pollfd fds[APP_FDS_MAX]);        /* descriptors to wait for */
    void (*turn)(struct instance *in, const struct pollfd *fds, size_t count); /* once a turn of the loop */
    weir_us (*until)(const struct instance *in);                               /* wake at the latest */
    void (*interval)(struct instance *in); /* every --stats-interval; NULL: the connections */
    void (*report)(struct instance *in);   /* at the end */
    void (*stop)(struct instance *in);     /* whatever start took */
};

/* Sums over the sessions that have ended. */
struct totals {
    uint64_t sessions, failed, octets_in, octets_out, retransmitted, timeouts;
    weir_info largest; /* the ended connection that carried most */
    weir_tuple largest_tuple;
    uint64_t largest_octets;
    weir_us largest_us;
};

struct control;

struct instance {
    const struct options *options;
    const struct app *app;
    weir_tun *tun;
    weir_stack *stack;
    weir_handle listener;
    struct session *sessions;
    unsigned session_count;
    struct totals totals;
    weir_us now, started_at, ends_at, interval_at, sweep_at, grace_at, retry_at;
    uint64_t retries;  /* connections to be made again at retry_at */
    unsigned quitting; /* 0; 1: closing gracefully; 2: aborting */
    int status;        /* what the program will end with */
    struct guard child;
    struct control *control;
    bool device_gone, stopped; /* stopped: by a signal or by --duration */
    union {                    /* one subcommand runs in one instance */
        struct http_site *http;
        struct nc_pipe *nc;
        struct perf_run *perf;
        void *any;
    } state;
};

/* Runs a subcommand over a device from opening it to the end; the exit status. */
int run_app(const struct options *options, const struct app *app);
/* The same for a command that is a function of this program, run in the namespace like options->exec. */
int run_app_with(const struct options *options, const struct app *app, int (*inside)(void *), void *argument);

/* Begin the end: no new connections, FIN on those that are open. A second call aborts. */
void run_quit(struct instance *in);
weir_conn *run_conn(struct instance *in, const struct session *s);
/* Closes our side if it is still open. */
void run_close(struct instance *in, struct session *s);
/* Nothing more to read or to say: the rest is the stack's affair. Takes effect when serve returns. */
void run_done(struct instance *in, struct session *s);
/* Resets the connection. Takes effect when serve returns. */
void run_abort(struct instance *in, struct session *s);
/* Changes what a session waits for outside its serve. */
void run_want(struct instance *in, struct session *s, unsigned events);
bool run_listen(struct instance *in);
struct session *run_connect(struct instance *in);
/* Drops what can be read. True: the peer has closed and all it sent was read. */
bool run_drain(struct instance *in, struct session *s, uint64_t *count);

/* Output to people. say: on standard error unless --quiet; tell: only with --verbose; complain: always. */
__attribute__((format(printf, 2, 3))) void say(const struct instance *in, const char *format, ...);
__attribute__((format(printf, 2, 3))) void tell(const struct instance *in, const char *format, ...);
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* ---- printing (print.c) ---- */
void print_connection(FILE *to, const weir_conn *c);
void print_connection_json(FILE *to, const weir_conn *c, double seconds);
void print_info(FILE *to, const weir_info *info);
/* All connections and counters, as text or one JSON object. */
void print_stack(FILE *to, const struct instance *in, bool json);
/* At the end: with --json or --verbose. */
void print_totals(const struct instance *in);

/* ---- the local socket of `stats` (control.c) ---- */
struct control *control_open(const char *path);
void control_close(struct control *control);
size_t control_fds(const struct control *control, struct pollfd fds[2]);
void control_turn(struct control *control, const struct pollfd *fds, size_t count, const struct instance *in);
int control_ask(const char *path, bool json);

/* ---- the subcommands ---- */
extern const struct app app_http, app_echo, app_discard, app_nc, app_perf;
int perf_main(const struct options *options);
int demo_main(const struct options *options);
int doctor_main(const struct options *options);
int link_main(const struct options *options);

#endif
