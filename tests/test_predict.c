/* test_predict.c - header prediction and the table do the same: each segment of random exchanges is taken both ways by a copy of the same
 * connection, rings and records included, and the two must be equal in every octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conn/conn.h"
#include "patience.h"

enum { SEEDS = 160, TURNS = 400, RING = 4096, MEMORY = 16384, WIRE = 64 };

struct side {
    weir_conn c;
    uint8_t memory[MEMORY], before[MEMORY], table[MEMORY];
    weir_buffers buffers;
};

struct pair {
    struct side side[2];
    weir_config cfg;
    weir_us now;
    uint64_t random;
    uint8_t wire[WIRE][2048];
    size_t len[WIRE];
    unsigned to[WIRE], count;
};

static unsigned predicted_text, predicted_acks, listened, said, other, calm_syns, calm_fins, calm_texts, sent_straight, read_straight, starts;

static uint32_t draw(struct pair *p, uint32_t below)
{
    p->random ^= p->random >> 12;
    p->random ^= p->random << 25;
    p->random ^= p->random >> 27;
    return (uint32_t)(p->random * 2685821657736338717u >> 33) % below;
}

static const weir_pseudo *addresses(void)
{
    static weir_pseudo p;
    p.source = p.destination = weir_addr_v4(10, 0, 0, 1);
    return &p;
}

/* What weir_input is without any short way: no blocks of SACK tell nothing, but are looked at. */
static void by_table(weir_conn *c, const weir_view *v, weir_us now)
{
    struct weiri_step s;
    weir_view looked_at = *v;
    if (!(v->options & WEIR_OPT_SACK) && c->rack.tlp == (uint8_t)WEIRI_TLP_NONE) { /* but of a probe they would */
        looked_at.options |= WEIR_OPT_SACK;
        looked_at.sack_count = 0;
    }
    weiri_conn_begin(c, now);
    memset(&s, 0, sizeof s);
    s.c = c;
    s.v = v = &looked_at;
    c->count.in += conn_segments(v);
    s.facts = weiri_facts_segment(c, v);
    weiri_fsm_segment(&s);
    weiri_conn_finish(c);
}

static void take(struct pair *p, struct side *s, const weir_view *v)
{
    static weir_conn before, table;
    before = s->c;
    memcpy(s->before, s->memory, MEMORY);
    by_table(&s->c, v, p->now);
    memcpy(&table, &s->c, sizeof table);
    memcpy(s->table, s->memory, MEMORY);
    memcpy(&s->c, &before, sizeof before);
    memcpy(s->memory, s->before, MEMORY);
    bool known = weiri_predict(&s->c, v);
    predicted_text += known && v->payload_len > 0;
    predicted_acks += known && v->payload_len == 0 && seq_lt(s->c.snd.una, v->ack);
    other += !known;
    listened += weiri_predict_listening(&s->c, v);
    (void)weir_input(&s->c, v, p->now);
    assert_memory_equal(&s->c, &table, sizeof table);
    assert_memory_equal(s->memory, s->table, MEMORY);
}

static void open_pair(struct pair *p, unsigned seed)
{
    weir_tuple t[2];
    memset(p, 0, sizeof *p);
    p->random = 0x9e3779b97f4a7c15u + seed;
    weir_config_init(&p->cfg);
    p->cfg.secret[0] = (uint8_t)(1 + seed);
    p->cfg.timestamps = seed & 1;
    p->cfg.sack = (seed & 2) != 0;
    p->cfg.cc = (uint8_t)(seed / 4 % WEIR_CC_COUNT);
    p->cfg.rx_max = seed & 8 ? 1u << 20 : 0; /* windows are scaled, or not */
    p->cfg.nagle = (seed & 16) != 0;
    p->cfg.ecn = seed & 32 ? WEIR_ECN_OFFER : WEIR_ECN_ACCEPT;
    p->cfg.keepalive_idle_us = seed & 64 ? 1000000 : 0;
    p->cfg.quick_acks = (uint8_t)draw(p, 4);
    for (unsigned i = 0; i < 2; i++) {
        const weir_sizes sizes = {RING, RING};
        t[i].local = t[i].remote = weir_addr_v4(10, 0, 0, 1);
        t[i].local_port = (uint16_t)(1 + i);
        t[i].remote_port = (uint16_t)(2 - i);
        assert_true(weir_buffers_size(sizes) <= MEMORY);
        assert_true(weir_buffers_carve(&p->side[i].buffers, p->side[i].memory, MEMORY, sizes));
        assert_int_equal(weir_init(&p->side[i].c, &p->cfg, &p->side[i].buffers, 0), WEIR_ERR_NONE);
    }
    assert_int_equal(weir_listen(&p->side[1].c, &t[1], 0), WEIR_ERR_NONE);
    assert_int_equal(weir_connect(&p->side[0].c, &t[0], 0), WEIR_ERR_NONE);
}

/* What goes by a short way goes both ways too: that a probe of an idle connection is due as well sends it the long one. */
static size_t ask(struct pair *p, struct side *s, weir_out *out)
{
    static weir_conn before, alone;
    weir_conn *c = &s->c;
    weir_out quick;
    memcpy(&before, c, sizeof before);
    memcpy(s->before, s->memory, MEMORY);
    c->now = p->now;
    memset(&quick, 0xa5, sizeof quick);
    bool acks = weiri_predict_ack(c, &quick), speaks = !acks && weiri_calm_speaks(c, &quick);
    memcpy(&alone, c, sizeof alone);
    memcpy(s->table, s->memory, MEMORY);
    memcpy(c, &before, sizeof before);
    memcpy(s->memory, s->before, MEMORY);
    if (!acks && !speaks) {
        return weir_poll(c, out, p->now);
    }
    weiri_out_close(&quick);
    conn_set(c, WEIRI_KEEP_DUE, true);
    assert_int_equal(weir_poll(c, out, p->now), quick.len);
    conn_set(c, WEIRI_KEEP_DUE, false);
    assert_memory_equal(&alone, c, sizeof alone);
    assert_memory_equal(s->table, s->memory, MEMORY);
    assert_int_equal(quick.header_at, out->header_at);
    assert_int_equal(quick.header_len, out->header_len);
    assert_memory_equal(quick.room + quick.header_at, out->room + out->header_at, out->header_len);
    assert_true(quick.ecn == out->ecn && quick.gso_size == out->gso_size && quick.depart_at == out->depart_at && !quick.partial);
    assert_true(quick.body[0].len == out->body[0].len && quick.body[1].len == out->body[1].len);
    assert_true(quick.body[0].octets == out->body[0].octets && quick.body[1].octets == out->body[1].octets);
    said += acks;
    calm_syns += speaks && (base_get16(out->room + out->header_at + 12) & WEIR_SYN);
    calm_fins += speaks && (base_get16(out->room + out->header_at + 12) & WEIR_FIN);
    calm_texts += speaks && out->body[0].len > 0;
    return out->len;
}

static void say(struct pair *p, unsigned from)
{
    weir_out out;
    while (p->count < WIRE && ask(p, &p->side[from], &out) > 0) {
        p->len[p->count] = weir_out_copy(&out, p->wire[p->count], sizeof p->wire[0]);
        p->to[p->count++] = 1 - from;
    }
}

/* One packet arrives: mostly the oldest; now and then another, or it stays on its way to come again, or is lost, or marked. */
static void deliver(struct pair *p, unsigned trouble)
{
    unsigned i = draw(p, 100) < trouble ? draw(p, p->count) : 0, fate = draw(p, 1000);
    weir_view v;
    assert_int_equal(weir_view_segment(&v, p->wire[i], p->len[i], addresses()), WEIR_OK);
    v.ecn = draw(p, 200) < trouble ? 3 : 0;
    if (draw(p, 400) < trouble) { /* about what was never sent, or long ago */
        v.ack = seq_add(v.ack, draw(p, 2) == 0 ? conn_flight(&p->side[p->to[i]].c) + 1 : 0x80000000u);
    }
    if (fate >= 5 * trouble) {
        take(p, &p->side[p->to[i]], &v);
    }
    if (fate < 995 || trouble == 0) {
        p->count--;
        memmove(p->wire[i], p->wire[i + 1], (p->count - i) * sizeof p->wire[0]);
        memmove(&p->len[i], &p->len[i + 1], (p->count - i) * sizeof p->len[0]);
        memmove(&p->to[i], &p->to[i + 1], (p->count - i) * sizeof p->to[0]);
    }
}

static struct weiri_step table_step(weir_conn *c, weir_us now)
{
    struct weiri_step s;
    weiri_conn_begin(c, now);
    memset(&s, 0, sizeof s);
    s.c = c;
    s.facts = weiri_facts_call(c);
    return s;
}

/* What weir_send is without any short way. */
static void send_by_table(weir_conn *c, weir_slice octets, unsigned flags, weir_us now)
{
    size_t piece;
    uint32_t take = base_min32((uint32_t)octets.len, weiri_ring_to_write(c)), at = (uint32_t)(weir_tx_reserve(c, &piece) - c->tx_ring);
    for (uint32_t i = 0; i < take; i++) {
        c->tx_ring[(at + i) % c->tx_size] = octets.octets[i];
    }
    struct weiri_step s = table_step(c, now);
    s.count = take;
    s.send_flags = take < octets.len ? flags & ~(unsigned)WEIR_SEND_URGENT : flags;
    weiri_fsm_call(&s, WEIRI_STAGE_SEND);
    weiri_conn_finish(c);
}

/* The same of weir_recv. */
static void recv_by_table(weir_conn *c, size_t cap, weir_us now)
{
    struct weiri_step s = table_step(c, now);
    weiri_fsm_call(&s, WEIRI_STAGE_RECEIVE);
    weiri_conn_finish(c);
    for (size_t len = 1; s.result == WEIR_ERR_NONE && cap > 0 && len > 0; cap -= len) {
        (void)weir_rx_peek(c, &len);
        len = len < cap ? len : cap;
        if (len > 0) {
            (void)weir_rx_consume(c, len, now);
        }
    }
}

/* The user's call goes both ways. */
static void call(struct pair *p, struct side *s, uint8_t *octets, size_t len, unsigned flags, bool sends)
{
    static weir_conn before, table;
    weir_slice slice = {octets, len};
    size_t done;
    memcpy(&before, &s->c, sizeof before);
    memcpy(s->before, s->memory, MEMORY);
    if (sends) {
        send_by_table(&s->c, slice, flags, p->now);
    } else {
        recv_by_table(&s->c, len, p->now);
    }
    memcpy(&table, &s->c, sizeof table);
    memcpy(s->table, s->memory, MEMORY);
    memcpy(&s->c, &before, sizeof before);
    memcpy(s->memory, s->before, MEMORY);
    if (sends) {
        (void)weir_send(&s->c, slice, flags, &done, p->now);
        sent_straight += done > 0 && flags == 0 && s->c.state == WEIR_ESTABLISHED;
    } else {
        (void)weir_recv(&s->c, octets, len, &done, p->now);
        read_straight += done > 0;
    }
    assert_memory_equal(&s->c, &table, sizeof table);
    assert_memory_equal(s->memory, s->table, MEMORY);
    bool flies = s->c.board.count > 0 || conn_marked_wait(&s->c);
    if (s->c.state >= WEIR_ESTABLISHED && s->c.state != WEIR_TIME_WAIT && !flies && s->c.snd.wnd > 0 && weiri_calm_starts(&s->c)) {
        assert_true(weir_has_output(&s->c) || weiri_out_waits(&s->c));
        starts++;
    }
}

static void use(struct pair *p, unsigned i)
{
    static const unsigned flags[] = {WEIR_SEND_URGENT, WEIR_SEND_MORE, WEIR_SEND_MORE | WEIR_SEND_PUSH, WEIR_SEND_PUSH};
    uint8_t octets[3000];
    for (uint32_t k = 0, first = draw(p, 256); k < sizeof octets; k++) {
        octets[k] = (uint8_t)(first + k + k / 256);
    }
    if (draw(p, 3) == 0) {
        uint32_t len = draw(p, sizeof octets), how = draw(p, 40);
        call(p, &p->side[i], octets, len, how < 4 ? flags[how] : 0, true);
    }
    if (draw(p, 2) == 0) {
        call(p, &p->side[i], octets, draw(p, sizeof octets), 0, false);
    }
}

static void prediction_does_what_the_table_does(void **state)
{
    struct pair *p = malloc(sizeof *p);
    const unsigned seeds = patience(SEEDS, SEEDS / 4);
    (void)state;
    for (unsigned seed = 0; seed < seeds; seed++) {
        open_pair(p, seed);
        unsigned trouble = seed % 5;
        for (unsigned turn = 0; turn < TURNS; turn++) {
            p->now += draw(p, 10) == 0 ? draw(p, 300000) : draw(p, 2000);
            for (unsigned i = 0; i < 2; i++) {
                use(p, i);
                if (weir_deadline(&p->side[i].c) <= p->now) {
                    weir_expire(&p->side[i].c, p->now);
                }
                if (draw(p, 4) > 0) {
                    say(p, i);
                }
            }
            for (unsigned n = draw(p, 12); n > 0 && p->count > 0; n--) {
                deliver(p, trouble);
            }
            if (turn == TURNS - 40 || (turn == TURNS - 20 && seed % 3 > 0)) {
                (void)weir_close(&p->side[(seed + (turn == TURNS - 20)) % 2].c, p->now);
            }
        }
    }
    free(p);
    assert_true(predicted_text > 30 * seeds && predicted_acks > 30 * seeds && listened > 12 * seeds && said > 12 * seeds && other > 6 * seeds);
    assert_true(calm_syns > seeds / 20 && calm_fins > seeds / 20 && calm_texts > 6 * seeds);
    assert_true(sent_straight > 30 * seeds && read_straight > 30 * seeds && starts > 6 * seeds);
}

/* The peer's window opens after a mark that is waited out (RFC 3168 6.1.2) while all was acknowledged: the timer has to run again. */
static void an_end_that_waits_for_a_mark_does_not_only_listen(void **state)
{
    struct pair *p = malloc(sizeof *p);
    weir_view v;
    (void)state;
    open_pair(p, 36); /* NewReno, and ECN is agreed on */
    for (unsigned i = 0; i < 6; i++) {
        say(p, i % 2);
        while (p->count > 0) {
            deliver(p, 0);
        }
    }
    weir_conn *c = &p->side[0].c;
    assert_int_equal(c->state, WEIR_ESTABLISHED);
    memset(&v, 0, sizeof v);
    v.seq = c->rcv.nxt;
    v.ack = c->snd.una;
    v.flags = WEIR_ACK;
    v.header_len = 20;
    take(p, &p->side[0], &v);
    c->ecn |= WEIRI_ECN_WAIT;
    assert_true(weir_check(c) == NULL && c->snd.wnd == 0 && c->timer == WEIRI_TIMER_NONE);
    v.window = 1000;
    take(p, &p->side[0], &v);
    assert_int_equal(c->timer, WEIRI_TIMER_RESEND);
    free(p);
}

/* Karn, RFC 6298 5: what was sent once and is acknowledged ends the backoff of what went before it. */
static void a_sample_ends_the_backoff(void **state)
{
    struct pair *p = malloc(sizeof *p);
    size_t sent = 0;
    (void)state;
    open_pair(p, 2); /* SACK, no timestamps */
    for (unsigned i = 0; i < 6; i++) {
        say(p, i % 2);
        while (p->count > 0) {
            deliver(p, 0);
        }
    }
    weir_conn *c = &p->side[0].c;
    assert_int_equal(weir_send(c, (weir_slice){(const uint8_t *)"a", 1}, 0, &sent, p->now), WEIR_ERR_NONE);
    c->backoff = 1;
    say(p, 0);
    assert_int_equal(p->count, 1);
    deliver(p, 0);
    p->now += p->cfg.ack_delay_us;
    weir_expire(&p->side[1].c, p->now);
    say(p, 1);
    assert_true(p->count == 1 && c->board.count == 1);
    deliver(p, 0);
    assert_true(c->board.count == 0 && c->backoff == 0);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(prediction_does_what_the_table_does),
                                       cmocka_unit_test(a_sample_ends_the_backoff),
                                       cmocka_unit_test(an_end_that_waits_for_a_mark_does_not_only_listen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
