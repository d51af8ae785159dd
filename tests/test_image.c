/* test_image.c - a connection that was kept and comes back: weir_check refuses one in which a field has been changed to what cannot be (V39).
 *
 * A connection is a value, so an image of it is its octets. Each change here is of one field; the image as it was is taken before and after.
 * Places and sizes of lent memory are the keeper's to guard: weir_check follows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn_fixture.h"

struct change {
    const char *field;
    size_t offset, size;
    uint64_t value;
    bool flip; /* the value is added to what is there, modulo its size */
};

#define SET(field, value) {#field " = " #value, offsetof(weir_conn, field), sizeof(((weir_conn *)0)->field), (uint64_t)(value), false}
#define ADD(field, value) {#field " += " #value, offsetof(weir_conn, field), sizeof(((weir_conn *)0)->field), (uint64_t)(value), true}

/* Of a connection with text in flight, text to read, and a run out of order. */
static const struct change changes[] = {
    SET(state, WEIR_STATE_COUNT), SET(state, 255), SET(state, WEIR_SYN_SENT), SET(state, WEIR_SYN_RECEIVED), SET(state, WEIR_FIN_WAIT_1),
    SET(state, WEIR_FIN_WAIT_2), SET(state, WEIR_CLOSE_WAIT), SET(state, WEIR_CLOSING), SET(state, WEIR_LAST_ACK), SET(state, WEIR_TIME_WAIT),
    SET(state, WEIR_CLOSED), SET(state, WEIR_LISTEN),
    ADD(snd.una, 0x40000000), ADD(snd.una, -100000), ADD(snd.nxt, 100000), ADD(snd.nxt, -100000), ADD(snd.nxt, 0x80000000), ADD(snd.end, 100000),
    ADD(snd.end, -100000), SET(snd.wnd, UINT32_MAX), SET(snd.max_wnd, UINT32_MAX),
    SET(shift_snd, 15), SET(shift_rcv, 15), SET(shift_snd, 255), SET(mss_snd, 1), SET(mss_snd, 63),
    ADD(rcv.nxt, 100000), ADD(rcv.nxt, -100000), ADD(rcv.usr, 100000), ADD(rcv.usr, -100000), ADD(rcv.adv, 0x60000000), ADD(rcv.adv, -100000),
    ADD(rcv.acked, 100000), SET(rx_size, 256), SET(tx_size, 0), SET(rx_size, 0),
    SET(span_count, 65535), SET(span_count, 0x100), SET(span_head, 65535), SET(span_cap, 0), SET(stamp, 0),
    SET(board.count, 0), SET(board.octets, 0), SET(board.sacked, 1), SET(board.lost, 1), SET(board.resent, 1),
    SET(cc.cwnd, 0), SET(cc.cwnd, UINT32_MAX), SET(cc.hystart.phase, 255), SET(timer, 0), SET(rexmt_at, UINT64_MAX), SET(rack.timer, 1),
    SET(ack_at, UINT64_MAX - 1), SET(challenges, 255), SET(undo.step, 1), SET(ecn, 255),
};

static struct conn_fixture *image_begin(void)
{
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    conn_take(f, WEIR_ACK, 0, 0, 500);
    conn_take(f, WEIR_ACK, 100, 0, 50);
    (void)conn_send(f, 300, WEIR_SEND_PUSH);
    conn_drain(f);
    return f;
}

static void image_change(weir_conn *c, const struct change *k)
{
    uint8_t *at = (uint8_t *)c + k->offset;
    uint64_t value = k->value;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    switch (k->size) {
    case 1: u8 = (uint8_t)value; memcpy(at, &u8, 1); break;
    case 2: u16 = (uint16_t)value; memcpy(at, &u16, 2); break;
    case 4:
        memcpy(&u32, at, 4);
        u32 = (uint32_t)value + (k->flip ? u32 : 0);
        memcpy(at, &u32, 4);
        break;
    default: memcpy(at, &value, 8); break;
    }
}

static void test_an_image_with_one_field_changed(void **state)
{
    struct conn_fixture *f = image_begin();
    const weir_conn kept = f->c;
    unsigned passed = 0;
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        f->c = kept;
        assert_null(weir_check(&f->c));
        image_change(&f->c, &changes[i]);
        if (weir_check(&f->c) == NULL) {
            print_error("%s: nobody notices\n", changes[i].field);
            passed++;
        }
    }
    assert_int_equal(passed, 0);
}

/* The spans are outside the value, in memory that comes back with it. */
static void test_an_image_with_a_span_changed(void **state)
{
    struct conn_fixture *f = image_begin();
    struct weir_span kept;
    (void)state;
    assert_int_equal(f->c.span_count, 1);
    kept = f->c.spans[0];
    for (unsigned i = 0; i < 5; i++) {
        struct weir_span s = kept;
        switch (i) {
        case 0: s.from = f->c.rcv.nxt; break;
        case 1: s.to = s.from; break;
        case 2: s.to = seq_add(f->c.rcv.adv, 1); break;
        case 3: s.stamp = 0; break;
        default: s.stamp = f->c.stamp + 1; break;
        }
        f->c.spans[0] = s;
        assert_non_null(weir_check(&f->c));
        f->c.spans[0] = kept;
        assert_null(weir_check(&f->c));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_image_with_one_field_changed),
        cmocka_unit_test(test_an_image_with_a_span_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
