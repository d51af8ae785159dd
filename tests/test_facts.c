/* test_facts.c - what a segment means to a connection, as fact bits: tables of segments on built connections; the acceptability test and
 * the TIME-WAIT heuristic also against published and derived tables, and against a model that counts octets one by one.
 *
 * Knows lib/conn/facts.c; not what rows make of a fact (test_fsm.c). RFC 9293 3.10.7.4, RFC 5961, RFC 6191, RFC 7323 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "conn_fixture.h"

#define F(fact) ((uint32_t)WEIRI_F_##fact)
#define CONN_FACTS (F(PASSIVE) | F(RELEASED) | F(CLOSED) | F(QUEUED) | F(UNREAD) | F(REMOTE))

/* ---- table 6 ----------------------------------------------------------------------------------------------------- */

static FILE *open_vectors(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/function/%s", WEIR_VECTORS_DIR, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fail_msg("%s cannot be opened", path);
    }
    return file;
}

static bool accepts(uint32_t nxt, uint32_t wnd, uint32_t seq, uint32_t len)
{
    weir_block window = {seq_of(nxt), seq_of(nxt + wnd)};
    return weiri_acceptable(window, seq_of(seq), len);
}

static void test_acceptable_vectors(void **state)
{
    (void)state;
    char line[256];
    unsigned rows = 0;
    FILE *file = open_vectors("derived_seq_acceptability.csv");
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long nxt, wnd, seq, len, ok;
        if (sscanf(line, "%lu,%lu,%lu,%lu,%lu", &nxt, &wnd, &seq, &len, &ok) != 5) {
            continue;
        }
        rows++;
        if (accepts((uint32_t)nxt, (uint32_t)wnd, (uint32_t)seq, (uint32_t)len) != (ok == 1)) {
            fail_msg("RCV.NXT %lu, RCV.WND %lu, SEG.SEQ %lu, SEG.LEN %lu: acceptable %lu", nxt, wnd, seq, len, ok);
        }
    }
    (void)fclose(file);
    assert_int_equal(rows, 1442);
}

/* Is number n one of the window's, counted one by one? */
static bool model_inside(uint32_t n, uint32_t nxt, uint32_t wnd)
{
    for (uint32_t i = 0; i < wnd; i++) {
        if (nxt + i == n) {
            return true;
        }
    }
    return false;
}

static bool model_accepts(uint32_t nxt, uint32_t wnd, uint32_t seq, uint32_t len)
{
    if (len == 0) {
        return wnd == 0 ? seq == nxt : model_inside(seq, nxt, wnd);
    }
    return wnd > 0 && (model_inside(seq, nxt, wnd) || model_inside(seq + len - 1, nxt, wnd));
}

static void test_acceptable_model(void **state)
{
    (void)state;
    static const uint32_t middles[] = {0, 1000, 0x7fffffff, 0x80000000u, 0xffffffffu};
    unsigned yes = 0, no = 0;
    for (size_t m = 0; m < sizeof middles / sizeof middles[0]; m++) {
        for (uint32_t at = 0; at < 12; at++) {
            for (uint32_t wnd = 0; wnd < 12; wnd++) {
                for (uint32_t offset = 0; offset < 40; offset++) {
                    for (uint32_t len = 0; len < 14; len++) {
                        uint32_t nxt = middles[m] + at - 6, seq = nxt + offset - 20;
                        bool ok = model_accepts(nxt, wnd, seq, len);
                        assert_int_equal(accepts(nxt, wnd, seq, len), ok);
                        yes += ok;
                        no += !ok;
                    }
                }
            }
        }
    }
    assert_true(yes > 10000 && no > 10000);
}

/* A window of 2^31 and more, as no connection has: what two signed comparisons would get wrong. */
static void test_acceptable_is_exact(void **state)
{
    (void)state;
    assert_true(accepts(100, 0x80000000u, 100 + 0x7fffffffu, 0));
    assert_false(accepts(100, 0x80000000u, 100 + 0x80000000u, 0));
    assert_true(accepts(100, 0xffffffffu, 98, 0));
    assert_false(accepts(100, 0xffffffffu, 99, 0));
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static uint32_t facts_of(struct conn_fixture *f, const weir_fields *g, uint32_t len)
{
    uint8_t payload[CONN_RX + 64];
    weir_view v;
    memset(payload, 0, sizeof payload);
    memset(&v, 0, sizeof v);
    v.seq = g->seq;
    v.ack = g->ack;
    v.flags = g->flags;
    v.options = g->options;
    v.ts_value = g->ts_value;
    v.payload = payload;
    v.payload_len = len;
    assert_true(len <= sizeof payload);
    f->c.now = f->now;
    return weiri_facts_segment(&f->c, &v) & ~CONN_FACTS;
}

static void print_facts(const char *who, uint32_t facts)
{
    static const char *const names[] = {
#define X(name) #name,
        WEIRI_FACTS(X)
#undef X
    };
    print_error("  %s:", who);
    for (unsigned i = 0; i < WEIRI_FACT_COUNT; i++) {
        if (facts >> i & 1u) {
            print_error(" %s", names[i]);
        }
    }
    print_error("\n");
}

/* Ways to have come into a state; each is a fixture. */
enum start {
    PLAIN,        /* conn_in */
    ZERO_WINDOW,  /* ESTABLISHED, 4096 octets unread */
    HALF_WINDOW,  /* ESTABLISHED, 2048 octets unread */
    WITH_TEXT,    /* ESTABLISHED, 1000 octets of ours acknowledged, 500 in flight */
    FIN_IN_FLIGHT /* FIN-WAIT-1 with 500 octets before the FIN in flight */
};

static struct conn_fixture *start_in(enum start start, enum weir_state state)
{
    struct conn_fixture *f = conn_in(start == PLAIN ? state : WEIR_ESTABLISHED);
    if (start == ZERO_WINDOW || start == HALF_WINDOW) {
        conn_take(f, WEIR_ACK, 0, 0, start == ZERO_WINDOW ? CONN_RX : CONN_RX / 2);
    } else if (start != PLAIN) {
        assert_int_equal(conn_send(f, 1000, 0), WEIR_ERR_NONE);
        conn_drain(f);
        conn_take(f, WEIR_ACK, 0, 0, 0);
        assert_int_equal(conn_send(f, 500, 0), WEIR_ERR_NONE);
        conn_drain(f);
        if (start == FIN_IN_FLIGHT) {
            conn_close(f);
        }
    }
    return f;
}

struct facts_case {
    enum weir_state state;
    enum start start;
    unsigned flags;
    int32_t seq, ack; /* from RCV.NXT, from SND.NXT */
    uint32_t len;
    uint32_t facts; /* besides the control bits */
    const char *name;
};

#define ACK WEIR_ACK
#define FIN WEIR_FIN
#define SYN WEIR_SYN
#define RST WEIR_RST
#define OK_NEXT (F(SEQ_OK) | F(SEQ_NEXT))
#define WORDS (F(TEXT) | F(OCTETS))

static const struct facts_case cases[] = {
    /* Where there is no connection nothing is compared. */
    {WEIR_CLOSED, PLAIN, ACK, 0, 0, 10, 0, "CLOSED: nothing to compare with"},
    {WEIR_CLOSED, PLAIN, SYN | FIN | RST | ACK | WEIR_URG, 0, 0, 0, 0, "CLOSED: all bits"},
    {WEIR_LISTEN, PLAIN, SYN, 0, 0, 10, 0, "LISTEN: text of a SYN is left"},
    {WEIR_LISTEN, PLAIN, SYN | ACK, 0, 0, 0, 0, "LISTEN: an ACK is bad whatever its number"},
    /* SYN-SENT knows its own numbers only. */
    {WEIR_SYN_SENT, PLAIN, SYN | ACK, 0, 0, 0, F(ACK_NEW), "SEG.ACK = SND.NXT"},
    {WEIR_SYN_SENT, PLAIN, SYN | ACK, 0, -1, 0, 0, "SEG.ACK = ISS is nothing new"},
    {WEIR_SYN_SENT, PLAIN, SYN | ACK, 0, -2, 0, F(ACK_OLD), "SEG.ACK < ISS"},
    {WEIR_SYN_SENT, PLAIN, SYN | ACK, 0, 1, 0, F(ACK_FUTURE), "SEG.ACK > SND.NXT"},
    {WEIR_SYN_SENT, PLAIN, SYN, 0, 0, 10, 0, "no ACK"},
    {WEIR_SYN_SENT, PLAIN, ACK, 0, 0, 10, F(ACK_NEW), "no SYN: text has no place"},
    /* SYN-RECEIVED */
    {WEIR_SYN_RECEIVED, PLAIN, ACK, 0, 0, 0, OK_NEXT | F(ACK_NEW), "the ACK of our SYN"},
    {WEIR_SYN_RECEIVED, PLAIN, ACK, 0, -1, 0, OK_NEXT, "ISS is acknowledged by nothing"},
    {WEIR_SYN_RECEIVED, PLAIN, ACK, 0, -2, 0, OK_NEXT | F(ACK_OLD), "before ISS"},
    {WEIR_SYN_RECEIVED, PLAIN, ACK, 0, 1, 0, OK_NEXT | F(ACK_FUTURE), "of what was not sent"},
    {WEIR_SYN_RECEIVED, PLAIN, SYN, -1, 0, 0, F(SYN_AGAIN), "the SYN again"},
    {WEIR_SYN_RECEIVED, PLAIN, SYN, -1, 0, 5, F(SYN_AGAIN) | F(SEQ_OK) | WORDS, "the SYN again, with text that reaches the window"},
    {WEIR_SYN_RECEIVED, PLAIN, SYN | ACK, -1, 0, 0, F(ACK_NEW), "a SYN,ACK is not the SYN that opened us"},
    {WEIR_SYN_RECEIVED, PLAIN, SYN, 0, 0, 0, OK_NEXT, "a SYN in the window is no text"},
    {WEIR_SYN_RECEIVED, PLAIN, SYN | FIN, -1, 0, 0, F(SYN_AGAIN) | F(SEQ_OK) | F(TEXT), "SYN and FIN again: the FIN is at RCV.NXT"},
    {WEIR_SYN_RECEIVED, PLAIN, ACK, 0, 0, 10, OK_NEXT | F(ACK_NEW) | WORDS, "ACK with text"},
    /* sequence numbers */
    {WEIR_ESTABLISHED, PLAIN, ACK, 0, 0, 0, OK_NEXT, "nothing but an ACK"},
    {WEIR_ESTABLISHED, PLAIN, ACK, -1, 0, 0, 0, "one before RCV.NXT"},
    {WEIR_ESTABLISHED, PLAIN, ACK, 1, 0, 0, F(SEQ_OK), "inside, not next"},
    {WEIR_ESTABLISHED, PLAIN, ACK, CONN_RX - 1, 0, 0, F(SEQ_OK), "the last number of the window"},
    {WEIR_ESTABLISHED, PLAIN, ACK, CONN_RX, 0, 0, F(SEQ_OK), "the edge of the window, which is all that an end that has filled it says"},
    {WEIR_ESTABLISHED, PLAIN, ACK, 0, 0, 1, OK_NEXT | WORDS, "one octet"},
    {WEIR_ESTABLISHED, PLAIN, ACK, -1, 0, 1, 0, "one octet, old"},
    {WEIR_ESTABLISHED, PLAIN, ACK, -1, 0, 2, F(SEQ_OK) | WORDS, "half old"},
    {WEIR_ESTABLISHED, PLAIN, ACK, CONN_RX - 1, 0, 10, F(SEQ_OK) | WORDS, "the first octet fits"},
    {WEIR_ESTABLISHED, PLAIN, ACK, -1, 0, CONN_RX + 2, 0, "begins before and ends after the window: table 6 refuses it"},
    {WEIR_ESTABLISHED, PLAIN, ACK, -1, 0, CONN_RX + 1, F(SEQ_OK) | WORDS, "begins before and ends with the window"},
    {WEIR_ESTABLISHED, PLAIN, ACK, 0, 0, CONN_RX + 10, OK_NEXT | WORDS, "begins at and ends after the window"},
    {WEIR_ESTABLISHED, PLAIN, FIN | ACK, 0, 0, 0, OK_NEXT | F(TEXT), "a FIN is no octet"},
    {WEIR_ESTABLISHED, PLAIN, FIN | ACK, 0, 0, 5, OK_NEXT | WORDS, "octets and FIN"},
    {WEIR_ESTABLISHED, PLAIN, FIN | ACK, -5, 0, 5, F(SEQ_OK) | F(TEXT), "old octets, the FIN is new"},
    {WEIR_ESTABLISHED, PLAIN, FIN | ACK, -6, 0, 5, 0, "old octets and an old FIN"},
    {WEIR_ESTABLISHED, PLAIN, SYN | ACK, 0, 0, 0, OK_NEXT, "a SYN at RCV.NXT"},
    {WEIR_ESTABLISHED, PLAIN, SYN, -1, 0, 0, F(SYN_AGAIN), "the SYN that opened us"},
    /* a reset stands where it stands */
    {WEIR_ESTABLISHED, PLAIN, RST, 0, 0, 0, OK_NEXT, "reset at RCV.NXT"},
    {WEIR_ESTABLISHED, PLAIN, RST, 1, 0, 0, F(SEQ_OK), "reset inside the window"},
    {WEIR_ESTABLISHED, PLAIN, RST, -1, 0, 0, 0, "reset before the window"},
    {WEIR_ESTABLISHED, PLAIN, RST, CONN_RX, 0, 0, 0, "reset after the window"},
    {WEIR_ESTABLISHED, PLAIN, RST, -1, 0, 10, 0, "reset before the window, its text inside: SEG.SEQ counts (3.5.3)"},
    {WEIR_ESTABLISHED, ZERO_WINDOW, RST, 0, 0, 10, OK_NEXT | WORDS, "reset with text at RCV.NXT, window 0: SEG.SEQ counts"},
    {WEIR_ESTABLISHED, ZERO_WINDOW, RST, 1, 0, 0, 0, "window 0: only RCV.NXT itself"},
    /* windows */
    {WEIR_ESTABLISHED, ZERO_WINDOW, ACK, 0, 0, 0, OK_NEXT, "window 0: an ACK at RCV.NXT is acceptable"},
    {WEIR_ESTABLISHED, ZERO_WINDOW, ACK, 1, 0, 0, 0, "window 0: nothing else is"},
    {WEIR_ESTABLISHED, ZERO_WINDOW, ACK, -1, 0, 0, 0, "window 0: before RCV.NXT"},
    {WEIR_ESTABLISHED, ZERO_WINDOW, ACK, 0, 0, 1, F(SEQ_NEXT) | F(SEQ_PROBE), "window 0: a probe"},
    {WEIR_ESTABLISHED, ZERO_WINDOW, FIN | ACK, 0, 0, 0, F(SEQ_NEXT) | F(SEQ_PROBE), "window 0: a FIN must wait too"},
    {WEIR_ESTABLISHED, ZERO_WINDOW, ACK, -1, 0, 1, 0, "window 0: a probe by an old octet is refused, and answered"},
    {WEIR_ESTABLISHED, ZERO_WINDOW, ACK, -1, 0, 2, 0, "window 0: half old"},
    {WEIR_ESTABLISHED, HALF_WINDOW, ACK, CONN_RX / 2 - 1, 0, 0, F(SEQ_OK), "the promised edge counts, not the ring"},
    {WEIR_ESTABLISHED, HALF_WINDOW, ACK, CONN_RX / 2, 0, 0, F(SEQ_OK), "empty, at the promised edge: an end that has filled the window"},
    {WEIR_ESTABLISHED, HALF_WINDOW, ACK, CONN_RX / 2, 0, 1, 0, "text at the promised edge"},
    {WEIR_ESTABLISHED, HALF_WINDOW, 0, CONN_RX / 2, 0, 0, 0, "no ACK, at the promised edge"},
    {WEIR_ESTABLISHED, HALF_WINDOW, FIN | ACK, CONN_RX / 2, 0, 0, 0, "FIN at the promised edge"},
    {WEIR_ESTABLISHED, HALF_WINDOW, RST, CONN_RX / 2, 0, 0, 0, "RST at the promised edge"},
    {WEIR_ESTABLISHED, HALF_WINDOW, ACK, CONN_RX / 2 + 1, 0, 0, 0, "past the promised edge"},
    /* acknowledgments: 1000 octets were acknowledged, 500 are in flight, the peer's largest window is 8000 */
    {WEIR_ESTABLISHED, WITH_TEXT, ACK, 0, 0, 0, OK_NEXT | F(ACK_NEW), "all of it"},
    {WEIR_ESTABLISHED, WITH_TEXT, ACK, 0, -499, 0, OK_NEXT | F(ACK_NEW), "one octet"},
    {WEIR_ESTABLISHED, WITH_TEXT, ACK, 0, -500, 0, OK_NEXT, "SND.UNA"},
    {WEIR_ESTABLISHED, WITH_TEXT, ACK, 0, -501, 0, OK_NEXT, "before SND.UNA: old, yet it may have been on its way"},
    {WEIR_ESTABLISHED, WITH_TEXT, ACK, 0, -1500, 0, OK_NEXT, "ISS + 1: the oldest there can be"},
    {WEIR_ESTABLISHED, WITH_TEXT, ACK, 0, -1502, 0, OK_NEXT | F(ACK_OLD), "never sent by anybody (RFC 5961 5.2)"},
    {WEIR_ESTABLISHED, WITH_TEXT, ACK, 0, 1, 0, OK_NEXT | F(ACK_FUTURE), "one too far"},
    {WEIR_ESTABLISHED, WITH_TEXT, ACK, 0, 0x70000000, 0, OK_NEXT | F(ACK_FUTURE), "far too far"},
    {WEIR_ESTABLISHED, WITH_TEXT, RST | ACK, 0, 1, 0, OK_NEXT | F(ACK_FUTURE), "of a reset too"},
    {WEIR_ESTABLISHED, WITH_TEXT, FIN, 0, 0, 0, OK_NEXT | F(TEXT), "without ACK the number means nothing"},
    /* our FIN */
    {WEIR_FIN_WAIT_1, PLAIN, ACK, 0, 0, 0, OK_NEXT | F(ACK_NEW) | F(ACK_FIN), "our FIN"},
    {WEIR_FIN_WAIT_1, PLAIN, ACK, 0, -1, 0, OK_NEXT, "not our FIN"},
    {WEIR_FIN_WAIT_1, FIN_IN_FLIGHT, ACK, 0, -1, 0, OK_NEXT | F(ACK_NEW), "all octets, not the FIN"},
    {WEIR_FIN_WAIT_1, FIN_IN_FLIGHT, ACK, 0, 0, 0, OK_NEXT | F(ACK_NEW) | F(ACK_FIN), "octets and FIN"},
    {WEIR_FIN_WAIT_1, PLAIN, ACK, 0, 1, 0, OK_NEXT | F(ACK_FUTURE), "past our FIN"},
    {WEIR_CLOSING, PLAIN, ACK, 0, 0, 0, OK_NEXT | F(ACK_NEW) | F(ACK_FIN), "CLOSING: our FIN"},
    {WEIR_LAST_ACK, PLAIN, ACK, 0, 0, 0, OK_NEXT | F(ACK_NEW) | F(ACK_FIN), "LAST-ACK: our FIN"},
    {WEIR_FIN_WAIT_2, PLAIN, ACK, 0, 0, 0, OK_NEXT, "FIN-WAIT-2: nothing new is left"},
    {WEIR_TIME_WAIT, PLAIN, ACK, 0, 0, 0, OK_NEXT, "TIME-WAIT: nothing new is left"},
    /* the peer's FIN, once more */
    {WEIR_CLOSE_WAIT, PLAIN, FIN | ACK, -1, 0, 0, F(FIN_AGAIN), "CLOSE-WAIT"},
    {WEIR_CLOSE_WAIT, PLAIN, FIN | ACK, 0, 0, 0, OK_NEXT | F(TEXT), "another FIN, after the first"},
    {WEIR_CLOSE_WAIT, PLAIN, FIN | ACK, -2, 0, 0, 0, "an older number is not that FIN"},
    {WEIR_CLOSING, PLAIN, FIN | ACK, -1, -1, 0, F(FIN_AGAIN), "CLOSING"},
    {WEIR_LAST_ACK, PLAIN, FIN | ACK, -1, -1, 0, F(FIN_AGAIN), "LAST-ACK"},
    {WEIR_TIME_WAIT, PLAIN, FIN | ACK, -1, 0, 0, F(FIN_AGAIN), "TIME-WAIT"},
    {WEIR_TIME_WAIT, PLAIN, FIN | ACK, -11, 0, 10, F(FIN_AGAIN), "with the text before it"},
    {WEIR_FIN_WAIT_2, PLAIN, FIN | ACK, -1, 0, 0, 0, "no FIN was taken: nothing comes again"},
    /* a new connection */
    {WEIR_TIME_WAIT, PLAIN, SYN, 0, 0, 0, OK_NEXT | F(REUSE), "TIME-WAIT: an ISN after the old FIN"},
    {WEIR_TIME_WAIT, PLAIN, SYN, -1, 0, 0, 0, "TIME-WAIT: the number of the old FIN"},
    {WEIR_LAST_ACK, PLAIN, SYN, 0, 0, 0, OK_NEXT, "only TIME-WAIT can be reused"},
};
#define CASES (sizeof cases / sizeof cases[0])

static uint32_t control_facts(unsigned flags)
{
    return (flags & SYN ? F(SYN) : 0) | (flags & FIN ? F(FIN) : 0) | (flags & RST ? F(RST) : 0) | (flags & ACK ? F(ACK) : 0) |
           (flags & WEIR_URG ? F(URG) : 0);
}

static void test_facts_of_segments(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (size_t i = 0; i < CASES; i++) {
        const struct facts_case *t = &cases[i];
        struct conn_fixture *f = start_in(t->start, t->state);
        weir_fields g = conn_fields(f, t->flags, t->seq, t->ack);
        weir_conn before = f->c;
        uint32_t got = facts_of(f, &g, t->len), want = t->facts | control_facts(t->flags);
        assert_int_equal(weir_state(&f->c), t->state);
        assert_memory_equal(&before, &f->c, sizeof before);
        if (got != want) {
            print_error("%s, %s:\n", weir_state_name(t->state), t->name);
            print_facts("expected", want);
            print_facts("got     ", got);
            failed++;
        }
    }
    assert_int_equal(failed, 0);
}

/* The same segments where numbers pass 2^31 and 2^32: facts are about differences. */
static void test_facts_do_not_depend_on_where_numbers_stand(void **state)
{
    (void)state;
    static const uint32_t places[] = {0x7ffffff0u, 0xfffffff0u, 0xfffff000u, 0x7ffff800u};
    for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
        struct conn_fixture *f = conn_new(), *g = conn_new();
        conn_set_iss(f, places[p]);
        conn_go(f, WEIR_ESTABLISHED);
        conn_go(g, WEIR_ESTABLISHED);
        assert_int_equal(f->c.snd.iss.v, places[p]);
        /* The peer's numbers move there too. */
        uint32_t shift = places[p] - f->c.rcv.nxt.v;
        f->c.rcv.nxt = seq_add(f->c.rcv.nxt, shift);
        f->c.rcv.adv = seq_add(f->c.rcv.adv, shift);
        f->c.rcv.irs = seq_add(f->c.rcv.irs, shift);
        for (size_t i = 0; i < CASES; i++) {
            if (cases[i].state == WEIR_ESTABLISHED && cases[i].start == PLAIN) {
                weir_fields a = conn_fields(f, cases[i].flags, cases[i].seq, cases[i].ack);
                weir_fields b = conn_fields(g, cases[i].flags, cases[i].seq, cases[i].ack);
                assert_int_equal(facts_of(f, &a, cases[i].len), facts_of(g, &b, cases[i].len));
            }
        }
    }
}

/* ---- RFC 5961 5.2: how old may an acknowledgment be? ------------------------------------------------------------- */

static void test_ack_age_is_bound_by_the_largest_window(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    for (unsigned i = 0; i < 12; i++) { /* more than the peer's window of 8000 */
        assert_int_equal(conn_send(f, 1000, 0), WEIR_ERR_NONE);
        conn_drain(f);
        conn_take(f, ACK, 0, 0, 0);
    }
    weir_fields g = conn_fields(f, ACK, 0, -CONN_WINDOW);
    assert_int_equal(facts_of(f, &g, 0), F(ACK) | OK_NEXT);
    g = conn_fields(f, ACK, 0, -CONN_WINDOW - 1);
    assert_int_equal(facts_of(f, &g, 0), F(ACK) | OK_NEXT | F(ACK_OLD));
    f->cfg.ack_check = false;
    assert_int_equal(facts_of(f, &g, 0), F(ACK) | OK_NEXT);
    g = conn_fields(f, ACK, 0, -0x7fffffff);
    assert_int_equal(facts_of(f, &g, 0), F(ACK) | OK_NEXT);
}

/* ---- timestamps (RFC 7323 5) ------------------------------------------------------------------------------------- */

static struct conn_fixture *stamped(uint32_t recent)
{
    struct conn_fixture *f = conn_new();
    f->cfg.timestamps = true;
    conn_connect(f);
    weir_fields g = conn_fields(f, SYN | ACK, 0, 0);
    g.options |= WEIR_OPT_TIMESTAMPS;
    g.ts_value = recent;
    conn_input(f, &g, 0);
    conn_drain(f);
    assert_int_equal(weir_state(&f->c), WEIR_ESTABLISHED);
    return f;
}

static uint32_t stamp_facts(struct conn_fixture *f, unsigned flags, uint32_t ts_value)
{
    weir_fields g = conn_fields(f, flags, 0, 0);
    g.options |= WEIR_OPT_TIMESTAMPS;
    g.ts_value = ts_value;
    return facts_of(f, &g, 0) & (F(STALE) | F(NO_STAMP));
}

static void test_stale_timestamps(void **state)
{
    (void)state;
    static const uint32_t recents[] = {1000, 0, 1, 0x7fffffff, 0x80000000u, 0xffffffffu};
    for (size_t i = 0; i < sizeof recents / sizeof recents[0]; i++) {
        uint32_t recent = recents[i];
        struct conn_fixture *f = stamped(recent);
        assert_int_equal(stamp_facts(f, ACK, recent), 0);
        assert_int_equal(stamp_facts(f, ACK, recent + 1), 0);
        assert_int_equal(stamp_facts(f, ACK, recent + 0x7fffffffu), 0);
        assert_int_equal(stamp_facts(f, ACK, recent - 1), F(STALE));
        assert_int_equal(stamp_facts(f, ACK, recent - 0x7fffffffu), F(STALE));
        assert_int_equal(stamp_facts(f, RST, recent - 1), 0);
        assert_int_equal(stamp_facts(f, SYN, recent - 1), F(STALE));
    }
}

static void test_timestamps_grow_old(void **state)
{
    (void)state;
    const weir_us day = 24 * 3600 * CONN_SECOND;
    struct conn_fixture *f = stamped(1000);
    f->now += 24 * day - 1;
    assert_int_equal(stamp_facts(f, ACK, 999), F(STALE));
    f->now += 1;
    assert_int_equal(stamp_facts(f, ACK, 999), 0); /* RFC 7323 5.5 */
}

static void test_missing_timestamps(void **state)
{
    (void)state;
    struct conn_fixture *f = stamped(1000);
    weir_fields g = conn_fields(f, ACK, 0, 0), r = conn_fields(f, RST, 0, 0);
    assert_int_equal(facts_of(f, &g, 0), F(ACK) | OK_NEXT);
    f->cfg.require_timestamps = true;
    assert_int_equal(facts_of(f, &g, 0), F(ACK) | OK_NEXT | F(NO_STAMP));
    assert_int_equal(facts_of(f, &r, 0), F(RST) | OK_NEXT);
    struct conn_fixture *plain = conn_in(WEIR_ESTABLISHED);
    plain->cfg.require_timestamps = true;
    assert_int_equal(facts_of(plain, &g, 0) & (F(STALE) | F(NO_STAMP)), 0);
    assert_int_equal(stamp_facts(plain, ACK, 0), 0);
}

/* ---- the connection's own facts ---------------------------------------------------------------------------------- */

static void test_facts_of_calls(void **state)
{
    (void)state;
    assert_int_equal(weiri_facts_call(&conn_in(WEIR_CLOSED)->c), 0);
    assert_int_equal(weiri_facts_call(&conn_in(WEIR_LISTEN)->c), F(PASSIVE) | F(REMOTE));
    assert_int_equal(weiri_facts_call(&conn_in(WEIR_SYN_SENT)->c), F(REMOTE));
    assert_int_equal(weiri_facts_call(&conn_in(WEIR_SYN_RECEIVED)->c), F(PASSIVE) | F(REMOTE));
    assert_int_equal(weiri_facts_call(&conn_in(WEIR_ESTABLISHED)->c), F(REMOTE));
    assert_int_equal(weiri_facts_call(&conn_in(WEIR_CLOSE_WAIT)->c), F(REMOTE));
    for (unsigned s = WEIR_FIN_WAIT_1; s <= WEIR_TIME_WAIT; s++) {
        if (s != WEIR_CLOSE_WAIT) {
            assert_int_equal(weiri_facts_call(&conn_in((enum weir_state)s)->c), F(REMOTE) | F(CLOSED));
        }
    }
    assert_int_equal(weiri_facts_call(&start_in(HALF_WINDOW, WEIR_ESTABLISHED)->c), F(REMOTE) | F(UNREAD));
}

static void test_facts_of_what_waits(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    assert_int_equal(weiri_facts_call(&f->c), F(REMOTE) | F(QUEUED));
    conn_drain(f);
    assert_int_equal(weiri_facts_call(&f->c), F(REMOTE));
    assert_int_equal(weir_release(&f->c, WEIR_FOREVER, f->now), WEIR_ERR_NONE);
    assert_int_equal(weiri_facts_call(&f->c), F(REMOTE) | F(CLOSED) | F(RELEASED));
    struct conn_fixture *any = conn_new();
    weir_tuple t = conn_tuple();
    t.remote_port = 0;
    assert_int_equal(weir_listen(&any->c, &t, any->now), WEIR_ERR_NONE);
    assert_int_equal(weiri_facts_call(&any->c), F(PASSIVE));
    assert_int_equal(weir_set_remote(&any->c, &t.remote, 40000), WEIR_ERR_NONE);
    assert_int_equal(weiri_facts_call(&any->c), F(PASSIVE) | F(REMOTE));
}

/* ---- vectors ----------------------------------------------------------------------------------------------------- */

/* RCV.NXT 1000, RCV.WND 500: a ring of 512 with twelve octets unread. */
static struct conn_fixture *window_of_500(void)
{
    weir_sizes sizes = {512, 512};
    struct conn_fixture *f = conn_new_sized(sizes);
    conn_connect(f);
    conn_take(f, SYN | ACK, 987 - CONN_PEERS, 0, 0);
    conn_take(f, ACK, 0, 0, 12);
    assert_int_equal(f->c.rcv.nxt.v, 1000);
    assert_int_equal(seq_diff(f->c.rcv.nxt, f->c.rcv.adv), 500);
    return f;
}

static void check_5961(const char *event, uint32_t seq, const char *reaction)
{
    struct conn_fixture *f = window_of_500();
    conn_seg(f, strcmp(event, "RST") == 0 ? WEIR_RST : WEIR_SYN, (int32_t)(seq - 1000), 0, 0);
    if (strcmp(reaction, "reset") == 0) {
        conn_expect(f, "", WEIR_CLOSED);
        assert_int_equal(weir_error(&f->c), WEIR_ERR_RESET);
    } else {
        bool challenge = strcmp(reaction, "challenge_ack") == 0;
        assert_true(challenge || strcmp(reaction, "drop") == 0);
        conn_expect(f, challenge ? "ACK +0 +0" : "", WEIR_ESTABLISHED);
        assert_int_equal(f->c.count.challenge, challenge);
    }
}

static void test_rfc5961_vectors(void **state)
{
    (void)state;
    char line[256];
    unsigned rows = 0;
    FILE *file = open_vectors("rfc5961_rst_syn.csv");
    while (fgets(line, sizeof line, file) != NULL) {
        char event[8], reaction[32];
        unsigned long seq;
        if (sscanf(line, "%7[A-Z],%lu,%31[a-z_]", event, &seq, reaction) == 3) {
            check_5961(event, (uint32_t)seq, reaction);
            rows++;
        }
    }
    (void)fclose(file);
    assert_int_equal(rows, 9);
}

/* One line of the table of RFC 6191 2, "any" and "-" tried in every way, at every place of the number circle. */
static void check_6191(bool old_ts, bool new_ts, const char *stamp, const char *isn, bool accept)
{
    static const uint32_t places[] = {0, 1, 1000, 0x7fffffff, 0x80000000u, 0xffffffffu};
    static const int32_t steps[] = {-0x7fffffff, -1, 0, 1, 0x7fffffff};
    for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
        for (size_t i = 0; i < 5; i++) {
            for (size_t j = 0; j < 5; j++) {
                bool stamp_fits = strcmp(stamp, "-") == 0 || (strcmp(stamp, "greater") == 0 && steps[i] > 0) ||
                                  (strcmp(stamp, "equal") == 0 && steps[i] == 0) || (strcmp(stamp, "less") == 0 && steps[i] < 0);
                bool isn_fits = strcmp(isn, "any") == 0 || (strcmp(isn, "greater") == 0) == (steps[j] > 0);
                struct weiri_reuse r = {old_ts, new_ts, places[p], places[p] + (uint32_t)steps[i], seq_of(places[p]),
                                        seq_of(places[p] + (uint32_t)steps[j])};
                if (stamp_fits && isn_fits && weiri_reuse_allowed(&r) != accept) {
                    fail_msg("old %d, new %d, timestamp %s (%ld), ISN %s (%ld): should be %d", old_ts, new_ts, stamp, (long)steps[i],
                             isn, (long)steps[j], accept);
                }
            }
        }
    }
}

static void test_rfc6191_vectors(void **state)
{
    (void)state;
    char line[256];
    unsigned rows = 0;
    FILE *file = open_vectors("rfc6191_time_wait.csv");
    while (fgets(line, sizeof line, file) != NULL) {
        char stamp[16], isn[16], action[16];
        unsigned old_ts, new_ts;
        if (sscanf(line, "%u,%u,%15[a-z-],%15[a-z_],%15[a-z]", &old_ts, &new_ts, stamp, isn, action) == 5) {
            check_6191(old_ts, new_ts, stamp, isn, strcmp(action, "accept") == 0);
            rows++;
        }
    }
    (void)fclose(file);
    assert_int_equal(rows, 9);
}

/* The same on connections: which of the four corners a SYN in TIME-WAIT is in. */
static void check_reuse(bool old_ts, bool new_ts, int32_t stamp, int32_t seq, bool reuse)
{
    struct conn_fixture *f = old_ts ? stamped(1000) : conn_in(WEIR_ESTABLISHED);
    f->cfg.timestamps = true;
    conn_close(f);
    conn_take(f, ACK, 0, 0, 0);
    conn_take(f, FIN | ACK, 0, 0, 0);
    assert_int_equal(weir_state(&f->c), WEIR_TIME_WAIT);
    weir_fields g = conn_fields(f, SYN, seq, 0);
    g.options |= new_ts ? WEIR_OPT_TIMESTAMPS : 0;
    g.ts_value = 1000 + (uint32_t)stamp;
    assert_int_equal((facts_of(f, &g, 0) & F(REUSE)) != 0, reuse);
    g.flags |= ACK; /* a SYN,ACK asks for nothing */
    g.ack = f->c.snd.nxt;
    conn_input(f, &g, 0);
    assert_int_equal(weir_state(&f->c), WEIR_TIME_WAIT);
}

static void test_reuse_of_connections(void **state)
{
    (void)state;
    check_reuse(true, true, 1, -100, true);
    check_reuse(true, true, 0, 0, true);
    check_reuse(true, true, 0, -1, false);
    check_reuse(true, true, -1, 100, false);
    check_reuse(true, false, 0, 0, true);
    check_reuse(true, false, 0, -1, false);
    check_reuse(false, true, 0, -100, true);
    check_reuse(false, false, 0, 0, true);
    check_reuse(false, false, 0, -1, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acceptable_vectors),
        cmocka_unit_test(test_acceptable_model),
        cmocka_unit_test(test_acceptable_is_exact),
        cmocka_unit_test(test_facts_of_segments),
        cmocka_unit_test(test_facts_do_not_depend_on_where_numbers_stand),
        cmocka_unit_test(test_ack_age_is_bound_by_the_largest_window),
        cmocka_unit_test(test_stale_timestamps),
        cmocka_unit_test(test_timestamps_grow_old),
        cmocka_unit_test(test_missing_timestamps),
        cmocka_unit_test(test_facts_of_calls),
        cmocka_unit_test(test_facts_of_what_waits),
        cmocka_unit_test(test_rfc5961_vectors),
        cmocka_unit_test(test_rfc6191_vectors),
        cmocka_unit_test(test_reuse_of_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
