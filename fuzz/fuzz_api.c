/* fuzz_api.c - calls in any order, with any argument that their words allow: a connection, its storage, its configuration; a stack.
 *
 * Input: an octet that says which of the two, then calls. Arguments are right, stale or out of range as the input says; a connection is
 * opened, ended and opened again over the same memory. Checks: nothing stops; each answer is one that the header documents for that call in
 * that state; a call that is refused changes nothing that can be seen; every invariant after each call; a connection that was used before
 * and one that was not tell the same when they are opened alike. */
#include "fuzz.h"

enum { API_MEMORY = 1 << 16, API_STEPS = 300, API_HANDLES = 8 };

#define ERR(name) (1u << WEIR_ERR_##name)

struct api_world {
    struct fuzz_bytes in;
    weir_us now;
    weir_config cfg;
    weir_conn c;
    unsigned slot;
    weir_stack *s;
    weir_stack_config scfg;
    weir_handle handles[API_HANDLES];
    unsigned turn;
};

static uint64_t api_memory[2][API_MEMORY / 8 + 8];

/* One of these errors, and no other. */
static void api_among(weir_err err, unsigned allowed, const char *call)
{
    FUZZ_CHECK((unsigned)err < WEIR_ERR_COUNT && (allowed >> err & 1), call);
}

static weir_addr api_addr(struct api_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    weir_addr a = weir_addr_v4((uint8_t)(how & 1 ? 10 : how & 2 ? 224 : how & 4 ? 127 : 192), 0, 2, (uint8_t)(how >> 4));
    if (how & 8) {
        memset(&a, how & 1 ? 0xff : 0x20, sizeof a);
        a.octets[15] = (uint8_t)(how >> 4);
    }
    if (how == 0xf8) {
        memset(&a, 0, sizeof a);
    }
    return a;
}

static weir_tuple api_tuple(struct api_world *w)
{
    weir_tuple t;
    unsigned how = fuzz_u8(&w->in);
    t.local = weir_addr_v4(192, 0, 2, 1);
    t.remote = weir_addr_v4(192, 0, 2, 2);
    t.local_port = how & 1 ? (uint16_t)(how >> 4) : 80;
    t.remote_port = how & 2 ? (uint16_t)(how >> 4) : 1000;
    if (how & 4) {
        t.local = api_addr(w);
    }
    if (how & 8) {
        t.remote = api_addr(w);
    }
    return t;
}

static weir_us api_span(struct api_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    return how < 128 ? how * (weir_us)1000 : how < 254 ? (weir_us)1 << (how >> 1 & 63) : how == 254 ? WEIR_FOREVER : WEIR_FOREVER - 1;
}

/* Times, too, come in any order. */
static weir_us api_now(struct api_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    w->now += how < 192 ? how * (weir_us)500 : how < 250 ? (weir_us)1 << (how - 192) / 2 : 0;
    w->now = w->now < WEIR_FOREVER / 4 ? w->now : WEIR_FOREVER / 4;
    return how == 255 ? 0 : how == 254 ? w->now / 2 : w->now;
}

/* ---- configuration and storage ------------------------------------------------------------------------------------------------------- */

/* A configuration of which some octets are anything; accepted or not, as weir_config_check says. */
static void api_configure(struct api_world *w, weir_config *g)
{
    unsigned how = fuzz_u8(&w->in);
    switch (how & 3) {
    case 0: weir_config_init(g); break;
    case 1: weir_config_rfc(g); break;
    case 2: weir_config_tiny(g); break;
    default: weir_config_internet(g); break;
    }
    memset(g->secret, how & 4 ? 0 : 7, sizeof g->secret);
    for (unsigned i = how >> 4 & 3; i > 0; i--) { /* one of the fields that are not `bool` becomes anything */
        uint8_t value = fuzz_u8(&w->in);
        weir_us span = api_span(w);
        switch (fuzz_u8(&w->in) % 25) {
        case 0: g->mtu = (uint16_t)(value << 3); break;
        case 1: g->gso_max = (uint16_t)(value << 8); break;
        case 2: g->mss_min = (uint16_t)(value << 2); break;
        case 3: g->cc = value & 3; break;
        case 4: g->pacing = value & 7; break;
        case 5: g->ecn = value & 3; break;
        case 6: g->rx_max = (uint32_t)value << 23; break;
        case 7: g->tx_max = (uint32_t)value << 23; break;
        case 8: g->ack_every = value & 1; break;
        case 9: g->ttl = value & 1; break;
        case 10: g->dscp = value; break;
        case 11: g->keepalive_count = value & 1; break;
        case 12: g->rto_initial_us = span; break;
        case 13: g->rto_min_us = span; break;
        case 14: g->rto_max_us = span; break;
        case 15: g->ack_delay_us = span; break;
        case 16: g->r2_us = span; break;
        case 17: g->r2_syn_us = span; break;
        case 18: g->keepalive_interval_us = span; break;
        case 19: g->persist_max_us = span; break;
        case 20: g->sws_override_us = span; break;
        case 21: g->msl_us = span; break;
        case 22: g->fin_wait_us = span; break;
        case 23: g->orphan_us = span; break;
        default: g->challenge_interval_us = span; break;
        }
    }
}

static bool api_accepted(const weir_config *g)
{
    const char *field = "";
    weir_err err = weir_config_check(g, &field);
    api_among(err, ERR(NONE) | ERR(SECRET) | ERR(INVALID), "weir_config_check");
    FUZZ_CHECK(weir_config_check(g, NULL) == err && (field == NULL) == (err == WEIR_ERR_NONE), "a refusal that names no field");
    return err == WEIR_ERR_NONE;
}

/* Sizes and memory of any kind; true if they are good, and then the other piece of memory is in use. */
static bool api_carve(struct api_world *w, weir_buffers *b)
{
    unsigned how = fuzz_u8(&w->in);
    weir_sizes sizes = {256u << (how & 7), 256u << (how >> 3 & 7)};
    size_t len = API_MEMORY;
    if (how & 64) {
        sizes.rx += (uint32_t)fuzz_u8(&w->in) - 128;
        len = (size_t)fuzz_u8(&w->in) * 256;
    }
    size_t need = weir_buffers_size(sizes);
    bool power = sizes.rx >= 256 && (sizes.rx & (sizes.rx - 1)) == 0;
    FUZZ_CHECK((need > 0) == power, "a size is taken or refused otherwise than documented");
    bool good = weir_buffers_carve(b, how & 128 ? NULL : api_memory[w->slot ^ 1], len, sizes);
    FUZZ_CHECK(good == (need > 0 && len >= need && !(how & 128)), "weir_buffers_carve");
    return good;
}

/* ---- one connection ------------------------------------------------------------------------------------------------------------------ */

static void api_init(struct api_world *w)
{
    weir_config g;
    weir_buffers b;
    api_configure(w, &g);
    memset(&b, 0, sizeof b);
    bool good = api_accepted(&g);
    if (!api_carve(w, &b)) {
        return;
    }
    weir_conn fresh;
    memset(&fresh, 0xa5, sizeof fresh);
    weir_err err = weir_init(&fresh, &g, &b, w->now);
    FUZZ_CHECK((err == WEIR_ERR_NONE) == good, "weir_init judges otherwise than weir_config_check");
    if (good) {
        w->cfg = g;
        (void)weir_init(&w->c, &w->cfg, &b, w->now); /* over whatever it was */
        fresh.cfg = &w->cfg;
        FUZZ_CHECK(memcmp(&fresh, &w->c, sizeof fresh) == 0, "a connection that was used before is not as a fresh one");
        w->slot ^= 1;
    }
}

static void api_open(struct api_world *w, unsigned how)
{
    weir_tuple t = api_tuple(w);
    enum weir_state was = weir_state(&w->c);
    weir_us now = api_now(w);
    bool remote = t.remote_port != 0 && !weir_addr_is_unspecified(&t.remote);
    weir_err err = how & 1 ? weir_listen(&w->c, &t, now) : weir_connect(&w->c, &t, now);
    api_among(err, ERR(NONE) | ERR(EXISTS) | ERR(UNSPECIFIED) | ERR(INVALID) | ERR(ADDRESS), "an OPEN answers what it may not");
    bool free_to = was == WEIR_CLOSED || (!(how & 1) && was == WEIR_LISTEN);
    FUZZ_CHECK(err != WEIR_ERR_EXISTS || !free_to, "OPEN finds a connection where there is none");
    FUZZ_CHECK(err != WEIR_ERR_UNSPECIFIED || !remote, "OPEN misses a remote socket that is there");
    FUZZ_CHECK((err == WEIR_ERR_NONE) <= free_to, "OPEN of a connection that is open");
    if (err == WEIR_ERR_NONE) {
        FUZZ_CHECK(weir_state(&w->c) == (how & 1 ? WEIR_LISTEN : WEIR_SYN_SENT), "OPEN leads elsewhere");
    } else {
        FUZZ_CHECK(weir_state(&w->c) == was, "a refused OPEN changed the state");
    }
}

static void api_end(struct api_world *w, unsigned how)
{
    enum weir_state was = weir_state(&w->c);
    weir_us now = api_now(w);
    weir_err err;
    switch (how & 3) {
    case 0:
        err = weir_close(&w->c, now);
        api_among(err, was == WEIR_CLOSED ? ERR(NOT_EXIST) : ERR(NONE) | ERR(CLOSING), "CLOSE answers what it may not");
        break;
    case 1:
        err = weir_abort(&w->c, now);
        api_among(err, was == WEIR_CLOSED ? ERR(NOT_EXIST) : ERR(NONE), "ABORT answers what it may not");
        FUZZ_CHECK(weir_state(&w->c) == WEIR_CLOSED, "ABORT leaves something");
        break;
    default:
        api_among(weir_release(&w->c, how & 1 ? api_span(w) : 0, now), ERR(NONE), "weir_release");
        FUZZ_CHECK((how & 1) || weir_state(&w->c) == WEIR_CLOSED, "a release without lingering leaves something");
        break;
    }
}

static void api_write(struct api_world *w, unsigned how)
{
    static uint8_t text[512];
    size_t room, sent = 99;
    unsigned flags = fuzz_u8(&w->in), state = weir_state(&w->c);
    size_t count = fuzz_u8(&w->in) * (how & 2 ? 2u : 1u);
    weir_us now = api_now(w);
    unsigned may = state == WEIR_CLOSED ? ERR(NOT_EXIST) : ERR(NONE) | ERR(CLOSING) | ERR(UNSPECIFIED) | ERR(INVALID);
    if (how & 1) {
        weir_slice slice = {text, count};
        weir_err err = weir_send(&w->c, slice, flags, &sent, now);
        api_among(err, may & ~ERR(INVALID), "SEND answers what it may not");
        FUZZ_CHECK(sent <= count && (err == WEIR_ERR_NONE || sent == 0), "SEND took more than was given, or with an error");
        return;
    }
    uint8_t *to = weir_tx_reserve(&w->c, &room);
    FUZZ_CHECK(room == 0 || (to != NULL && (weir_events(&w->c) & WEIR_EV_WRITABLE)), "room that nobody was told of");
    if (room > 0) {
        memset(to, 'x', count < room ? count : room);
    }
    weir_err err = weir_tx_commit(&w->c, count, flags, now);
    api_among(err, may, "a commit answers what it may not");
    size_t left = room;
    if (err != WEIR_ERR_NONE && weir_state(&w->c) != WEIR_CLOSED) {
        (void)weir_tx_reserve(&w->c, &left);
    }
    FUZZ_CHECK(left == room, "a commit that was refused took room");
    FUZZ_CHECK(err != WEIR_ERR_INVALID || count > room, "a commit of what was reserved is refused");
    FUZZ_CHECK(err != WEIR_ERR_NONE || count <= room, "a commit of more than was reserved");
}

static void api_read(struct api_world *w, unsigned how)
{
    static uint8_t text[512];
    size_t len, got = 99, count = fuzz_u8(&w->in) * 2u;
    weir_us now = api_now(w);
    (void)weir_rx_peek(&w->c, &len);
    if (how & 1) {
        weir_err err = weir_recv(&w->c, text, count, &got, now);
        api_among(err, weir_state(&w->c) == WEIR_CLOSED ? ERR(NONE) | ERR(NOT_EXIST) | ERR(CLOSING) : ERR(NONE) | ERR(CLOSING), "RECEIVE");
        FUZZ_CHECK(got <= count && (err == WEIR_ERR_NONE || got == 0), "RECEIVE gave more than was asked for, or with an error");
        return;
    }
    weir_err err = weir_rx_consume(&w->c, count, now);
    FUZZ_CHECK(err == (count > len ? WEIR_ERR_INVALID : WEIR_ERR_NONE), "a consume judges otherwise than peek showed");
}

static void api_set(struct api_world *w, unsigned how)
{
    uint8_t value = fuzz_u8(&w->in);
    weir_addr a;
    switch (how & 7) {
    case 0: weir_set_nagle(&w->c, value & 1); break;
    case 1: weir_set_keepalive(&w->c, value & 1, api_now(w)); break;
    case 2: FUZZ_CHECK(weir_set_dscp(&w->c, value) == (value > 63 ? WEIR_ERR_INVALID : WEIR_ERR_NONE), "weir_set_dscp"); break;
    case 3: weir_set_user_timeout(&w->c, api_span(w)); break;
    case 4: weir_hold(&w->c); break;
    case 5: api_among(weir_admit(&w->c, api_now(w)), ERR(NONE) | ERR(NOT_EXIST), "weir_admit"); break;
    default:
        a = api_addr(w);
        api_among(weir_set_remote(&w->c, &a, value), weir_state(&w->c) == WEIR_LISTEN ? ERR(NONE) | ERR(ADDRESS) : ERR(EXISTS), "weir_set_remote");
        break;
    }
}

static void api_exchange(struct api_world *w, unsigned how)
{
    weir_buffers b;
    memset(&b, 0, sizeof b);
    bool none = (how & 3) == 3;
    if (!none && !api_carve(w, &b)) {
        return;
    }
    weir_err err = weir_set_buffers(&w->c, &b, api_now(w));
    api_among(err, ERR(NONE) | ERR(INVALID), "weir_set_buffers");
    if (err == WEIR_ERR_NONE) {
        memset(api_memory[w->slot], 0xee, sizeof api_memory[0]);
        w->slot ^= none ? 0 : 1;
    }
}

static void api_segment(struct api_world *w, unsigned how)
{
    static uint8_t raw[WEIR_TCP_HEADER_MAX + 256];
    weir_fields f;
    weir_view v;
    bool listens = weir_state(&w->c) == WEIR_LISTEN, opening = weir_state(&w->c) == WEIR_SYN_SENT;
    unsigned flags = fuzz_u8(&w->in);
    memset(&f, 0, sizeof f);
    f.source_port = 1000;
    f.destination_port = 80;
    f.seq = listens || opening ? seq_of(5000) : w->c.rcv.nxt;
    f.ack = w->c.snd.nxt;
    f.flags = (uint16_t)((flags & 63) ^ (listens ? WEIR_SYN : opening ? WEIR_SYN | WEIR_ACK : WEIR_ACK));
    f.window = (uint16_t)(fuzz_u8(&w->in) << 7);
    f.options = how & 1 ? WEIR_OPT_TIMESTAMPS | WEIR_OPT_SACK_OK | WEIR_OPT_WSCALE | WEIR_OPT_MSS : 0;
    f.mss = 1400;
    size_t header = weir_emit_header(raw, &f), text = flags & 64 ? fuzz_u8(&w->in) : 0;
    FUZZ_CHECK(weir_view_segment(&v, raw, header + text, NULL) == WEIR_OK, "refused what was emitted");
    enum weir_input told = weir_input(&w->c, &v, api_now(w));
    FUZZ_CHECK(told == WEIR_TAKEN || (told == WEIR_REUSE && weir_state(&w->c) == WEIR_CLOSED), "weir_input");
}

static void api_out(struct api_world *w, unsigned how)
{
    static uint8_t octets[65536];
    weir_out out;
    for (unsigned i = 0; i < (how & 1 ? 1u : 100u); i++) {
        size_t len = weir_poll(&w->c, &out, api_now(w));
        if (len == 0) {
            break;
        }
        size_t cap = how & 2 ? fuzz_u8(&w->in) : sizeof octets;
        FUZZ_CHECK(weir_out_copy(&out, octets, cap) == (cap >= len ? len : 0), "weir_out_copy");
        size_t first = weir_out_cut(&out, how & 4 ? 0x7fffffffu : 0, octets, cap);
        FUZZ_CHECK(first <= cap && (!(how & 4) || first == 0), "weir_out_cut");
    }
}

static void api_conn_step(struct api_world *w)
{
    weir_icmp icmp;
    weir_info info;
    unsigned op = fuzz_u8(&w->in), how = op >> 4;
    switch (op & 15) {
    case 0: api_init(w); break;
    case 1: case 2: api_open(w, how); break;
    case 3: case 4: api_end(w, how); break;
    case 5: case 6: api_write(w, how); break;
    case 7: api_read(w, how); break;
    case 8: api_set(w, how); break;
    case 9: api_exchange(w, how); break;
    case 10: case 11: api_segment(w, how); break;
    case 12: case 13: api_out(w, how); break;
    case 14: weir_expire(&w->c, api_now(w)); break;
    default:
        icmp.kind = (enum weir_icmp_kind)(how % 3);
        icmp.seq = w->c.snd.una;
        icmp.mtu = fuzz_u16(&w->in);
        (void)weir_input_icmp(&w->c, &icmp, api_now(w));
        break;
    }
    FUZZ_HOLDS(weir_check(&w->c));
    weir_info_get(&w->c, &info);
    FUZZ_CHECK(info.state == weir_state(&w->c) && (weir_error(&w->c) < WEIR_ERR_COUNT), "a snapshot of something else");
    FUZZ_CHECK(weir_wanted(&w->c).rx >= w->c.rx_size && weir_urgent(&w->c) <= weiri_ring_readable(&w->c) + 65536u, "weir_wanted, weir_urgent");
}

/* ---- a stack ------------------------------------------------------------------------------------------------------------------------- */

static void api_stack_init(struct api_world *w)
{
    weir_stack_config g;
    weir_err err = WEIR_ERR_NONE;
    unsigned how = fuzz_u8(&w->in);
    weir_stack_config_init(&g);
    api_configure(w, &g.tcp);
    g.addr_count = (uint8_t)(1 + (how & 1) * 255);
    g.addrs[0] = how & 2 ? api_addr(w) : weir_addr_v4(192, 0, 2, 1);
    g.prefix_len[0] = (uint8_t)(how & 4 ? fuzz_u8(&w->in) : 24);
    g.connections_max = how & 8 ? fuzz_u8(&w->in) & 7 : 3;
    g.listeners_max = 3;
    g.time_wait_max = how & 16 ? 0 : 2;
    g.half_open_max = 2;
    g.busy_max = how & 32 ? fuzz_u8(&w->in) & 3 : 0;
    g.rings.rx = 256u << (how >> 6 & 1);
    g.rings.tx = 256u + (how >> 7 & 1);
    g.port_first = how & 4 ? (uint16_t)(fuzz_u8(&w->in) << 8) : g.port_first;
    size_t need = weir_stack_size(&g), len = how & 2 ? (size_t)fuzz_u8(&w->in) * 512 : API_MEMORY;
    len = len < API_MEMORY ? len : API_MEMORY;
    uint8_t *place = (uint8_t *)api_memory[0] + (64 - ((uintptr_t)api_memory[0] & 63));
    weir_stack *s = weir_stack_init(place, len, &g, w->now, &err);
    FUZZ_CHECK((s != NULL) == (err == WEIR_ERR_NONE), "a stack with an error, or none without");
    FUZZ_CHECK((need > 0 && need <= len) == (s != NULL), "weir_stack_init judges otherwise than weir_stack_size");
    api_among(err, ERR(NONE) | ERR(SECRET) | ERR(INVALID) | ERR(RESOURCES), "weir_stack_init");
    if (s != NULL) {
        w->s = s;
        w->scfg = g;
        memset(w->handles, 0, sizeof w->handles);
    } else if (err == WEIR_ERR_RESOURCES || need > 0) {
        w->s = NULL; /* nothing says that memory was not touched */
    }
}

static weir_handle api_handle(struct api_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    weir_handle h = w->handles[how & (API_HANDLES - 1)];
    return how & 128 ? h ^ (weir_handle)1 << (how >> 3 & 15) * 4 : h;
}

static void api_stack_open(struct api_world *w, unsigned how)
{
    weir_handle h = 0;
    weir_err err;
    if (how & 1) {
        weir_listen_spec spec;
        unsigned more = fuzz_u8(&w->in);
        memset(&spec, 0, sizeof spec);
        spec.local = more & 1 ? api_addr(w) : spec.local;
        spec.port = more & 2 ? 80 : 0;
        spec.any_destination = (more & 4) != 0;
        spec.v4_only = (more & 8) != 0;
        spec.v6_only = (more & 16) != 0;
        spec.hold = (more & 32) != 0;
        spec.backlog = more >> 6;
        err = weir_stack_listen(w->s, &spec, &h);
        api_among(err, ERR(NONE) | ERR(EXISTS) | ERR(ADDRESS) | ERR(RESOURCES) | ERR(INVALID), "weir_stack_listen");
    } else {
        weir_tuple t = api_tuple(w);
        err = weir_stack_connect(w->s, &t, &h, api_now(w));
        api_among(err, ERR(NONE) | ERR(EXISTS) | ERR(ADDRESS) | ERR(UNSPECIFIED) | ERR(RESOURCES) | ERR(INVALID), "weir_stack_connect");
    }
    FUZZ_CHECK((err == WEIR_ERR_NONE) <= (h != 0), "no name for what was opened");
    if (h != 0) {
        w->handles[w->turn++ % API_HANDLES] = h;
    }
}

static void api_stack_use(struct api_world *w, unsigned how)
{
    weir_handle h = api_handle(w);
    weir_ready r;
    switch (how & 7) {
    case 0: api_among(weir_stack_want(w->s, h, fuzz_u16(&w->in)), ERR(NONE) | ERR(NOT_EXIST), "weir_stack_want"); break;
    case 1:
        api_among(weir_stack_set_tag(w->s, h, fuzz_u32(&w->in)), ERR(NONE) | ERR(NOT_EXIST), "weir_stack_set_tag");
        api_among(weir_stack_direct(w->s, h, true), ERR(NONE) | ERR(NOT_EXIST), "weir_stack_direct");
        break;
    case 2:
        api_among(weir_stack_release(w->s, h, api_span(w), api_now(w)), ERR(NONE) | ERR(NOT_EXIST) | ERR(RESOURCES), "weir_stack_release");
        break;
    case 3: api_among(weir_stack_unlisten(w->s, h, api_now(w)), ERR(NONE) | ERR(NOT_EXIST), "weir_stack_unlisten"); break;
    case 4: (void)weir_stack_ready(w->s, &r); break;
    case 5: (void)weir_stack_next(w->s, h); (void)weir_stack_peek(w->s, h); (void)weir_stack_last(w->s); break;
    default: {
        weir_conn *c = weir_stack_conn(w->s, h);
        if (c != NULL) {
            (void)(how & 8 ? weir_close(c, api_now(w)) : weir_abort(c, api_now(w)));
        }
        break;
    }
    }
}

/* An honest SYN or ACK, or any octets, for the pair of sockets that api_tuple mostly gives; alone or several at once. */
static void api_stack_packet(struct api_world *w, unsigned how)
{
    static uint8_t packet[WEIR_IP_HEADER_MAX + WEIR_TCP_HEADER_MAX + 64];
    weir_tuple t = api_tuple(w);
    weir_pseudo pseudo = {t.remote, t.local};
    struct weiri_ip_fields ip;
    weir_fields f;
    enum weir_verdict verdicts[3] = {WEIR_OK, WEIR_OK, WEIR_OK};
    if (weir_addr_is_v4(&t.local) != weir_addr_is_v4(&t.remote)) {
        return; /* no packet has such addresses */
    }
    memset(&f, 0, sizeof f);
    memset(&ip, 0, sizeof ip);
    f.source_port = t.remote_port;
    f.destination_port = t.local_port;
    f.flags = (uint16_t)(fuzz_u8(&w->in) ^ WEIR_SYN);
    f.window = 1000;
    size_t header = weir_emit_header(packet + WEIR_IP_HEADER_MAX, &f);
    weir_emit_checksum(packet + WEIR_IP_HEADER_MAX, header, &pseudo);
    ip.addrs = pseudo;
    ip.payload_len = (uint32_t)header;
    ip.protocol = WEIRI_PROTO_TCP;
    ip.ttl = 64;
    size_t head = weiri_ip_emit(packet + WEIR_IP_HEADER_MAX, &ip), whole = head + header;
    const uint8_t *first = packet + WEIR_IP_HEADER_MAX - head;
    size_t cut = how & 2 ? fuzz_u8(&w->in) % (whole + 1) : whole;
    const weir_slice slices[3] = {{first, cut}, {first, whole}, {first, 0}};
    if (how & 1) {
        weir_text texts[3];
        size_t told = weir_stack_input_texts(w->s, slices, how >> 2, how & 4 ? NULL : verdicts, texts, api_now(w));
        FUZZ_CHECK(told == 0, "text of segments that have none");
    } else {
        verdicts[0] = weir_stack_input(w->s, first, cut, api_now(w));
    }
    FUZZ_CHECK(verdicts[0] < WEIR_VERDICT_COUNT && verdicts[1] < WEIR_VERDICT_COUNT && verdicts[2] < WEIR_VERDICT_COUNT, "no such verdict");
}

static void api_stack_out(struct api_world *w, unsigned how)
{
    static uint8_t octets[65536];
    weir_out out;
    if (how & 2) { /* the second place holds no packet */
        weir_place places[3] = {{octets, 4096, 0}, {octets + 4096, how & 4 ? 100 : 4096, 0}, {octets + 8192, 4096, 0}};
        size_t count = weir_stack_poll_batch(w->s, places, how >> 3 ? 3 : 1, api_now(w));
        FUZZ_CHECK(count <= (how & 4 ? 1u : 3u), "more packets than places");
        return;
    }
    for (unsigned i = 0; i < 64; i++) {
        size_t len = how & 1 ? weir_stack_poll_copy(w->s, octets, sizeof octets, api_now(w)) : weir_stack_poll(w->s, &out, api_now(w));
        if (len == 0) {
            return;
        }
    }
}

static void api_stack_step(struct api_world *w)
{
    unsigned op = fuzz_u8(&w->in), how = op >> 4;
    if (w->s == NULL || (op & 15) == 0) {
        api_stack_init(w);
        return;
    }
    switch (op & 15) {
    case 1: case 2: case 3: api_stack_open(w, how); break;
    case 4: case 5: case 6: case 7: api_stack_use(w, how); break;
    case 8: case 9: case 10: api_stack_packet(w, how % 12); break;
    case 11: case 12: api_stack_out(w, how); break;
    case 13: weir_stack_expire(w->s, api_now(w)); break;
    case 14: (void)weir_stack_deadline(w->s); break;
    default: FUZZ_CHECK(weir_stack_get_config(w->s)->connections_max == w->scfg.connections_max, "another configuration"); break;
    }
    FUZZ_HOLDS(weir_stack_check(w->s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct api_world w;
    weir_buffers b;
    weir_sizes sizes = {1024, 1024};
    memset(&w, 0, sizeof w);
    w.in = fuzz_begin(data, size);
    w.now = 1000000;
    bool stack = fuzz_u8(&w.in) & 1;
    weir_config_init(&w.cfg);
    memset(w.cfg.secret, 7, sizeof w.cfg.secret);
    FUZZ_CHECK(weir_buffers_carve(&b, api_memory[0], API_MEMORY, sizes), "rings of these sizes are refused");
    FUZZ_CHECK(stack || weir_init(&w.c, &w.cfg, &b, w.now) == WEIR_ERR_NONE, "this configuration is refused");
    for (unsigned i = 0; i < API_STEPS && w.in.left > 0; i++) {
        fuzz_event(&w.in);
        if (stack) {
            api_stack_step(&w);
        } else {
            api_conn_step(&w);
        }
    }
    return 0;
}

#undef ERR

#if defined(WEIR_FUZZ_UNIT) && !defined(WEIR_FUZZ_PLAIN)
static const struct fuzz_phrase fuzz_phrases[] = {
    /* a connection: init, open, end, write, read, set, rings, segments, out */
    FUZZ_PHRASE("\x00\x00\x09"), FUZZ_PHRASE("\x00\x13\x40\x10\x03\x09"), FUZZ_PHRASE("\x01\x00\x01"), FUZZ_PHRASE("\x11\x00\x01"),
    FUZZ_PHRASE("\x03\x01"), FUZZ_PHRASE("\x13\x01"), FUZZ_PHRASE("\x23\x01"), FUZZ_PHRASE("\x33\x01\x40"),
    FUZZ_PHRASE("\x05\x01\x40\x01"), FUZZ_PHRASE("\x15\x00\xff\x01"), FUZZ_PHRASE("\x07\x08\x01"), FUZZ_PHRASE("\x17\x20\x01"),
    FUZZ_PHRASE("\x08\x01"), FUZZ_PHRASE("\x28\x50"), FUZZ_PHRASE("\x58\x00\x01"), FUZZ_PHRASE("\x68\x01\x10"), FUZZ_PHRASE("\x09\x12\x01"),
    FUZZ_PHRASE("\x39\x01"), FUZZ_PHRASE("\x0a\x00\x40\x01"), FUZZ_PHRASE("\x1a\x00\x40\x01"), FUZZ_PHRASE("\x0a\x40\x40\x20\x01"),
    FUZZ_PHRASE("\x0a\x01\x40\x01"), FUZZ_PHRASE("\x0c\x01\x01\x01"), FUZZ_PHRASE("\x0e\xbf"), FUZZ_PHRASE("\x0f\x02\x00\x01"),
    /* a stack */
    FUZZ_PHRASE("\x00\x00\x00"), FUZZ_PHRASE("\x11\x02"), FUZZ_PHRASE("\x11\x00"), FUZZ_PHRASE("\x01\x00\x01"), FUZZ_PHRASE("\x01\x03\x01"),
    FUZZ_PHRASE("\x24\x00\x40\x01"), FUZZ_PHRASE("\x34\x00\x01"), FUZZ_PHRASE("\x44\x00"), FUZZ_PHRASE("\x64\x00\x01"), FUZZ_PHRASE("\x24\x80\x00\x01"),
    FUZZ_PHRASE("\x08\x00\x00\x01"), FUZZ_PHRASE("\x98\x00\x00\x01"), FUZZ_PHRASE("\x0b\x01\x01"), FUZZ_PHRASE("\x0d\xbf"),
};
#include "mutate.h"
#endif
