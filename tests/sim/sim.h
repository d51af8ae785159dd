/* sim.h - what the files of the simulation share: random numbers, the scenario, the world.
 *
 * Several weir stacks talk over a seeded network in virtual time. Everything that happens is a function of the seed:
 * no decision depends on a clock, an address in memory, the size of a type, the order of octets or a fraction.
 *
 *     scenario.c  seed -> what will happen         network.c  what becomes of a packet on its way
 *     user.c      the two users of a connection    world.c    the loop over virtual time, and the oracles
 *     damage.c    what a path does to octets               attack.c   an attacker who is not on the path
 *     trace.c     the hash of a run, and its printed form  main.c     campaigns, command line
 */
#ifndef SIM_H
#define SIM_H

#include "weir/stack.h"
#include "weir/weir.h"

#define SIM_HOSTS_MAX 4
#define SIM_PLANS_MAX 8
#define SIM_PACKET_MAX 9216u
#define SIM_SECOND UINT64_C(1000000)

/* ---- random numbers: splitmix64, one stream for each question, so that a new question does not move the others ---- */

struct sim_rng {
    uint64_t at;
};

static inline uint64_t sim_mix(uint64_t v)
{
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
    return v ^ (v >> 31);
}

static inline struct sim_rng sim_rng_for(uint64_t seed, uint32_t question)
{
    struct sim_rng r;
    r.at = sim_mix(seed + UINT64_C(0x9e3779b97f4a7c15)) ^ sim_mix(UINT64_C(0xd1b54a32d192ed03) * (question + 1u));
    return r;
}

static inline uint64_t sim_next(struct sim_rng *r)
{
    r->at += UINT64_C(0x9e3779b97f4a7c15);
    return sim_mix(r->at);
}

/* 0 .. bound - 1; 0 if bound is 0. */
static inline uint32_t sim_below(struct sim_rng *r, uint32_t bound)
{
    return (uint32_t)(((sim_next(r) >> 32) * bound) >> 32);
}

static inline uint32_t sim_range(struct sim_rng *r, uint32_t from, uint32_t to)
{
    return from + sim_below(r, to - from + 1u);
}

static inline bool sim_percent(struct sim_rng *r, uint32_t percent)
{
    return sim_below(r, 100) < percent;
}

/* Probabilities on the path are of 65536. */
static inline bool sim_happens(struct sim_rng *r, uint32_t of_65536)
{
    return of_65536 != 0 && sim_below(r, 65536) < of_65536;
}

/* Every size between from and to (at least 1) has the same chance, not every number: most are small. */
uint32_t sim_log(struct sim_rng *r, uint32_t from, uint32_t to);

/* ---- what streams consist of: a function of the stream's key and the offset ---- */

void sim_content(uint64_t key, uint32_t offset, uint8_t *octets, uint32_t len);
/* How many of the octets are what they must be, from the first on. */
uint32_t sim_content_matches(uint64_t key, uint32_t offset, const uint8_t *octets, uint32_t len);

/* ---- the scenario: drawn once, then only read ---- */

enum sim_profile { SIM_ANY, SIM_CLEAN, SIM_LOSSY, SIM_HOSTILE, SIM_TINY, SIM_SLOW_READER, SIM_PROFILE_COUNT };
const char *sim_profile_name(enum sim_profile profile);

/* Faults on purpose, to show that the oracles can fail. */
enum sim_plant {
    SIM_PLANT_NONE,
    SIM_PLANT_CORRUPT_FIXED, /* payload octets change and the checksum is made good again: streams differ */
    SIM_PLANT_STALL,         /* the network dies without telling the oracle: no progress */
    SIM_PLANT_RESET,         /* a perfect RST comes out of nowhere: a graceful end is missed */
    SIM_PLANT_LEAK,          /* a user forgets to release: records are left */
    SIM_PLANT_STORM,         /* every packet is sent two hundred times: too many packets */
    SIM_PLANT_MEMORY,        /* a field of a connection is overwritten: the invariants break */
    SIM_PLANT_DEADLINE,      /* the deadline is read as past: a busy loop */
    SIM_PLANT_HASH,          /* the hash takes in the fill of the memory: two runs differ */
    SIM_PLANT_CRASH,         /* the process ends in a trap: a campaign must survive and name the seed */
    SIM_PLANT_COUNT
};
const char *sim_plant_name(enum sim_plant plant);

struct sim_link { /* one direction of a path */
    uint16_t loss, dup, reorder, corrupt; /* of 65536 */
    uint16_t late_dup;                    /* a copy comes seconds later */
    uint16_t pad, strip, squeeze, split;  /* by middleboxes: padding, timestamps blotted out, windows made smaller, segments cut in two */
    uint16_t clamp;                       /* the largest MSS option let through; 0: any */
    uint16_t burst_loss;                  /* in a bad period (Gilbert-Elliott, by time: backoff must not make bursts eternal) */
    uint32_t good_us, bad_us;             /* longest period of each kind; 0: no bursts */
    uint32_t delay_us, jitter_us, reorder_us;
    uint32_t rate;                        /* octets a second; 0: no limit */
    uint32_t queue;                       /* octets in front of the bottleneck */
    bool jitter_reorders;
};

struct sim_path { /* between host 0 and one other */
    struct sim_link link[2];   /* [0] towards host 0 */
    uint16_t mtu, mtu_later;
    weir_us mtu_at;            /* when mtu_later holds; WEIR_FOREVER: never */
    weir_us outage_at, outage_us;
    bool dead;                 /* the outage does not end */
};

struct sim_host_plan {
    weir_stack_config config;
    weir_us origin;            /* what its clock shows at virtual time 0 */
    uint32_t late_us;          /* wakes up so late at most */
    weir_us reboot_at;         /* loses all it knew; WEIR_FOREVER: never */
    bool new_secret;           /* draws a new one then */
    bool poll_copy;            /* uses weir_stack_poll_copy */
    bool clock_steps_back;     /* sometimes gives a time earlier than one given before */
    uint32_t backlog;
    uint8_t edge_plan;         /* number of the plan, plus 1, one of whose numbers is to pass an edge; 0: none */
    bool edge_is_stamp;        /* a timestamp, else a sequence number */
    uint32_t edge;             /* what that number is at the open */
};

enum sim_close { SIM_CLOSE_WHEN_WRITTEN, SIM_CLOSE_AFTER_EOF };
enum sim_leave { SIM_LEAVE_SENT, SIM_LEAVE_CLOSED, SIM_LEAVE_EARLY };
enum sim_abrupt { SIM_GRACEFUL, SIM_ABORT, SIM_RELEASE_NOW, SIM_RELEASE_LINGER, SIM_RELEASE };
enum sim_open { SIM_OPEN_LISTENER, SIM_OPEN_HELD, SIM_OPEN_BOTH, SIM_OPEN_REFUSED, SIM_OPEN_NOBODY };

enum sim_habit { SIM_GROW = 1, SIM_NAGLE_OFF = 2, SIM_NAGLE_ON = 4, SIM_KEEPALIVE = 8 };

struct sim_end_plan { /* what one of the two users does */
    uint32_t send_len;
    uint32_t write_max, read_max;        /* largest chunk of one call */
    uint32_t write_pause_us, read_pause_us; /* longest pause after a call */
    uint32_t read_late_us;               /* does not read for so long at first */
    uint32_t stop_at, stop_us;           /* stops reading there for so long; stop_us 0: does not */
    uint16_t push, more, urgent;         /* of 65536, for each call */
    uint8_t close, leave;                /* enum sim_close, enum sim_leave */
    bool copying;                        /* weir_send and weir_recv */
    bool eager;                          /* writes before the connection is open */
    bool wants_all;                      /* never narrows what weir_stack_ready reports */
    uint8_t habits;                      /* enum sim_habit: what it does once at habit_at */
    uint32_t habit_at;                   /* octets read and written */
};

struct sim_plan { /* one connection; end 0 opens it */
    uint8_t host[2];
    uint8_t open;              /* enum sim_open */
    uint8_t abrupt, abrupt_end; /* enum sim_abrupt, and who */
    bool abrupt_early;         /* before the connection is open */
    uint8_t after;             /* number of the plan that must be done before, plus 1; 0: none */
    bool v6, elsewhere;        /* elsewhere: to an address that is not the host's (any-destination listener) */
    uint16_t port[2];          /* 0: ephemeral */
    weir_us open_at;
    uint32_t admit_us, abrupt_at, linger_us;
    uint32_t turn;             /* the ends take turns of so many octets; 0: they do not */
    struct sim_end_plan end[2];
};

struct sim_scenario {
    uint64_t seed;
    enum sim_profile profile;
    uint8_t host_count, plan_count;
    uint16_t attack;           /* of 65536, for each packet that arrives */
    bool perfect;              /* nothing is lost, changed, reordered, late or slow: nothing may be sent twice */
    struct sim_host_plan host[SIM_HOSTS_MAX];
    struct sim_path path[SIM_HOSTS_MAX]; /* [0] is not used */
    struct sim_plan plan[SIM_PLANS_MAX];
};

void sim_scenario_draw(struct sim_scenario *s, uint64_t seed, enum sim_profile profile);
void sim_scenario_print(const struct sim_scenario *s); /* print.c */
weir_addr sim_host_addr(uint32_t host, bool v6);
/* True if the plan may end otherwise than with both streams whole. */
bool sim_plan_fatal(const struct sim_scenario *s, const struct sim_plan *p);

/* ---- the run ---- */

struct sim_packet {
    weir_us at;
    uint64_t order;            /* packets due at one time go in the order in which they were sent */
    uint8_t from, to;
    uint32_t len;
    uint8_t *octets;
};

struct sim_link_state {
    weir_us free_at, last_at, period_ends_at;
    bool bad;
};

#define SIM_FLIGHT_MAX 8192u

struct sim_network {
    struct sim_rng rng;
    struct sim_link_state link[SIM_HOSTS_MAX][2];
    struct sim_packet *flight[SIM_FLIGHT_MAX]; /* a heap, the earliest first */
    uint32_t flight_count;
    uint64_t order;
};

#define SIM_INBOX_MAX 1024u

struct sim_host {
    weir_stack *stack;
    void *memory;
    struct sim_packet *inbox[SIM_INBOX_MAX];
    uint32_t inbox_count;
    weir_us wake_at;           /* virtual time */
    weir_handle listener[3];
    uint32_t idle_wakes;       /* woken by a deadline, and nothing came of it */
    uint64_t instant_packets;  /* sent at the present virtual time */
    weir_us instant;
    weir_out out;              /* the packet that was polled last .. */
    uint32_t cut;              /* .. and the next segment of it; 0: it has gone whole */
};

enum sim_life { SIM_END_IDLE, SIM_END_OPENING, SIM_END_OPEN, SIM_END_DONE };

struct sim_end {
    enum sim_life life;
    weir_handle handle;
    uint64_t key;              /* of what it sends */
    uint32_t written, read;
    uint32_t urgent_end;       /* one past the last octet sent as urgent */
    bool connected, eof, closed, stopped, changed;
    void *rings;               /* larger ones, lent on the way */
    weir_us read_at, write_at, act_at; /* virtual time; WEIR_FOREVER: not waiting */
    weir_err err;
};

struct sim_connection {
    struct sim_end end[2];
    weir_tuple tuple;          /* as end 0 sees it */
    weir_us progress_at, opened_at, whole_at; /* whole: both users are at the end of their streams */
    bool opened, broken;       /* broken: something fatal has happened that the scenario allows */
};

struct sim_options {
    enum sim_profile profile;
    enum sim_plant plant;
    uint32_t check_every;      /* steps between two runs of the invariants */
    uint8_t fill;              /* what the memory of the stacks holds at first: must not matter */
    bool repack;               /* whoever could be packed is, and unpacked, at every step: must not matter */
    bool rest;                 /* at every step the idle lose their rings and are packed until they are needed */
    bool verbose;
};

/* What a run has met with, to see what campaigns do not reach. */
struct sim_coverage {
    uint64_t rows[4];          /* bits */
    uint64_t verdicts[WEIR_VERDICT_COUNT];
    uint64_t retransmitted, time_wait_reused, attacks, perfect;
    uint64_t unpacked;
    uint64_t repacked[3];      /* enum repack */
    uint64_t cut;              /* super-segments */
    uint32_t pace;             /* of perfect runs: the slowest connection, per cent of what is allowed */
};

struct sim_result {
    uint64_t seed, hash;
    uint64_t packets, octets, steps;
    weir_us virtual_us;
    struct sim_coverage coverage;
    char why[240];             /* empty: passed */
};

struct sim_world {
    const struct sim_options *options;
    struct sim_scenario scenario;
    struct sim_rng rng;        /* of users and hosts */
    struct sim_network network;
    struct sim_host host[SIM_HOSTS_MAX];
    struct sim_connection conn[SIM_PLANS_MAX];
    weir_us now, progress_at;
    uint64_t needed_packets;
    uint64_t user_calls;
    bool closing;              /* all users are done; listeners are closed; records must go */
    struct sim_result *result;
};

/* Runs one seed; result->why says what failed. */
void sim_run(const struct sim_options *options, uint64_t seed, struct sim_result *result);
/* The first failure of a run is kept. */
void sim_fail(struct sim_world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool sim_failed(const struct sim_world *w);

/* trace.c */
void sim_trace_number(struct sim_world *w, uint64_t value);
void sim_trace_octets(struct sim_world *w, const uint8_t *octets, uint32_t len);
/* A packet on its way: `fate` is a word for people, its first letter goes into the hash. */
void sim_trace_packet(struct sim_world *w, const struct sim_packet *p, const char *fate);
/* Something a user did or saw; plan below 0: nobody's. */
void sim_trace_event(struct sim_world *w, uint32_t host, int plan, const char *what, uint64_t value);
/* The rows a connection went through; printed only. */
void sim_trace_path(struct sim_world *w, uint32_t host, const weir_conn *c);

/* damage.c */
struct sim_icmp_spec {
    uint8_t type, code;
    uint32_t mtu, quote;       /* at most so many octets are quoted */
};
/* Lengths and checksums of a packet of `len` octets. */
void sim_packet_seal(struct sim_packet *p);
/* Noise; false if the packet is better lost. */
bool sim_damage(struct sim_rng *r, struct sim_packet *p);
void sim_damage_plant(enum sim_plant plant, struct sim_packet *p);
void sim_middlebox(struct sim_rng *r, const struct sim_link *l, struct sim_packet *p);
uint32_t sim_split(struct sim_rng *r, struct sim_packet *p, struct sim_packet *second);
void sim_icmp(struct sim_packet *message, const struct sim_packet *quoted, const struct sim_icmp_spec *spec);
bool sim_is_icmp(const struct sim_packet *p);

/* network.c */
struct sim_packet *sim_packet_new(uint32_t from, uint32_t to, uint32_t len);
void sim_network_init(struct sim_world *w);
void sim_network_clear(struct sim_world *w);
void sim_network_send(struct sim_world *w, uint32_t from, const uint8_t *octets, uint32_t len);
weir_us sim_network_next(const struct sim_network *n);
struct sim_packet *sim_network_take(struct sim_network *n);
void sim_packet_free(struct sim_packet *p);

/* attack.c: one packet of an attacker for this host, if it has a connection that is worth it; NULL if not. */
struct sim_packet *sim_attack(struct sim_world *w, uint32_t host, bool *must_be_refused);

/* user.c */
/* The sockets of a plan as one of its ends sees them, and the sockets before an ephemeral port is chosen. */
weir_tuple sim_user_tuple(const struct sim_scenario *s, uint32_t plan, uint32_t side);
weir_us sim_user_next(const struct sim_world *w);
/* What users do by their own clock at the present time. */
void sim_user_act(struct sim_world *w);
/* A connection that weir_stack_ready names. */
void sim_user_serve(struct sim_world *w, uint32_t host, const weir_ready *ready);
bool sim_user_all_done(const struct sim_world *w);
/* The host has lost its memory. */
void sim_user_rebooted(struct sim_world *w, uint32_t host);
/* Ends what a fatal event has left hanging; called when nothing moves. */
void sim_user_watch(struct sim_world *w);
void sim_user_describe(const struct sim_world *w, char *text, uint32_t cap);

/* world.c, for user.c */
weir_us sim_host_now(struct sim_world *w, uint32_t host);
void sim_host_wake(struct sim_world *w, uint32_t host, weir_us at);
void sim_progress(struct sim_world *w, struct sim_connection *c);

#endif /* SIM_H */
