/* net.h - what the files of weir-sim share: the network that is asked for, the one that runs, and what came of it.
 *
 * Senders and receivers, each a weir stack, meet at one bottleneck in virtual time. A run is a function of its parameters and its
 * seed alone. Time inside the network is nanoseconds: a packet of 1500 octets takes 1.2 us at 10 Gbit/s.
 *
 *     net_link.c     the bottleneck and what the path does to packets      net_host.c      stacks, and the two users of a flow
 *     net_ledger.c   which octets were really lost                         net_run.c       the loop over virtual time, samples
 *     net_options.c  the command line                                      net_flows.c     what each flow is told
 *     net_report.c   tables and JSON                                       net_plot.c      SVG by gnuplot
 *     net_table.c    the named scenarios                                   net_main.c      the program
 */
#ifndef NET_H
#define NET_H

#include <stdio.h>

#include "sim.h"
#include "weir/tun.h"

typedef uint64_t net_ns;
#define NET_NS(us) ((net_ns)(us) * 1000u)
#define NET_NEVER UINT64_MAX
#define NET_MS UINT64_C(1000000) /* nanoseconds */

#define NET_FLOWS_MAX 64u
#define NET_BURSTS_MAX 16u
#define NET_CHANGES_MAX 32u
#define NET_EVENTS_MAX (NET_BURSTS_MAX + NET_CHANGES_MAX)
#define NET_TIME_MAX_US (3600 * SIM_SECOND)
#define NET_PACKET_MAX 9216u

/* ---- what is asked for ---- */

struct net_burst {             /* `count` data packets are lost, every `step`th */
    uint32_t count, step;
    bool by_octet;             /* the first is the one that carries this octet of flow 1, else the first at this time */
    uint64_t octet;
    weir_us at;
};

enum net_knob { NET_KNOB_RATE, NET_KNOB_RTT, NET_KNOB_LOSS, NET_KNOB_QUEUE, NET_KNOB_COUNT };
const char *net_knob_name(enum net_knob knob);

struct net_change {
    weir_us at;
    enum net_knob knob;
    uint64_t value;            /* bits a second, microseconds, parts per million, octets */
};

struct net_flow_plan {
    weir_us start;
    uint64_t amount;           /* octets to send; 0: as long as the run lasts */
    weir_us extra_rtt;         /* on top of everybody's */
    uint32_t window;           /* of both rings at first; a power of two */
    uint32_t window_max;       /* up to which they grow when asked; 0: they do not */
    uint64_t read_bps;         /* the receiver's user reads no faster; 0: all at once */
    weir_config config;
};

struct net_gilbert { /* of 1000000, for each packet */
    uint32_t to_bad, to_good, loss_bad, loss_good;
};

struct net_plan {
    uint64_t seed;
    uint64_t rate_bps, access_bps, back_bps; /* 0: no limit */
    weir_us rtt_us;
    uint32_t queue_octets, queue_packets;    /* waiting at the bottleneck; packets 0: octets alone count */
    bool codel;
    uint32_t mark_octets, mark_packets;      /* so much waiting, and what can carry a mark gets one; both 0: none */
    weir_us codel_target_us, codel_interval_us;
    uint32_t loss_ppm, ack_loss_ppm, reorder_ppm;
    struct net_gilbert gilbert;
    weir_us reorder_us, jitter_us;
    uint32_t ack_thin;         /* one of so many pure acknowledgments is let through; 0 or 1: all */
    weir_us ack_thin_us;       /* and one that waits goes after so long */
    weir_us time_us, warmup_us, deficit_us;
    weir_us plot_from, plot_to;
    uint32_t burst_count, change_count, flow_count;
    struct net_burst burst[NET_BURSTS_MAX];
    struct net_change change[NET_CHANGES_MAX];
    struct net_flow_plan flow[NET_FLOWS_MAX];
};

/* ---- what came of it ---- */

struct net_span { /* of a quantity over time */
    uint64_t min, max, sum, weight;
};
void net_span_add(struct net_span *s, uint64_t value, uint64_t weight);
uint64_t net_span_mean(const struct net_span *s);

struct net_counts {            /* of one flow; a run reports what was added after the warm-up */
    uint64_t delivered;        /* octets read by the receiver, in order */
    uint64_t packets, retrans, needed, spurious; /* data packets sent; retrans = needed + spurious */
    uint64_t spurious_flights; /* of what was in flight together, spurious ones went once or more */
    uint64_t lost, queue_lost; /* of those packets, by the path and by the queue */
    uint64_t acks, acks_lost;
    uint64_t timeouts, recoveries, probes, undone, told_retrans; /* as weir_info counts them */
};

struct net_flow_result {
    struct net_counts all, counts; /* of the whole run, and after the warm-up */
    double goodput_bps;
    weir_us start, done_at;    /* done_at 0: not done */
    struct net_span rtt, cwnd; /* microseconds, octets */
    uint32_t srtt, rto, ssthresh;
    uint64_t delivery_rate, pacing_rate; /* octets a second, at the end */
    uint32_t ring[2];          /* the largest that was lent: sender's, receiver's */
    uint64_t ring_memory[2];   /* the most that the rings of each stack took, octets */
    weir_err err;
    bool connected;
};

struct net_event_result {
    char name[48];
    net_ns at;                 /* NET_NEVER: did not come */
    double steady_bps, deficit_ms;
    bool measured;             /* the run was long enough */
};

struct net_result {
    struct net_flow_result flow[NET_FLOWS_MAX];
    struct net_event_result event[NET_EVENTS_MAX];
    uint32_t event_count;
    uint64_t hash, packets, steps;
    struct net_span queue;     /* octets */
    uint64_t marks;
    uint64_t queue_drops, first_drops; /* first_drops: octets, before their sender noticed a loss */
    net_ns end;
    net_ns filled_at;          /* when 90 % of the rate was first reached over 100 ms; NET_NEVER: not */
    double goodput_bps, utilisation, jain;
    char why[200];             /* a broken invariant; empty: none */
};

/* ---- the network that runs ---- */

struct net_packet {
    struct net_packet *next;   /* in a queue, or free */
    net_ns sent, queued;
    uint64_t offset;           /* of the stream, of its text */
    uint64_t order;
    uint32_t len, text;
    uint8_t flow;
    bool back, spurious;
    bool thins;                /* a plain acknowledgment that a later one can stand for */
    uint8_t octets[];
};

enum net_what { NET_ENTER, NET_LINK_FREE, NET_ARRIVE, NET_WAKE, NET_START, NET_CHANGE, NET_TICK, NET_THIN };

struct net_due {
    net_ns at;
    uint64_t order;            /* what is due at one time goes in the order in which it was planned */
    enum net_what what;
    uint32_t who;
    struct net_packet *packet;
};

struct net_piece {             /* octets [from, to) of a stream that are not yet delivered in order */
    uint64_t from, to;
    uint32_t alive, spurious;  /* copies that arrive or have; retransmissions that were one too many */
};

struct net_ledger {
    struct net_piece *piece;
    size_t head, count, cap;
    uint64_t end;              /* one past the last octet ever sent */
    uint64_t flight_end;       /* and what it was when the last spurious retransmission went that counts by itself */
};

enum net_fate { NET_PASSES, NET_LOST, NET_QUEUE_FULL, NET_CODEL, NET_THINNED };

struct net_host {
    weir_stack *stack;
    void *memory;
    weir_handle handle;
    net_ns wake_at;
};

struct net_flow {
    struct net_host end[2];    /* sender, receiver */
    struct net_ledger ledger;
    struct net_counts counts, before; /* before: at the end of the warm-up */
    uint64_t written;
    uint32_t iss;
    bool seen_syn, closed;
    net_ns done_at, access_free, last_arrival[2];
    struct net_packet *held;   /* the acknowledgment that thinning keeps back */
    uint32_t held_count;
    uint64_t held_order;
    struct net_span rtt, cwnd;
    uint32_t ring[2];
    net_ns read_at;            /* up to when the receiver's user has used its time */
    weir_info info;
};

struct net_codel { /* RFC 8289 5 */
    net_ns above_at, next_at;
    uint32_t count, last_count;
    bool dropping;
};

struct net_queue {
    struct net_packet *first, *last, *on_wire;
    uint64_t octets, packets;
    struct net_codel codel;
};

struct net_burst_state {
    uint32_t seen;             /* packets since it began */
    bool begun, done;
};

enum net_mark { NET_MARK_SENT, NET_MARK_NEEDED, NET_MARK_SPURIOUS, NET_MARK_LOST, NET_MARK_ACK, NET_MARK_COUNT };

struct net_point {
    net_ns at;
    uint64_t value;
};
struct net_series {
    struct net_point *point;
    size_t count, cap;
};

struct net_world {
    struct net_plan plan;      /* as changed by the schedule */
    struct net_result *result;
    struct net_flow flow[NET_FLOWS_MAX];
    struct net_queue queue;
    struct net_burst_state burst[NET_BURSTS_MAX];
    net_ns now, back_free;
    struct net_due *due;       /* a heap, the earliest first */
    size_t due_count, due_cap;
    uint64_t order;
    struct net_packet *free_packets;
    size_t packet_size;
    uint64_t made, dropped, arrived; /* packets, to see that none is forgotten */
    struct sim_rng loss, ack_loss, reorder, jitter, gilbert;
    bool gilbert_bad;
    uint64_t *total;           /* octets delivered to all users, each millisecond */
    size_t total_count, total_cap;
    struct net_span queue_span;
    net_ns queue_seen;
    weir_pcapng *capture;
    bool plotting;
    struct net_series mark[NET_MARK_COUNT];
    struct net_series cwnd[NET_FLOWS_MAX], queued;
    void (*progress)(net_ns now, net_ns end, uint64_t packets);
};

/* net_run.c */
struct net_run_options {
    const char *capture;       /* file; NULL: none */
    const char *plot;          /* folder; NULL: none */
    bool quiet;
    uint32_t round, rounds;    /* of a scenario, for progress */
};
bool net_run(const struct net_plan *plan, const struct net_run_options *options, struct net_result *result);
void net_fail(struct net_world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void net_schedule(struct net_world *w, const struct net_due *due);
void net_event(struct net_world *w, uint32_t index);
void net_mark(struct net_world *w, enum net_mark mark, uint64_t value);
void net_point(struct net_world *w, struct net_series *s, uint64_t value);
void *net_grow(void *memory, size_t count, size_t *cap, size_t size);
weir_us net_clock(const struct net_world *w);

/* net_link.c */
struct net_packet *net_packet_new(struct net_world *w);
void net_packet_free(struct net_world *w, struct net_packet *p);
void net_trace(struct net_world *w, const struct net_packet *p, enum net_fate fate);
void net_send(struct net_world *w, struct net_packet *p); /* leaves its host */
void net_enter(struct net_world *w, struct net_packet *p); /* at the bottleneck */
void net_link_free(struct net_world *w);
void net_thin_due(struct net_world *w, uint32_t flow, struct net_packet *p);
void net_queue_watch(struct net_world *w);

/* net_ledger.c */
void net_ledger_send(struct net_world *w, struct net_packet *p);
void net_ledger_drop(struct net_world *w, const struct net_packet *p);
void net_ledger_trim(struct net_ledger *l, uint64_t delivered);

/* net_host.c */
bool net_host_build(struct net_world *w, uint32_t flow, uint32_t end);
void net_host_start(struct net_world *w, uint32_t flow);
void net_host_arrive(struct net_world *w, struct net_packet *p);
void net_host_wake(struct net_world *w, uint32_t flow, uint32_t end);
bool net_flow_done(const struct net_world *w, uint32_t flow);

/* net_options.c, net_flows.c */
#define NET_TEXTS_MAX 64u
struct net_settings {
    struct net_plan plan;
    struct net_run_options run;
    const char *scenario;
    const char *set[NET_TEXTS_MAX], *flow[NET_TEXTS_MAX];
    uint32_t set_count, flow_texts, flows, repeats;
    const char *cc, *profile;
    weir_us stagger;
    uint64_t amount, window, window_max, read_bps;
    bool json;
    uint64_t given;            /* bits of the options that were on the command line */
};
void net_settings_init(struct net_settings *s);
void net_settings_read(struct net_settings *s, int argc, char **argv);
bool net_given(const struct net_settings *s, const char *option);
void net_flows_print_fields(void);
/* Fills plan.flow from cc, set, flow and so on; ends the program with 2 if they are wrong. */
void net_flows_fill(struct net_settings *s);
void net_usage(const char *option, const char *text, const char *why) __attribute__((noreturn));
const char *net_parse_burst(struct net_plan *plan, const char *text);
const char *net_parse_change(struct net_plan *plan, const char *text);
const char *net_parse_ppm(const char *text, uint32_t *ppm);
const char *net_parse_rate(const char *text, uint64_t *bps);

/* net_report.c */
void net_report(const struct net_settings *s, const struct net_result *r);
void net_report_json(FILE *out, const struct net_plan *plan, const struct net_result *r);

/* net_plot.c: true if the pictures are there. */
bool net_plot(const struct net_world *w, const char *folder);

/* net_table.c: what the program ends with. */
bool net_table_defaults(struct net_settings *s);
int net_table_run(struct net_settings *s);

#endif /* NET_H */
