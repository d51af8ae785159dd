/* test_batch.c - packets given together do what they do one by one: two stacks of one configuration get the same, one each way, and must say
 * the same in every octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack_world.h"

enum { PACKETS = 20, ROUNDS = 300 };

static uint32_t draw(uint64_t *random, uint32_t below)
{
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    return (uint32_t)(*random * 2685821657736338717u >> 33) % below;
}

/* SYN, then acknowledgments of whatever was said last, with text now and then; some of it damaged, cut short, or for nobody. */
static size_t some_packet(uint64_t *random, uint8_t *packet, const uint32_t *iss, const uint32_t *next)
{
    struct world_segment seg;
    uint32_t peer = draw(random, 12);
    memset(&seg, 0, sizeof seg);
    seg.tuple.local = world_host(peer & 1, 1);
    seg.tuple.remote = world_host(peer & 1, 2);
    seg.tuple.local_port = draw(random, 20) == 0 ? 81 : 80;
    seg.tuple.remote_port = (uint16_t)(1000 + peer);
    seg.flags = iss[peer] == 0 || draw(random, 30) == 0 ? WEIR_SYN : WEIR_ACK;
    seg.seq = seg.flags == WEIR_SYN ? 100 : next[peer];
    seg.ack = seg.flags == WEIR_ACK ? iss[peer] + 1 : 0;
    seg.len = seg.flags == WEIR_ACK && draw(random, 3) == 0 ? draw(random, 200) : 0;
    seg.bad_checksum = draw(random, 40) == 0;
    size_t len = world_packet(packet, &seg);
    return draw(random, 40) == 0 ? draw(random, (uint32_t)len) : len;
}

/* Both stacks say the same; what they say is noted. */
static void hear(weir_stack *a, weir_stack *b, uint32_t *iss, uint32_t *next, weir_us now)
{
    uint8_t one[2048], other[2048];
    struct weiri_ip ip;
    weir_view v;
    size_t len;
    while ((len = world_poll(a, one, now)) > 0) {
        assert_int_equal(world_poll(b, other, now), len);
        assert_memory_equal(one, other, len);
        assert_int_equal(weiri_ip_view(&ip, one, len), WEIR_OK);
        assert_int_equal(weir_view_segment(&v, ip.payload, ip.payload_len, &ip.addrs), WEIR_OK);
        unsigned peer = v.destination_port - 1000u;
        assert_true(peer < 12);
        iss[peer] = v.flags & WEIR_SYN ? v.seq.v : v.flags & WEIR_RST ? 0 : iss[peer];
        next[peer] = v.flags & WEIR_ACK ? v.ack.v : next[peer];
    }
    assert_int_equal(world_poll(b, other, now), 0);
}

static void a_batch_is_its_packets_one_by_one(void **state)
{
    static uint8_t packets[PACKETS][2048];
    uint32_t iss[12] = {0}, next[12] = {0};
    uint64_t random = 4711;
    weir_stack_config cfg = world_config(1);
    weir_stack *a = world_stack(&cfg, 0), *b = world_stack(&cfg, 0);
    unsigned taken = 0;
    (void)state;
    (void)world_listen(a, 80);
    (void)world_listen(b, 80);
    for (unsigned round = 0; round < ROUNDS; round++) {
        weir_slice slices[PACKETS];
        enum weir_verdict verdicts[PACKETS];
        weir_us now = round * 1000;
        uint32_t count = draw(&random, PACKETS + 1);
        for (uint32_t k = 0; k < count; k++) {
            slices[k].len = some_packet(&random, packets[k], iss, next);
            slices[k].octets = packets[k];
        }
        weir_stack_input_batch(b, slices, count, verdicts, now);
        WORLD_CHECK(b);
        for (uint32_t k = 0; k < count; k++) {
            assert_int_equal(world_put(a, slices[k].octets, slices[k].len, now), verdicts[k]);
            taken += verdicts[k] == WEIR_OK;
        }
        assert_memory_equal(weir_stack_stats(a), weir_stack_stats(b), sizeof(weir_stats));
        hear(a, b, iss, next, now);
        weir_stack_expire(a, now);
        weir_stack_expire(b, now);
    }
    assert_true(taken > 1000 && weir_stack_stats(a)->established == 12);
    guard_free_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_batch_is_its_packets_one_by_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
