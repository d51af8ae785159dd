/* values.c - every value of the fields that bound what is sent: MSS with both opens (V13), window shift with every window (V14); table 6 of
 * RFC 9293 3.10.7.4 and its comparisons, compiled on 8 bits and tried whole (V15).
 *
 * ci/sweeps cuts the comparisons out of the sources into eight_bits.h, so that it is the library's own text that is compiled so small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- V15: the sequence space with 256 numbers ----------------------------------------------------------------------------- */

#define uint32_t uint8_t
#define int32_t int8_t
#define weir_seq tiny_seq
#define weir_block tiny_block
#define WEIR_PRIVATE static
typedef struct tiny_seq {
    uint8_t v;
} tiny_seq;
typedef struct tiny_block {
    tiny_seq from, to;
} tiny_block;
#include "eight_bits.h"
#undef uint32_t
#undef int32_t
#undef weir_seq
#undef weir_block
#undef WEIR_PRIVATE

static unsigned long long swept;

static tiny_seq tiny(int n)
{
    tiny_seq s = {(uint8_t)n};
    return s;
}

/* Walking up from `from`, is `s` met before so many steps are over? */
static bool tiny_met(uint8_t from, uint8_t s, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        if ((uint8_t)(from + i) == s) {
            return true;
        }
    }
    return false;
}

static void test_every_pair_of_numbers(void **state)
{
    (void)state;
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            const bool before = tiny_met((uint8_t)(a + 1), (uint8_t)b, 128); /* half the space and what lies opposite: see tests/test_seq.c */
            if (tiny_seq_lt(tiny(a), tiny(b)) != before || tiny_seq_leq(tiny(a), tiny(b)) != (before || a == b)) {
                fail_msg("%d and %d", a, b);
            }
            for (unsigned len = 0; len < 256; len++, swept++) {
                if (tiny_seq_in(tiny(b), tiny(a), (uint8_t)len) != tiny_met((uint8_t)a, (uint8_t)b, len)) {
                    fail_msg("%d in %u from %d", b, len, a);
                }
            }
        }
    }
}

/* Table 6, with windows up to half the space. One number of the segment is in the window, and it is the first or the last; without text a
 * window of nothing has room at RCV.NXT. */
static void test_every_segment_and_window(void **state)
{
    static bool in_window[256];
    (void)state;
    for (int nxt = 0; nxt < 256; nxt += 5) {
        for (unsigned wnd = 0; wnd < 128; wnd++) {
            const tiny_block window = {tiny(nxt), tiny(nxt + (int)wnd)};
            for (unsigned i = 0; i < 256; i++) {
                in_window[i] = tiny_met((uint8_t)nxt, (uint8_t)i, wnd);
            }
            for (unsigned seq = 0; seq < 256; seq++) {
                for (unsigned len = 0; len < 128; len++, swept++) {
                    const bool first = in_window[seq], last = in_window[(uint8_t)(seq + len - 1)];
                    const bool expected = len == 0 ? (wnd == 0 ? seq == (unsigned)nxt : first) : wnd > 0 && (first || last);
                    if (tiny_acceptable(window, tiny((int)seq), (uint8_t)len) != expected) {
                        fail_msg("RCV.NXT %d, RCV.WND %u, SEG.SEQ %u, SEG.LEN %u", nxt, wnd, seq, len);
                    }
                }
            }
        }
    }
}

/* ---- V13, V14 -------------------------------------------------------------------------------------------------------------- */

#include "conn_fixture.h"

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* RFC 9293 3.7.1: no option means 536, and so does 0 here, which nothing can be carried in; a smaller one than mss_min counts as that; never
 * more than the interface takes. Then all that is sent is no longer than that, and not a storm of smaller ones. */
static void sweep_mss(bool passive, uint32_t mss)
{
    struct conn_fixture *f = conn_new();
    const uint32_t most = f->cfg.mtu - 40u, expected = least(mss == 0 ? 536 : mss < f->cfg.mss_min ? f->cfg.mss_min : mss, most);
    weir_info info;
    weir_view v;
    memset(&v, 0, sizeof v);
    conn_go(f, passive ? WEIR_LISTEN : WEIR_SYN_SENT);
    v.flags = passive ? (unsigned)WEIR_SYN : (unsigned)(WEIR_SYN | WEIR_ACK);
    v.seq = seq_of(CONN_PEERS);
    v.ack = passive ? seq_of(0) : f->c.snd.nxt;
    v.window = CONN_WINDOW;
    v.options = mss > 0 ? (uint16_t)WEIR_OPT_MSS : 0;
    v.mss = (uint16_t)mss;
    (void)weir_input(&f->c, &v, f->now);
    conn_drain(f);
    if (passive) {
        conn_take(f, WEIR_ACK, 0, 0, 0);
    }
    weir_info_get(&f->c, &info);
    if (weir_state(&f->c) != WEIR_ESTABLISHED || info.snd_mss != expected) {
        fail_msg("%s, MSS %u: %u is used and not %u", passive ? "passive" : "active", (unsigned)mss, (unsigned)info.snd_mss, (unsigned)expected);
    }
    (void)conn_send(f, 3000, WEIR_SEND_PUSH);
    uint32_t queued = 3000, segments = 0;
    weir_out out;
    for (size_t len; (len = weir_poll(&f->c, &out, f->now)) > 0; segments++) {
        const uint32_t text = (uint32_t)len - out.header_len;
        if (text > expected || (text < expected && text != queued)) {
            fail_msg("MSS %u: a segment of %u octets", (unsigned)mss, (unsigned)text);
        }
        queued -= text;
    }
    if (segments == 0 || segments > 3000 / expected + 1) {
        fail_msg("MSS %u: %u segments", (unsigned)mss, (unsigned)segments);
    }
    swept++;
}

static void test_every_mss(void **state)
{
    (void)state;
    for (uint32_t mss = 0; mss < 65536; mss++) {
        sweep_mss(false, mss);
        sweep_mss(true, mss);
    }
}

/* RFC 7323 2.3: a shift above 14 is 14, so no window is above 2^30; and whatever the peer says, our own right edge does not move left. */
static void test_every_shift_and_window(void **state)
{
    static struct conn_fixture saved;
    (void)state;
    for (unsigned shift = 0; shift < 256; shift++) {
        uint8_t octets[24] = {0x9c, 0x40, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x60, WEIR_SYN, 0xff, 0xff, 0, 0, 0, 0, 1, 3, 3, (uint8_t)shift};
        struct conn_fixture *f = conn_new();
        weir_view syn, v;
        f->cfg.window_scale = true;
        conn_listen(f);
        assert_int_equal(weir_view_segment(&syn, octets, sizeof octets, NULL), WEIR_OK);
        (void)weir_input(&f->c, &syn, f->now);
        conn_drain(f);
        memset(&v, 0, sizeof v);
        v.flags = WEIR_ACK;
        v.seq = f->c.rcv.nxt;
        v.ack = f->c.snd.nxt;
        saved = *f;
        for (uint32_t window = 0; window < 65536; window++, swept++) {
            f->c = saved.c; /* nothing of the rings has changed */
            v.window = (uint16_t)window;
            (void)weir_input(&f->c, &v, f->now);
            if (f->c.snd.wnd != window << (shift < 14 ? shift : 14) || f->c.snd.wnd > 1u << 30 || seq_lt(f->c.rcv.adv, saved.c.rcv.adv)) {
                fail_msg("shift %u, window %u: SND.WND %u", shift, (unsigned)window, (unsigned)f->c.snd.wnd);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pair_of_numbers), cmocka_unit_test(test_every_segment_and_window),
        cmocka_unit_test(test_every_mss),             cmocka_unit_test(test_every_shift_and_window),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    printf("swept: %llu cases of numbers, segment sizes, shifts and windows\n", swept);
    return failed;
}
