/* test_demux.c - who a segment is for: exact on all four fields, listeners from the most specific to the widest, and who can be a peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack_world.h"

static weir_tuple tuple_of(bool v6, uint8_t local, uint8_t remote, uint16_t local_port, uint16_t remote_port)
{
    weir_tuple t;
    t.local = world_host(v6, local);
    t.remote = world_host(v6, remote);
    t.local_port = local_port;
    t.remote_port = remote_port;
    return t;
}

/* Connections whose sockets differ in one field each: a segment finds its own and no other (RFC 9293 3.3.1). */
static void test_exact_on_all_four_fields(void **state)
{
    weir_tuple t[6];
    weir_stack_config c = world_config(1);
    (void)state;
    c.addrs[2] = world_host(false, 9);
    c.addr_count = 3;
    weir_stack *s = world_stack(&c, 0);
    t[0] = tuple_of(false, 1, 2, 80, 4000);
    t[1] = tuple_of(false, 9, 2, 80, 4000);
    t[2] = tuple_of(false, 1, 3, 80, 4000);
    t[3] = tuple_of(false, 1, 2, 81, 4000);
    t[4] = tuple_of(false, 1, 2, 80, 4001);
    t[5] = tuple_of(true, 1, 2, 80, 4000);
    for (unsigned i = 0; i < 6; i++) {
        weir_handle conn;
        assert_int_equal(weiri_demux_find(s, &t[i]), WEIRI_NONE);
        WORLD_OK(weir_stack_connect(s, &t[i], &conn, 0));
        WORLD_CHECK(s);
        for (unsigned k = 0; k < 6; k++) {
            assert_int_equal(weiri_demux_find(s, &t[k]), k <= i ? k : WEIRI_NONE);
        }
        assert_int_equal(weir_stack_connect(s, &t[i], &conn, 0), WEIR_ERR_EXISTS);
    }
    guard_free_all();
}

/* A hash is no match: two sockets with the same one are told apart, whichever of the four fields differs. */
static void test_equal_hashes_are_no_match(void **state)
{
    weir_stack_config c = world_config(1);
    (void)state;
    c.addrs[2] = world_host(false, 9);
    c.addr_count = 3;
    const weir_tuple t[5] = {tuple_of(false, 1, 2, 80, 4000), tuple_of(false, 9, 2, 80, 4000), tuple_of(false, 1, 3, 80, 4000),
                             tuple_of(false, 1, 2, 81, 4000), tuple_of(false, 1, 2, 80, 4001)};
    for (unsigned i = 1; i < 5; i++) {
        weir_stack *s = world_stack(&c, 0);
        weir_handle conn;
        WORLD_OK(weir_stack_connect(s, &t[0], &conn, 0));
        WORLD_OK(weir_stack_connect(s, &t[i], &conn, 0));
        assert_int_equal(weiri_demux_find(s, &t[i]), 1);
        const uint32_t hash = s->demux.nodes[1].hash;
        weiri_demux_remove(s, 1);
        weiri_demux_remove(s, 0);
        s->demux.nodes[0].hash = hash; /* as if chance had it so */
        s->demux.nodes[0].next = WEIRI_NONE;
        *weiri_demux_head(&s->demux, hash) = 0;
        assert_int_equal(weiri_demux_find(s, &t[i]), WEIRI_NONE);
    }
    guard_free_all();
}

/* Sockets come and go; the table finds what is in it and nothing else. */
static void test_table_beside_a_list(void **state)
{
    enum { SOCKETS = 48, STEPS = 3000 };
    weir_stack_config c = world_config(1);
    weir_handle conn[SOCKETS] = {0};
    uint32_t random = 1;
    (void)state;
    weir_stack *s = world_stack(&c, 0);
    for (unsigned step = 0; step < STEPS; step++) {
        random = random * 1664525u + 1013904223u;
        const unsigned i = (random >> 16) % SOCKETS;
        const weir_tuple t = tuple_of(i & 1, 1, (uint8_t)(2 + i / 16), (uint16_t)(1000 + i % 4), (uint16_t)(2000 + i / 4));
        assert_int_equal(weiri_demux_find(s, &t) != WEIRI_NONE, conn[i] != 0);
        if (conn[i]) {
            assert_int_equal(weiri_demux_find(s, &t), (uint32_t)conn[i] - 1);
            WORLD_OK(weir_stack_release(s, conn[i], 0, step));
            conn[i] = 0;
        } else {
            WORLD_OK(weir_stack_connect(s, &t, &conn[i], step));
        }
        WORLD_CHECK(s);
    }
    guard_free_all();
}

/* Two stacks with other secrets put the same sockets into other chains. */
static void test_chains_depend_on_the_secret(void **state)
{
    weir_stack_config c = world_config(1), d = world_config(2);
    const weir_tuple t = tuple_of(false, 1, 3, 80, 4000);
    weir_handle conn;
    (void)state;
    memcpy(d.addrs, c.addrs, sizeof d.addrs);
    weir_stack *s = world_stack(&c, 0), *r = world_stack(&d, 0);
    WORLD_OK(weir_stack_connect(s, &t, &conn, 0));
    WORLD_OK(weir_stack_connect(r, &t, &conn, 0));
    assert_int_not_equal(s->demux.nodes[0].hash, r->demux.nodes[0].hash);
    assert_memory_not_equal(s->demux.key, s->cfg.tcp.secret, 16);
    assert_memory_not_equal(s->demux.key, s->port_key, 16);
    guard_free_all();
}

static void test_chains_are_short(void **state)
{
    enum { MANY = 2000 };
    weir_stack_config c = world_config(1);
    uint32_t longest = 0;
    (void)state;
    c.connections_max = MANY;
    c.rings.rx = c.rings.tx = 256;
    weir_stack *s = world_stack(&c, 0);
    for (unsigned i = 0; i < MANY; i++) {
        const weir_tuple t = tuple_of(false, 1, 2, (uint16_t)(1000 + i), 80);
        weir_handle conn;
        WORLD_OK(weir_stack_connect(s, &t, &conn, 0));
    }
    for (uint32_t bucket = 0; bucket < s->demux.size; bucket++) {
        uint32_t len = 0;
        for (uint32_t i = s->demux.heads[bucket]; i != WEIRI_NONE; i = s->demux.nodes[i].next) {
            len++;
        }
        longest = len > longest ? len : longest;
    }
    assert_in_range(longest, 2, 9); /* a load of one: 10 would be one chance in ten thousand */
    WORLD_CHECK(s);
    guard_free_all();
}

static weir_stack *stack_for_anybody(void)
{
    weir_stack_config c = world_config(1);
    c.any_destination = true;
    return world_stack(&c, 0);
}

struct listener_case {
    const char *name;
    uint8_t host; /* 0: unspecified */
    bool v6;
    uint16_t port;
    bool any, v4_only, v6_only;
};

static const struct listener_case listeners[] = {
    {"10.0.0.1:80", 1, false, 80, false, false, false},       {"ours:80", 0, false, 80, false, false, false},
    {"ours:80 over IPv6", 0, false, 80, false, false, true},  {"all:80", 0, false, 80, true, false, false},
    {"10.0.0.1, any port", 1, false, 0, false, false, false}, {"ours, any port", 0, false, 0, false, false, false},
    {"all, any port", 0, false, 0, true, false, false},       {"all, any port, IPv4", 0, false, 0, true, true, false},
    {"fd00::1:443", 1, true, 443, false, false, false},       {"10.0.0.7:80, not ours", 7, false, 80, true, false, false},
};
enum { LISTENERS = sizeof listeners / sizeof *listeners };

static weir_listen_spec spec_of(const struct listener_case *c)
{
    weir_listen_spec spec;
    memset(&spec, 0, sizeof spec);
    if (c->host) {
        spec.local = world_host(c->v6, c->host);
    }
    spec.port = c->port;
    spec.any_destination = c->any;
    spec.v4_only = c->v4_only;
    spec.v6_only = c->v6_only;
    return spec;
}

static void test_the_most_specific_listener(void **state)
{
    static const struct {
        uint8_t host;
        bool v6;
        uint16_t port;
        unsigned order[LISTENERS + 1]; /* who answers, as one after the other goes; LISTENERS ends */
    } cases[] = {
        {1, false, 80, {0, 1, 3, 4, 5, 7, 6, LISTENERS}}, {1, false, 99, {4, 5, 7, 6, LISTENERS}},
        {1, true, 80, {2, 1, 3, 5, 6, LISTENERS}},        {1, true, 443, {8, 5, 6, LISTENERS}},
        {7, false, 80, {9, 3, 7, 6, LISTENERS}},          {7, true, 80, {3, 6, LISTENERS}},
        {7, false, 443, {7, 6, LISTENERS}},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        weir_handle handles[LISTENERS];
        weir_stack *s = stack_for_anybody();
        const weir_addr local = world_host(cases[i].v6, cases[i].host);
        for (unsigned k = 0; k < LISTENERS; k++) {
            const weir_listen_spec spec = spec_of(&listeners[k]);
            WORLD_OK(weir_stack_listen(s, &spec, &handles[k]));
            assert_int_equal(weir_stack_listen(s, &spec, &handles[k]), WEIR_ERR_EXISTS);
        }
        assert_int_equal(weir_stack_stats(s)->listeners, LISTENERS);
        for (unsigned k = 0; cases[i].order[k] != LISTENERS; k++) {
            assert_int_equal(weiri_listen_find(s, &local, cases[i].port), cases[i].order[k]);
            WORLD_OK(weir_stack_unlisten(s, handles[cases[i].order[k]], 0));
            assert_int_equal(weir_stack_unlisten(s, handles[cases[i].order[k]], 0), WEIR_ERR_NOT_EXIST);
            WORLD_CHECK(s);
        }
        assert_int_equal(weiri_listen_find(s, &local, cases[i].port), WEIRI_NONE);
        guard_free_all();
    }
}

static void test_listener_faults(void **state)
{
    weir_stack_config c = world_config(1);
    weir_listen_spec spec;
    weir_handle handle = 0, first = 0;
    (void)state;
    c.listeners_max = 2;
    weir_stack *s = world_stack(&c, 0);
    memset(&spec, 0, sizeof spec);
    spec.port = 80;
    spec.any_destination = true;
    assert_int_equal(weir_stack_listen(s, &spec, &handle), WEIR_ERR_ADDRESS); /* the configuration does not allow it */
    spec.any_destination = false;
    spec.local = world_host(false, 2);
    assert_int_equal(weir_stack_listen(s, &spec, &handle), WEIR_ERR_ADDRESS);
    spec.local = world_host(false, 1);
    spec.v4_only = spec.v6_only = true;
    assert_int_equal(weir_stack_listen(s, &spec, &handle), WEIR_ERR_INVALID);
    spec.v4_only = spec.v6_only = false;
    WORLD_OK(weir_stack_listen(s, &spec, &first));
    spec.port = 81;
    WORLD_OK(weir_stack_listen(s, &spec, &handle));
    spec.port = 82;
    assert_int_equal(weir_stack_listen(s, &spec, &handle), WEIR_ERR_RESOURCES);
    WORLD_OK(weir_stack_unlisten(s, first, 0));
    WORLD_OK(weir_stack_listen(s, &spec, &handle));
    assert_true(handle != first); /* the same record, another handle */
    assert_int_equal(weir_stack_unlisten(s, first, 0), WEIR_ERR_NOT_EXIST);
    assert_int_equal(weir_stack_unlisten(s, 0, 0), WEIR_ERR_NOT_EXIST);
    assert_int_equal(weir_stack_unlisten(s, 1, 0), WEIR_ERR_NOT_EXIST); /* a connection's handle */
    assert_int_equal(weir_stack_unlisten(s, UINT64_MAX, 0), WEIR_ERR_NOT_EXIST);
    assert_null(weir_stack_conn(s, handle));
    assert_null(weir_stack_peek(s, handle));
    guard_free_all();
}

static void test_many_listeners(void **state)
{
    enum { MANY = 2000 };
    weir_stack_config c = world_config(1);
    const weir_addr local = world_host(false, 1);
    (void)state;
    c.listeners_max = MANY;
    weir_stack *s = world_stack(&c, 0);
    for (unsigned port = 1; port <= MANY; port++) {
        (void)world_listen(s, (uint16_t)port);
    }
    for (unsigned port = 1; port <= MANY; port++) {
        assert_int_equal(weiri_listen_find(s, &local, (uint16_t)port), port - 1);
    }
    assert_int_equal(weiri_listen_find(s, &local, MANY + 1), WEIRI_NONE);
    WORLD_CHECK(s);
    guard_free_all();
}

/* Two listeners whose hashes are the same are told apart by what they say. */
static void test_listeners_with_one_hash(void **state)
{
    weir_stack *s = stack_for_anybody();
    const weir_addr local = world_host(false, 1), other = world_host(false, 7);
    const weir_listen_spec spec = spec_of(&listeners[0]);
    weir_handle handle;
    (void)state;
    WORLD_OK(weir_stack_listen(s, &spec, &handle));
    assert_int_equal(weiri_listen_find(s, &local, 80), 0);
    s->listeners[0].spec.port = 81;
    assert_int_equal(weiri_listen_find(s, &local, 80), WEIRI_NONE);
    s->listeners[0].spec.port = 80;
    s->listeners[0].spec.local = other;
    assert_int_equal(weiri_listen_find(s, &local, 80), WEIRI_NONE);
    s->listeners[0].spec.local = local;
    s->listeners[0].reach++;
    assert_int_equal(weiri_listen_find(s, &local, 80), WEIRI_NONE);
    guard_free_all();
}

/* RFC 1122 3.2.1.3 and 3.3.6: who can be at the other end. */
static void test_peers(void **state)
{
    static const struct {
        uint8_t a[4];
        bool peer, martian;
    } cases[] = {
        {{10, 0, 0, 2}, true, true},      {{10, 0, 0, 255}, false, false}, {{10, 0, 0, 0}, false, false},
        {{10, 0, 1, 255}, true, true},    {{10, 0, 1, 0}, true, true},     {{255, 255, 255, 255}, false, false},
        {{0, 0, 0, 0}, false, false},     {{0, 1, 2, 3}, false, false},    {{127, 0, 0, 1}, false, true},
        {{127, 9, 9, 9}, false, true},    {{224, 0, 0, 1}, false, false},  {{239, 1, 1, 1}, false, false},
        {{240, 0, 0, 1}, false, false},   {{8, 8, 8, 8}, true, true},      {{192, 168, 7, 4}, true, true},
        {{192, 168, 7, 5}, true, true},   {{192, 168, 9, 7}, false, false},
    };
    weir_stack_config c = world_config(1);
    (void)state;
    c.addrs[2] = weir_addr_v4(192, 168, 7, 4); /* a link of two: both are hosts (RFC 3021) */
    c.prefix_len[2] = 31;
    c.addrs[3] = weir_addr_v4(192, 168, 9, 5); /* 4 and 7 are not */
    c.prefix_len[3] = 30;
    c.addr_count = 4;
    weir_stack *s = world_stack(&c, 0);
    c.accept_martians = true;
    weir_stack *m = world_stack(&c, 0);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        const weir_addr a = weir_addr_v4(cases[i].a[0], cases[i].a[1], cases[i].a[2], cases[i].a[3]);
        assert_int_equal(weiri_addr_is_peer(s, &a), cases[i].peer);
        assert_int_equal(weiri_addr_is_peer(m, &a), cases[i].martian);
    }
    weir_addr six = world_v6(2);
    assert_true(weiri_addr_is_peer(s, &six));
    six.octets[0] = 0xff;
    assert_false(weiri_addr_is_peer(s, &six));
    memset(&six, 0, sizeof six);
    assert_false(weiri_addr_is_peer(m, &six));
    six.octets[15] = 1;
    assert_false(weiri_addr_is_peer(s, &six));
    assert_true(weiri_addr_is_peer(m, &six));
    guard_free_all();
}

static void test_pool(void **state)
{
    uint32_t next[3];
    struct weiri_pool p;
    (void)state;
    weiri_pool_init(&p, next, 3);
    assert_int_equal(weiri_pool_take(&p), 0);
    assert_int_equal(weiri_pool_take(&p), 1);
    weiri_pool_give(&p, 0);
    assert_true(weiri_pool_check(&p));
    assert_int_equal(weiri_pool_take(&p), 0); /* the warmest, before a fresh one */
    assert_int_equal(weiri_pool_take(&p), 2);
    assert_int_equal(weiri_pool_take(&p), WEIRI_NONE);
    weiri_pool_give(&p, 1);
    weiri_pool_give(&p, 2);
    assert_int_equal(p.used, 1);
    assert_int_equal(weiri_pool_take(&p), 2);
    assert_true(weiri_pool_check(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_on_all_four_fields),
        cmocka_unit_test(test_equal_hashes_are_no_match),
        cmocka_unit_test(test_table_beside_a_list),
        cmocka_unit_test(test_chains_depend_on_the_secret),
        cmocka_unit_test(test_chains_are_short),
        cmocka_unit_test(test_the_most_specific_listener),
        cmocka_unit_test(test_listener_faults),
        cmocka_unit_test(test_many_listeners),
        cmocka_unit_test(test_listeners_with_one_hash),
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
