/* cookie.c - a SYN answered without remembering it: everything needed later is in the initial sequence number. RFC 4987 3.6.
 *
 * Only while a listener has as many half-open connections as it may. The number is a keyed hash of sockets, the peer's ISN and
 * the time, with room for one of eight segment sizes; what else the SYN offered goes and comes back in the low bits of the
 * timestamp, and without timestamps is not agreed on. Each opens one connection: those brought back lately are remembered, a word
 * each, so that an old acknowledgment that the network doubled opens nothing. Knows no connection: it makes numbers and reads them. */
#include "stack/room.h"

/* The number: which size (3 bits), which period, odd or even (1), the hash (28). A period is 67 s, and the one before counts too. An
 * acknowledgment made blindly is right once in 2^28. */
#define COOKIE_SIZE_SHIFT 29u
#define COOKIE_PERIOD_BIT 28u
#define COOKIE_HASH_MASK 0x0fffffffu
#define COOKIE_PERIOD_SHIFT 26u /* of the time in microseconds */

/* The timestamp's low bits: the shift of the window (15: none), SACK. */
#define COOKIE_STAMP_MASK 31u
#define COOKIE_NO_SHIFT 15u
#define COOKIE_SACK 16u

/* Segment sizes on real paths, rounded down to: the least that counts, what everyone may assume in either family, tunnels, Ethernet. */
static const uint16_t cookie_sizes[8] = {WEIRI_COOKIE_MSS_MIN, 536, 1220, 1300, 1360, 1400, 1440, 1460};

static uint32_t cookie_hash(const weir_stack *s, const struct weiri_cookie *k, uint32_t size, uint32_t period)
{
    uint8_t text[WEIRI_SOCKETS_TEXT + 9];
    const size_t len = weiri_sockets_text(text, k->tuple);
    base_put32(text + len, k->irs.v);
    base_put32(text + len + 4, period);
    text[len + 8] = (uint8_t)size;
    return (uint32_t)weir_siphash(s->cookie_key, text, len + 9) & COOKIE_HASH_MASK;
}

static uint32_t cookie_period(const weir_stack *s)
{
    return (uint32_t)(s->now >> COOKIE_PERIOD_SHIFT);
}

WEIR_PRIVATE weir_seq weiri_cookie_make(const weir_stack *s, const struct weiri_cookie *k)
{
    const uint32_t period = cookie_period(s);
    uint32_t size = sizeof cookie_sizes / sizeof *cookie_sizes - 1;
    while (size > 0 && cookie_sizes[size] > k->mss) {
        size--;
    }
    return seq_of(size << COOKIE_SIZE_SHIFT | (period & 1) << COOKIE_PERIOD_BIT | cookie_hash(s, k, size, period));
}

WEIR_PRIVATE bool weiri_cookie_read(const weir_stack *s, weir_seq cookie, struct weiri_cookie *k)
{
    const uint32_t size = cookie.v >> COOKIE_SIZE_SHIFT, now = cookie_period(s);
    const uint32_t period = now - (((cookie.v >> COOKIE_PERIOD_BIT) ^ now) & 1); /* this one, or the one before */
    if (cookie_hash(s, k, size, period) != (cookie.v & COOKIE_HASH_MASK)) {
        return false;
    }
    k->mss = cookie_sizes[size];
    return true;
}

static uint32_t *cookie_spent(const weir_stack *s, weir_seq cookie)
{
    return &s->cookies_spent[cookie.v & s->cookie_mask];
}

WEIR_PRIVATE void weiri_cookie_spend(weir_stack *s, weir_seq cookie)
{
    *cookie_spent(s, cookie) = cookie.v;
    s->stats.cookies_in++;
}

/* ---- what the SYN offered, in a timestamp --------------------------------------------------------------------------------------- */

static uint32_t cookie_clock(const weir_stack *s, const weir_tuple *tuple)
{
    return (uint32_t)(s->now / 1000) + weiri_ts_offset(&s->cfg.tcp, tuple); /* as weiri_ts_now */
}

/* Never ahead of the clock: what the connection sends later must not seem older (RFC 7323 5.3). */
static uint32_t cookie_stamp(uint32_t clock, uint32_t offered)
{
    const uint32_t stamp = (clock & ~COOKIE_STAMP_MASK) | offered;
    return (int32_t)(stamp - clock) > 0 ? stamp - (COOKIE_STAMP_MASK + 1) : stamp;
}

/* ---- the SYN,ACK, and the ACK that brings it back ---------------------------------------------------------------------------- */

static uint16_t cookie_mss(const weir_tuple *tuple, const weir_view *syn)
{
    const uint16_t standard = weir_addr_is_v4(&tuple->local) ? 536 : 1220; /* MUST-15 */
    return syn->options & WEIR_OPT_MSS ? syn->mss : standard;
}

/* Options as a connection would have agreed on them, so far as the timestamp can carry them. */
static void cookie_options(const weir_stack *s, const weir_view *syn, struct weiri_answer *r)
{
    const weir_config *cfg = &s->cfg.tcp;
    r->options = WEIR_OPT_MSS;
    if (!cfg->timestamps || !(syn->options & WEIR_OPT_TIMESTAMPS)) {
        return;
    }
    const bool scaled = cfg->window_scale && (syn->options & WEIR_OPT_WSCALE), sack = cfg->sack && (syn->options & WEIR_OPT_SACK_OK);
    r->options = (uint16_t)(WEIR_OPT_MSS | WEIR_OPT_TIMESTAMPS | (scaled ? WEIR_OPT_WSCALE : 0) | (sack ? WEIR_OPT_SACK_OK : 0));
    r->wscale = weiri_window_shift(cfg, s->cfg.rings.rx);
    r->ts_value = cookie_stamp(cookie_clock(s, &r->tuple), (scaled ? syn->wscale : COOKIE_NO_SHIFT) | (sack ? COOKIE_SACK : 0));
    r->ts_echo = syn->ts_value;
}

WEIR_PRIVATE bool weiri_cookie_offer(weir_stack *s, struct weiri_listener *l, const weir_tuple *tuple, const weir_view *syn)
{
    struct weiri_cookie k = {tuple, syn->seq, cookie_mss(tuple, syn)};
    if (!s->cfg.syn_cookies || l->spec.hold || k.mss < WEIRI_COOKIE_MSS_MIN) {
        return false;
    }
    struct weiri_answer r;
    memset(&r, 0, sizeof r);
    r.tuple = *tuple;
    r.flags = WEIR_SYN | WEIR_ACK;
    r.seq = weiri_cookie_make(s, &k);
    r.ack = seq_add(syn->seq, 1);
    r.window = (uint16_t)base_min32(s->cfg.rings.rx, 65535);
    r.mss = (uint16_t)(s->cfg.tcp.mtu - (weir_addr_is_v4(&tuple->local) ? WEIRI_IP4_HEADER : WEIRI_IP6_HEADER) - 20);
    cookie_options(s, syn, &r);
    if (!weiri_answer_syn_ack(s, &r)) {
        return false;
    }
    l->cookies_until = (s->now >> COOKIE_PERIOD_SHIFT) + 2;
    s->stats.cookies_out++;
    return true;
}

WEIR_PRIVATE bool weiri_cookie_expected(const weir_stack *s, const struct weiri_listener *l)
{
    return s->now >> COOKIE_PERIOD_SHIFT < l->cookies_until;
}

WEIR_PRIVATE bool weiri_cookie_redeem(const weir_stack *s, const weir_tuple *tuple, const weir_view *ack, weir_view *syn)
{
    struct weiri_cookie k = {tuple, seq_sub(ack->seq, 1), 0};
    const weir_seq cookie = seq_sub(ack->ack, 1);
    if (*cookie_spent(s, cookie) == cookie.v || !weiri_cookie_read(s, cookie, &k)) {
        return false;
    }
    memset(syn, 0, sizeof *syn);
    syn->seq = k.irs;
    syn->source_port = tuple->remote_port;
    syn->destination_port = tuple->local_port;
    syn->flags = WEIR_SYN;
    syn->window = ack->window; /* until the acknowledgment has said more */
    syn->options = WEIR_OPT_MSS;
    syn->mss = k.mss;
    if (s->cfg.tcp.timestamps && (ack->options & WEIR_OPT_TIMESTAMPS)) {
        const uint32_t offered = ack->ts_echo & COOKIE_STAMP_MASK;
        syn->wscale = offered & COOKIE_NO_SHIFT;
        syn->options |= WEIR_OPT_TIMESTAMPS;
        syn->options |= syn->wscale < COOKIE_NO_SHIFT ? WEIR_OPT_WSCALE : 0;
        syn->options |= offered & COOKIE_SACK ? WEIR_OPT_SACK_OK : 0;
        syn->ts_value = ack->ts_value;
    }
    return true;
}

#undef COOKIE_SIZE_SHIFT
#undef COOKIE_PERIOD_BIT
#undef COOKIE_HASH_MASK
#undef COOKIE_PERIOD_SHIFT
#undef COOKIE_STAMP_MASK
#undef COOKIE_NO_SHIFT
#undef COOKIE_SACK
