/* test_ring.c - the receive ring beside a model that remembers each octet by itself; SACK and D-SACK blocks; the send ring's places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conn_fixture.h"
#include "naive.h"

enum { SPACE = 6000, ROUNDS = 4000 };

/* Which octets of the stream have arrived, and with what value: the first one stays. */
struct model {
    uint8_t here[SPACE], value[SPACE];
};

static uint32_t model_nxt(const struct model *m)
{
    uint32_t n = 0;
    while (n < SPACE && m->here[n]) {
        n++;
    }
    return n;
}

static uint32_t model_runs(const struct model *m, uint32_t from)
{
    uint32_t runs = 0;
    for (uint32_t i = from; i < SPACE; i++) {
        runs += m->here[i] && (i == 0 || !m->here[i - 1]);
    }
    return runs;
}

/* A connection whose stream begins at this number. */
static struct conn_fixture *ring_at(uint32_t irs)
{
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    f->c.rcv.irs = seq_of(irs);
    f->c.rcv.nxt = seq_of(irs + 1);
    f->c.rcv.usr = f->c.rcv.nxt;
    f->c.rcv.acked = f->c.rcv.nxt;
    f->c.rcv.adv = seq_add(f->c.rcv.nxt, CONN_RX);
    conn_set(&f->c, WEIRI_SACK_OK, true);
    return f;
}

static void model_receive(struct model *m, const struct weiri_text *t, uint32_t at)
{
    for (uint32_t i = 0; i < t->len; i++) {
        if (!m->here[at + i]) {
            m->here[at + i] = 1;
            m->value[at + i] = t->octets[i];
        }
    }
}

/* The runs are told by age, the newest first (RFC 2018 4). */
static void ring_compare_blocks(const struct conn_fixture *f)
{
    weir_block blocks[4];
    unsigned count = weiri_ring_sack(&f->c, blocks, 4);
    assert_int_equal(count, f->c.span_count < 4 ? f->c.span_count : 4);
    for (unsigned i = 0; i < count; i++) {
        unsigned newer = 0, at = 0;
        for (unsigned k = 0; k < f->c.span_count; k++) {
            at = seq_eq(f->c.spans[k].from, blocks[i].from) ? k : at;
        }
        assert_true(seq_eq(f->c.spans[at].from, blocks[i].from) && seq_eq(f->c.spans[at].to, blocks[i].to));
        for (unsigned k = 0; k < f->c.span_count; k++) {
            newer += f->c.spans[k].stamp > f->c.spans[at].stamp;
        }
        assert_int_equal(newer, i);
    }
}

static void ring_compare(struct conn_fixture *f, const struct model *m, uint32_t read)
{
    uint32_t nxt = model_nxt(m);
    assert_int_equal(seq_diff(f->c.rcv.irs, f->c.rcv.nxt) - 1, nxt);
    assert_int_equal(f->c.span_count, model_runs(m, nxt));
    assert_int_equal(weiri_ring_readable(&f->c), nxt - read);
    ring_compare_blocks(f);
    assert_null(weir_check(&f->c));
}

/* The user reads what is in order and finds what arrived first at each place. */
static uint32_t ring_read(struct conn_fixture *f, const struct model *m, uint32_t read, uint32_t most)
{
    uint8_t got[CONN_RX];
    size_t count;
    assert_int_equal(weir_recv(&f->c, got, most, &count, f->now), WEIR_ERR_NONE);
    assert_memory_equal(got, m->value + read, count);
    return read + (uint32_t)count;
}

static void ring_episode(uint32_t irs, uint64_t seed)
{
    static struct model m;
    static uint8_t octets[CONN_RX];
    struct conn_fixture *f = ring_at(irs);
    uint32_t read = 0;
    memset(&m, 0, sizeof m);
    for (unsigned round = 0; round < 200; round++) {
        uint32_t nxt = model_nxt(&m), limit = seq_diff(f->c.rcv.irs, f->c.rcv.adv) - 1;
        limit = limit < SPACE ? limit : SPACE;
        if (nxt >= limit) {
            break;
        }
        uint32_t from = nxt + (naive_random(&seed) % 3 == 0 ? 0 : naive_random(&seed) % (limit - nxt));
        uint32_t len = 1 + naive_random(&seed) % (naive_random(&seed) % 4 == 0 ? 900 : 60);
        len = len < limit - from ? len : limit - from;
        for (uint32_t i = 0; i < len; i++) {
            octets[i] = (uint8_t)naive_random(&seed);
        }
        struct weiri_text t = {seq_add(f->c.rcv.irs, 1 + from), octets, len};
        uint16_t spans = f->c.span_count;
        bool full = spans == f->c.span_cap, gap = from > nxt || spans > 0;
        struct model before = m;
        model_receive(&m, &t, from);
        if (full && from > nxt && model_runs(&m, nxt) > spans) {
            m = before; /* no record for it: as if it had not arrived */
        }
        assert_int_equal(weiri_ring_receive(&f->c, &t), gap);
        ring_compare(f, &m, read);
        if (naive_random(&seed) % 3 == 0) {
            read = ring_read(f, &m, read, naive_random(&seed) % 1500);
            f->c.rcv.adv = seq_max(f->c.rcv.adv, seq_add(f->c.rcv.usr, CONN_RX));
        }
    }
}

static void receive_ring_is_what_arrived_first(void **state)
{
    (void)state;
    static const uint32_t origins[] = {0, 1000, 0x7ffff000u, 0x7fffffffu, 0xfffff000u, 0xffffffffu};
    for (unsigned i = 0; i < sizeof origins / sizeof origins[0]; i++) {
        for (uint64_t seed = 1; seed <= 60; seed++) {
            ring_episode(origins[i], seed * 977 + i);
        }
    }
}

/* The lowest runs grew last, and are the first to be filled up to: then older ones are told, still by age. */
static void runs_are_told_by_age_when_the_newest_are_gone(void **state)
{
    (void)state;
    struct conn_fixture *f = ring_at(77);
    uint8_t octet = 'x';
    for (uint32_t n = 12; n > 0; n--) {
        struct weiri_text t = {seq_add(f->c.rcv.nxt, 2 * n - 1), &octet, 1};
        assert_true(weiri_ring_receive(&f->c, &t));
        ring_compare_blocks(f);
    }
    for (uint32_t n = 12; n > 0; n--) {
        struct weiri_text t = {f->c.rcv.nxt, &octet, 1};
        assert_true(weiri_ring_receive(&f->c, &t));
        assert_int_equal(f->c.span_count, n - 1);
        ring_compare_blocks(f);
    }
}

/* A run that the stream has reached is named no more, though its name is still there: what lies above it is named once. */
static void a_run_that_is_reached_is_named_no_more(void **state)
{
    (void)state;
    struct conn_fixture *f = ring_at(77);
    weir_seq first = f->c.rcv.nxt;
    uint8_t octet = 'x';
    const uint32_t places[] = {5, 1, 0, 9};
    for (unsigned i = 0; i < 4; i++) {
        struct weiri_text t = {seq_add(first, places[i]), &octet, 1};
        assert_true(weiri_ring_receive(&f->c, &t));
        ring_compare_blocks(f);
    }
    assert_int_equal(f->c.span_count, 2);
    assert_int_equal(f->c.recent_count, 3);
}

/* Holes are filled from below and new ones come above, many times the list's length: with one run waiting, with a few, with all but one. */
static void the_list_of_runs_rolls_on(void **state)
{
    (void)state;
    struct conn_fixture *f = ring_at(0xfffffff0u);
    const struct weir_span *begin = f->c.spans;
    uint8_t octet = 'x';
    for (unsigned held = 1; held < f->c.span_cap; held++) {
        for (unsigned i = 0; i < 100; i++) {
            weir_seq next = f->c.span_count > 0 ? seq_add(f->c.spans[f->c.span_count - 1].to, 1) : seq_add(f->c.rcv.nxt, 1);
            struct weiri_text above = {next, &octet, 1}, below = {f->c.rcv.nxt, &octet, 1};
            f->c.rcv.usr = f->c.rcv.nxt; /* all is read */
            f->c.rcv.adv = seq_add(f->c.rcv.nxt, CONN_RX);
            assert_true(weiri_ring_receive(&f->c, &above));
            assert_true(f->c.span_count <= held || weiri_ring_receive(&f->c, &below));
            assert_in_range(f->c.span_count, 1, held);
            assert_ptr_equal(f->c.spans - f->c.span_head, begin);
            assert_in_range(f->c.span_head + f->c.span_count, 1, f->c.span_cap);
            ring_compare_blocks(f);
        }
    }
    assert_int_not_equal(f->c.span_head, 0);
    weiri_conn_clear(&f->c);
    assert_ptr_equal(f->c.spans, begin);
}

/* At every limit the segment at RCV.NXT is taken, and the stream completes. */
static void a_full_list_of_spans_still_takes_the_next_octet(void **state)
{
    (void)state;
    struct conn_fixture *f = ring_at(77);
    uint8_t octet = 'x';
    uint32_t n = 0;
    for (; f->c.span_count < f->c.span_cap; n++) {
        struct weiri_text t = {seq_add(f->c.rcv.nxt, 1 + 2 * n), &octet, 1};
        assert_true(weiri_ring_receive(&f->c, &t));
    }
    struct weiri_text refused = {seq_add(f->c.rcv.nxt, 1 + 2 * n), &octet, 1};
    assert_true(weiri_ring_receive(&f->c, &refused));
    assert_int_equal(f->c.span_count, f->c.span_cap);
    for (uint32_t i = 0; i < n; i++) {
        struct weiri_text t = {f->c.rcv.nxt, &octet, 1};
        assert_true(weiri_ring_receive(&f->c, &t));
        assert_null(weir_check(&f->c));
    }
    assert_int_equal(weiri_ring_readable(&f->c), 2 * n);
    assert_int_equal(f->c.span_count, 0);
    assert_int_equal(f->c.stamp, 0); /* ages begin anew: 2^32 of them never come together */
}

/* RFC 2883 4: only the first duplicate run, and the block around it comes second. */
static void duplicates_are_reported_with_what_surrounds_them(void **state)
{
    (void)state;
    struct conn_fixture *f = ring_at(99);
    uint8_t octets[100] = {0};
    weir_block blocks[4];
    struct weiri_text high = {seq_add(f->c.rcv.nxt, 500), octets, 100}, low = {seq_add(f->c.rcv.nxt, 200), octets, 100};
    weir_seq nxt = f->c.rcv.nxt;
    weiri_ring_receive(&f->c, &high);
    weiri_ring_receive(&f->c, &low);
    weir_block run = {seq_add(nxt, 150), seq_add(nxt, 540)};
    weiri_ring_note_duplicate(&f->c, run);
    assert_int_equal(weiri_ring_sack(&f->c, blocks, 4), 3);
    assert_int_equal(seq_diff(nxt, blocks[0].from), 200);
    assert_int_equal(seq_diff(nxt, blocks[0].to), 300);
    assert_int_equal(seq_diff(nxt, blocks[1].from), 200);
    assert_int_equal(seq_diff(nxt, blocks[2].from), 500);
    assert_int_equal(weiri_ring_sack(&f->c, blocks, 1), 1);
    f->c.dsack.to = f->c.dsack.from;
    weir_block fresh = {seq_add(nxt, 300), seq_add(nxt, 500)}; /* touches both, holds nothing of either */
    weiri_ring_note_duplicate(&f->c, fresh);
    assert_true(seq_eq(f->c.dsack.from, f->c.dsack.to));
}

static void storage_is_carved_or_refused(void **state)
{
    (void)state;
    static uint64_t memory[(1 << 17) / 8];
    weir_buffers b;
    static const weir_sizes bad[] = {{0, 256}, {256, 0}, {255, 256}, {300, 256}, {256, 3u << 8}, {128, 256}, {1u << 31, 256}};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(weir_buffers_size(bad[i]), 0);
        assert_false(weir_buffers_carve(&b, memory, sizeof memory, bad[i]));
    }
    weir_sizes sizes = {1 << 15, 1 << 14};
    size_t need = weir_buffers_size(sizes);
    assert_false(weir_buffers_carve(&b, memory, need - 1, sizes));
    assert_false(weir_buffers_carve(&b, NULL, need, sizes));
    assert_true(weir_buffers_carve(&b, memory, need, sizes));
    assert_ptr_equal(b.tx, b.rx + b.rx_size);
    assert_true(b.tx + b.tx_size <= (uint8_t *)memory + need);
    assert_true((uint8_t *)(b.spans + b.span_cap) <= b.rx);
    assert_true((uint8_t *)(b.sent + b.sent_cap) <= (uint8_t *)b.spans);
}

/* Larger rings while octets wait in both directions and a run lies beyond a gap. */
static void rings_grow_while_running(void **state)
{
    (void)state;
    static uint64_t memory[(1 << 16) / 8];
    for (unsigned origin = 0; origin < 2; origin++) {
        struct conn_fixture *f = ring_at(origin ? 0xfffffe00u : 12345);
        weir_sizes sizes = {1 << 14, 1 << 14};
        weir_buffers b;
        uint8_t octets[3000], got[3000];
        size_t count;
        for (unsigned i = 0; i < sizeof octets; i++) {
            octets[i] = conn_octet(f->c.rcv.nxt.v + i);
        }
        struct weiri_text first = {f->c.rcv.nxt, octets, 1000}, beyond = {seq_add(f->c.rcv.nxt, 2000), octets + 2000, 1000},
                          between = {seq_add(f->c.rcv.nxt, 1000), octets + 1000, 1000};
        weiri_ring_receive(&f->c, &first);
        weiri_ring_receive(&f->c, &beyond);
        assert_int_equal(conn_send(f, 4000, 0), WEIR_ERR_NONE);
        weir_seq sent_from = f->c.snd.nxt;
        assert_true(weir_buffers_carve(&b, memory, sizeof memory, sizes));
        assert_int_equal(weir_set_buffers(&f->c, &b, f->now), WEIR_ERR_NONE);
        assert_int_equal(weir_set_buffers(&f->c, &b, f->now), WEIR_ERR_NONE);
        weir_buffers small = b;
        small.rx_size = 2048; /* up to the end of the run beyond the gap there are 3000 octets */
        assert_int_equal(weir_set_buffers(&f->c, &small, f->now), WEIR_ERR_INVALID);
        small = b;
        small.tx_size = 2048;
        assert_int_equal(weir_set_buffers(&f->c, &small, f->now), WEIR_ERR_INVALID);
        small = b;
        small.span_cap = 0;
        assert_int_equal(weir_set_buffers(&f->c, &small, f->now), WEIR_ERR_INVALID);
        memset(&small, 0, sizeof small);
        assert_int_equal(weir_set_buffers(&f->c, &small, f->now), WEIR_ERR_INVALID);
        weiri_ring_receive(&f->c, &between);
        assert_int_equal(weir_recv(&f->c, got, sizeof got, &count, f->now), WEIR_ERR_NONE);
        assert_int_equal(count, 3000);
        assert_memory_equal(got, octets, 3000);
        weir_view v;
        assert_true(conn_poll(f, &v));
        assert_true(seq_eq(v.seq, sent_from) && v.payload_len > 0);
        for (unsigned i = 0; i < v.payload_len; i++) {
            assert_int_equal(v.payload[i], conn_octet(sent_from.v + i));
        }
    }
}

/* The ISS falls behind for ever, and its number comes again: neither means anything for text (RFC 9293 3.4). */
static void text_goes_on_beyond_the_numbers_of_the_iss(void **state)
{
    (void)state;
    static const uint64_t behind[] = {UINT64_C(0x7fffffff), UINT64_C(0x80000000), UINT64_C(0x80001000), UINT64_C(0xffffffff),
                                      UINT64_C(0x100000000), UINT64_C(0x180000001)};
    for (unsigned i = 0; i < sizeof behind / sizeof behind[0]; i++) {
        struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
        weir_view v;
        size_t room;
        f->c.snd.iss = seq_of(f->c.snd.una.v - (uint32_t)behind[i]);
        f->c.octets_acked = behind[i] - 1;
        assert_null(weir_check(&f->c));
        assert_int_equal(conn_send(f, 1000, 0), WEIR_ERR_NONE);
        assert_non_null(weir_tx_reserve(&f->c, &room));
        assert_int_equal(weiri_ring_room(&f->c), f->c.tx_size - 1000);
        weir_seq from = f->c.snd.nxt;
        assert_true(conn_poll(f, &v));
        assert_true(seq_eq(v.seq, from));
        for (unsigned n = 0; n < v.payload_len; n++) {
            assert_int_equal(v.payload[n], conn_octet(from.v + n));
        }
        conn_drain(f);
        conn_seg(f, WEIR_ACK, 0, 0, 0);
        assert_int_equal(weiri_ring_room(&f->c), f->c.tx_size);
        assert_int_equal(f->c.octets_acked, behind[i] - 1 + 1000);
        assert_null(weir_check(&f->c));
    }
}

/* Summed on the way, wherever the end of the ring falls: an odd part before it has its octets in the other halves. */
static void text_is_summed_on_its_way_into_the_ring(void **state)
{
    uint8_t octets[100];
    (void)state;
    for (unsigned i = 0; i < sizeof octets; i++) {
        octets[i] = (uint8_t)(i * 37 + 11);
    }
    for (uint32_t before = 0; before <= sizeof octets; before++) {
        struct conn_fixture *f = ring_at(500);
        f->c.rcv.nxt = seq_of(501 + CONN_RX - before);
        f->c.rcv.usr = f->c.rcv.acked = f->c.rcv.nxt;
        f->c.rcv.adv = seq_add(f->c.rcv.nxt, CONN_RX);
        uint16_t sum = weiri_sum_finish(weiri_ring_put_sum(&f->c, octets, sizeof octets));
        assert_int_equal(sum, weiri_sum_finish(weiri_sum(octets, sizeof octets, 0)));
        assert_memory_equal(f->c.rx_ring + CONN_RX - before, octets, before);
        assert_memory_equal(f->c.rx_ring, octets + before, sizeof octets - before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_summed_on_its_way_into_the_ring),
        cmocka_unit_test(receive_ring_is_what_arrived_first),
        cmocka_unit_test(runs_are_told_by_age_when_the_newest_are_gone),
        cmocka_unit_test(a_run_that_is_reached_is_named_no_more),
        cmocka_unit_test(the_list_of_runs_rolls_on),
        cmocka_unit_test(a_full_list_of_spans_still_takes_the_next_octet),
        cmocka_unit_test(duplicates_are_reported_with_what_surrounds_them),
        cmocka_unit_test(storage_is_carved_or_refused),
        cmocka_unit_test(rings_grow_while_running),
        cmocka_unit_test(text_goes_on_beyond_the_numbers_of_the_iss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
