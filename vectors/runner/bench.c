/* bench.c - one connection of weir and a peer that is a few numbers: for functions that only a connection can show. Every segment of
 * either side is written to octets and read again. */
#include <stdlib.h>
#include <string.h>

#include "function.h"

static void bench_note(struct bench *b, const char *problem)
{
    if (b->problem == NULL && problem != NULL) {
        b->problem = problem;
    }
}

struct bench *bench_new(void)
{
    struct bench *b = calloc(1, sizeof *b);
    weir_buffers buffers;
    weir_sizes sizes = {BENCH_RING, BENCH_RING};
    if (b == NULL) {
        return NULL;
    }
    weir_config_rfc(&b->cfg);
    memset(b->cfg.secret, 0x5a, sizeof b->cfg.secret);
    b->cfg.timestamps = b->cfg.window_scale = b->cfg.sack = b->cfg.nagle = false;
    b->cfg.iw10 = true;
    b->cfg.quick_acks = 255;
    b->now = 1000000;
    b->tuple.local = weir_addr_v4(192, 0, 2, 1);
    b->tuple.remote = weir_addr_v4(198, 51, 100, 2);
    b->tuple.local_port = 80;
    b->tuple.remote_port = 40000;
    if (!weir_buffers_carve(&buffers, b->memory, sizeof b->memory, sizes) || weir_init(&b->c, &b->cfg, &buffers, b->now) != WEIR_ERR_NONE) {
        bench_note(b, "weir_init refuses a connection");
    }
    return b;
}

void bench_iss(struct bench *b, uint32_t iss)
{
    b->now += (weir_us)(iss - weiri_iss(&b->cfg, &b->tuple, b->now).v) * 4;
}

void bench_input(struct bench *b, const weir_fields *fields, uint32_t len)
{
    uint8_t octets[WEIR_TCP_HEADER_MAX + 4096];
    weir_pseudo pseudo = {b->tuple.remote, b->tuple.local};
    weir_fields g = *fields;
    weir_view v;
    len = base_min32(len, 4096);
    g.source_port = b->tuple.remote_port;
    g.destination_port = b->tuple.local_port;
    size_t header = weir_emit_header(octets, &g);
    if (g.wscale > 14) {
        octets[header - 1] = g.wscale; /* the last octet of a SYN's header; weir itself would not write it */
    }
    memset(octets + header, 'x', len);
    weir_emit_checksum(octets, header + len, &pseudo);
    if (weir_view_segment(&v, octets, header + len, &pseudo) != WEIR_OK) {
        bench_note(b, "weir refuses a segment that it wrote");
        return;
    }
    (void)weir_input(&b->c, &v, b->now);
    bench_note(b, weir_check(&b->c));
}

bool bench_poll(struct bench *b, weir_view *v)
{
    const weir_tuple *t = weir_sockets(&b->c);
    weir_pseudo pseudo = {t->local, t->remote};
    weir_out out;
    size_t len = weir_poll(&b->c, &out, b->now);
    bench_note(b, weir_check(&b->c));
    if (len == 0) {
        return false;
    }
    if (weir_out_copy(&out, b->octets, sizeof b->octets) != len || weir_view_segment(v, b->octets, len, &pseudo) != WEIR_OK) {
        bench_note(b, "weir sends a segment that weir refuses");
        return false;
    }
    return true;
}

void bench_drain(struct bench *b)
{
    weir_view v;
    for (int i = 0; i < 64 && bench_poll(b, &v); i++) {
    }
}

bool bench_wait(struct bench *b)
{
    weir_us due = weir_deadline(&b->c);
    if (due == WEIR_FOREVER) {
        return false;
    }
    b->now = due > b->now ? due : b->now;
    weir_expire(&b->c, b->now);
    return true;
}

void bench_send(struct bench *b, uint32_t len)
{
    static const uint8_t octets[4096] = {0};
    weir_slice slice = {octets, base_min32(len, sizeof octets)};
    size_t sent = 0;
    if (weir_send(&b->c, slice, 0, &sent, b->now) != WEIR_ERR_NONE || sent != slice.len) {
        bench_note(b, "weir_send takes less than there is room for");
    }
}

void bench_establish(struct bench *b, weir_fields syn_ack)
{
    if (weir_connect(&b->c, &b->tuple, b->now) != WEIR_ERR_NONE) {
        bench_note(b, "weir_connect refuses");
    }
    bench_drain(b);
    syn_ack.flags = WEIR_SYN | WEIR_ACK;
    syn_ack.ack = b->c.snd.nxt;
    syn_ack.window = BENCH_WINDOW;
    syn_ack.mss = 1460;
    syn_ack.options |= WEIR_OPT_MSS;
    bench_input(b, &syn_ack, 0);
    bench_drain(b);
    if (weir_state(&b->c) != WEIR_ESTABLISHED) {
        bench_note(b, "a plain handshake does not end in ESTABLISHED");
    }
}

weir_fields bench_ack(const struct bench *b)
{
    weir_fields f = {.seq = b->c.rcv.nxt, .ack = b->c.snd.nxt, .flags = WEIR_ACK, .window = BENCH_WINDOW};
    return f;
}

json_t *bench_done(struct bench *b, json_t *told)
{
    if (b->problem != NULL) {
        json_object_set_new(told, "problem", json_string(b->problem));
    }
    free(b);
    return told;
}
