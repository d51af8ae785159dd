/* test_conn.c - one connection, event by event, through the public calls only: every segment that matters in every state, every user
 * call in every state, every timeout in every state.
 *
 * Rows of *state, event => answer, new state, "name"*, each naming the row of lib/conn/rows.h that decides; the last test holds that every
 * row of the table was named and fired. All rows run three times: with ordinary numbers, and with both sides' numbers just before 2^31
 * and 2^32. RFC 9293 3.10, RFC 5961, RFC 6191. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn_fixture.h"

#define ACK WEIR_ACK
#define FIN WEIR_FIN
#define SYN WEIR_SYN
#define RST WEIR_RST
#define URG WEIR_URG
#define PSH WEIR_PSH
#define UNA INT32_MIN /* SEG.ACK = SND.UNA: nothing new */
#define SAME WEIR_STATE_COUNT

/* ---- where to begin ---------------------------------------------------------------------------------------------- */

/* The eleven states of conn_in, then variants of them. */
enum start {
    IN_CLOSED,
    IN_LISTEN,
    IN_SYN_SENT,
    IN_SYN_RECEIVED,
    IN_ESTABLISHED,
    IN_FIN_WAIT_1,
    IN_FIN_WAIT_2,
    IN_CLOSE_WAIT,
    IN_CLOSING,
    IN_LAST_ACK,
    IN_TIME_WAIT,
    CLOSED_KNOWN,           /* CLOSED after a connection: its sockets are known */
    LISTEN_ANYONE,          /* no remote socket named */
    SYN_SENT_QUEUED,        /* 100 octets wait for the handshake */
    SYN_RECEIVED_HELD,      /* the SYN,ACK waits for the user */
    SYN_RECEIVED_ACTIVE,    /* two SYNs have crossed */
    SYN_RECEIVED_QUEUED,    /* passive, 100 octets wait for the handshake */
    SYN_RECEIVED_CLOSED,    /* the same, and CLOSE waits behind them */
    ESTABLISHED_PASSIVE,    /* opened by LISTEN */
    ESTABLISHED_FULL,       /* window 0: 4096 octets unread */
    ESTABLISHED_UNREAD,     /* 10 octets unread */
    ESTABLISHED_SENT,       /* 500 octets of ours in flight */
    ESTABLISHED_GAP,        /* octets 10 to 19 beyond RCV.NXT have come, and a FIN behind them */
    ESTABLISHED_STAMPED,    /* with timestamps, the last was 1000 */
    FIN_WAIT_1_SENT,        /* 500 octets of ours and the FIN in flight */
    FIN_WAIT_1_EARLY,       /* CLOSE came in SYN-RECEIVED: SYN and FIN in flight */
    FIN_WAIT_1_RELEASED,    /* the user has walked away */
    FIN_WAIT_2_RELEASED,    /* the same */
    FIN_WAIT_2_UNREAD,      /* 10 octets unread */
    CLOSE_WAIT_UNREAD,      /* 10 octets unread */
    LAST_ACK_SENT,          /* 500 octets of ours and the FIN in flight */
    LAST_ACK_QUEUED,        /* CLOSE waits behind octets that cwnd keeps back */
    TIME_WAIT_STAMPED       /* with timestamps, the last was 1000 */
};

/* What the peer's and our numbers begin at. */
struct place {
    uint32_t ours, peers;
};
static const struct place places[] = {{1000000, CONN_PEERS}, {0x7fffff00u, 0x7ffffff0u}, {0xfffffff8u, 0xfffffffau}};
static struct place place;

static struct conn_fixture *fresh(void)
{
    struct conn_fixture *f = conn_new();
    f->peer_iss = place.peers;
    conn_set_iss(f, place.ours);
    return f;
}

static struct conn_fixture *going(enum weir_state state)
{
    struct conn_fixture *f = fresh();
    conn_go(f, state);
    return f;
}

static struct conn_fixture *with_octets(struct conn_fixture *f, uint32_t len)
{
    assert_int_equal(conn_send(f, len, 0), WEIR_ERR_NONE);
    conn_drain(f);
    return f;
}

static struct conn_fixture *with_text(struct conn_fixture *f, uint32_t len)
{
    conn_take(f, ACK, 0, 0, len);
    return f;
}

static struct conn_fixture *closed(struct conn_fixture *f)
{
    conn_close(f);
    return f;
}

static struct conn_fixture *released(struct conn_fixture *f)
{
    assert_int_equal(weir_release(&f->c, WEIR_FOREVER, f->now), WEIR_ERR_NONE);
    conn_drain(f);
    return f;
}

static void take_stamped(struct conn_fixture *f, unsigned flags)
{
    weir_fields g = conn_fields(f, flags, 0, 0);
    g.options |= WEIR_OPT_TIMESTAMPS;
    g.ts_value = 1000;
    conn_input(f, &g, 0);
    conn_drain(f);
}

static struct conn_fixture *stamped(enum weir_state state)
{
    struct conn_fixture *f = fresh();
    f->cfg.timestamps = true;
    conn_connect(f);
    take_stamped(f, SYN | ACK);
    if (state == WEIR_TIME_WAIT) {
        conn_close(f);
        take_stamped(f, ACK);
        take_stamped(f, FIN | ACK);
    }
    return f;
}

static struct conn_fixture *start_closed_or_listening(enum start start)
{
    struct conn_fixture *f = fresh();
    weir_tuple t = conn_tuple();
    if (start == CLOSED_KNOWN) {
        conn_connect(f);
        assert_int_equal(weir_abort(&f->c, f->now), WEIR_ERR_NONE);
        f->c.err = WEIR_ERR_NONE; /* of the abort: of no interest here */
    } else {
        t.remote = weir_addr_v4(0, 0, 0, 0);
        t.remote_port = 0;
        assert_int_equal(weir_listen(&f->c, &t, f->now), WEIR_ERR_NONE);
    }
    conn_mark(f);
    return f;
}

static struct conn_fixture *start_opening(enum start start)
{
    struct conn_fixture *f;
    switch (start) {
    case SYN_SENT_QUEUED: return with_octets(going(WEIR_SYN_SENT), 100);
    case SYN_RECEIVED_HELD:
        f = going(WEIR_LISTEN);
        weir_hold(&f->c);
        conn_take(f, SYN, 0, 0, 0);
        return f;
    case SYN_RECEIVED_ACTIVE:
        f = going(WEIR_SYN_SENT);
        conn_take(f, SYN, 0, 0, 0);
        return f;
    case SYN_RECEIVED_CLOSED: return closed(with_octets(going(WEIR_SYN_RECEIVED), 100));
    default: return with_octets(going(WEIR_SYN_RECEIVED), 100);
    }
}

static struct conn_fixture *start_established(enum start start)
{
    struct conn_fixture *f;
    switch (start) {
    case ESTABLISHED_PASSIVE: return with_text(going(WEIR_SYN_RECEIVED), 0);
    case ESTABLISHED_FULL: return with_text(going(WEIR_ESTABLISHED), CONN_RX);
    case ESTABLISHED_UNREAD: return with_text(going(WEIR_ESTABLISHED), 10);
    case ESTABLISHED_GAP:
        f = going(WEIR_ESTABLISHED);
        conn_take(f, FIN | ACK, 10, 0, 10);
        return f;
    case ESTABLISHED_STAMPED: return stamped(WEIR_ESTABLISHED);
    default: return with_octets(going(WEIR_ESTABLISHED), 500);
    }
}

static struct conn_fixture *start_closing(enum start start)
{
    struct conn_fixture *f;
    switch (start) {
    case FIN_WAIT_1_SENT: return closed(start_established(ESTABLISHED_SENT));
    case FIN_WAIT_1_EARLY: return closed(going(WEIR_SYN_RECEIVED));
    case FIN_WAIT_1_RELEASED: return released(going(WEIR_ESTABLISHED));
    case FIN_WAIT_2_RELEASED: return with_text(released(going(WEIR_ESTABLISHED)), 0);
    case FIN_WAIT_2_UNREAD: return with_text(going(WEIR_FIN_WAIT_2), 10);
    case CLOSE_WAIT_UNREAD:
        f = going(WEIR_ESTABLISHED);
        conn_take(f, FIN | ACK, 0, 0, 10);
        return f;
    case LAST_ACK_SENT: return closed(with_octets(going(WEIR_CLOSE_WAIT), 500));
    case LAST_ACK_QUEUED:
        f = going(WEIR_CLOSE_WAIT);
        f->c.cc.cwnd = f->c.mss_snd;
        return closed(with_octets(f, 4000));
    default: return stamped(WEIR_TIME_WAIT);
    }
}

static struct conn_fixture *start_in(enum start start)
{
    struct conn_fixture *f;
    if (start <= IN_TIME_WAIT) {
        f = going((enum weir_state)start);
    } else if (start <= LISTEN_ANYONE) {
        f = start_closed_or_listening(start);
    } else if (start <= SYN_RECEIVED_CLOSED) {
        f = start_opening(start);
    } else if (start <= ESTABLISHED_STAMPED) {
        f = start_established(start);
    } else {
        f = start_closing(start);
    }
    conn_mark(f);
    return f;
}

/* ---- what a row must show ---------------------------------------------------------------------------------------- */

static bool named[256]; /* rows of rows.h that some row here names, and that fired */
static unsigned rows_run, rows_failed;

static bool fired(const struct conn_fixture *f, const char *row)
{
    weir_path p = weir_last_path(&f->c);
    for (unsigned i = 0; i < p.count; i++) {
        if (strcmp(weir_row_name(p.row[i]), row) == 0) {
            named[p.row[i]] = true;
            return true;
        }
    }
    return false;
}

static void print_path(const struct conn_fixture *f)
{
    weir_path p = weir_last_path(&f->c);
    for (unsigned i = 0; i < p.count; i++) {
        print_error("    %s: %s\n", weir_row_name(p.row[i]), weir_row_section(p.row[i]));
    }
}

struct expected {
    const char *answer, *row;
    enum weir_state state;
    weir_err err;
};

/* The answer, the state, the error that ended the connection, the row that decided. */
static void expect(struct conn_fixture *f, const char *name, const struct expected *e)
{
    bool decided = fired(f, e->row);
    weir_path path = weir_last_path(&f->c);
    enum weir_state want = e->state == SAME ? (enum weir_state)path.from : e->state;
    enum weir_state at_once = weir_state(&f->c);
    const char *answer = conn_says(f);
    bool ok = decided && strcmp(answer, e->answer) == 0 && at_once == want && weir_state(&f->c) == want && weir_error(&f->c) == e->err;
    rows_run++;
    if (ok) {
        return;
    }
    rows_failed++;
    print_error("%s, %s:\n", weir_state_name((enum weir_state)path.from), name);
    print_error("  expected \"%s\", %s, %s, row %s\n", e->answer, weir_state_name(want), weir_err_name(e->err), e->row);
    print_error("  got      \"%s\", %s, %s\n", answer, weir_state_name(weir_state(&f->c)), weir_err_name(weir_error(&f->c)));
    print_path(f);
}

/* What tracers and weir_info are told of a challenge and of a segment that PAWS refused. */
static void test_tracers_are_told(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_new();
    weir_info info;
    conn_go(f, WEIR_ESTABLISHED);
    conn_seg(f, WEIR_SYN, 5, 0, 0);
    weir_info_get(&f->c, &info);
    assert_int_equal(info.challenge_acks, 1);
    assert_int_equal(info.paws_dropped, 0);
    conn_drain(f);
    conn_seg(f, WEIR_ACK | WEIR_FIN, 0, 0, 0);
    weir_path path = weir_last_path(&f->c);
    assert_int_equal(path.from, WEIR_ESTABLISHED);
    assert_int_equal(path.to, WEIR_CLOSE_WAIT);
    conn_drain(f);
    conn_set(&f->c, WEIRI_TS_OK, true);
    f->c.ts.recent = 1000;
    f->c.ts.recent_at = f->now;
    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
    g.options |= WEIR_OPT_TIMESTAMPS;
    g.ts_value = 999;
    conn_input(f, &g, 0);
    weir_info_get(&f->c, &info);
    assert_int_equal(info.paws_dropped, 1);
    assert_int_equal(info.challenge_acks, 2); /* it shares their budget */
}

static void rows_begin(const struct place *p)
{
    place = *p;
    rows_run = 0;
    rows_failed = 0;
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

struct arrival {
    enum start start;
    unsigned flags;
    int32_t seq, ack; /* from RCV.NXT, from SND.NXT */
    uint32_t len;
    const char *answer;
    enum weir_state next;
    const char *row;
    const char *name;
    weir_err err;
};

static void arrive(enum start start, const struct arrival *a)
{
    struct conn_fixture *f = start_in(start);
    int32_t ack = a->ack != UNA ? a->ack : -(int32_t)conn_flight(&f->c);
    struct expected e = {a->answer, a->row, a->next, a->err};
    conn_seg(f, a->flags, a->seq, ack, a->len);
    expect(f, a->name, &e);
    assert_int_equal(f->taken, strcmp(a->row, "W1") == 0 ? WEIR_REUSE : WEIR_TAKEN);
}

static const struct arrival arrivals[] = {
    /* 3.10.7.1 */
    {CLOSED_KNOWN, RST, 0, 0, 0, "", SAME, "C1", "RST is discarded", 0},
    {CLOSED_KNOWN, RST | ACK, 0, 0, 0, "", SAME, "C1", "RST,ACK is discarded", 0},
    {CLOSED_KNOWN, SYN | RST, 0, 0, 0, "", SAME, "C1", "SYN,RST is discarded", 0},
    {CLOSED_KNOWN, ACK, 0, 0, 0, "RST +0", SAME, "C2", "ACK: RST with its number", 0},
    {CLOSED_KNOWN, SYN | ACK, 0, 0, 0, "RST +0", SAME, "C2", "SYN,ACK", 0},
    {CLOSED_KNOWN, FIN | ACK, 0, 0, 10, "RST +0", SAME, "C2", "FIN,ACK with text", 0},
    {CLOSED_KNOWN, ACK, 0, 77, 0, "RST +77", SAME, "C2", "SEG.ACK, not a number of ours", 0},
    {CLOSED_KNOWN, SYN, 0, 0, 0, "RST,ACK 0 +1", SAME, "C3", "SYN: acknowledged by the RST", 0},
    {CLOSED_KNOWN, SYN, 0, 0, 10, "RST,ACK 0 +11", SAME, "C3", "SYN with text: SEG.LEN counts both", 0},
    {CLOSED_KNOWN, SYN | FIN, 0, 0, 10, "RST,ACK 0 +12", SAME, "C3", "SYN,FIN with text", 0},
    {CLOSED_KNOWN, FIN, 0, 0, 0, "RST,ACK 0 +1", SAME, "C3", "FIN without ACK", 0},
    {CLOSED_KNOWN, 0, 0, 0, 0, "RST,ACK 0 +0", SAME, "C3", "no control bit", 0},
    {CLOSED_KNOWN, 0, 0, 0, 5, "RST,ACK 0 +5", SAME, "C3", "no control bit, text", 0},
    {CLOSED_KNOWN, FIN | URG | PSH, 0, 0, 0, "RST,ACK 0 +1", SAME, "C3", "FIN,URG,PSH", 0},
    {IN_CLOSED, SYN, 0, 0, 0, "", SAME, "C3", "no socket was ever named: nobody to answer", 0},
    {IN_CLOSED, ACK, 0, 0, 0, "", SAME, "C2", "the same", 0},

    /* 3.10.7.2 */
    {IN_LISTEN, RST, 0, 0, 0, "", SAME, "L1", "RST is ignored", 0},
    {IN_LISTEN, RST | ACK, 0, 0, 0, "", SAME, "L1", "RST,ACK is ignored", 0},
    {IN_LISTEN, SYN | RST, 0, 0, 0, "", SAME, "L1", "SYN,RST is ignored", 0},
    {IN_LISTEN, ACK, 0, 0, 0, "RST +0", SAME, "L2", "any ACK is bad", 0},
    {IN_LISTEN, ACK, 0, -5, 10, "RST -5", SAME, "L2", "ACK with text", 0},
    {IN_LISTEN, SYN | ACK, 0, 0, 0, "RST +0", SAME, "L2", "SYN,ACK (figure 11)", 0},
    {IN_LISTEN, FIN | ACK, 0, 0, 0, "RST +0", SAME, "L2", "FIN,ACK", 0},
    {LISTEN_ANYONE, RST, 0, 0, 0, "", SAME, "L1", "RST from anyone", 0},
    {LISTEN_ANYONE, ACK, 0, 0, 0, "", SAME, "L2", "ACK from nobody known", 0},
    {LISTEN_ANYONE, SYN, 0, 0, 0, "", SAME, "L3", "SYN before weir_set_remote", 0},
    {IN_LISTEN, SYN, 0, 0, 0, "SYN,ACK ISS +1", WEIR_SYN_RECEIVED, "L4", "SYN (figure 6)", 0},
    {IN_LISTEN, SYN | WEIR_ECE | WEIR_CWR, 0, 0, 0, "SYN,ACK ISS +1", WEIR_SYN_RECEIVED, "L4", "SYN that offers ECN", 0},
    {IN_LISTEN, SYN, 0, 0, 10, "SYN,ACK ISS +1", WEIR_SYN_RECEIVED, "L4", "SYN with text: the text comes again", 0},
    {IN_LISTEN, SYN | FIN, 0, 0, 0, "SYN,ACK ISS +1", WEIR_SYN_RECEIVED, "L4", "SYN,FIN: the FIN comes again", 0},
    {IN_LISTEN, SYN | URG | PSH, 0, 0, 10, "SYN,ACK ISS +1", WEIR_SYN_RECEIVED, "L4", "SYN,URG,PSH with text", 0},
    {IN_LISTEN, SYN, -0x7fffffff, 0, 0, "SYN,ACK ISS -2147483646", WEIR_SYN_RECEIVED, "L4", "any ISS will do", 0},
    {IN_LISTEN, 0, 0, 0, 0, "", SAME, "L5", "no control bit", 0},
    {IN_LISTEN, FIN, 0, 0, 10, "", SAME, "L5", "FIN without ACK", 0},
    {IN_LISTEN, FIN | URG | PSH, 0, 0, 0, "", SAME, "L5", "FIN,URG,PSH", 0},

    /* 3.10.7.3 */
    {IN_SYN_SENT, RST | ACK, 0, -1, 0, "", SAME, "S1", "RST that acknowledges ISS", 0},
    {IN_SYN_SENT, RST | ACK, 0, 1, 0, "", SAME, "S1", "RST that acknowledges what was not sent", 0},
    {IN_SYN_SENT, RST | ACK, 0, -70000, 0, "", SAME, "S1", "RST that acknowledges what is old", 0},
    {IN_SYN_SENT, SYN | ACK, 0, -1, 0, "RST -1", SAME, "S2", "SYN,ACK of ISS (figure 8)", 0},
    {IN_SYN_SENT, SYN | ACK, 0, 1, 0, "RST +1", SAME, "S2", "SYN,ACK of what was not sent", 0},
    {IN_SYN_SENT, SYN | ACK, 0, -10, 0, "RST -10", SAME, "S2", "SYN,ACK of an older SYN", 0},
    {IN_SYN_SENT, ACK, 0, -300, 0, "RST -300", SAME, "S2", "ACK of a half-open connection (figure 9)", 0},
    {IN_SYN_SENT, ACK, 0, -300, 10, "RST -300", SAME, "S2", "text of a half-open connection (figure 10)", 0},
    {IN_SYN_SENT, FIN | ACK, 0, 7, 0, "RST +7", SAME, "S2", "FIN of a half-open connection", 0},
    {IN_SYN_SENT, RST | ACK, 0, 0, 0, "", WEIR_CLOSED, "S3", "RST that acknowledges our SYN", WEIR_ERR_REFUSED},
    {IN_SYN_SENT, RST | ACK, 0x12345, 0, 0, "", WEIR_CLOSED, "S3", "its SEG.SEQ is not looked at (erratum 8167)", WEIR_ERR_REFUSED},
    {IN_SYN_SENT, SYN | RST | ACK, 0, 0, 0, "", WEIR_CLOSED, "S3", "SYN,RST,ACK", WEIR_ERR_REFUSED},
    {SYN_SENT_QUEUED, RST | ACK, 0, 0, 0, "", WEIR_CLOSED, "S3", "what was queued is flushed", WEIR_ERR_REFUSED},
    {IN_SYN_SENT, RST, 0, 0, 0, "", SAME, "S4", "RST without ACK", 0},
    {IN_SYN_SENT, SYN | RST, 0, 0, 0, "", SAME, "S4", "SYN,RST without ACK", 0},
    {IN_SYN_SENT, SYN | ACK, 0, 0, 0, "ACK +0 +1", WEIR_ESTABLISHED, "S5", "SYN,ACK (figure 6)", 0},
    {IN_SYN_SENT, SYN | ACK | WEIR_ECE, 0, 0, 0, "ACK +0 +1", WEIR_ESTABLISHED, "S5", "SYN,ACK with ECE", 0},
    {IN_SYN_SENT, SYN | ACK, 0, 0, 10, "ACK +0 +11", WEIR_ESTABLISHED, "T2", "SYN,ACK with text", 0},
    {IN_SYN_SENT, SYN | ACK | FIN, 0, 0, 0, "ACK +0 +1", WEIR_ESTABLISHED, "T3", "SYN,ACK,FIN: the FIN comes again", 0},
    {IN_SYN_SENT, SYN | ACK | FIN, 0, 0, 10, "ACK +0 +11", WEIR_ESTABLISHED, "F1", "the same with text", 0},
    {IN_SYN_SENT, SYN | ACK | URG, 0, 0, 10, "ACK +0 +11", WEIR_ESTABLISHED, "U1", "SYN,ACK,URG with text", 0},
    {SYN_SENT_QUEUED, SYN | ACK, 0, 0, 0, "ACK +0 +1 len 100", WEIR_ESTABLISHED, "S5", "what was queued goes with the ACK", 0},
    {IN_SYN_SENT, SYN, 0, 0, 0, "SYN,ACK ISS +1", WEIR_SYN_RECEIVED, "S6", "crossing SYNs (figure 7)", 0},
    {IN_SYN_SENT, SYN, 0, 0, 10, "SYN,ACK ISS +1", WEIR_SYN_RECEIVED, "S6", "the same with text", 0},
    {IN_SYN_SENT, SYN | FIN, 0, 0, 0, "SYN,ACK ISS +1", WEIR_SYN_RECEIVED, "S6", "the same with FIN", 0},
    {IN_SYN_SENT, ACK, 0, 0, 0, "", SAME, "S7", "ACK without SYN", 0},
    {IN_SYN_SENT, ACK, 0, 0, 10, "", SAME, "S7", "text without SYN", 0},
    {IN_SYN_SENT, FIN | ACK, 0, 0, 0, "", SAME, "S7", "FIN,ACK without SYN", 0},
    {IN_SYN_SENT, 0, 0, 0, 0, "", SAME, "S7", "no control bit", 0},
    {IN_SYN_SENT, FIN, 0, 0, 0, "", SAME, "S7", "FIN", 0},

    /* 3.10.7.4, SYN-RECEIVED */
    {IN_SYN_RECEIVED, ACK, -1, 0, 0, "ACK +0 +0", SAME, "Q6", "before the window", 0},
    {IN_SYN_RECEIVED, ACK, CONN_RX, 0, 10, "ACK +0 +0", SAME, "Q6", "after the window", 0},
    {IN_SYN_RECEIVED, SYN | ACK, -1, 0, 0, "ACK +0 +0", SAME, "Q6", "SYN,ACK from IRS", 0},
    {IN_SYN_RECEIVED, SYN, -2, 0, 0, "ACK +0 +0", SAME, "Q6", "another SYN, before the window", 0},
    {IN_SYN_RECEIVED, SYN, -1, 0, 0, "SYN,ACK ISS +0", SAME, "Q5", "the SYN again: our SYN,ACK was lost", 0},
    {IN_SYN_RECEIVED, SYN, -1, 0, 10, "SYN,ACK ISS +0", SAME, "Q5", "the SYN again, now with text that reaches the window", 0},
    {IN_SYN_RECEIVED, SYN | FIN, -1, 0, 0, "SYN,ACK ISS +0", SAME, "Q5", "the SYN again, with FIN", 0},
    {SYN_RECEIVED_ACTIVE, SYN, -1, 0, 0, "SYN,ACK ISS +0", SAME, "Q5", "the SYN that crossed ours, again", 0},
    {SYN_RECEIVED_CLOSED, SYN, -1, 0, 0, "SYN,ACK ISS +0", SAME, "Q5", "the SYN again, CLOSE waits", 0},
    {IN_SYN_RECEIVED, RST, -1, 0, 0, "", SAME, "Q3", "RST before the window", 0},
    {IN_SYN_RECEIVED, SYN | RST, -1, 0, 0, "", SAME, "Q3", "SYN,RST at IRS", 0},
    {IN_SYN_RECEIVED, RST, CONN_RX, 0, 0, "", SAME, "Q3", "RST after the window", 0},
    {IN_SYN_RECEIVED, RST, 1, 0, 0, "ACK +0 +0", SAME, "R1", "RST inside the window, not at RCV.NXT", 0},
    {IN_SYN_RECEIVED, RST, 0, 0, 0, "", WEIR_LISTEN, "R2", "RST: back to LISTEN (figure 8)", 0},
    {IN_SYN_RECEIVED, RST | ACK, 0, 0, 0, "", WEIR_LISTEN, "R2", "RST,ACK", 0},
    {SYN_RECEIVED_QUEUED, RST, 0, 0, 0, "", WEIR_LISTEN, "R2", "RST: what was queued is flushed", 0},
    {SYN_RECEIVED_HELD, RST, 0, 0, 0, "", WEIR_LISTEN, "R2", "RST before anybody answered", 0},
    {SYN_RECEIVED_ACTIVE, RST, 0, 0, 0, "", WEIR_CLOSED, "R3", "RST: refused", WEIR_ERR_REFUSED},
    {SYN_RECEIVED_CLOSED, RST, 0, 0, 0, "", WEIR_CLOSED, "R3", "RST after CLOSE: no LISTEN for nobody", WEIR_ERR_REFUSED},
    {IN_SYN_RECEIVED, SYN, 0, 0, 0, "", WEIR_LISTEN, "Y1", "SYN in the window: back to LISTEN (erratum 8710)", 0},
    {IN_SYN_RECEIVED, SYN | ACK, 5, 0, 0, "", WEIR_LISTEN, "Y1", "SYN,ACK in the window", 0},
    {SYN_RECEIVED_ACTIVE, SYN, 0, 0, 0, "ACK +0 +0", SAME, "Y2", "SYN in the window: challenge ACK", 0},
    {SYN_RECEIVED_CLOSED, SYN, 0, 0, 0, "ACK +0 +0", SAME, "Y2", "SYN in the window after CLOSE", 0},
    {IN_SYN_RECEIVED, 0, 0, 0, 0, "", SAME, "A1", "no control bit", 0},
    {IN_SYN_RECEIVED, 0, 0, 0, 10, "", SAME, "A1", "text without ACK", 0},
    {IN_SYN_RECEIVED, FIN, 0, 0, 0, "", SAME, "A1", "FIN without ACK", 0},
    {SYN_RECEIVED_CLOSED, ACK, 0, 0, 0, "FIN,ACK +0 +0 len 100", WEIR_FIN_WAIT_1, "A2", "ACK: the CLOSE that waited", 0},
    {SYN_RECEIVED_CLOSED, FIN | ACK, 0, 0, 0, "FIN,ACK +0 +1 len 100", WEIR_CLOSING, "F3", "ACK and FIN at once", 0},
    {IN_SYN_RECEIVED, ACK, 0, 0, 0, "", WEIR_ESTABLISHED, "A3", "ACK (figure 6)", 0},
    {IN_SYN_RECEIVED, ACK, 0, 0, 10, "ACK +0 +10", WEIR_ESTABLISHED, "A3", "ACK with text", 0},
    {IN_SYN_RECEIVED, ACK, 5, 0, 10, "ACK +0 +0", WEIR_ESTABLISHED, "A3", "ACK with text beyond a gap", 0},
    {IN_SYN_RECEIVED, ACK | URG, 0, 0, 10, "ACK +0 +10", WEIR_ESTABLISHED, "U1", "ACK with urgent text", 0},
    {IN_SYN_RECEIVED, FIN | ACK, 0, 0, 0, "ACK +0 +1", WEIR_CLOSE_WAIT, "F2", "ACK and FIN", 0},
    {IN_SYN_RECEIVED, FIN | ACK, 0, 0, 10, "ACK +0 +11", WEIR_CLOSE_WAIT, "F2", "ACK, text and FIN", 0},
    {SYN_RECEIVED_ACTIVE, ACK, 0, 0, 0, "", WEIR_ESTABLISHED, "A3", "ACK after crossing SYNs", 0},
    {SYN_RECEIVED_ACTIVE, SYN | ACK, -1, 0, 0, "ACK +0 +0", SAME, "Q6", "SYN,ACK after crossing SYNs: an ACK, never a RST", 0},
    {SYN_RECEIVED_QUEUED, ACK, 0, 0, 0, "ACK +0 +0 len 100", WEIR_ESTABLISHED, "A3", "what was queued goes", 0},
    {IN_SYN_RECEIVED, ACK, 0, -1, 0, "RST -1", SAME, "A4", "ACK of ISS", 0},
    {IN_SYN_RECEIVED, ACK, 0, 1, 0, "RST +1", SAME, "A4", "ACK of what was not sent", 0},
    {IN_SYN_RECEIVED, ACK, 0, -100000, 10, "RST -100000", SAME, "A4", "ACK of what is old (3.5.2 group 2)", 0},
    {IN_SYN_RECEIVED, FIN | ACK, 0, 9, 0, "RST +9", SAME, "A4", "FIN,ACK of what was not sent", 0},
    {SYN_RECEIVED_ACTIVE, ACK, 0, 1, 0, "RST +1", SAME, "A4", "the same after crossing SYNs", 0},

    /* ESTABLISHED */
    {IN_ESTABLISHED, ACK, 0, 0, 1, "ACK +0 +1", SAME, "T2", "one octet", 0},
    {IN_ESTABLISHED, ACK | PSH, 0, 0, 10, "ACK +0 +10", SAME, "F1", "text", 0},
    {IN_ESTABLISHED, ACK, -5, 0, 10, "ACK +0 +5", SAME, "T2", "half old", 0},
    {IN_ESTABLISHED, ACK, 5, 0, 10, "ACK +0 +0", SAME, "T2", "beyond a gap: a duplicate ACK (RFC 5681 4.2)", 0},
    {IN_ESTABLISHED, ACK, CONN_RX - 1, 0, 10, "ACK +0 +0", SAME, "T2", "at the end of the window", 0},
    {IN_ESTABLISHED, ACK, 0, 0, CONN_RX, "ACK +0 +4096", SAME, "T2", "a whole window", 0},
    {IN_ESTABLISHED, ACK, 0, 0, CONN_RX + 10, "ACK +0 +4096", SAME, "T2", "more than the window: what fits", 0},
    {IN_ESTABLISHED, ACK, -1, 0, CONN_RX + 2, "ACK +0 +0", SAME, "Q6", "begins before and ends after the window", 0},
    {IN_ESTABLISHED, FIN | ACK, 0, 0, CONN_RX, "ACK +0 +4096", SAME, "F1", "a whole window, the FIN past it", 0},
    {IN_ESTABLISHED, FIN | ACK, 0, 0, CONN_RX - 1, "ACK +0 +4096", WEIR_CLOSE_WAIT, "F2", "text and FIN fill the window", 0},
    {IN_ESTABLISHED, FIN | ACK, 0, 0, 0, "ACK +0 +1", WEIR_CLOSE_WAIT, "F2", "FIN (figure 12)", 0},
    {IN_ESTABLISHED, FIN | ACK, 0, 0, 10, "ACK +0 +11", WEIR_CLOSE_WAIT, "F2", "text and FIN", 0},
    {IN_ESTABLISHED, FIN | ACK, -10, 0, 10, "ACK +0 +1", WEIR_CLOSE_WAIT, "F2", "old text, new FIN", 0},
    {IN_ESTABLISHED, FIN | ACK, -11, 0, 10, "ACK +0 +0", SAME, "Q6", "old text, old FIN", 0},
    {IN_ESTABLISHED, FIN | ACK, 5, 0, 0, "ACK +0 +0", SAME, "F1", "FIN beyond a gap", 0},
    {IN_ESTABLISHED, FIN | ACK, 5, 0, 10, "ACK +0 +0", SAME, "F1", "text and FIN beyond a gap", 0},
    {ESTABLISHED_GAP, ACK, 0, 0, 10, "ACK +0 +21", WEIR_CLOSE_WAIT, "F2", "the gap is filled, the FIN behind it counts", 0},
    {ESTABLISHED_GAP, ACK, 0, 0, 9, "ACK +0 +9", SAME, "F1", "the gap is not filled yet", 0},
    {ESTABLISHED_GAP, ACK, 0, 0, 30, "ACK +0 +21", WEIR_CLOSE_WAIT, "F2", "text beyond a FIN is none", 0},
    {ESTABLISHED_GAP, ACK, 25, 0, 10, "ACK +0 +0", SAME, "F1", "nothing is kept from beyond a FIN", 0},
    {IN_ESTABLISHED, ACK | URG, 0, 0, 10, "ACK +0 +10", SAME, "U1", "urgent text", 0},
    {IN_ESTABLISHED, FIN | ACK | URG, 0, 0, 10, "ACK +0 +11", WEIR_CLOSE_WAIT, "U1", "urgent text and FIN", 0},
    {ESTABLISHED_SENT, ACK, 0, 0, 0, "", SAME, "A10", "ACK of all", 0},
    {ESTABLISHED_SENT, ACK, 0, -250, 0, "", SAME, "A10", "ACK of half", 0},
    {ESTABLISHED_SENT, ACK, 0, -501, 0, "ACK +0 +0", SAME, "A5", "ACK of what was never unacknowledged", 0},
    {ESTABLISHED_SENT, ACK, 0, -500, 10, "ACK +0 +10", SAME, "A10", "a duplicate ACK carries text: it is taken", 0},
    {ESTABLISHED_SENT, FIN | ACK, 0, -250, 10, "ACK +0 +11", WEIR_CLOSE_WAIT, "F2", "ACK, text and FIN", 0},
    {ESTABLISHED_FULL, ACK, 0, 0, 1, "ACK +0 +0", SAME, "Q2", "window 0: a probe is answered, its octet is not taken", 0},
    {ESTABLISHED_FULL, ACK, 0, 0, 0, "", SAME, "A10", "window 0: an ACK counts", 0},
    {ESTABLISHED_FULL, ACK, 1, 0, 0, "ACK +0 +0", SAME, "Q6", "window 0: anything else does not", 0},
    {ESTABLISHED_FULL, FIN | ACK, 0, 0, 0, "ACK +0 +0", SAME, "Q2", "window 0: FIN must wait", 0},
    {ESTABLISHED_FULL, ACK, -1, 0, 1, "ACK +0 +0", SAME, "Q6", "window 0: a probe by an octet we have", 0},
    {ESTABLISHED_FULL, ACK | URG, 0, 0, 1, "ACK +0 +0", SAME, "U1", "window 0: URG counts (MUST-66)", 0},
    {ESTABLISHED_FULL, RST, 0, 0, 0, "", WEIR_CLOSED, "R4", "window 0: RST counts", WEIR_ERR_RESET},
    {ESTABLISHED_FULL, RST, 0, 0, 10, "", WEIR_CLOSED, "R4", "window 0: RST with text counts", WEIR_ERR_RESET},
    {ESTABLISHED_FULL, RST, 1, 0, 0, "", SAME, "Q3", "window 0: RST past it does not", 0},
    {ESTABLISHED_FULL, SYN, 0, 0, 0, "ACK +0 +0", SAME, "Y2", "window 0: SYN", 0},
    {ESTABLISHED_FULL, ACK, 0, 1, 1, "ACK +0 +0", SAME, "A6", "window 0: a probe that acknowledges the future", 0},
    {IN_ESTABLISHED, RST, -1, 0, 10, "", SAME, "Q3", "RST before the window, its text inside", 0},
    {ESTABLISHED_PASSIVE, RST, 0, 0, 0, "", WEIR_CLOSED, "R4", "a passive connection does not go back to LISTEN from here", WEIR_ERR_RESET},
    {ESTABLISHED_PASSIVE, SYN, 0, 0, 0, "ACK +0 +0", SAME, "Y2", "nor for a SYN", 0},

    /* FIN-WAIT-1 */
    {IN_FIN_WAIT_1, ACK, 0, 0, 0, "", WEIR_FIN_WAIT_2, "A7", "ACK of our FIN (figure 12)", 0},
    {IN_FIN_WAIT_1, ACK, 0, 0, 10, "ACK +0 +10", WEIR_FIN_WAIT_2, "A7", "ACK of our FIN, text", 0},
    {IN_FIN_WAIT_1, FIN | ACK, 0, 0, 0, "ACK +0 +1", WEIR_TIME_WAIT, "F4", "ACK of our FIN, FIN (erratum 8805)", 0},
    {IN_FIN_WAIT_1, FIN | ACK, 0, 0, 10, "ACK +0 +11", WEIR_TIME_WAIT, "F4", "ACK of our FIN, text and FIN", 0},
    {IN_FIN_WAIT_1, FIN | ACK, 0, -1, 0, "ACK +0 +1", WEIR_CLOSING, "F3", "FIN only (figure 13)", 0},
    {IN_FIN_WAIT_1, FIN | ACK, 0, -1, 10, "ACK +0 +11", WEIR_CLOSING, "F3", "text and FIN", 0},
    {IN_FIN_WAIT_1, ACK, 0, -1, 10, "ACK +0 +10", SAME, "T2", "text", 0},
    {IN_FIN_WAIT_1, ACK, 5, -1, 10, "ACK +0 +0", SAME, "T2", "text beyond a gap", 0},
    {IN_FIN_WAIT_1, FIN | ACK, 5, -1, 0, "ACK +0 +0", SAME, "F1", "FIN beyond a gap", 0},
    {IN_FIN_WAIT_1, ACK | URG, 0, -1, 10, "ACK +0 +10", SAME, "U1", "urgent text", 0},
    {FIN_WAIT_1_SENT, ACK, 0, -1, 0, "", SAME, "A10", "ACK of all but the FIN", 0},
    {FIN_WAIT_1_SENT, ACK, 0, -300, 0, "", SAME, "A10", "ACK of a part", 0},
    {FIN_WAIT_1_SENT, ACK, 0, 0, 0, "", WEIR_FIN_WAIT_2, "A7", "ACK of text and FIN", 0},
    {FIN_WAIT_1_SENT, FIN | ACK, 0, -300, 0, "ACK +0 +1", WEIR_CLOSING, "F3", "ACK of a part, FIN", 0},
    {FIN_WAIT_1_EARLY, ACK, 0, -1, 0, "", SAME, "A10", "ACK of our SYN", 0},
    {FIN_WAIT_1_EARLY, ACK, 0, 0, 0, "", WEIR_FIN_WAIT_2, "A7", "ACK of SYN and FIN", 0},
    {FIN_WAIT_1_EARLY, RST, 0, 0, 0, "", WEIR_CLOSED, "R4", "RST", WEIR_ERR_RESET},
    {FIN_WAIT_1_RELEASED, ACK, 0, -1, 10, "RST +0", WEIR_CLOSED, "T1", "text that nobody will read (SHLD-3)", WEIR_ERR_ABORTED},
    {FIN_WAIT_1_RELEASED, ACK, 0, 0, 10, "RST +0", WEIR_CLOSED, "T1", "the same with the ACK of our FIN", WEIR_ERR_ABORTED},
    {FIN_WAIT_1_RELEASED, FIN | ACK, 0, -1, 10, "RST +0", WEIR_CLOSED, "T1", "text and FIN", WEIR_ERR_ABORTED},
    {FIN_WAIT_1_RELEASED, FIN | ACK, 0, -1, 0, "ACK +0 +1", WEIR_CLOSING, "F3", "FIN alone loses nothing", 0},
    {FIN_WAIT_1_RELEASED, FIN | ACK, 0, 0, 0, "ACK +0 +1", WEIR_TIME_WAIT, "F4", "FIN alone, with the ACK of ours", 0},
    {FIN_WAIT_1_RELEASED, ACK, -10, -1, 10, "ACK +0 +0", SAME, "Q6", "old text was read", 0},

    /* FIN-WAIT-2 */
    {IN_FIN_WAIT_2, ACK, 0, 0, 10, "ACK +0 +10", SAME, "T2", "text: the other half is open", 0},
    {IN_FIN_WAIT_2, ACK | URG, 0, 0, 10, "ACK +0 +10", SAME, "U1", "urgent text", 0},
    {IN_FIN_WAIT_2, FIN | ACK, 0, 0, 0, "ACK +0 +1", WEIR_TIME_WAIT, "F4", "FIN (figure 12)", 0},
    {IN_FIN_WAIT_2, FIN | ACK, 0, 0, 10, "ACK +0 +11", WEIR_TIME_WAIT, "F4", "text and FIN", 0},
    {IN_FIN_WAIT_2, FIN | ACK, 5, 0, 0, "ACK +0 +0", SAME, "F1", "FIN beyond a gap", 0},
    {FIN_WAIT_2_RELEASED, ACK, 0, 0, 1, "RST +0", WEIR_CLOSED, "T1", "text that nobody will read", WEIR_ERR_ABORTED},
    {FIN_WAIT_2_RELEASED, FIN | ACK, 0, 0, 1, "RST +0", WEIR_CLOSED, "T1", "text and FIN that nobody will read", WEIR_ERR_ABORTED},
    {FIN_WAIT_2_RELEASED, FIN | ACK, 0, 0, 0, "ACK +0 +1", WEIR_TIME_WAIT, "F4", "FIN alone", 0},
    {FIN_WAIT_2_RELEASED, ACK, 0, 0, 0, "", SAME, "A10", "ACK alone", 0},

    /* CLOSE-WAIT, CLOSING, LAST-ACK: the peer's FIN was taken */
    {IN_CLOSE_WAIT, FIN | ACK, -1, 0, 0, "ACK +0 +0", SAME, "Q6", "the FIN again: our ACK was lost", 0},
    {IN_CLOSE_WAIT, ACK, 0, 0, 10, "", SAME, "T3", "text after the FIN is ignored", 0},
    {IN_CLOSE_WAIT, FIN | ACK, 0, 0, 0, "", SAME, "T3", "another FIN is ignored", 0},
    {IN_CLOSE_WAIT, FIN | ACK | URG, 0, 0, 10, "", SAME, "U2", "urgent text and another FIN", 0},
    {IN_CLOSING, FIN | ACK, -1, -1, 0, "ACK +0 +0", SAME, "Q6", "the FIN again", 0},
    {IN_CLOSING, ACK, 0, 0, 0, "", WEIR_TIME_WAIT, "A8", "ACK of our FIN (figure 13)", 0},
    {IN_CLOSING, ACK, 0, 0, 10, "", WEIR_TIME_WAIT, "A8", "ACK of our FIN, text after the peer's", 0},
    {IN_CLOSING, FIN | ACK, 0, 0, 0, "", WEIR_TIME_WAIT, "A8", "ACK of our FIN, another FIN", 0},
    {IN_CLOSING, ACK, 0, -1, 10, "", SAME, "T3", "text after the FIN is ignored", 0},
    {IN_CLOSING, FIN | ACK, 0, -1, 0, "", SAME, "T3", "another FIN", 0},
    {IN_LAST_ACK, FIN | ACK, -1, -1, 0, "ACK +0 +0", SAME, "Q6", "the FIN again", 0},
    {IN_LAST_ACK, ACK, 0, 0, 0, "", WEIR_CLOSED, "A9", "ACK of our FIN (figure 12)", 0},
    {IN_LAST_ACK, FIN | ACK, 0, 0, 10, "", WEIR_CLOSED, "A9", "ACK of our FIN, whatever else", 0},
    {IN_LAST_ACK, ACK, 0, -1, 10, "", SAME, "T3", "text after the FIN is ignored", 0},
    {IN_LAST_ACK, FIN | ACK, 0, -1, 0, "", SAME, "T3", "another FIN", 0},
    {LAST_ACK_SENT, ACK, 0, -1, 0, "", SAME, "A10", "ACK of all but the FIN", 0},
    {LAST_ACK_SENT, ACK, 0, 0, 0, "", WEIR_CLOSED, "A9", "ACK of text and FIN", 0},
    {LAST_ACK_SENT, RST, 0, 0, 0, "", WEIR_CLOSED, "R5", "RST while octets of ours are on their way", WEIR_ERR_RESET},

    /* TIME-WAIT */
    {IN_TIME_WAIT, FIN | ACK, -1, 0, 0, "ACK +0 +0", SAME, "Q4", "the FIN again: our ACK was lost", 0},
    {IN_TIME_WAIT, FIN | ACK, -11, 0, 10, "ACK +0 +0", SAME, "Q4", "the same with its text", 0},
    {IN_TIME_WAIT, ACK, 0, 0, 10, "", SAME, "T3", "text after the FIN", 0},
    {IN_TIME_WAIT, FIN | ACK, 0, 0, 0, "", SAME, "T3", "another FIN", 0},
    {IN_TIME_WAIT, SYN, 0, 0, 0, "", WEIR_CLOSED, "W1", "SYN with a later number: the user may listen again (RFC 6191)", 0},
    {IN_TIME_WAIT, SYN | FIN, 100000, 0, 10, "", WEIR_CLOSED, "W1", "the same, whatever else", 0},
    {IN_TIME_WAIT, SYN, -1, 0, 0, "", SAME, "W2", "SYN with the number of the old FIN", 0},
    {IN_TIME_WAIT, SYN, -100000, 0, 0, "", SAME, "W2", "SYN with an older number", 0},
    {IN_TIME_WAIT, SYN | ACK, 0, 0, 0, "ACK +0 +0", SAME, "Y2", "SYN,ACK asks for no connection", 0},
    {IN_TIME_WAIT, SYN | ACK, -1, 0, 0, "ACK +0 +0", SAME, "Q6", "the old SYN,ACK", 0},
    {IN_TIME_WAIT, SYN | ACK, 100000, 0, 0, "ACK +0 +0", SAME, "Q6", "a SYN,ACK past the window", 0},
    {IN_TIME_WAIT, SYN | RST, 0, 0, 0, "", WEIR_CLOSED, "R5", "SYN,RST is a RST", 0},
};

/* What all synchronized states do alike. */
#define EVERY(start) (1u << (start))
#define SYNCHRONIZED                                                                                                          \
    (EVERY(IN_ESTABLISHED) | EVERY(IN_FIN_WAIT_1) | EVERY(IN_FIN_WAIT_2) | EVERY(IN_CLOSE_WAIT) | EVERY(IN_CLOSING) |          \
     EVERY(IN_LAST_ACK) | EVERY(IN_TIME_WAIT))
#define BUT(start) (SYNCHRONIZED & ~EVERY(start))
#define OPEN (EVERY(IN_ESTABLISHED) | EVERY(IN_FIN_WAIT_1) | EVERY(IN_FIN_WAIT_2) | EVERY(IN_CLOSE_WAIT))

#define EDGE (EVERY(IN_ESTABLISHED) | EVERY(IN_FIN_WAIT_1) | EVERY(IN_FIN_WAIT_2)) /* no FIN came: the edge is CONN_RX from RCV.NXT */

struct common {
    uint32_t starts;
    struct arrival a; /* its start is not used */
};

static const struct common commons[] = {
    {SYNCHRONIZED, {0, ACK, 0, UNA, 0, "", SAME, "A10", "nothing but an ACK, nothing new", 0}},
    {SYNCHRONIZED, {0, ACK, 0, UNA, 0, "", SAME, "Q1", "it is acceptable", 0}},
    {SYNCHRONIZED, {0, ACK, 0, UNA, 0, "", SAME, "R6", "no RST", 0}},
    {SYNCHRONIZED, {0, ACK, 0, UNA, 0, "", SAME, "Y3", "no SYN", 0}},
    {SYNCHRONIZED, {0, ACK | PSH, 0, UNA, 0, "", SAME, "A10", "PSH means nothing without text", 0}},
    {SYNCHRONIZED, {0, ACK, 1, UNA, 0, "", SAME, "A10", "ACK inside the window", 0}},
    {SYNCHRONIZED, {0, ACK, -1, UNA, 0, "ACK +0 +0", SAME, "Q6", "ACK before the window: a keepalive", 0}},
    {SYNCHRONIZED, {0, ACK, -2, UNA, 1, "ACK +0 +0", SAME, "Q6", "one octet before the window", 0}},
    {EDGE, {0, ACK, CONN_RX, UNA, 0, "", SAME, "Q1", "ACK at the edge of the window", 0}},
    {EDGE, {0, 0, CONN_RX, 0, 0, "ACK +0 +0", SAME, "Q6", "no ACK, at the edge of the window", 0}},
    {SYNCHRONIZED, {0, ACK, CONN_RX + 1, UNA, 0, "ACK +0 +0", SAME, "Q6", "ACK past the window", 0}},
    {SYNCHRONIZED, {0, ACK, CONN_RX, UNA, 10, "ACK +0 +0", SAME, "Q6", "text past the window", 0}},
    {SYNCHRONIZED, {0, ACK, -10, UNA, 10, "ACK +0 +0", SAME, "Q6", "text before the window", 0}},
    {SYNCHRONIZED, {0, FIN | ACK, CONN_RX, UNA, 0, "ACK +0 +0", SAME, "Q6", "FIN past the window", 0}},
    {SYNCHRONIZED, {0, ACK, 0x7fffffff, UNA, 0, "ACK +0 +0", SAME, "Q6", "the other side of the number circle", 0}},
    {SYNCHRONIZED, {0, FIN | ACK, -0x7fffffff, UNA, 0, "ACK +0 +0", SAME, "Q6", "the same, with FIN", 0}},
    {SYNCHRONIZED, {0, FIN, -100, 0, 10, "ACK +0 +0", SAME, "Q6", "out of the window comes first, ACK bit or not", 0}},
    {SYNCHRONIZED, {0, ACK | URG, -10, UNA, 10, "ACK +0 +0", SAME, "Q6", "urgent text before the window", 0}},
    {SYNCHRONIZED, {0, RST, -1, 0, 0, "", SAME, "Q3", "RST before the window", 0}},
    {SYNCHRONIZED, {0, RST, CONN_RX, 0, 0, "", SAME, "Q3", "RST past the window", 0}},
    {SYNCHRONIZED, {0, RST | ACK, -1, UNA, 0, "", SAME, "Q3", "RST,ACK before the window", 0}},
    {SYNCHRONIZED, {0, SYN | RST, -1, 0, 0, "", SAME, "Q3", "SYN,RST before the window", 0}},
    {SYNCHRONIZED, {0, RST, 1, 0, 0, "ACK +0 +0", SAME, "R1", "RST inside the window: challenge ACK", 0}},
    {SYNCHRONIZED, {0, RST | ACK, 100, UNA, 0, "ACK +0 +0", SAME, "R1", "RST,ACK inside the window", 0}},
    {SYNCHRONIZED, {0, FIN | RST, 1, 0, 0, "ACK +0 +0", SAME, "R1", "FIN,RST inside the window", 0}},
    {OPEN, {0, RST, 0, 0, 0, "", WEIR_CLOSED, "R4", "RST at RCV.NXT", WEIR_ERR_RESET}},
    {OPEN, {0, RST | ACK, 0, 12345, 0, "", WEIR_CLOSED, "R4", "RST,ACK: the ACK is not looked at", WEIR_ERR_RESET}},
    {OPEN, {0, FIN | RST | ACK, 0, UNA, 10, "", WEIR_CLOSED, "R4", "RST with text and FIN", WEIR_ERR_RESET}},
    {OPEN, {0, SYN | RST, 0, 0, 0, "", WEIR_CLOSED, "R4", "SYN,RST at RCV.NXT", WEIR_ERR_RESET}},
    {SYNCHRONIZED & ~OPEN, {0, RST, 0, 0, 0, "", WEIR_CLOSED, "R5", "RST at RCV.NXT", 0}},
    {SYNCHRONIZED & ~OPEN, {0, RST | ACK, 0, 12345, 0, "", WEIR_CLOSED, "R5", "RST,ACK: the ACK is not looked at", 0}},
    {SYNCHRONIZED & ~OPEN, {0, SYN | RST | ACK, 0, UNA, 10, "", WEIR_CLOSED, "R5", "RST with SYN and text", 0}},
    {BUT(IN_TIME_WAIT), {0, SYN, 0, 0, 0, "ACK +0 +0", SAME, "Y2", "SYN at RCV.NXT: challenge ACK (RFC 5961 4.2)", 0}},
    {BUT(IN_TIME_WAIT), {0, SYN, 1, 0, 0, "ACK +0 +0", SAME, "Y2", "SYN inside the window", 0}},
    {BUT(IN_TIME_WAIT), {0, SYN, -1, 0, 0, "ACK +0 +0", SAME, "Q6", "SYN before the window", 0}},
    {BUT(IN_TIME_WAIT), {0, SYN, CONN_RX, 0, 0, "ACK +0 +0", SAME, "Q6", "SYN past the window", 0}},
    {BUT(IN_TIME_WAIT), {0, SYN, 100000, 0, 10, "ACK +0 +0", SAME, "Q6", "SYN with text, far away", 0}},
    {BUT(IN_TIME_WAIT), {0, SYN | FIN, 0, 0, 0, "ACK +0 +0", SAME, "Y2", "SYN,FIN", 0}},
    {SYNCHRONIZED, {0, SYN | ACK, 0, UNA, 0, "ACK +0 +0", SAME, "Y2", "SYN,ACK at RCV.NXT", 0}},
    {SYNCHRONIZED, {0, SYN | ACK, 7, UNA, 10, "ACK +0 +0", SAME, "Y2", "SYN,ACK with text inside the window", 0}},
    {SYNCHRONIZED, {0, SYN | ACK, -1, UNA, 0, "ACK +0 +0", SAME, "Q6", "SYN,ACK before the window", 0}},
    {SYNCHRONIZED, {0, 0, 0, 0, 0, "", SAME, "A1", "no control bit", 0}},
    {SYNCHRONIZED, {0, 0, 0, 0, 10, "", SAME, "A1", "text without ACK is dropped", 0}},
    {SYNCHRONIZED, {0, FIN, 0, 0, 0, "", SAME, "A1", "FIN without ACK is dropped", 0}},
    {SYNCHRONIZED, {0, FIN | URG | PSH, 0, 0, 10, "", SAME, "A1", "FIN,URG,PSH without ACK", 0}},
    {SYNCHRONIZED, {0, ACK, 0, -100000, 0, "ACK +0 +0", SAME, "A5", "ACK older than any there can be (RFC 5961 5.2)", 0}},
    {SYNCHRONIZED, {0, ACK, 0, -100000, 10, "ACK +0 +0", SAME, "A5", "text with such an ACK is not taken", 0}},
    {SYNCHRONIZED, {0, FIN | ACK, 0, -0x7fffffff, 0, "ACK +0 +0", SAME, "A5", "nor FIN", 0}},
    {SYNCHRONIZED, {0, ACK, 0, 1, 0, "ACK +0 +0", SAME, "A6", "ACK of what was not sent", 0}},
    {SYNCHRONIZED, {0, ACK, 0, 1, 10, "ACK +0 +0", SAME, "A6", "text with such an ACK is not taken", 0}},
    {SYNCHRONIZED, {0, FIN | ACK, 0, 100000, 0, "ACK +0 +0", SAME, "A6", "nor FIN", 0}},
    {SYNCHRONIZED, {0, ACK | URG, 0, 0x40000000, 0, "ACK +0 +0", SAME, "A6", "nor URG", 0}},
    {EVERY(IN_CLOSE_WAIT) | EVERY(IN_CLOSING) | EVERY(IN_LAST_ACK) | EVERY(IN_TIME_WAIT),
     {0, ACK | URG, 0, UNA, 10, "", SAME, "U2", "urgent text after the FIN is ignored", 0}},
    {EVERY(IN_ESTABLISHED) | EVERY(IN_FIN_WAIT_1) | EVERY(IN_FIN_WAIT_2),
     {0, ACK | URG, 0, UNA, 0, "", SAME, "U1", "an urgent pointer without text", 0}},
};

static void run_arrivals(void)
{
    for (size_t i = 0; i < sizeof arrivals / sizeof arrivals[0]; i++) {
        arrive(arrivals[i].start, &arrivals[i]);
    }
    for (size_t i = 0; i < sizeof commons / sizeof commons[0]; i++) {
        for (unsigned start = 0; start <= IN_TIME_WAIT; start++) {
            if (commons[i].starts & EVERY(start)) {
                arrive((enum start)start, &commons[i].a);
            }
        }
    }
}

static void test_segments_in_every_state(void **state)
{
    (void)state;
    for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
        rows_begin(&places[p]);
        run_arrivals();
        print_message("  %u segments at ISS %08lx and %08lx\n", rows_run, (unsigned long)place.ours, (unsigned long)place.peers);
        assert_int_equal(rows_failed, 0);
        assert_true(rows_run > 400);
    }
}
/* ---- segments that need more than flags and numbers -------------------------------------------------------------- */

static void take_with_stamp(enum start start, unsigned flags, int32_t seq, uint32_t stamp, uint32_t len, const char *name,
                            const struct expected *e)
{
    struct conn_fixture *f = start_in(start);
    weir_fields g = conn_fields(f, flags, seq, 0);
    g.options |= WEIR_OPT_TIMESTAMPS;
    g.ts_value = stamp;
    conn_input(f, &g, len);
    expect(f, name, e);
}

static void run_stamps(void)
{
    static const struct {
        enum start start;
        unsigned flags;
        int32_t seq;
        uint32_t stamp, len;
        struct expected e;
        const char *name;
    } cases[] = {
        {ESTABLISHED_STAMPED, ACK, 0, 1000, 10, {"ACK +0 +10", "P3", SAME, 0}, "the last timestamp again"},
        {ESTABLISHED_STAMPED, ACK, 0, 1001, 10, {"ACK +0 +10", "P3", SAME, 0}, "a newer one"},
        {ESTABLISHED_STAMPED, ACK, 0, 999, 10, {"ACK +0 +0", "P1", SAME, 0}, "an older one: text is not taken (PAWS)"},
        {ESTABLISHED_STAMPED, ACK, 0, 999, 0, {"ACK +0 +0", "P1", SAME, 0}, "an older ACK"},
        {ESTABLISHED_STAMPED, FIN | ACK, 0, 999, 0, {"ACK +0 +0", "P1", SAME, 0}, "an older FIN"},
        {ESTABLISHED_STAMPED, SYN, 0, 999, 0, {"ACK +0 +0", "P1", SAME, 0}, "an older SYN"},
        {ESTABLISHED_STAMPED, ACK, CONN_RX * 2, 999, 10, {"ACK +0 +0", "P1", SAME, 0}, "PAWS comes before the window"},
        {ESTABLISHED_STAMPED, RST, 0, 999, 0, {"", "R4", WEIR_CLOSED, WEIR_ERR_RESET}, "a RST is not judged by its timestamp"},
        {TIME_WAIT_STAMPED, FIN | ACK, -1, 999, 0, {"ACK +0 +0", "P1", SAME, 0}, "an older FIN does not prolong TIME-WAIT"},
        {TIME_WAIT_STAMPED, FIN | ACK, -1, 1000, 0, {"ACK +0 +0", "Q4", SAME, 0}, "the FIN again"},
        {TIME_WAIT_STAMPED, SYN, -100, 1001, 0, {"", "W1", WEIR_CLOSED, 0}, "SYN with a newer timestamp, whatever its number"},
        {TIME_WAIT_STAMPED, SYN, 100, 1000, 0, {"", "W1", WEIR_CLOSED, 0}, "SYN with the same timestamp and a later number"},
        {TIME_WAIT_STAMPED, SYN, -1, 1000, 0, {"", "W2", SAME, 0}, "SYN with the same timestamp and the number of the old FIN"},
        {TIME_WAIT_STAMPED, SYN, 100, 999, 0, {"", "W2", SAME, 0}, "SYN with an older timestamp"},
        {TIME_WAIT_STAMPED, SYN | ACK, 100, 999, 0, {"ACK +0 +0", "P1", SAME, 0}, "SYN,ACK with an older timestamp"},
        {IN_TIME_WAIT, SYN, -100, 5, 0, {"", "W2", SAME, 0}, "timestamps are not ours to take: the number decides"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        take_with_stamp(cases[i].start, cases[i].flags, cases[i].seq, cases[i].stamp, cases[i].len, cases[i].name, &cases[i].e);
    }
}

/* With require_timestamps what lacks them is dropped without a word (RFC 7323 3.2), but for RST. */
static void run_missing_stamps(void)
{
    static const struct {
        unsigned flags;
        struct expected e;
    } cases[] = {
        {ACK, {"", "P2", SAME, 0}},
        {FIN | ACK, {"", "P2", SAME, 0}},
        {SYN, {"", "P2", SAME, 0}},
        {RST, {"", "R4", WEIR_CLOSED, WEIR_ERR_RESET}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct conn_fixture *f = start_in(ESTABLISHED_STAMPED);
        f->cfg.require_timestamps = true;
        conn_seg(f, cases[i].flags, 0, 0, 10);
        expect(f, "no timestamp", &cases[i].e);
    }
}

/* With rfc1337 no RST ends TIME-WAIT (RFC 1337 3 F1), wherever it stands. */
static void run_rfc1337(void)
{
    static const int places_of_rst[] = {0, 1, -1, 1000, -1000};
    static const struct expected stays = {"", "R7", SAME, 0}, before = {"", "Q3", SAME, 0};
    for (size_t i = 0; i < sizeof places_of_rst / sizeof *places_of_rst; i++) {
        struct conn_fixture *f = start_in(IN_TIME_WAIT);
        f->cfg.rfc1337 = true;
        conn_seg(f, RST, places_of_rst[i], 0, 0);
        expect(f, "RST in TIME-WAIT", places_of_rst[i] < 0 ? &before : &stays);
    }
}

static void test_timestamps_in_states(void **state)
{
    (void)state;
    for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
        rows_begin(&places[p]);
        run_stamps();
        run_missing_stamps();
        run_rfc1337();
        assert_int_equal(rows_failed, 0);
    }
}

/* ---- what a segment leaves behind -------------------------------------------------------------------------------- */

static uint32_t readable(const struct conn_fixture *f)
{
    weir_info info;
    weir_info_get(&f->c, &info);
    return info.rcv_queued;
}

/* Text is taken by T2 and by nothing else: of all rows above, those that end before it leave nothing to read. */
static void test_refused_text_leaves_nothing(void **state)
{
    (void)state;
    unsigned taken = 0;
    place = places[0];
    for (size_t i = 0; i < sizeof arrivals / sizeof arrivals[0]; i++) {
        const struct arrival *a = &arrivals[i];
        struct conn_fixture *f = start_in(a->start);
        uint32_t before = readable(f);
        conn_seg(f, a->flags, a->seq, a->ack != UNA ? a->ack : 0, a->len);
        bool t2 = fired(f, "T2");
        if (!t2 && readable(f) != before) {
            fail_msg("%s: %lu octets to read", a->name, (unsigned long)readable(f));
        }
        taken += readable(f) > before;
    }
    assert_true(taken > 15);
}

/* What can be read is what was sent, octet by octet, over the end of the ring and whatever order it came in. */
static void test_octets_arrive_as_sent(void **state)
{
    (void)state;
    static const struct {
        int32_t seq;
        uint32_t len;
    } pieces[] = {{50, 50}, {200, 100}, {100, 120}, {40, 20}, {0, 45}, {250, 60}, {300, 700}};
    uint8_t got[CONN_RX];
    size_t len;
    for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
        place = places[p];
        struct conn_fixture *f = start_in(IN_ESTABLISHED);
        for (unsigned round = 0; round < 9; round++) { /* 9000 octets: twice round the ring */
            weir_seq base = f->c.rcv.nxt;
            for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
                int32_t offset = (int32_t)(base.v + (uint32_t)pieces[i].seq - f->c.rcv.nxt.v);
                conn_take(f, ACK, offset, 0, pieces[i].len);
            }
            assert_int_equal(readable(f), 1000);
            assert_int_equal(weir_recv(&f->c, got, sizeof got, &len, f->now), WEIR_ERR_NONE);
            assert_int_equal(len, 1000);
            for (uint32_t i = 0; i < 1000; i++) {
                assert_int_equal(got[i], conn_octet(base.v + i));
            }
            conn_drain(f);
        }
    }
}

/* An in-order segment swallows runs that came before it, ends inside one, or ends between two. */
static void test_one_segment_over_several_runs(void **state)
{
    (void)state;
    static const struct {
        uint32_t len, reached;
    } cases[] = {{49, 49}, {50, 100}, {60, 100}, {100, 100}, {120, 120}, {150, 200}, {170, 200}, {250, 250}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t got[512];
        size_t len;
        struct conn_fixture *f = start_in(IN_ESTABLISHED);
        weir_seq base = f->c.rcv.nxt;
        conn_take(f, ACK, 50, 0, 50);
        conn_take(f, ACK, 150, 0, 50);
        conn_take(f, ACK, 0, 0, cases[i].len);
        assert_int_equal(readable(f), cases[i].reached);
        assert_int_equal(weir_recv(&f->c, got, sizeof got, &len, f->now), WEIR_ERR_NONE);
        for (uint32_t k = 0; k < len; k++) {
            assert_int_equal(got[k], conn_octet(base.v + k));
        }
    }
}

/* Octets of a segment that was accepted only for its ACK count, window and all (RFC 9293 3.10.7.4 fifth). */
static void test_acknowledgments_free_the_ring(void **state)
{
    (void)state;
    weir_info info;
    struct conn_fixture *f = start_in(ESTABLISHED_SENT);
    weir_info_get(&f->c, &info);
    assert_int_equal(info.snd_queued, 500);
    conn_take(f, ACK, 0, -200, 0);
    weir_info_get(&f->c, &info);
    assert_int_equal(info.snd_queued, 200);
    assert_int_equal(info.octets_acked, 300);
    assert_false(weir_events(&f->c) & WEIR_EV_SENT);
    conn_take(f, ACK, 0, 0, 0);
    assert_true(weir_events(&f->c) & WEIR_EV_SENT);
}

/* SND.WND follows SND.WL1 and SND.WL2: an older segment does not change it (stacks have taken it from any segment). */
static void test_old_segments_do_not_set_the_window(void **state)
{
    (void)state;
    weir_info info;
    struct conn_fixture *f = start_in(ESTABLISHED_SENT);
    weir_fields g = conn_fields(f, ACK, 10, -200);
    g.window = 3000;
    conn_input(f, &g, 10); /* SND.WL1 is now RCV.NXT + 10 */
    g = conn_fields(f, ACK, 0, -100);
    g.window = 1;
    conn_input(f, &g, 5); /* older: its ACK and text count, its window does not */
    weir_info_get(&f->c, &info);
    assert_int_equal(info.snd_wnd, 3000);
    assert_int_equal(info.unacked, 100);
    g = conn_fields(f, ACK, 15, -300);
    g.window = 2;
    conn_input(f, &g, 0); /* newer, but its ACK is older than SND.UNA */
    weir_info_get(&f->c, &info);
    assert_int_equal(info.snd_wnd, 3000);
    g = conn_fields(f, ACK, 15, -100);
    g.window = 4;
    conn_input(f, &g, 0);
    weir_info_get(&f->c, &info);
    assert_int_equal(info.snd_wnd, 4);
    g = conn_fields(f, ACK, CONN_RX, 0);
    g.window = 5;
    conn_input(f, &g, 0); /* past the window: nothing of it counts */
    weir_info_get(&f->c, &info);
    assert_int_equal(info.snd_wnd, 4);
}

/* RFC 5961 7: ten in five seconds, for each connection by itself; text that is refused is still answered, its sender waits. */
static void test_challenges_are_limited(void **state)
{
    (void)state;
    static const unsigned kinds[] = {RST, SYN, ACK};
    for (size_t k = 0; k < 3; k++) {
        struct conn_fixture *f = start_in(IN_ESTABLISHED), *other = start_in(IN_ESTABLISHED);
        unsigned answers = 0;
        for (unsigned i = 0; i < 100; i++) {
            conn_seg(f, kinds[k], 1, 100000, 0);
            answers += strcmp(conn_says(f), "ACK +0 +0") == 0;
        }
        assert_int_equal(answers, f->cfg.challenge_count);
        conn_seg(other, RST, 1, 0, 0);
        conn_expect(other, "ACK +0 +0", WEIR_ESTABLISHED);
        conn_seg(f, ACK, -10, 0, 10);
        conn_expect(f, "ACK +0 +0", WEIR_ESTABLISHED);
        conn_later(f, f->cfg.challenge_interval_us);
        conn_seg(f, RST, 1, 0, 0);
        conn_expect(f, "ACK +0 +0", WEIR_ESTABLISHED);
    }
}

/* Two ends that disagree about what was sent answer each other's empty ACKs: that must die out (RFC 5961 10). */
static void test_no_war_of_acks(void **state)
{
    (void)state;
    struct conn_fixture *a = start_in(IN_ESTABLISHED);
    unsigned said = 0;
    for (unsigned i = 0; i < 1000; i++) {
        conn_seg(a, ACK, 200000, 100000, 0);
        said += conn_says(a)[0] != '\0';
    }
    assert_in_range(said, 1, a->cfg.challenge_count);
}

/* ---- user calls -------------------------------------------------------------------------------------------------- */

enum call { CALL_LISTEN, CALL_CONNECT, CALL_CONNECT_NOBODY, CALL_SEND, CALL_RECEIVE, CALL_CLOSE, CALL_ABORT };

struct called {
    enum start start;
    enum call call;
    weir_err result;
    const char *answer;
    enum weir_state next;
    const char *row;
    const char *name;
    weir_err err;
};

static weir_err user_send(struct conn_fixture *f)
{
    static const uint8_t octets[100];
    weir_slice s = {octets, sizeof octets};
    size_t sent;
    weir_err err = weir_send(&f->c, s, 0, &sent, f->now);
    assert_int_equal(sent, err == WEIR_ERR_NONE ? sizeof octets : 0);
    return err;
}

static weir_err user_receive(struct conn_fixture *f)
{
    uint8_t octets[100];
    size_t got;
    weir_err err = weir_recv(&f->c, octets, 0, &got, f->now); /* the event itself, nothing consumed */
    assert_int_equal(got, 0);
    return err;
}

static weir_err call_user(struct conn_fixture *f, enum call call)
{
    weir_tuple t = conn_tuple();
    switch (call) {
    case CALL_LISTEN: return weir_listen(&f->c, &t, f->now);
    case CALL_CONNECT: return weir_connect(&f->c, &t, f->now);
    case CALL_CONNECT_NOBODY: t.remote_port = 0; return weir_connect(&f->c, &t, f->now);
    case CALL_SEND: return user_send(f);
    case CALL_RECEIVE: return user_receive(f);
    case CALL_CLOSE: return weir_close(&f->c, f->now);
    default: return weir_abort(&f->c, f->now);
    }
}

#define NOT_EXIST WEIR_ERR_NOT_EXIST
#define EXISTS WEIR_ERR_EXISTS
#define CLOSING_ERR WEIR_ERR_CLOSING
#define UNSPECIFIED WEIR_ERR_UNSPECIFIED
#define ABORTED WEIR_ERR_ABORTED

static const struct called calls[] = {
    /* 3.10.1, passive */
    {IN_CLOSED, CALL_LISTEN, 0, "", WEIR_LISTEN, "OP1", "passive OPEN", 0},
    {CLOSED_KNOWN, CALL_LISTEN, 0, "", WEIR_LISTEN, "OP1", "passive OPEN of a connection that was used before", 0},
    /* 3.10.1, active */
    {IN_CLOSED, CALL_CONNECT, 0, "SYN ISS", WEIR_SYN_SENT, "OA1", "active OPEN", 0},
    {CLOSED_KNOWN, CALL_CONNECT, 0, "SYN ISS", WEIR_SYN_SENT, "OA1", "active OPEN of a connection that was used before", 0},
    {IN_LISTEN, CALL_CONNECT, 0, "SYN ISS", WEIR_SYN_SENT, "OA1", "active OPEN in LISTEN", 0},
    {LISTEN_ANYONE, CALL_CONNECT, 0, "SYN ISS", WEIR_SYN_SENT, "OA1", "the same where anyone could come", 0},
    {IN_CLOSED, CALL_CONNECT_NOBODY, UNSPECIFIED, "", SAME, "OA2", "active OPEN without a remote socket", 0},
    {IN_LISTEN, CALL_CONNECT_NOBODY, UNSPECIFIED, "", SAME, "OA2", "the same in LISTEN", 0},
    /* 3.10.2 */
    {IN_CLOSED, CALL_SEND, NOT_EXIST, "", SAME, "SE1", "SEND", 0},
    {IN_LISTEN, CALL_SEND, 0, "SYN ISS", WEIR_SYN_SENT, "SE2", "SEND opens", 0},
    {LISTEN_ANYONE, CALL_SEND, UNSPECIFIED, "", SAME, "SE3", "SEND to nobody", 0},
    {IN_SYN_SENT, CALL_SEND, 0, "", SAME, "SE4", "SEND is queued", 0},
    {IN_SYN_RECEIVED, CALL_SEND, 0, "", SAME, "SE4", "SEND is queued", 0},
    {SYN_RECEIVED_ACTIVE, CALL_SEND, 0, "", SAME, "SE4", "SEND is queued", 0},
    {SYN_RECEIVED_HELD, CALL_SEND, 0, "", SAME, "SE4", "SEND before weir_admit is queued", 0},
    {SYN_RECEIVED_CLOSED, CALL_SEND, CLOSING_ERR, "", SAME, "SE5", "SEND after CLOSE", 0},
    {IN_ESTABLISHED, CALL_SEND, 0, "ACK +0 +0 len 100", SAME, "SE4", "SEND", 0},
    {IN_CLOSE_WAIT, CALL_SEND, 0, "ACK +0 +0 len 100", SAME, "SE4", "SEND", 0},
    {IN_FIN_WAIT_1, CALL_SEND, CLOSING_ERR, "", SAME, "SE5", "SEND after CLOSE", 0},
    {IN_FIN_WAIT_2, CALL_SEND, CLOSING_ERR, "", SAME, "SE5", "SEND after CLOSE", 0},
    {IN_CLOSING, CALL_SEND, CLOSING_ERR, "", SAME, "SE5", "SEND after CLOSE", 0},
    {IN_LAST_ACK, CALL_SEND, CLOSING_ERR, "", SAME, "SE5", "SEND after CLOSE", 0},
    {IN_TIME_WAIT, CALL_SEND, CLOSING_ERR, "", SAME, "SE5", "SEND after CLOSE", 0},
    /* 3.10.3 */
    {IN_CLOSED, CALL_RECEIVE, NOT_EXIST, "", SAME, "RE2", "RECEIVE", 0},
    {CLOSED_KNOWN, CALL_RECEIVE, NOT_EXIST, "", SAME, "RE2", "RECEIVE", 0},
    {IN_LISTEN, CALL_RECEIVE, 0, "", SAME, "RE3", "RECEIVE waits", 0},
    {IN_SYN_SENT, CALL_RECEIVE, 0, "", SAME, "RE3", "RECEIVE waits", 0},
    {IN_SYN_RECEIVED, CALL_RECEIVE, 0, "", SAME, "RE3", "RECEIVE waits", 0},
    {IN_ESTABLISHED, CALL_RECEIVE, 0, "", SAME, "RE3", "RECEIVE waits", 0},
    {IN_FIN_WAIT_1, CALL_RECEIVE, 0, "", SAME, "RE3", "RECEIVE waits: the other half is open", 0},
    {IN_FIN_WAIT_2, CALL_RECEIVE, 0, "", SAME, "RE3", "RECEIVE waits: the other half is open", 0},
    {ESTABLISHED_UNREAD, CALL_RECEIVE, 0, "", SAME, "RE1", "RECEIVE finds text", 0},
    {FIN_WAIT_2_UNREAD, CALL_RECEIVE, 0, "", SAME, "RE1", "RECEIVE finds text", 0},
    {CLOSE_WAIT_UNREAD, CALL_RECEIVE, 0, "", SAME, "RE1", "RECEIVE finds what came before the FIN", 0},
    {IN_CLOSE_WAIT, CALL_RECEIVE, CLOSING_ERR, "", SAME, "RE4", "RECEIVE: nothing more comes", 0},
    {IN_CLOSING, CALL_RECEIVE, CLOSING_ERR, "", SAME, "RE4", "RECEIVE: nothing more comes", 0},
    {IN_LAST_ACK, CALL_RECEIVE, CLOSING_ERR, "", SAME, "RE4", "RECEIVE: nothing more comes", 0},
    {IN_TIME_WAIT, CALL_RECEIVE, CLOSING_ERR, "", SAME, "RE4", "RECEIVE: nothing more comes", 0},
    /* 3.10.4 */
    {IN_CLOSED, CALL_CLOSE, NOT_EXIST, "", SAME, "CL1", "CLOSE", 0},
    {IN_LISTEN, CALL_CLOSE, 0, "", WEIR_CLOSED, "CL2", "CLOSE", 0},
    {LISTEN_ANYONE, CALL_CLOSE, 0, "", WEIR_CLOSED, "CL2", "CLOSE", 0},
    {IN_SYN_SENT, CALL_CLOSE, 0, "", WEIR_CLOSED, "CL2", "CLOSE: the peer learns of it by our answer to his SYN,ACK", ABORTED},
    {SYN_SENT_QUEUED, CALL_CLOSE, 0, "", WEIR_CLOSED, "CL2", "CLOSE: what was queued is lost", ABORTED},
    {SYN_RECEIVED_CLOSED, CALL_CLOSE, CLOSING_ERR, "", SAME, "CL3", "CLOSE twice", 0},
    {SYN_RECEIVED_QUEUED, CALL_CLOSE, 0, "", SAME, "CL4", "CLOSE waits behind what is queued", 0},
    {IN_SYN_RECEIVED, CALL_CLOSE, 0, "FIN,ACK +0 +0", WEIR_FIN_WAIT_1, "CL5", "CLOSE with nothing queued", 0},
    {SYN_RECEIVED_ACTIVE, CALL_CLOSE, 0, "FIN,ACK +0 +0", WEIR_FIN_WAIT_1, "CL5", "CLOSE with nothing queued", 0},
    {IN_ESTABLISHED, CALL_CLOSE, 0, "FIN,ACK +0 +0", WEIR_FIN_WAIT_1, "CL5", "CLOSE (figure 12)", 0},
    {ESTABLISHED_SENT, CALL_CLOSE, 0, "FIN,ACK +0 +0", WEIR_FIN_WAIT_1, "CL5", "CLOSE behind text in flight", 0},
    {IN_CLOSE_WAIT, CALL_CLOSE, 0, "FIN,ACK +0 +0", WEIR_LAST_ACK, "CL6", "CLOSE (figure 12)", 0},
    {IN_FIN_WAIT_1, CALL_CLOSE, CLOSING_ERR, "", SAME, "CL7", "CLOSE twice", 0},
    {IN_FIN_WAIT_2, CALL_CLOSE, CLOSING_ERR, "", SAME, "CL7", "CLOSE twice", 0},
    {IN_CLOSING, CALL_CLOSE, CLOSING_ERR, "", SAME, "CL7", "CLOSE twice", 0},
    {IN_LAST_ACK, CALL_CLOSE, CLOSING_ERR, "", SAME, "CL7", "CLOSE twice", 0},
    {IN_TIME_WAIT, CALL_CLOSE, CLOSING_ERR, "", SAME, "CL7", "CLOSE twice", 0},
    /* 3.10.5 */
    {IN_CLOSED, CALL_ABORT, NOT_EXIST, "", SAME, "AB1", "ABORT", 0},
    {IN_LISTEN, CALL_ABORT, 0, "", WEIR_CLOSED, "AB2", "ABORT: nobody to tell", 0},
    {IN_SYN_SENT, CALL_ABORT, 0, "", WEIR_CLOSED, "AB2", "ABORT: nobody to tell", ABORTED},
    {IN_SYN_RECEIVED, CALL_ABORT, 0, "RST,ACK +0 +0", WEIR_CLOSED, "AB3", "ABORT: a peer in SYN-SENT needs the ACK", ABORTED},
    {SYN_RECEIVED_ACTIVE, CALL_ABORT, 0, "RST,ACK +0 +0", WEIR_CLOSED, "AB3", "ABORT", ABORTED},
    {SYN_RECEIVED_HELD, CALL_ABORT, 0, "RST,ACK 0 +0", WEIR_CLOSED, "AB3", "ABORT instead of weir_admit: as if nobody listened", ABORTED},
    {SYN_RECEIVED_CLOSED, CALL_ABORT, 0, "RST,ACK +0 +0", WEIR_CLOSED, "AB3", "ABORT", ABORTED},
    {IN_ESTABLISHED, CALL_ABORT, 0, "RST +0", WEIR_CLOSED, "AB3", "ABORT", ABORTED},
    {ESTABLISHED_SENT, CALL_ABORT, 0, "RST +0", WEIR_CLOSED, "AB3", "ABORT: SEQ is SND.NXT", ABORTED},
    {ESTABLISHED_STAMPED, CALL_ABORT, 0, "RST +0", WEIR_CLOSED, "AB3", "ABORT", ABORTED},
    {IN_FIN_WAIT_1, CALL_ABORT, 0, "RST +0", WEIR_CLOSED, "AB3", "ABORT", ABORTED},
    {FIN_WAIT_1_SENT, CALL_ABORT, 0, "RST +0", WEIR_CLOSED, "AB3", "ABORT", ABORTED},
    {IN_FIN_WAIT_2, CALL_ABORT, 0, "RST +0", WEIR_CLOSED, "AB3", "ABORT", ABORTED},
    {IN_CLOSE_WAIT, CALL_ABORT, 0, "RST +0", WEIR_CLOSED, "AB3", "ABORT", ABORTED},
    {IN_CLOSING, CALL_ABORT, 0, "", WEIR_CLOSED, "AB4", "ABORT says ok", ABORTED},
    {IN_LAST_ACK, CALL_ABORT, 0, "", WEIR_CLOSED, "AB4", "ABORT says ok", ABORTED},
    {LAST_ACK_QUEUED, CALL_ABORT, 0, "RST +0", WEIR_CLOSED, "AB5", "ABORT: a peer that waits for the rest must not wait for ever", ABORTED},
    {IN_TIME_WAIT, CALL_ABORT, 0, "", WEIR_CLOSED, "AB4", "ABORT says ok", 0},
};

static void call_in(const struct called *t)
{
    struct conn_fixture *f = start_in(t->start);
    conn_mark(f);
    weir_err result = call_user(f, t->call);
    struct expected e = {t->answer, t->row, t->next, t->err};
    if (result != t->result) {
        print_error("%s: expected %s\n", t->name, weir_err_name(t->result));
    }
    assert_string_equal(weir_err_name(result), weir_err_name(t->result));
    expect(f, t->name, &e);
}

/* OPEN where there is a connection. */
static void run_open_again(void)
{
    for (unsigned s = IN_LISTEN; s <= IN_TIME_WAIT; s++) {
        struct called again = {(enum start)s, CALL_LISTEN, EXISTS, "", SAME, "OP2", "passive OPEN again", 0};
        call_in(&again);
        if (s >= IN_SYN_SENT) {
            again.call = CALL_CONNECT;
            again.row = "OA3";
            call_in(&again);
            again.call = CALL_CONNECT_NOBODY;
            call_in(&again);
        }
    }
}

static void test_calls_in_every_state(void **state)
{
    (void)state;
    for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
        rows_begin(&places[p]);
        for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
            call_in(&calls[i]);
        }
        run_open_again();
        assert_int_equal(rows_failed, 0);
        assert_true(rows_run > 90);
    }
}

/* STATUS (3.10.6): the state's name. */
static void test_status(void **state)
{
    (void)state;
    static const char *const names[] = {"CLOSED",     "LISTEN",     "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
                                        "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",  "LAST-ACK",     "TIME-WAIT"};
    for (unsigned s = 0; s < WEIR_STATE_COUNT; s++) {
        assert_string_equal(weir_state_name(weir_state(&conn_in((enum weir_state)s)->c)), names[s]);
    }
    assert_string_equal(weir_state_name(WEIR_STATE_COUNT), "?");
}

/* A CLOSE or ABORT that an OPEN follows leaves nothing of the old connection. */
static void test_a_connection_can_be_used_again(void **state)
{
    (void)state;
    for (unsigned s = 0; s < WEIR_STATE_COUNT; s++) {
        struct conn_fixture *f = conn_in((enum weir_state)s), *g = conn_new();
        (void)weir_abort(&f->c, f->now);
        conn_drain(f);
        g->now = f->now;
        conn_go(f, WEIR_ESTABLISHED);
        conn_go(g, WEIR_ESTABLISHED);
        weir_info a, b;
        weir_info_get(&f->c, &a);
        weir_info_get(&g->c, &b);
        assert_memory_equal(&a, &b, sizeof a);
        assert_int_equal(f->c.snd.iss.v, g->c.snd.iss.v);
        assert_int_equal(weir_error(&f->c), WEIR_ERR_NONE);
        assert_int_equal(f->c.flags, g->c.flags);
    }
}

/* What can be known by looking: the level bits in each state. */
static void test_events_in_every_state(void **state)
{
    (void)state;
    const unsigned w = WEIR_EV_WRITABLE, con = WEIR_EV_CONNECTED, fin = WEIR_EV_PEER_FIN, sent = WEIR_EV_SENT;
    const unsigned events[] = {
        [WEIR_CLOSED] = WEIR_EV_CLOSED,
        [WEIR_LISTEN] = w,
        [WEIR_SYN_SENT] = w,
        [WEIR_SYN_RECEIVED] = w,
        [WEIR_ESTABLISHED] = w | con | sent,
        [WEIR_FIN_WAIT_1] = con,
        [WEIR_FIN_WAIT_2] = con | sent,
        [WEIR_CLOSE_WAIT] = w | con | fin | sent,
        [WEIR_CLOSING] = con | fin,
        [WEIR_LAST_ACK] = con | fin,
        [WEIR_TIME_WAIT] = con | fin | sent,
    };
    for (unsigned s = 0; s < WEIR_STATE_COUNT; s++) {
        struct conn_fixture *f = conn_in((enum weir_state)s);
        if (s != WEIR_CLOSED && s != WEIR_LISTEN && weir_events(&f->c) != events[s]) {
            fail_msg("%s: events %#x, expected %#x", weir_state_name((enum weir_state)s), weir_events(&f->c), events[s]);
        }
    }
    assert_true(weir_events(&conn_in(WEIR_CLOSED)->c) & WEIR_EV_CLOSED);
    assert_true(weir_events(&start_in(ESTABLISHED_UNREAD)->c) & WEIR_EV_READABLE);
    assert_true(weir_events(&start_in(CLOSE_WAIT_UNREAD)->c) & WEIR_EV_READABLE);
    assert_true(weir_events(&start_in(SYN_RECEIVED_HELD)->c) & WEIR_EV_HELD);
    assert_false(weir_events(&start_in(ESTABLISHED_SENT)->c) & WEIR_EV_SENT);
}

/* ---- timeouts (3.10.8) and ICMP ---------------------------------------------------------------------------------- */

struct timed {
    enum start start;
    const char *answer;
    enum weir_state next;
    const char *row;
    const char *name;
    weir_err err;
};

/* The first deadline of each. */
static const struct timed first_deadlines[] = {
    {IN_SYN_SENT, "SYN ISS", SAME, "TR2", "the SYN again", 0},
    {SYN_SENT_QUEUED, "SYN ISS", SAME, "TR2", "the SYN again, without text", 0},
    {IN_SYN_RECEIVED, "SYN,ACK ISS +0", SAME, "TR2", "the SYN,ACK again", 0},
    {SYN_RECEIVED_ACTIVE, "SYN,ACK ISS +0", SAME, "TR2", "the SYN,ACK again", 0},
    {SYN_RECEIVED_CLOSED, "SYN,ACK ISS +0", SAME, "TR2", "the SYN,ACK again, no FIN yet", 0},
    {ESTABLISHED_SENT, "ACK -500 +0 len 500", SAME, "TR2", "the text again", 0},
    {IN_FIN_WAIT_1, "FIN,ACK -1 +0", SAME, "TR2", "the FIN again", 0},
    {FIN_WAIT_1_SENT, "FIN,ACK -501 +0 len 500", SAME, "TR2", "text and FIN again", 0},
    {FIN_WAIT_1_EARLY, "SYN,ACK ISS +0", SAME, "TR2", "the SYN,ACK again: it comes before the FIN", 0},
    {IN_CLOSING, "FIN,ACK -1 +0", SAME, "TR2", "the FIN again", 0},
    {IN_LAST_ACK, "FIN,ACK -1 +0", SAME, "TR2", "the FIN again", 0},
    {LAST_ACK_SENT, "FIN,ACK -501 +0 len 500", SAME, "TR2", "text and FIN again", 0},
    {IN_TIME_WAIT, "", WEIR_CLOSED, "TL1", "2MSL have passed (figure 12)", 0},
    {FIN_WAIT_2_RELEASED, "", WEIR_CLOSED, "TL2", "no FIN came, and nobody waits for it", 0},
};

/* What nothing is waited for has no deadline. */
static const enum start idle[] = {IN_CLOSED,     CLOSED_KNOWN,       IN_LISTEN,     LISTEN_ANYONE,    IN_ESTABLISHED,    ESTABLISHED_UNREAD,
                                  IN_FIN_WAIT_2, FIN_WAIT_2_UNREAD, IN_CLOSE_WAIT, CLOSE_WAIT_UNREAD, SYN_RECEIVED_HELD};

static void test_the_first_deadline_in_every_state(void **state)
{
    (void)state;
    for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
        rows_begin(&places[p]);
        for (size_t i = 0; i < sizeof first_deadlines / sizeof first_deadlines[0]; i++) {
            const struct timed *t = &first_deadlines[i];
            struct conn_fixture *f = start_in(t->start);
            struct expected e = {t->answer, t->row, t->next, t->err};
            assert_true(conn_wait(f));
            expect(f, t->name, &e);
        }
        assert_int_equal(rows_failed, 0);
    }
    for (size_t i = 0; i < sizeof idle / sizeof idle[0]; i++) {
        struct conn_fixture *f = start_in(idle[i]);
        if (idle[i] != SYN_RECEIVED_HELD) { /* which waits for its user, so long as a handshake may take */
            assert_int_equal(weir_deadline(&f->c), WEIR_FOREVER);
        }
    }
}

/* When nobody ever answers. */
static const struct timed last_deadlines[] = {
    {IN_SYN_SENT, "", WEIR_CLOSED, "TU3", "SYN", WEIR_ERR_TIMEOUT},
    {IN_SYN_RECEIVED, "", WEIR_LISTEN, "TU2", "SYN,ACK of a passive open: it listens again", 0},
    {SYN_RECEIVED_HELD, "", WEIR_LISTEN, "TU2", "weir_admit never came", 0},
    {SYN_RECEIVED_ACTIVE, "", WEIR_CLOSED, "TU3", "SYN,ACK of an active open", WEIR_ERR_TIMEOUT},
    {SYN_RECEIVED_CLOSED, "", WEIR_CLOSED, "TU3", "SYN,ACK after CLOSE: no LISTEN for nobody", WEIR_ERR_TIMEOUT},
    {ESTABLISHED_SENT, "", WEIR_CLOSED, "TU3", "text", WEIR_ERR_TIMEOUT},
    {IN_FIN_WAIT_1, "", WEIR_CLOSED, "TU3", "FIN", WEIR_ERR_TIMEOUT},
    {FIN_WAIT_1_SENT, "", WEIR_CLOSED, "TU3", "text and FIN", WEIR_ERR_TIMEOUT},
    {FIN_WAIT_1_EARLY, "", WEIR_CLOSED, "TU3", "SYN,ACK and FIN", WEIR_ERR_TIMEOUT},
    {FIN_WAIT_1_RELEASED, "", WEIR_CLOSED, "TU3", "FIN of a released connection", WEIR_ERR_TIMEOUT},
    {IN_CLOSING, "", WEIR_CLOSED, "TU3", "FIN", WEIR_ERR_TIMEOUT},
    {IN_LAST_ACK, "", WEIR_CLOSED, "TU3", "FIN", WEIR_ERR_TIMEOUT},
    {LAST_ACK_SENT, "", WEIR_CLOSED, "TU3", "text and FIN", WEIR_ERR_TIMEOUT},
};

/* How long giving up may take: R2, and for SYNs at least 3 minutes (MUST-20, MUST-21, MUST-23). */
static weir_us give_up_after(const struct conn_fixture *f, enum start start)
{
    if (start == FIN_WAIT_1_RELEASED) {
        return f->cfg.orphan_us;
    }
    bool opening = start == IN_SYN_SENT || (start >= SYN_RECEIVED_HELD && start <= SYN_RECEIVED_CLOSED) || start == IN_SYN_RECEIVED;
    return opening ? f->cfg.r2_syn_us : f->cfg.r2_us;
}

static void test_silence_ends_every_wait(void **state)
{
    (void)state;
    rows_begin(&places[0]);
    for (size_t i = 0; i < sizeof last_deadlines / sizeof last_deadlines[0]; i++) {
        const struct timed *t = &last_deadlines[i];
        struct conn_fixture *f = start_in(t->start);
        struct expected e = {t->answer, t->row, t->next, t->err};
        enum weir_state from = weir_state(&f->c);
        weir_us begun = f->now;
        for (unsigned turn = 0; turn < 100 && weir_state(&f->c) == from; turn++) {
            conn_drain(f);
            assert_true(conn_wait(f));
        }
        expect(f, t->name, &e);
        assert_in_range(f->now - begun, give_up_after(f, t->start), give_up_after(f, t->start) + CONN_SECOND);
    }
    assert_int_equal(rows_failed, 0);
}

/* Retransmissions come at ever larger distances, up to the largest (RFC 6298 5.5; MUST-19). */
static void test_backoff(void **state)
{
    (void)state;
    struct conn_fixture *f = start_in(ESTABLISHED_SENT);
    weir_us last = 0;
    for (unsigned i = 0; i < 9; i++) {
        weir_us before = f->now;
        assert_true(conn_wait(f));
        conn_expect(f, "ACK -500 +0 len 500", WEIR_ESTABLISHED);
        weir_us gap = f->now - before;
        assert_true(i == 0 || gap == 2 * last || gap == f->cfg.rto_max_us);
        last = gap;
    }
    assert_int_equal(!!(weir_events(&f->c) & WEIR_EV_SUSPECT), 1); /* R1 has passed (SHLD-9, SHLD-10) */
    conn_take(f, ACK, 0, 0, 0);
    assert_false(weir_events(&f->c) & WEIR_EV_SUSPECT);
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    conn_drain(f);
    assert_int_equal(weir_deadline(&f->c) - f->now, 2 * last); /* no sample yet: the path may be that slow (RFC 6298 5, Karn) */
    conn_take(f, ACK, 0, 0, 0);
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE); /* now the next wait begins from the beginning */
    conn_drain(f);
    assert_true(weir_deadline(&f->c) < f->now + 10 * CONN_SECOND);
}

/* 2MSL count from the last FIN seen (3.6.1). */
static void test_time_wait_starts_again_with_each_fin(void **state)
{
    (void)state;
    struct conn_fixture *f = start_in(IN_TIME_WAIT);
    weir_us life = 2 * f->cfg.msl_us;
    for (unsigned i = 0; i < 5; i++) {
        conn_later(f, life - 1);
        conn_seg(f, FIN | ACK, -1, 0, 0);
        conn_expect(f, "ACK +0 +0", WEIR_TIME_WAIT);
    }
    conn_later(f, life - 1);
    conn_seg(f, ACK, 0, 0, 0); /* nothing but a FIN prolongs it */
    conn_expect(f, "", WEIR_TIME_WAIT);
    conn_later(f, 1);
    conn_expect(f, "", WEIR_CLOSED);
}

/* Early, late and repeated calls of weir_expire change nothing they should not. */
static void test_expire_is_harmless(void **state)
{
    (void)state;
    for (unsigned s = 0; s < WEIR_STATE_COUNT; s++) {
        struct conn_fixture *f = conn_in((enum weir_state)s);
        weir_us due = weir_deadline(&f->c);
        for (unsigned i = 0; i < 3; i++) {
            conn_later(f, 0);
            assert_int_equal(weir_deadline(&f->c), due);
            conn_expect(f, "", (enum weir_state)s);
        }
    }
}

static void icmp_in(enum start start, enum weir_icmp_kind kind, bool heeded, const char *row, enum weir_state next, weir_err err)
{
    struct conn_fixture *f = start_in(start);
    weir_icmp icmp = {kind, f->c.snd.una, 0};
    struct expected e = {"", row, next, err};
    enum weir_state from = weir_state(&f->c);
    assert_int_equal(weir_input_icmp(&f->c, &icmp, f->now), heeded);
    if (row != NULL) {
        expect(f, "hard ICMP error", &e);
    } else {
        conn_expect(f, "", from);
    }
    if (heeded && weir_state(&f->c) == from) {
        assert_true(weir_events(&f->c) & WEIR_EV_SUSPECT);
    }
}

static void test_icmp_in_every_state(void **state)
{
    (void)state;
    rows_begin(&places[0]);
    /* Hard errors end what is not open yet, by the user's own doing; anything else is a hint (RFC 5927 5.2). */
    icmp_in(IN_SYN_SENT, WEIR_ICMP_HARD, true, "IH1", WEIR_CLOSED, WEIR_ERR_UNREACHABLE);
    icmp_in(SYN_RECEIVED_ACTIVE, WEIR_ICMP_HARD, true, "IH1", WEIR_CLOSED, WEIR_ERR_UNREACHABLE);
    icmp_in(IN_SYN_RECEIVED, WEIR_ICMP_HARD, true, "IH2", SAME, 0);
    icmp_in(ESTABLISHED_SENT, WEIR_ICMP_HARD, true, "IH2", SAME, 0);
    icmp_in(IN_FIN_WAIT_1, WEIR_ICMP_HARD, true, "IH2", SAME, 0);
    icmp_in(FIN_WAIT_1_EARLY, WEIR_ICMP_HARD, true, "IH2", SAME, 0);
    icmp_in(IN_CLOSING, WEIR_ICMP_HARD, true, "IH2", SAME, 0);
    icmp_in(IN_LAST_ACK, WEIR_ICMP_HARD, true, "IH2", SAME, 0);
    /* Nothing in flight: the quotation is of nothing we sent. */
    static const enum start quiet[] = {IN_CLOSED, CLOSED_KNOWN, IN_LISTEN, IN_ESTABLISHED, IN_FIN_WAIT_2, IN_CLOSE_WAIT, IN_TIME_WAIT};
    for (size_t i = 0; i < sizeof quiet / sizeof quiet[0]; i++) {
        for (unsigned kind = WEIR_ICMP_SOFT; kind <= WEIR_ICMP_TOO_BIG; kind++) {
            icmp_in(quiet[i], (enum weir_icmp_kind)kind, false, NULL, SAME, 0);
        }
    }
    for (unsigned s = IN_SYN_SENT; s <= IN_LAST_ACK; s++) {
        if (conn_flight(&start_in((enum start)s)->c) > 0) {
            icmp_in((enum start)s, WEIR_ICMP_SOFT, true, NULL, SAME, 0);
        }
    }
    assert_int_equal(rows_failed, 0);
}

/* LISTEN for anyone: who came and went is forgotten; LISTEN for one stays so. */
static void test_back_to_listen_for_anyone(void **state)
{
    (void)state;
    struct conn_fixture *f = start_in(LISTEN_ANYONE);
    assert_int_equal(weir_set_remote(&f->c, &f->tuple.remote, f->tuple.remote_port), WEIR_ERR_NONE);
    conn_seg(f, SYN, 0, 0, 0);
    conn_expect(f, "SYN,ACK ISS +1", WEIR_SYN_RECEIVED);
    assert_int_equal(weir_set_remote(&f->c, &f->tuple.remote, f->tuple.remote_port), WEIR_ERR_EXISTS);
    conn_seg(f, RST, 0, 0, 0);
    conn_expect(f, "", WEIR_LISTEN);
    assert_int_equal(weir_sockets(&f->c)->remote_port, 0);
    assert_true(weir_addr_is_unspecified(&weir_sockets(&f->c)->remote));
    conn_seg(f, SYN, 0, 0, 0);
    conn_expect(f, "", WEIR_LISTEN); /* nobody was named again */
    struct conn_fixture *one = start_in(IN_SYN_RECEIVED);
    conn_seg(one, RST, 0, 0, 0);
    conn_seg(one, SYN, 0, 0, 0);
    conn_expect(one, "SYN,ACK ISS +1", WEIR_SYN_RECEIVED);
}

/* ---- hold, release ----------------------------------------------------------------------------------------------- */

static void test_a_held_connection_is_silent_until_admitted(void **state)
{
    (void)state;
    struct conn_fixture *f = start_in(SYN_RECEIVED_HELD);
    conn_seg(f, SYN, -1, 0, 0);
    conn_expect(f, "", WEIR_SYN_RECEIVED);
    assert_int_equal(weir_admit(&f->c, f->now), WEIR_ERR_NONE);
    conn_expect(f, "SYN,ACK ISS +0", WEIR_SYN_RECEIVED);
    conn_seg(f, ACK, 0, 0, 0);
    conn_expect(f, "", WEIR_ESTABLISHED);
    assert_int_equal(weir_admit(&f->c, f->now), WEIR_ERR_NOT_EXIST);
    assert_int_equal(weir_admit(&start_in(IN_SYN_RECEIVED)->c, CONN_SECOND), WEIR_ERR_NOT_EXIST);
}

/* Nothing was told the peer: there is nothing it could acknowledge. */
static void test_a_held_connection_believes_no_acknowledgment(void **state)
{
    (void)state;
    struct conn_fixture *f = start_in(SYN_RECEIVED_HELD);
    conn_seg(f, ACK, 0, 1, 0); /* ISS + 1 */
    assert_int_equal(weir_state(&f->c), WEIR_SYN_RECEIVED);
}

static void test_close_of_a_held_connection_does_not_hang(void **state)
{
    (void)state;
    struct conn_fixture *f = start_in(SYN_RECEIVED_HELD);
    assert_int_equal(weir_close(&f->c, f->now), WEIR_ERR_NONE);
    conn_expect(f, "SYN,ACK ISS +0; FIN,ACK +1 +0", WEIR_FIN_WAIT_1);
    conn_seg(f, FIN | ACK, 0, 0, 0);
    conn_expect(f, "ACK +0 +1", WEIR_TIME_WAIT);
}

/* The user walks away in any state: CLOSED comes in bounded time whatever the peer does not do (3.6.1; MUST-14's other side). */
static void test_release_ends_in_every_state(void **state)
{
    (void)state;
    for (unsigned s = IN_CLOSED; s <= TIME_WAIT_STAMPED; s++) {
        place = places[0];
        struct conn_fixture *f = start_in((enum start)s);
        bool unread = readable(f) > 0;
        assert_int_equal(weir_release(&f->c, WEIR_FOREVER, f->now), WEIR_ERR_NONE);
        if (unread && s != IN_CLOSED) {
            assert_int_equal(weir_state(&f->c), WEIR_CLOSED); /* SHLD-3 */
            assert_true(strncmp(conn_says(f), "RST", 3) == 0);
        }
        weir_us begun = f->now;
        for (unsigned turn = 0; turn < 100 && weir_state(&f->c) != WEIR_CLOSED; turn++) {
            conn_drain(f);
            assert_true(conn_wait(f));
        }
        assert_int_equal(weir_state(&f->c), WEIR_CLOSED);
        assert_in_range(f->now - begun, 0, f->cfg.r2_syn_us + f->cfg.orphan_us + 2 * f->cfg.msl_us);
        assert_int_equal(weir_deadline(&f->c), WEIR_FOREVER);
    }
}

static void test_release_with_linger(void **state)
{
    (void)state;
    struct conn_fixture *f = start_in(IN_ESTABLISHED);
    assert_int_equal(weir_release(&f->c, 0, f->now), WEIR_ERR_NONE);
    conn_expect(f, "RST +0", WEIR_CLOSED);
    f = start_in(ESTABLISHED_SENT);
    assert_int_equal(weir_release(&f->c, 3 * CONN_SECOND, f->now), WEIR_ERR_NONE);
    conn_expect(f, "FIN,ACK +0 +0", WEIR_FIN_WAIT_1);
    conn_later(f, 3 * CONN_SECOND - 1);
    assert_int_equal(weir_state(&f->c), WEIR_FIN_WAIT_1);
    conn_later(f, 1);
    assert_int_equal(weir_state(&f->c), WEIR_CLOSED);
    f = start_in(ESTABLISHED_SENT);
    assert_int_equal(weir_release(&f->c, 3 * CONN_SECOND, f->now), WEIR_ERR_NONE);
    conn_drain(f);
    conn_take(f, ACK, 0, 0, 0); /* all acknowledged in time */
    conn_later(f, 3 * CONN_SECOND);
    assert_int_equal(weir_state(&f->c), WEIR_FIN_WAIT_2);
}

/* ---- the table, once more ---------------------------------------------------------------------------------------- */

/* Rows that make the table total, for events that no timer of a connection in these states has. */
static void fire_directly(enum start start, enum weiri_stage event, const char *row)
{
    struct conn_fixture *f = start_in(start);
    struct weiri_step s;
    struct expected e = {"", row, SAME, 0};
    memset(&s, 0, sizeof s);
    s.c = &f->c;
    s.facts = weiri_facts_call(&f->c);
    weiri_conn_begin(&f->c, f->now);
    weiri_fsm_call(&s, event);
    expect(f, "no such timer runs here", &e);
}

static void test_events_that_do_not_come_do_nothing(void **state)
{
    (void)state;
    rows_begin(&places[0]);
    static const enum start none[] = {IN_CLOSED, IN_LISTEN, IN_TIME_WAIT};
    for (size_t i = 0; i < 3; i++) {
        fire_directly(none[i], WEIRI_STAGE_TIMEOUT_USER, "TU1");
        fire_directly(none[i], WEIRI_STAGE_TIMEOUT_RESEND, "TR1");
    }
    for (unsigned s = IN_CLOSED; s < IN_TIME_WAIT; s++) {
        fire_directly((enum start)s, WEIRI_STAGE_TIMEOUT_LIFE, "TL3");
    }
    assert_int_equal(rows_failed, 0);
}

/* Runs last: every row of rows.h was named by a row above, and fired there. */
static void test_every_row_of_the_table_was_fired(void **state)
{
    (void)state;
    unsigned missing = 0;
    for (unsigned i = 0; i < weir_row_count(); i++) {
        if (!named[i]) {
            print_error("%s (%s) is named by no row here\n", weir_row_name(i), weir_row_section(i));
            missing++;
        }
    }
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tracers_are_told),
        cmocka_unit_test(test_segments_in_every_state),
        cmocka_unit_test(test_timestamps_in_states),
        cmocka_unit_test(test_refused_text_leaves_nothing),
        cmocka_unit_test(test_octets_arrive_as_sent),
        cmocka_unit_test(test_one_segment_over_several_runs),
        cmocka_unit_test(test_acknowledgments_free_the_ring),
        cmocka_unit_test(test_old_segments_do_not_set_the_window),
        cmocka_unit_test(test_challenges_are_limited),
        cmocka_unit_test(test_no_war_of_acks),
        cmocka_unit_test(test_calls_in_every_state),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_a_connection_can_be_used_again),
        cmocka_unit_test(test_events_in_every_state),
        cmocka_unit_test(test_the_first_deadline_in_every_state),
        cmocka_unit_test(test_silence_ends_every_wait),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_time_wait_starts_again_with_each_fin),
        cmocka_unit_test(test_expire_is_harmless),
        cmocka_unit_test(test_icmp_in_every_state),
        cmocka_unit_test(test_back_to_listen_for_anyone),
        cmocka_unit_test(test_a_held_connection_is_silent_until_admitted),
        cmocka_unit_test(test_a_held_connection_believes_no_acknowledgment),
        cmocka_unit_test(test_close_of_a_held_connection_does_not_hang),
        cmocka_unit_test(test_release_ends_in_every_state),
        cmocka_unit_test(test_release_with_linger),
        cmocka_unit_test(test_events_that_do_not_come_do_nothing),
        cmocka_unit_test(test_every_row_of_the_table_was_fired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
