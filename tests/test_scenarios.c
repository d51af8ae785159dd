/* test_scenarios.c - figures 6 to 13 of RFC 9293 between two connections, run from vectors/function/rfc9293_scenarios.txt to the octet:
 * sequence numbers are those printed, since a connection's clock can be set to give the ISS of the figure.
 *
 * A line is "A>B seq=100 ack=300 FIN,ACK  A=FIN-WAIT-1": A says that, B hears it at once. "A~>B" is on its way; "~B" is that, or an old
 * duplicate, reaching B. Knows the notation of that file; nothing of the connections' insides but the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn_fixture.h"

enum { LINES_MAX = 128, DELAYED_MAX = 4, Z = 77, X = 4000 /* the letters of figure 11 */ };

struct end {
    struct conn_fixture *f;
    weir_fields delayed[DELAYED_MAX]; /* said and not yet heard, oldest first */
    uint32_t delayed_len[DELAYED_MAX];
    unsigned delayed_count;
};

struct scene {
    struct end end[2]; /* A, B */
    char line[LINES_MAX][160];
    unsigned count, now;
    bool crossing; /* figure 7: see the trap in the file's head */
    unsigned resets;
};

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static bool number_after(const char *line, const char *key, uint32_t *value)
{
    const char *at = strstr(line, key);
    if (at == NULL) {
        return false;
    }
    at += strlen(key);
    bool letter = *at == 'Z' || *at == 'X';
    *value = *at == 'Z' ? Z : *at == 'X' ? X : (uint32_t)strtoul(at, NULL, 10);
    *value += letter && at[1] == '+' ? (uint32_t)strtoul(at + 2, NULL, 10) : 0;
    return true;
}

static bool has_word(const char *line, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = strstr(line, word); at != NULL; at = strstr(at + 1, word)) {
        bool begins = at == line || at[-1] == ' ' || at[-1] == ',', ends = at[len] == '\0' || at[len] == ' ' || at[len] == ',';
        if (begins && ends) {
            return true;
        }
    }
    return false;
}

static unsigned flags_of(const char *line)
{
    return (has_word(line, "SYN") ? (unsigned)WEIR_SYN : 0) | (has_word(line, "FIN") ? (unsigned)WEIR_FIN : 0) |
           (has_word(line, "RST") ? (unsigned)WEIR_RST : 0) | (has_word(line, "ACK") ? (unsigned)WEIR_ACK : 0);
}

/* "A=FIN-WAIT-1", outside brackets; SAME if the line says nothing of this end. */
static enum weir_state state_of(const char *line, char who)
{
    char key[3] = {who, '=', '\0'};
    const char *at = strstr(line, key);
    for (unsigned s = 0; at != NULL && s < WEIR_STATE_COUNT; s++) {
        const char *name = weir_state_name((enum weir_state)s);
        size_t len = strlen(name);
        if (strncmp(at + 2, name, len) == 0 && strchr(" \n", at[2 + len]) != NULL) {
            return (enum weir_state)s;
        }
    }
    return WEIR_STATE_COUNT;
}

/* ---- the two ends ------------------------------------------------------------------------------------------------ */

static const char *line_now(const struct scene *s)
{
    return s->line[s->now];
}

#define scene_fail(s, ...)                       \
    do {                                         \
        print_error("at: %s\n", line_now(s));    \
        fail_msg(__VA_ARGS__);                   \
    } while (0)

/* Later in the scene: the SEQ of the next SYN (or SYN,ACK) that this end sends. */
static uint32_t next_iss(const struct scene *s, unsigned who)
{
    uint32_t iss = 9999;
    for (unsigned i = s->now; i < s->count; i++) {
        const char *line = s->line[i];
        if (line[0] == (char)('A' + who) && (flags_of(line) & WEIR_SYN) && number_after(line, "seq=", &iss)) {
            break;
        }
    }
    return iss;
}

static struct end *end_new(struct scene *s, unsigned who)
{
    struct end *e = &s->end[who];
    memset(e, 0, sizeof *e);
    e->f = conn_new();
    if (who == 1) {
        weir_tuple t = e->f->tuple;
        e->f->tuple.local = t.remote;
        e->f->tuple.remote = t.local;
        e->f->tuple.local_port = t.remote_port;
        e->f->tuple.remote_port = t.local_port;
    }
    return e;
}

static weir_fields fields_of(const weir_view *v)
{
    weir_fields g;
    memset(&g, 0, sizeof g);
    g.seq = v->seq;
    g.ack = v->ack;
    g.flags = v->flags;
    g.window = v->window;
    g.options = v->options;
    g.mss = v->mss;
    return g;
}

static void deliver(struct scene *s, unsigned to, const weir_fields *g, uint32_t len)
{
    struct conn_fixture *f = s->end[to].f;
    if (weir_state(&f->c) == WEIR_LISTEN && (g->flags & WEIR_SYN)) {
        conn_set_iss(f, next_iss(s, to));
    }
    conn_input(f, g, len);
}

/* The next thing this end says, held against the line. */
static weir_fields said(struct scene *s, unsigned who, uint32_t *len)
{
    struct conn_fixture *f = s->end[who].f;
    const char *line = line_now(s);
    uint32_t want;
    weir_view v;
    if (!conn_poll(f, &v)) {
        scene_fail(s, "%c says nothing", 'A' + (int)who);
    }
    s->resets += (v.flags & WEIR_RST) != 0;
    if ((v.flags & ~(unsigned)WEIR_PSH) != flags_of(line)) {
        scene_fail(s, "control bits %#x, expected %#x", v.flags, flags_of(line));
    }
    if (number_after(line, "seq=", &want) && v.seq.v != want) {
        scene_fail(s, "SEQ %lu", (unsigned long)v.seq.v);
    }
    if (number_after(line, "ack=", &want) && v.ack.v != want) {
        scene_fail(s, "ACK %lu", (unsigned long)v.ack.v);
    }
    bool text = has_word(line, "DATA");
    if (text ? v.payload_len == 0 : v.payload_len != (number_after(line, "len=", &want) ? want : 0)) {
        scene_fail(s, "%lu octets of text", (unsigned long)v.payload_len);
    }
    *len = v.payload_len;
    return fields_of(&v);
}

/* An active OPEN where the figure shows a SYN out of CLOSED; text and retransmissions where it shows those. */
static void prepare(struct scene *s, unsigned who)
{
    struct conn_fixture *f = s->end[who].f;
    const char *line = line_now(s);
    uint32_t len = 10;
    if (weir_state(&f->c) == WEIR_CLOSED && flags_of(line) == WEIR_SYN) {
        conn_set_iss(f, next_iss(s, who));
        assert_int_equal(weir_connect(&f->c, &f->tuple, f->now), WEIR_ERR_NONE);
    }
    if (has_word(line, "DATA") || number_after(line, "len=", &len)) {
        assert_int_equal(conn_send(f, len, 0), WEIR_ERR_NONE);
    }
    if (strstr(line, "(retransmission") != NULL) {
        assert_true(conn_wait(f));
    }
}

static void step_say(struct scene *s, unsigned who, bool on_its_way)
{
    uint32_t len;
    struct end *e = &s->end[who];
    prepare(s, who);
    weir_fields g = said(s, who, &len);
    if (on_its_way) {
        assert_true(e->delayed_count < DELAYED_MAX);
        e->delayed_len[e->delayed_count] = len;
        e->delayed[e->delayed_count++] = g;
    } else {
        deliver(s, 1 - who, &g, len);
    }
}

/* Something on its way reaches this end: what the other said with these numbers, or a SYN of a former life. */
static void step_hear(struct scene *s, unsigned who)
{
    struct end *from = &s->end[1 - who];
    const char *line = line_now(s);
    uint32_t seq = 0;
    assert_true(number_after(line, "seq=", &seq));
    for (unsigned i = 0; i < from->delayed_count; i++) {
        if (from->delayed[i].seq.v == seq && from->delayed[i].flags == flags_of(line)) {
            weir_fields g = from->delayed[i];
            deliver(s, who, &g, from->delayed_len[i]);
            return;
        }
    }
    assert_int_equal(flags_of(line), WEIR_SYN);
    weir_fields old;
    memset(&old, 0, sizeof old);
    old.seq = seq_of(seq);
    old.flags = WEIR_SYN;
    old.window = CONN_WINDOW;
    deliver(s, who, &old, 0);
}

static void step_user(struct scene *s, const char *line)
{
    for (unsigned who = 0; who < 2; who++) {
        struct conn_fixture *f = s->end[who].f;
        char close[8] = {(char)('A' + who), ' ', 'C', 'L', 'O', 'S', 'E', '\0'};
        char wait[7] = {(char)('A' + who), ' ', '2', 'M', 'S', 'L', '\0'};
        if (strstr(line, close) != NULL) {
            assert_int_equal(weir_close(&f->c, f->now), WEIR_ERR_NONE);
        }
        if (strstr(line, wait) != NULL || strstr(line, "both 2MSL") != NULL) {
            conn_later(f, 2 * f->cfg.msl_us - 1);
            assert_int_equal(weir_state(&f->c), WEIR_TIME_WAIT);
            conn_later(f, 1);
        }
    }
}

/* Figure 7: the printed ESTABLISHED of an end whose SYN,ACK met a SYN,ACK may still be SYN-RECEIVED, one ACK earlier. */
static void check_states(const struct scene *s)
{
    for (unsigned who = 0; who < 2; who++) {
        enum weir_state want = state_of(line_now(s), (char)('A' + who)), got = weir_state(&s->end[who].f->c);
        bool early = s->crossing && want == WEIR_ESTABLISHED && got == WEIR_SYN_RECEIVED;
        if (want != WEIR_STATE_COUNT && got != want && !early) {
            scene_fail(s, "%c is %s", 'A' + (int)who, weir_state_name(got));
        }
    }
}

static void step(struct scene *s)
{
    const char *line = line_now(s);
    unsigned who = line[0] == 'B';
    if (strncmp(line + 1, "~>", 2) == 0) {
        step_say(s, who, true);
    } else if (line[1] == '>') {
        step_say(s, who, false);
    } else if (line[0] == '~') {
        step_hear(s, line[1] == 'B');
    } else {
        step_user(s, line);
    }
    check_states(s);
}

/* ---- beginnings -------------------------------------------------------------------------------------------------- */

/* ESTABLISHED with SND.NXT and RCV.NXT as the figure has them, by a handshake with somebody of those numbers. */
static void begin_established(struct end *e, uint32_t snd_nxt, uint32_t rcv_nxt)
{
    struct conn_fixture *f = e->f;
    f->peer_iss = rcv_nxt - 1;
    conn_set_iss(f, snd_nxt - 1);
    conn_go(f, WEIR_ESTABLISHED);
    assert_int_equal(f->c.snd.nxt.v, snd_nxt);
    assert_int_equal(f->c.rcv.nxt.v, rcv_nxt);
}

/* The head of a scene: "[fig12 normal close] A=ESTABLISHED B=ESTABLISHED". */
static void begin(struct scene *s, const char *head)
{
    memset(s->end, 0, sizeof s->end);
    s->crossing = strstr(head, "fig7") != NULL;
    s->resets = 0;
    const char *states = strchr(head, ']');
    assert_non_null(states);
    for (unsigned who = 0; who < 2; who++) {
        struct end *e = end_new(s, who);
        enum weir_state state = state_of(states, (char)('A' + who));
        if (state == WEIR_LISTEN) {
            conn_go(e->f, WEIR_LISTEN);
        } else if (state == WEIR_ESTABLISHED) {
            bool b = who == 1; /* figures 9 and 10, 12 and 13: A sends from 100, B from 300 */
            begin_established(e, b ? 300 : 100, b ? 100 : 300);
        } else if (strstr(head, "fig10") != NULL) {
            conn_go(e->f, WEIR_SYN_SENT); /* the host came up again; its sockets are known, the connection is not */
            assert_int_equal(weir_abort(&e->f->c, e->f->now), WEIR_ERR_NONE);
        } else {
            assert_int_equal(state, WEIR_CLOSED);
        }
    }
}

/* Whatever is still to be said is said and heard, until both are quiet. */
static void settle(struct scene *s)
{
    weir_view v;
    for (unsigned turn = 0; turn < 20; turn++) {
        unsigned who = turn % 2;
        while (conn_poll(s->end[who].f, &v)) {
            s->resets += (v.flags & WEIR_RST) != 0;
            weir_fields g = fields_of(&v);
            deliver(s, 1 - who, &g, v.payload_len);
        }
    }
}

static void run(struct scene *s, const char *head)
{
    begin(s, head);
    for (s->now = 0; s->now < s->count; s->now++) {
        step(s);
    }
    s->now = s->count - 1;
    if (s->crossing) {
        settle(s);
        s->crossing = false;
        assert_int_equal(s->resets, 0); /* "must not accept a RST" */
        assert_int_equal(weir_state(&s->end[0].f->c), WEIR_ESTABLISHED);
        assert_int_equal(weir_state(&s->end[1].f->c), WEIR_ESTABLISHED);
    }
    print_message("  %s", head);
}

static void read_scene(FILE *file, struct scene *s, char *next, size_t cap)
{
    s->count = 0;
    next[0] = '\0';
    while (fgets(s->line[s->count], sizeof s->line[0], file) != NULL) {
        char *line = s->line[s->count];
        if (line[0] == '[') {
            (void)snprintf(next, cap, "%s", line);
            return;
        }
        line[strcspn(line, "\n")] = '\0';
        s->count += line[0] != '\0' && line[0] != '#';
        assert_true(s->count < LINES_MAX);
    }
}

static void test_figures(void **state)
{
    (void)state;
    static struct scene s;
    static char head[160], next[160];
    unsigned scenes = 0;
    FILE *file = fopen(WEIR_VECTORS_DIR "/function/rfc9293_scenarios.txt", "r");
    assert_non_null(file);
    read_scene(file, &s, next, sizeof next);
    while (next[0] != '\0') {
        memcpy(head, next, sizeof head);
        read_scene(file, &s, next, sizeof next);
        run(&s, head);
        scenes++;
    }
    (void)fclose(file);
    assert_int_equal(scenes, 8);
}

/* The users' side of figures 9 and 10: the abort is reported; and of 12 and 13: nothing is. */
static void test_what_users_learn(void **state)
{
    (void)state;
    struct conn_fixture *b = conn_in(WEIR_ESTABLISHED);
    conn_seg(b, WEIR_SYN, 300, 0, 0); /* the other came up again */
    conn_expect(b, "ACK +0 +0", WEIR_ESTABLISHED);
    conn_seg(b, WEIR_RST, 0, 0, 0);
    conn_expect(b, "", WEIR_CLOSED);
    assert_string_equal(weir_err_name(weir_error(&b->c)), "connection reset");
    struct conn_fixture *a = conn_in(WEIR_LAST_ACK);
    conn_seg(a, WEIR_ACK, 0, 0, 0);
    conn_expect(a, "", WEIR_CLOSED);
    assert_int_equal(weir_error(&a->c), WEIR_ERR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_what_users_learn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
