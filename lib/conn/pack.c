/* pack.c - an idle connection in two hundred octets, and back: every field, to the bit, but its rings and what its gist has.
 *
 * Knows no field's meaning but this: sequence numbers are near SND.UNA or RCV.NXT, times near the latest one, and most else is what it
 * was at the beginning. So words are written as the difference to that, in as few octets as it takes. What is added to weir_conn
 * is packed without being named here. Knows nothing of who keeps what was packed. */
#include "conn/conn.h"

#define PACK_WORDS (sizeof(weir_conn) / sizeof(uint32_t))
#define PACK_GROUP 8u /* words that share an octet that tells which of them are not as at the beginning */
#define PACK_GROUPS ((PACK_WORDS + PACK_GROUP - 1) / PACK_GROUP)
#define PACK_PADDED (PACK_GROUPS * PACK_GROUP)
#define PACK_MAP ((PACK_GROUPS + 7) / 8) /* octets: a bit for each group that has such words */
#define PACK_SLACK 3u
#define PACK_GROUP_MAX (1u + PACK_GROUP / 4 + PACK_GROUP * 4 + PACK_SLACK)

typedef char pack_no_odd_octets[sizeof(weir_conn) % sizeof(uint32_t) == 0 ? 1 : -1];

/* What a field is near to: the low halves of 64-bit times are taken for themselves, by byte order. */
#define PACK_WORD(field) ((uint16_t)(offsetof(weir_conn, field) / sizeof(uint32_t)))
#define PACK_LOW(field) ((uint16_t)(PACK_WORD(field) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)))
#define PACK_HIGH(field) ((uint16_t)(PACK_WORD(field) + (__BYTE_ORDER__ != __ORDER_BIG_ENDIAN__)))
#define PACK_TIME(field, to) {PACK_LOW(field), PACK_LOW(to)}, {PACK_HIGH(field), PACK_HIGH(to)}

struct pack_near {
    uint16_t word, to;
};
static const struct pack_near pack_nears[] = { /* in this order; back in the other one */
    {PACK_WORD(snd.nxt), PACK_WORD(snd.una)},
    {PACK_WORD(snd.wl2), PACK_WORD(snd.una)},
    {PACK_WORD(snd.end), PACK_WORD(snd.una)},
    {PACK_WORD(recover), PACK_WORD(snd.una)},
#if WEIR_WITH_CWV
    {PACK_WORD(cwv.from), PACK_WORD(snd.una)},
#endif
    {PACK_WORD(rack.end), PACK_WORD(snd.una)},
    {PACK_WORD(rack.fack), PACK_WORD(snd.una)},
    {PACK_WORD(rack.tlp_end), PACK_WORD(snd.una)},
    {PACK_WORD(ecn_end), PACK_WORD(snd.una)},
    {PACK_WORD(snd.iss), PACK_WORD(snd.una)},
    {PACK_LOW(octets_acked), PACK_WORD(snd.una)}, /* which is now what was acknowledged */
#if WEIR_WITH_RATE
    {PACK_WORD(board.mark.delivered), PACK_WORD(snd.una)},
#endif
    {PACK_WORD(rcv.usr), PACK_WORD(rcv.nxt)},
    {PACK_WORD(rcv.acked), PACK_WORD(rcv.nxt)},
    {PACK_WORD(snd.wl1), PACK_WORD(rcv.nxt)},
#if WEIR_WITH_GROWTH
    {PACK_WORD(tune.edge), PACK_WORD(rcv.adv)},
#endif
    {PACK_WORD(rcv.adv), PACK_WORD(rcv.nxt)},
#if WEIR_WITH_GROWTH
    {PACK_WORD(tune.read_from), PACK_WORD(rcv.nxt)},
#endif
    {PACK_WORD(rcv.irs), PACK_WORD(rcv.nxt)},
    {PACK_LOW(octets_received), PACK_WORD(rcv.nxt)},
    {PACK_WORD(snd.max_wnd), PACK_WORD(snd.wnd)},
    {PACK_WORD(rack.reo_wnd), PACK_WORD(rtt.min)},
    {PACK_WORD(rack.min_rtt), PACK_WORD(rtt.min)},
    {PACK_WORD(rack.rtt), PACK_WORD(rtt.min)},
#if WEIR_WITH_CWV
    {PACK_WORD(cwv.half_at), PACK_WORD(cwv.from_at)},
    {PACK_WORD(cwv.from_at), PACK_LOW(now)},
#endif
#if WEIR_WITH_RATE
    {PACK_WORD(board.mark.delivered_at), PACK_LOW(progress_at)},
    {PACK_WORD(board.mark.first_at), PACK_LOW(spoke_at)},
#endif
#if WEIR_WITH_RATE
    {PACK_WORD(hold.since), PACK_LOW(progress_at)},
#endif
    {PACK_WORD(rack.min_rtt_at), PACK_LOW(now)},
    PACK_TIME(rack.xmit_at, spoke_at),
    PACK_TIME(spoke_at, progress_at),
    PACK_TIME(progress_at, now),
#if WEIR_WITH_GROWTH
    PACK_TIME(tune.read_at, ts.recent_at),
    PACK_TIME(tune.edge_at, ts.recent_at),
#endif
    PACK_TIME(ts.recent_at, now),
};
#define PACK_NEARS (sizeof pack_nears / sizeof pack_nears[0])

/* What is void while nothing is in flight and nothing is held is as at the beginning; rings and sockets are kept elsewhere. */
static void pack_strip(weir_conn *c)
{
    c->rx_ring = c->tx_ring = NULL;
    c->spans = NULL;
    c->board.sent = NULL;
    memset(&c->tuple, 0, sizeof c->tuple);
#if WEIR_WITH_LARGE_BOARD
    memset(c->recent, 0, sizeof c->recent);
#endif
#if WEIR_WITH_COUNTERS
    memset(c->path.row + c->path.count, 0, sizeof c->path.row - c->path.count);
#endif
    if (!conn_has(c, WEIRI_RECOVERY | WEIRI_LOSS)) {
        memset(&c->prr, 0, sizeof c->prr);
        c->rescue = seq_of(0);
    }
#if WEIR_WITH_UNDO
    if (c->undo.kind == WEIRI_UNDO_NONE && !c->undo.adapt) {
        memset(&c->undo, 0, sizeof c->undo);
    }
#endif
}

/* A connection as words; what fills up the last group is 0. */
union pack_view {
    weir_conn conn;
    uint32_t words[PACK_PADDED];
};

static void pack_see(union pack_view *v, const weir_conn *c)
{
    memcpy(&v->conn, c, sizeof *c);
    memset(v->words + PACK_WORDS, 0, (PACK_PADDED - PACK_WORDS) * sizeof *v->words);
}

/* What the gist has of a connection. */
static void pack_set_gist(weir_conn *c, const struct weiri_gist *g)
{
    c->snd.una = g->una;
    c->rcv.nxt = g->nxt;
    c->ts.recent = g->ts_recent;
#if WEIR_WITH_COUNTERS
    c->count.in = g->in;
#endif
}

/* The words of a connection as differences; and back. */
static void pack_subtract(uint32_t words[PACK_PADDED], const uint32_t blank[PACK_PADDED])
{
    for (unsigned i = 0; i < PACK_NEARS; i++) { /* the table */
        words[pack_nears[i].word] -= words[pack_nears[i].to];
    }
    for (unsigned i = 0; i < PACK_PADDED; i++) { /* the connection */
        words[i] -= blank[i];
    }
}

static void pack_add(union pack_view *v, const uint32_t blank[PACK_PADDED], const struct weiri_gist *g)
{
    uint32_t *words = v->words;
    for (unsigned i = 0; i < PACK_PADDED; i++) { /* the connection */
        words[i] += blank[i];
    }
    pack_set_gist(&v->conn, g);
    for (unsigned i = PACK_NEARS; i > 0; i--) { /* the table, backwards */
        words[pack_nears[i - 1].word] += words[pack_nears[i - 1].to];
    }
}

/* Small numbers of either sign become small ones: 0, -1, 1, -2 .. are 0, 1, 2, 3 .. */
static uint32_t pack_fold(uint32_t d)
{
    return d << 1 ^ (0u - (d >> 31));
}

static uint32_t pack_unfold(uint32_t f)
{
    return f >> 1 ^ (0u - (f & 1u));
}

/* Of a number other than 0, 1 to 4. */
static unsigned pack_octets(uint32_t f)
{
    return 4u - (unsigned)__builtin_clz(f) / 8u;
}

WEIR_PRIVATE bool weiri_packable(const weir_conn *c)
{
    const bool rings = c->rx_size > 0 || c->tx_size > 0;
    return !rings && weiri_tune_idle(c) && c->reply.flags == 0 && !weir_has_output(c);
}

/* Which of four words are not 0, and of a group: bits. */
static unsigned pack_which_half(const uint32_t w[PACK_GROUP / 2])
{
    return (unsigned)(w[0] != 0) | (unsigned)(w[1] != 0) << 1 | (unsigned)(w[2] != 0) << 2 | (unsigned)(w[3] != 0) << 3;
}

static unsigned pack_which(const uint32_t words[PACK_GROUP])
{
    return pack_which_half(words) | pack_which_half(words + PACK_GROUP / 2) << PACK_GROUP / 2;
}

/* One group: which of its words, and then, before each four of these, an octet of lengths. Always four octets are written, or read, of
 * which those count that the length tells: PACK_GROUP_MAX and PACK_SLACK are enough for that. */
static size_t pack_group(uint8_t *out, const uint32_t words[PACK_GROUP], unsigned which)
{
    size_t at = 1, lengths = 0;
    out[0] = (uint8_t)which;
    for (unsigned count = 0; which != 0; which &= which - 1, count++) { /* PACK_GROUP */
        const uint32_t f = pack_fold(words[__builtin_ctz(which)]);
        const unsigned len = pack_octets(f);
        if (count % 4 == 0) {
            lengths = at++;
            out[lengths] = 0;
        }
        out[lengths] = (uint8_t)(out[lengths] | (len - 1) << 2 * (count % 4));
        out[at] = (uint8_t)f;
        out[at + 1] = (uint8_t)(f >> 8);
        out[at + 2] = (uint8_t)(f >> 16);
        out[at + 3] = (uint8_t)(f >> 24);
        at += len;
    }
    return at;
}

static size_t pack_ungroup(uint32_t words[PACK_GROUP], const uint8_t *in)
{
    size_t at = 1, lengths = 0;
    unsigned which = in[0];
    for (unsigned count = 0; which != 0; which &= which - 1, count++) { /* PACK_GROUP */
        if (count % 4 == 0) {
            lengths = at++;
        }
        const unsigned len = 1u + (in[lengths] >> 2 * (count % 4) & 3u);
        const uint32_t f = in[at] | (uint32_t)in[at + 1] << 8 | (uint32_t)in[at + 2] << 16 | (uint32_t)in[at + 3] << 24;
        words[__builtin_ctz(which)] = pack_unfold(f & UINT32_MAX >> (32 - 8 * len));
        at += len;
    }
    return at;
}

WEIR_PRIVATE size_t weiri_pack(uint8_t *octets, size_t cap, const weir_conn *c, const weir_conn *blank)
{
    struct weiri_gist none;
    union pack_view bare, base;
    uint8_t group[PACK_GROUP_MAX];
    size_t at = PACK_MAP;
    memset(&none, 0, sizeof none);
    pack_see(&bare, c);
    pack_strip(&bare.conn);
    pack_see(&base, blank);
    pack_subtract(bare.words, base.words);
    pack_set_gist(&bare.conn, &none);
    memset(octets, 0, PACK_MAP);
    for (unsigned i = 0; i < PACK_GROUPS; i++) { /* the connection */
        const unsigned which = pack_which(bare.words + i * PACK_GROUP);
        if (which == 0) {
            continue;
        }
        const size_t len = pack_group(group, bare.words + i * PACK_GROUP, which);
        if (len + PACK_SLACK > cap - at) {
            return 0;
        }
        octets[i / 8] = (uint8_t)(octets[i / 8] | 1u << i % 8);
        memcpy(octets + at, group, len);
        at += len;
    }
    return at + PACK_SLACK;
}

WEIR_PRIVATE void weiri_unpack(weir_conn *c, const uint8_t *octets, const weir_conn *blank, const struct weiri_gist *g)
{
    union pack_view whole, base;
    size_t at = PACK_MAP;
    memset(&whole, 0, sizeof whole);
    for (unsigned i = 0; i < PACK_GROUPS; i++) { /* the connection */
        if ((uint32_t)octets[i / 8] >> i % 8 & 1u) {
            at += pack_ungroup(whole.words + i * PACK_GROUP, octets + at);
        }
    }
    pack_see(&base, blank);
    pack_add(&whole, base.words, g);
    memcpy(c, &whole.conn, sizeof *c);
}

#undef PACK_GROUP
#undef PACK_SLACK
#undef PACK_GROUPS
#undef PACK_GROUP_MAX
#undef PACK_WORDS
#undef PACK_PADDED
#undef PACK_MAP
#undef PACK_WORD
#undef PACK_LOW
#undef PACK_HIGH
#undef PACK_TIME
#undef PACK_NEARS
