/* test_walk.c - long random walks of single connections: segments near every edge, calls and time, from fixed seeds.
 *
 * Each step holds that the facts computed are ones the rules of fsm_rules.h allow, which is what makes the exhaustive check of
 * test_fsm.c mean something; that the state afterwards is the one fsm_reference.h says; that no invariant is broken (weir_check, after
 * each call); and that whatever can be read is what was sent. Every state, and nearly every row, must have been met. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn_fixture.h"
#include "fsm_reference.h"
#include "fsm_rules.h"

enum { WALKS = 3000, STEPS = 60 };

struct walk {
    struct conn_fixture *f;
    uint64_t random;
    unsigned seed;
};

static unsigned met_rows[256], met_states[WEIR_STATE_COUNT];

/* xorshift64*: the same numbers everywhere. */
static uint32_t draw(struct walk *w, uint32_t below)
{
    w->random ^= w->random >> 12;
    w->random ^= w->random << 25;
    w->random ^= w->random >> 27;
    return (uint32_t)(w->random * 2685821657736338717u >> 33) % below;
}

/* An offset at, or just beside, one of the places that matter. */
static int32_t near(struct walk *w, const int32_t *places, uint32_t count)
{
    return places[draw(w, count)] + (int32_t)draw(w, 3) - 1;
}

static unsigned some_flags(struct walk *w)
{
    static const unsigned usual[] = {WEIR_ACK, WEIR_ACK, WEIR_ACK, WEIR_ACK, WEIR_FIN | WEIR_ACK, WEIR_SYN, WEIR_SYN | WEIR_ACK, WEIR_RST};
    if (draw(w, 12) == 0) {
        return draw(w, 64);
    }
    unsigned flags = usual[draw(w, 7 + (draw(w, 8) == 0))];
    return flags | (draw(w, 10) == 0 ? (unsigned)WEIR_URG : 0);
}

static weir_fields some_segment(struct walk *w, uint32_t *len)
{
    struct conn_fixture *f = w->f;
    int32_t window = (int32_t)seq_diff(f->c.rcv.nxt, f->c.rcv.adv), flight = (int32_t)conn_flight(&f->c);
    const int32_t seqs[] = {0, 0, 0, 0, -1, 5, 20, window, -50, 100000}, acks[] = {0, 0, 0, -flight, -flight, -flight / 2, 5, -3000, -100000};
    static const uint32_t lens[] = {0, 0, 0, 1, 10, 10, 300, 2000};
    weir_fields g = conn_fields(f, some_flags(w), near(w, seqs, 10), near(w, acks, 9));
    if (draw(w, 2) == 0) { /* half of all segments: what a good peer would say */
        g.seq = f->peers;
        g.ack = g.flags & WEIR_ACK ? f->ours : seq_of(0);
    }
    g.window = draw(w, 5) == 0 ? 0 : CONN_WINDOW;
    if (f->cfg.timestamps && draw(w, 8) > 0) {
        g.options |= WEIR_OPT_TIMESTAMPS;
        g.ts_value = 1000 + w->seed + (uint32_t)(f->now / 1000) - (draw(w, 8) == 0 ? 50 : 0);
    }
    *len = lens[draw(w, 8)];
    return g;
}

/* ---- what must hold ------------------------------------------------------------------------------------------------- */

static void walk_fail(const struct walk *w, const char *what, uint32_t facts)
{
    static const char *const names[] = {
#define X(name) #name,
        WEIRI_FACTS(X)
#undef X
    };
    for (unsigned i = 0; i < WEIRI_FACT_COUNT; i++) {
        if (facts >> i & 1u) {
            print_error("%s ", names[i]);
        }
    }
    fail_msg("walk %u, %s: %s", w->seed, weir_state_name(weir_state(&w->f->c)), what);
}

/* TEXT in SYN-SENT and FIN_REACHED come later: rules that demand them do not speak of this moment. */
static void walk_rules(const struct walk *w, uint32_t facts)
{
    for (size_t i = 0; i < RULES; i++) {
        if (rule_broken(&rules[i], w->f->c.state, facts)) {
            walk_fail(w, rules[i].why, facts);
        }
    }
}

static unsigned reference_state(unsigned from, uint32_t facts)
{
    struct reference r;
    memset(&r, 0, sizeof r);
    r.state = from;
    r.facts = facts;
    reference_segment(&r);
    return r.state;
}

static void note_path(const struct walk *w)
{
    weir_path p = weir_last_path(&w->f->c);
    for (unsigned i = 0; i < p.count; i++) {
        met_rows[p.row[i]]++;
    }
    met_states[w->f->c.state]++;
}

static void step_segment(struct walk *w)
{
    struct conn_fixture *f = w->f;
    uint32_t len;
    weir_fields g = some_segment(w, &len);
    weir_view v;
    memset(&v, 0, sizeof v);
    v.seq = g.seq;
    v.ack = g.ack;
    v.flags = g.flags;
    v.options = g.options;
    v.ts_value = g.ts_value;
    v.payload_len = len;
    f->c.now = f->now;
    uint32_t facts = weiri_facts_segment(&f->c, &v);
    unsigned from = f->c.state;
    walk_rules(w, facts);
    uint32_t later = from == WEIR_SYN_SENT && (g.flags & WEIR_SYN) && len > 0 ? (uint32_t)(WEIRI_F_TEXT | WEIRI_F_OCTETS) : 0;
    unsigned one = reference_state(from, facts | later), other = reference_state(from, facts | later | (uint32_t)WEIRI_F_FIN_REACHED);
    conn_input(f, &g, len);
    if (f->c.state != one && f->c.state != other) {
        walk_fail(w, "this is not where the segment leads", facts);
    }
    note_path(w);
}

/* Octets read are those that the peer's stream has there. */
static void step_read(struct walk *w)
{
    struct conn_fixture *f = w->f;
    uint8_t octets[1500];
    size_t got;
    weir_seq at = f->c.rcv.usr;
    (void)weir_recv(&f->c, octets, draw(w, sizeof octets), &got, f->now);
    note_path(w);
    for (uint32_t i = 0; i < got; i++) {
        if (octets[i] != conn_octet(at.v + i)) {
            walk_fail(w, "an octet is not what was sent", 0);
        }
    }
}

/* OPEN, active or passive, now and then without saying to whom. */
static void step_open(struct walk *w, bool active)
{
    struct conn_fixture *f = w->f;
    weir_tuple t = f->tuple;
    if (draw(w, 3) == 0) {
        t.remote_port = 0;
    }
    (void)(active ? weir_connect(&f->c, &t, f->now) : weir_listen(&f->c, &t, f->now));
    note_path(w);
    if (draw(w, 3) > 0) {
        (void)weir_set_remote(&f->c, &f->tuple.remote, f->tuple.remote_port);
    }
}

static void step_icmp(struct walk *w)
{
    struct conn_fixture *f = w->f;
    weir_icmp icmp = {(enum weir_icmp_kind)draw(w, 3), seq_add(f->c.snd.una, draw(w, 3) - 1), 500 + draw(w, 1500)};
    if (weir_input_icmp(&f->c, &icmp, f->now)) {
        note_path(w);
    }
}

static void step_user(struct walk *w)
{
    struct conn_fixture *f = w->f;
    switch (draw(w, 30)) {
    case 0: (void)weir_close(&f->c, f->now); break;
    case 1: (void)weir_close(&f->c, f->now); break;
    case 2: (void)(draw(w, 4) == 0 ? weir_abort(&f->c, f->now) : WEIR_ERR_NONE); break;
    case 3: (void)weir_release(&f->c, draw(w, 2) ? WEIR_FOREVER : 5 * CONN_SECOND, f->now); break;
    case 4: step_open(w, false); return;
    case 5: step_open(w, true); return;
    case 6: weir_hold(&f->c); return;
    case 7: (void)weir_admit(&f->c, f->now); return;
    case 12: case 13: step_icmp(w); return;
    case 8: case 9: case 10: case 11: (void)conn_send(f, draw(w, 1500), draw(w, 8)); break;
    default: step_read(w); return;
    }
    note_path(w);
}

static void step_time(struct walk *w)
{
    struct conn_fixture *f = w->f;
    if (draw(w, 3) == 0) {
        (void)conn_wait(f);
    } else {
        conn_later(f, draw(w, 100000));
    }
    note_path(w);
}

static void walk(unsigned seed)
{
    struct walk w = {conn_new(), 88172645463325252u + seed * 1000003u, seed};
    static const enum weir_state starts[] = {WEIR_CLOSED,      WEIR_LISTEN,     WEIR_SYN_SENT,   WEIR_SYN_RECEIVED,
                                             WEIR_ESTABLISHED, WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2,
                                             WEIR_CLOSE_WAIT,  WEIR_CLOSING,     WEIR_LAST_ACK,   WEIR_TIME_WAIT};
    w.f->peer_iss = draw(&w, 4) == 0 ? 0u - draw(&w, 3000) : draw(&w, 0x7fffffff);
    conn_set_iss(w.f, draw(&w, 4) == 0 ? 0u - draw(&w, 3000) : draw(&w, 0x7fffffff));
    w.f->cfg.timestamps = draw(&w, 2);
    w.f->cfg.sack = draw(&w, 2);
    w.f->cfg.window_scale = draw(&w, 2);
    w.f->cfg.ack_check = draw(&w, 4) > 0;
    w.f->cfg.require_timestamps = draw(&w, 4) == 0;
    w.f->cfg.rfc1337 = draw(&w, 4) == 0;
    conn_go(w.f, starts[draw(&w, 12)]);
    for (unsigned i = 0; i < STEPS; i++) {
        uint32_t kind = draw(&w, 10);
        if (kind < 6) {
            step_segment(&w);
        } else if (kind < 9) {
            step_user(&w);
        } else {
            step_time(&w);
        }
        if (draw(&w, 8) > 0) {
            conn_drain(w.f); /* sometimes the user is slow to ask */
        }
    }
}

static void test_walks(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < WALKS; seed++) {
        walk(seed);
    }
    unsigned met = 0;
    for (unsigned i = 0; i < weir_row_count(); i++) {
        met += met_rows[i] > 0;
        if (met_rows[i] == 0) {
            print_message("  not met: %s\n", weir_row_name(i));
        }
    }
    print_message("  %u rows of %u met in %u steps\n", met, weir_row_count(), WALKS * STEPS);
    for (unsigned s = 0; s < WEIR_STATE_COUNT; s++) {
        assert_true(met_states[s] > 100);
    }
    assert_true(met * 10 >= weir_row_count() * 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
