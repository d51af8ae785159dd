/* function.h - function vectors on weir: what a function is given, and the functions themselves. */
#ifndef WEIR_VECTORS_FUNCTION_H
#define WEIR_VECTORS_FUNCTION_H

#include "conn/conn.h"
#include "vector_json.h"

/* The first thing wrong with an input stays in `bad`; reading goes on with zeros. */
struct function_input {
    const json_t *object;
    char bad[200];
};
/* Members of an object; `object` NULL: of the input itself. */
uint64_t function_number(struct function_input *in, const json_t *object, const char *name, uint64_t max);
uint32_t function_u32(struct function_input *in, const char *name);
weir_seq function_seq(struct function_input *in, const char *name);
bool function_bool(struct function_input *in, const json_t *object, const char *name);
const char *function_text(struct function_input *in, const json_t *object, const char *name);
const json_t *function_list(struct function_input *in, const json_t *object, const char *name);
/* Octets, to be freed; never NULL unless there is no memory. */
uint8_t *function_octets(struct function_input *in, const json_t *hex, const char *name, size_t *len);
void function_bad(struct function_input *in, const char *name, const char *what);

/* What it answers; what went wrong in weir itself is the member "problem". */
typedef json_t *function_body(struct function_input *in);

/* function_wire.c */
function_body function_sequence, function_sequence_in, function_checksum, function_checksum_parts, function_checksum_update,
    function_siphash, function_iss, function_iss_differs, function_iss_advance;
/* function_recovery.c */
function_body function_rto, function_karn, function_scoreboard, function_initial_window, function_newreno;
/* function_congestion.c */
function_body function_cubic_window, function_cubic_reduce, function_cubic_estimate, function_cubic_step,
    function_cubic_growth, function_prr_step, function_prr_trace;
/* function_path.c */
function_body function_delivery_rate, function_bbr;
/* function_conn.c */
function_body function_acceptable, function_acknowledgment, function_reset, function_time_wait_syn, function_paws, function_sack_receiver,
    function_timestamp_echo, function_timestamp_echo_sent, function_window;
/* function_exchange.c */
function_body function_exchange;

/* bench.c: a connection on a bench, with a peer that is a few numbers. */
enum { BENCH_RING = 16384, BENCH_WINDOW = 60000 };
struct bench {
    weir_conn c;
    weir_config cfg;
    weir_us now;
    weir_tuple tuple;
    const char *problem; /* the first thing that weir did wrong */
    uint64_t memory[2 * BENCH_RING / 8 + 1024];
    uint8_t octets[65600]; /* of the segment polled last */
};
/* In CLOSED, no option on; change `cfg` then. NULL: no memory. */
struct bench *bench_new(void);
/* Sets the clock so that a connection opened now has this ISS. */
void bench_iss(struct bench *b, uint32_t iss);
/* A segment of the peer, written and read again; its ports are filled in. */
void bench_input(struct bench *b, const weir_fields *fields, uint32_t len);
/* The next segment; false: nothing to say. */
bool bench_poll(struct bench *b, weir_view *v);
void bench_drain(struct bench *b);
/* To the next deadline. */
bool bench_wait(struct bench *b);
void bench_send(struct bench *b, uint32_t len);
/* ESTABLISHED by an active open; the peer's SYN,ACK has `options` of weir_fields and these values. */
void bench_establish(struct bench *b, weir_fields syn_ack);
/* Fields of a plain ACK of the peer: at RCV.NXT, of SND.NXT. */
weir_fields bench_ack(const struct bench *b);
/* The answer with what went wrong in it; frees the bench. */
json_t *bench_done(struct bench *b, json_t *told);

#endif
