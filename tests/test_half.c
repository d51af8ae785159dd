/* test_half.c - which half-open connections can be told in a few numbers: those to which nothing else has happened, each thing by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn_fixture.h"

static bool half_told(const struct conn_fixture *f, uint32_t rx_size)
{
    struct weiri_half h;
    return weiri_half_tell(&f->c, &h, rx_size, f->now);
}

/* A change of two fields at most, after which there is no telling it; then it is as it was. */
#define HALF_UNTOLD(change)                      \
    do {                                         \
        memcpy(&was, &f->c, sizeof was);         \
        change;                                  \
        assert_false(half_told(f, CONN_RX));     \
        memcpy(&f->c, &was, sizeof was);         \
        assert_true(half_told(f, CONN_RX));      \
    } while (0)

static void what_else_may_have_happened(void **state)
{
    static weir_conn was;
    struct conn_fixture *f = conn_in(WEIR_SYN_RECEIVED);
    weir_conn *c = &f->c;
    (void)state;
    assert_true(half_told(f, CONN_RX));
    assert_false(half_told(f, CONN_RX + 1));
    HALF_UNTOLD(c->state = WEIR_ESTABLISHED);
    HALF_UNTOLD(conn_set(c, WEIRI_PASSIVE, false));
    HALF_UNTOLD(conn_set(c, WEIRI_RELEASED, true));
    HALF_UNTOLD(c->reply.flags = WEIR_ACK);
    HALF_UNTOLD(c->challenges = 1; c->challenge_at = f->now);
    HALF_UNTOLD(c->snd.nxt = c->snd.end = seq_add(c->snd.nxt, 1));
    HALF_UNTOLD(c->snd.end = seq_add(c->snd.end, 1));
    HALF_UNTOLD(c->backoff = 1);
    HALF_UNTOLD(conn_set(c, WEIRI_SYN_RESENT, true));
    HALF_UNTOLD(c->retries = c->backoff = WEIRI_HALF_RETRIES + 1; conn_set(c, WEIRI_SYN_RESENT, true));
    HALF_UNTOLD(c->snd.iss = seq_add(c->snd.iss, 1));
    HALF_UNTOLD(c->rcv.adv = seq_add(c->rcv.adv, 1));
    HALF_UNTOLD(c->rcv.nxt = seq_add(c->rcv.nxt, 1); c->rcv.adv = seq_add(c->rcv.adv, 1));
    c->challenges = 1; /* long ago: forgotten when the next one is asked for */
    c->challenge_at = f->now - f->cfg.challenge_interval_us;
    assert_true(half_told(f, CONN_RX));
}

/* As often as it timed out it is sent again, up to what a record can count. */
static void timed_out(void **state)
{
    struct conn_fixture *f = conn_in(WEIR_SYN_RECEIVED);
    (void)state;
    conn_set(&f->c, WEIRI_SYN_RESENT, true);
    f->c.retries = f->c.backoff = WEIRI_HALF_RETRIES;
    assert_true(half_told(f, CONN_RX));
}

/* RFC 3168 6.1.1: who may not use ECN does not answer the offer. */
static void offers_of_ecn(void **state)
{
    struct conn_fixture *f = conn_in(WEIR_SYN_RECEIVED);
    (void)state;
    assert_int_equal(f->c.ecn, WEIRI_ECN_REFUSED | WEIRI_ECN_PLAIN);
    f->c.ecn = WEIRI_ECN_HEARD | WEIRI_ECN_PLAIN;
    assert_true(half_told(f, CONN_RX));
    f->c.ecn = WEIRI_ECN_HEARD | WEIRI_ECN_ASKED;
    assert_false(half_told(f, CONN_RX));
    f->cfg.ecn = WEIR_ECN_ACCEPT;
    assert_true(half_told(f, CONN_RX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_else_may_have_happened),
        cmocka_unit_test(timed_out),
        cmocka_unit_test(offers_of_ecn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#undef HALF_UNTOLD
