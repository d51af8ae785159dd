/* fields.c - good segments with one field changed, and with every two: in every state, each to every value that matters.
 *
 * Most of what stacks fell to needed a state and one or two fields (Amusuo et al. 2023). Octets are parsed where a guard page follows them; then
 * the connection takes the segment, answers, and its next timer runs. Held after each: geometry as a second reading has it, all
 * invariants, few answers that can be parsed, octets to read that were in the segment, and an end where the segment asks for none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "conn_fixture.h"

enum { FIELDS_MAX = 64, OPTIONS_AT = 20, ANSWERS_MAX = 4 };

/* Some octets of a segment and what they may become. */
struct field {
    unsigned at, size;   /* size 0: the length of the segment */
    const uint32_t *values;
    unsigned count;
    bool relative;       /* added to what is there */
};

struct seed {
    const char *name;
    uint8_t octets[60 + 16];
    unsigned len;
};

static const uint32_t numbers[] = {1, UINT32_MAX, 10, (uint32_t)-11, CONN_RX - 1, CONN_RX, 0x7fffffff, 0x80000000, CONN_WINDOW};
static const uint32_t offsets[] = {0x00, 0x40, 0x50, 0x60, 0x80, 0xa0, 0xd0, 0xf0, 0x5f, 0x81};
static const uint32_t bits[] = {0, 1, 2, 3, 4, 5, 6, 0x10, 0x11, 0x12, 0x14, 0x16, 0x18, 0x30, 0x3f, 0x52, 0xc2, 0xd0, 0xff};
static const uint32_t words[] = {0, 1, 10, 0x7fff, 0xffff};
static const uint32_t option_values[] = {0, 1, 2, 4, 8, 10, 34, 255};
static const uint32_t lengths[] = {0, 19, 20, 21, 24, 32, 40, 59};

static struct conn_fixture saved;
static unsigned long long swept;
static uint8_t *page_end;

#define FIELD(at, size, values, relative) (struct field){(at), (size), (values), sizeof(values) / sizeof *(values), (relative)}

static unsigned fields_of(const struct seed *s, struct field *fields)
{
    unsigned count = 0, header = (unsigned)(s->octets[12] >> 4) * 4;
    fields[count++] = FIELD(4, 4, numbers, true);
    fields[count++] = FIELD(8, 4, numbers, true);
    fields[count++] = FIELD(12, 1, offsets, false);
    fields[count++] = FIELD(13, 1, bits, false);
    fields[count++] = FIELD(14, 2, words, false);
    fields[count++] = FIELD(18, 2, words, false);
    fields[count++] = FIELD(0, 0, lengths, false);
    for (unsigned at = OPTIONS_AT; at < header; at++) {
        fields[count++] = FIELD(at, 1, option_values, false);
    }
    return count;
}

static uint32_t field_get(const uint8_t *at, unsigned size)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < size; i++) {
        v = v << 8 | at[i];
    }
    return v;
}

static void field_put(struct seed *s, const struct field *f, unsigned which)
{
    uint32_t value = f->values[which];
    if (f->size == 0) {
        s->len = value < s->len ? value : s->len;
        return;
    }
    value += f->relative ? field_get(s->octets + f->at, f->size) : 0;
    for (unsigned i = f->size; i > 0; i--, value >>= 8) {
        s->octets[f->at + i - 1] = (uint8_t)value;
    }
}

/* ---- seeds: what a good peer could say, with the numbers of the connection ------------------------------------------------------- */

static struct seed seed_make(const struct conn_fixture *f, const char *name, unsigned flags, unsigned options, uint32_t text)
{
    const bool heard = f->c.state > WEIR_SYN_SENT, sent = f->c.state > WEIR_LISTEN;
    struct seed s;
    weir_fields g;
    memset(&s, 0, sizeof s);
    memset(&g, 0, sizeof g);
    s.name = name;
    g.seq = heard ? f->c.rcv.nxt : seq_of(CONN_PEERS);
    g.ack = sent ? f->c.snd.nxt : seq_of(CONN_OURS);
    g.flags = (uint16_t)flags;
    g.window = CONN_WINDOW;
    g.options = (uint16_t)options;
    g.source_port = f->tuple.remote_port;
    g.destination_port = f->tuple.local_port;
    g.mss = 1460;
    g.wscale = 7;
    g.ts_value = 100;
    g.sack_count = 1;
    g.sack[0].from = seq_sub(g.ack, 10);
    g.sack[0].to = g.ack;
    s.len = (unsigned)weir_emit_header(s.octets, &g) + text;
    return s;
}

static unsigned seeds_make(const struct conn_fixture *f, struct seed *seeds)
{
    const unsigned open = WEIR_OPT_MSS | WEIR_OPT_WSCALE | WEIR_OPT_SACK_OK | WEIR_OPT_TIMESTAMPS;
    unsigned n = 0;
    seeds[n++] = seed_make(f, "text", WEIR_ACK | WEIR_PSH, 0, 10);
    seeds[n++] = seed_make(f, "ACK with options", WEIR_ACK, WEIR_OPT_TIMESTAMPS | WEIR_OPT_SACK, 0);
    seeds[n++] = seed_make(f, "SYN", WEIR_SYN, open, 0);
    seeds[n++] = seed_make(f, "SYN,ACK", WEIR_SYN | WEIR_ACK, open, 0);
    seeds[n++] = seed_make(f, "FIN", WEIR_FIN | WEIR_ACK, 0, 5);
    seeds[n++] = seed_make(f, "RST", WEIR_RST | WEIR_ACK, 0, 0);
    seeds[n++] = seed_make(f, "urgent", WEIR_URG | WEIR_ACK, 0, 8);
    return n;
}

/* ---- one case --------------------------------------------------------------------------------------------------------------------- */

static void fields_fail(const struct conn_fixture *f, const struct seed *s, const char *what)
{
    char hex[2 * sizeof s->octets + 1] = "";
    for (unsigned i = 0; i < s->len; i++) {
        (void)snprintf(hex + 2 * (size_t)i, 3, "%02x", s->octets[i]);
    }
    fail_msg("%s, %s: %s (%s)", weir_state_name(weir_state(&saved.c)), s->name, what, hex);
    (void)f;
}

static void fields_answers(struct conn_fixture *f, const struct seed *s)
{
    weir_out out;
    unsigned count = 0;
    for (; count <= ANSWERS_MAX && weir_poll(&f->c, &out, f->now) > 0; count++) {
        weir_view v;
        if (weir_view_segment(&v, out.room + out.header_at, out.header_len, NULL) != WEIR_OK || v.odd != 0) {
            fields_fail(f, s, "an answer that is none");
        }
    }
    if (count > ANSWERS_MAX) {
        fields_fail(f, s, "answers without end");
    }
}

static void fields_held(struct conn_fixture *f, const struct seed *s)
{
    const char *broken = weir_check(&f->c);
    if (broken != NULL) {
        fields_fail(f, s, broken);
    }
}

static void fields_take(struct conn_fixture *f, const struct seed *s, const weir_view *v)
{
    const unsigned before = f->c.state;
    const uint32_t had = weiri_ring_readable(&f->c);
    (void)weir_input(&f->c, v, f->now);
    fields_held(f, s);
    fields_answers(f, s);
    fields_held(f, s);
    const uint32_t has = weiri_ring_readable(&f->c);
    if (has > had + v->payload_len) {
        fields_fail(f, s, "more to read than there was in it");
    }
    if (f->c.state == WEIR_CLOSED && before > WEIR_SYN_SENT && before != WEIR_LAST_ACK && before != WEIR_TIME_WAIT &&
        !((v->flags & WEIR_RST) && seq_eq(v->seq, saved.c.rcv.nxt))) {
        fields_fail(f, s, "an end that it did not ask for");
    }
    const weir_us due = weir_deadline(&f->c);
    if (due != WEIR_FOREVER) {
        f->now = due > f->now ? due : f->now;
        weir_expire(&f->c, f->now);
        fields_held(f, s);
        fields_answers(f, s);
    }
}

static void fields_one(struct conn_fixture *f, const struct seed *s)
{
    uint8_t *octets = page_end - s->len;
    weir_view v;
    memcpy(octets, s->octets, s->len);
    const enum weir_verdict verdict = weir_view_segment(&v, octets, s->len, NULL);
    const unsigned header = s->len > 12 ? (unsigned)(s->octets[12] >> 4) * 4 : 0;
    swept++;
    if (verdict == WEIR_OK && (s->len < 20 || header < 20 || header > s->len)) {
        fields_fail(f, s, "a header that is none was taken");
    }
    if (verdict == WEIR_OK) {
        memcpy(f, &saved, sizeof saved);
        fields_take(f, s, &v);
    }
}

/* ---- all of them -------------------------------------------------------------------------------------------------------------------- */

static void fields_pairs(struct conn_fixture *f, const struct seed *clean)
{
    struct field fields[FIELDS_MAX];
    const unsigned count = fields_of(clean, fields);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned a = 0; a < fields[i].count; a++) {
            struct seed one = *clean;
            field_put(&one, &fields[i], a);
            fields_one(f, &one);
            for (unsigned j = i + 1; j < count; j++) {
                for (unsigned b = 0; b < fields[j].count; b++) {
                    struct seed two = one;
                    field_put(&two, &fields[j], b);
                    fields_one(f, &two);
                }
            }
        }
    }
}

static void fields_from(struct conn_fixture *f)
{
    struct seed seeds[8];
    page_end = guard_room(sizeof seeds[0].octets) + sizeof seeds[0].octets; /* conn_input gives its own back, and this with them */
    saved = *f;
    const unsigned count = seeds_make(f, seeds);
    for (unsigned i = 0; i < count; i++) {
        fields_one(f, &seeds[i]);
        fields_pairs(f, &seeds[i]);
    }
}

static void test_every_two_fields_in_every_state(void **state)
{
    (void)state;
    for (unsigned s = WEIR_LISTEN; s < WEIR_STATE_COUNT; s++) {
        fields_from(conn_in((enum weir_state)s));
    }
}

/* With all options agreed on, text in flight, and a hole. */
static void test_every_two_fields_with_options(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_new();
    f->cfg.timestamps = f->cfg.sack = f->cfg.window_scale = f->cfg.rack = f->cfg.prr = f->cfg.undo = true;
    conn_listen(f);
    conn_mark(f);
    weir_fields g = conn_fields(f, WEIR_SYN, 0, 0);
    g.options = WEIR_OPT_MSS | WEIR_OPT_WSCALE | WEIR_OPT_SACK_OK | WEIR_OPT_TIMESTAMPS;
    g.wscale = 2;
    g.ts_value = 50;
    conn_input(f, &g, 0);
    conn_drain(f);
    g = conn_fields(f, WEIR_ACK, 0, 0);
    g.options = WEIR_OPT_TIMESTAMPS;
    g.ts_value = 60;
    conn_input(f, &g, 0);
    g = conn_fields(f, WEIR_ACK, 100, 0);
    g.options = WEIR_OPT_TIMESTAMPS;
    g.ts_value = 70;
    conn_input(f, &g, 50);
    (void)conn_send(f, 500, WEIR_SEND_PUSH);
    conn_drain(f);
    assert_int_equal(weir_state(&f->c), WEIR_ESTABLISHED);
    fields_from(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_two_fields_in_every_state),
        cmocka_unit_test(test_every_two_fields_with_options),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    printf("swept: %llu cases of one field or two changed\n", swept);
    return failed;
}
