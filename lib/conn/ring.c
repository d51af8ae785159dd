/* ring.c - the send ring and the receive ring; reassembly in place, SACK and D-SACK blocks.
 *
 * An octet's place in a ring follows from its sequence number alone, so nothing is ever moved: text that arrives out of order is written
 * where it belongs at once, and `spans` remembers which runs beyond RCV.NXT are there, in order of sequence. Knows no segment and no state.
 * RFC 9293 3.10.7.4 seventh, RFC 2018 4, RFC 2883 4. */
#include "conn/conn.h"

#define RING_SIZE_MIN 256u
#define RING_SIZE_MAX (1u << 30) /* the largest window (RFC 7323 2.3) */
#define RING_SENT_MAX 65535u
#define RING_SPANS_MAX 32768u /* as many holes at once; where there are none left, what arrives is sent again */

/* ---- receive ring -------------------------------------------------------------------------------------------------------------- */

/* Where a sequence number lies in a ring whose first octet is `first`; 0 in a ring that was not lent. */
static uint32_t ring_place(uint32_t size, weir_seq first, weir_seq s)
{
    return size == 0 ? 0 : seq_diff(first, s) & (size - 1);
}

static uint32_t ring_rx_place(const weir_conn *c, weir_seq s)
{
    return ring_place(c->rx_size, seq_add(c->rcv.irs, 1), s);
}

static void ring_write(weir_conn *c, const struct weiri_text *t)
{
    uint32_t at = ring_rx_place(c, t->from);
    uint32_t first = base_min32(t->len, c->rx_size - at);
    memcpy(c->rx_ring + at, t->octets, first);
    if (first < t->len) {
        memcpy(c->rx_ring, t->octets + first, t->len - first);
    }
}

static struct weiri_text ring_part(const struct weiri_text *t, weir_seq from, weir_seq to)
{
    struct weiri_text part;
    part.from = from;
    part.octets = t->octets + seq_diff(t->from, from);
    part.len = seq_diff(from, to);
    return part;
}

/* The first span that ends at or after `s`: the first that [s, ...) could touch. */
static unsigned ring_find(const weir_conn *c, weir_seq s)
{
    unsigned low = 0, high = c->span_count;
    while (low < high) { /* halves each turn: at most 16 */
        unsigned mid = (low + high) / 2;
        if (seq_lt(c->spans[mid].to, s)) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* Writes the parts of a text that no span holds yet: what came first stays. */
static void ring_write_gaps(weir_conn *c, const struct weiri_text *t)
{
    weir_seq at = t->from, end = seq_add(t->from, t->len);
    for (unsigned i = ring_find(c, at); i < c->span_count && seq_lt(c->spans[i].from, end); i++) { /* span_count */
        if (seq_lt(at, c->spans[i].from)) {
            struct weiri_text part = ring_part(t, at, c->spans[i].from);
            ring_write(c, &part);
        }
        at = seq_max(at, seq_min(c->spans[i].to, end));
    }
    if (seq_lt(at, end)) {
        struct weiri_text part = ring_part(t, at, end);
        ring_write(c, &part);
    }
}

/* The list begins at the beginning of its memory again. */
static void ring_rewind_spans(weir_conn *c)
{
    if (c->span_head > 0) {
        memmove(c->spans - c->span_head, c->spans, c->span_count * sizeof *c->spans);
        c->spans -= c->span_head;
    }
    c->span_head = 0;
}

/* The lowest go first as holes are filled: where there may be thousands nothing is moved for these. */
static void ring_drop_spans(weir_conn *c, unsigned first, unsigned count)
{
    if (WEIR_WITH_LARGE_BOARD && first == 0) {
        c->spans += count;
        c->span_head = (uint16_t)(c->span_head + count);
        c->span_count = (uint16_t)(c->span_count - count);
        return;
    }
    memmove(c->spans + first, c->spans + first + count, (c->span_count - first - count) * sizeof *c->spans);
    c->span_count = (uint16_t)(c->span_count - count);
}

/* Whether [from, to) can be remembered: it meets a span, or one is free. */
static bool ring_can_join(const weir_conn *c, weir_seq from, weir_seq to)
{
    unsigned i = ring_find(c, from);
    return c->span_count < c->span_cap || (i < c->span_count && seq_leq(c->spans[i].from, to));
}

static weir_block ring_run(const struct weir_span *s)
{
    weir_block run = {s->from, s->to};
    return run;
}

/* Among thousands the few that grew last are known by name; of dozens (WEIR_WITH_LARGE_BOARD) each is looked at. */
#if WEIR_WITH_LARGE_BOARD

/* Whether the run begins at `s` or holds the octet there. The run of a FIN alone is empty: FIN is no text. */
static bool ring_holds(weir_block run, weir_seq s)
{
    return seq_eq(run.from, s) || (seq_lt(run.from, s) && seq_lt(s, run.to));
}

/* The run grew just now: it comes first among those that grew last. What has become part of it is named no more. */
static void ring_note_recent(weir_conn *c, weir_block run)
{
    weir_seq before[WEIR_RECENT_SPANS];
    unsigned kept = 1;
    memcpy(before, c->recent, sizeof before);
    for (unsigned i = 0; i < c->recent_count && kept < WEIR_RECENT_SPANS; i++) {
        c->recent[kept] = before[i];
        kept += !ring_holds(run, before[i]);
    }
    c->recent[0] = run.from;
    c->recent_count = (uint8_t)kept;
}

/* The next of them that is still there, *i having been asked for; NULL: none. */
static const struct weir_span *ring_named(const weir_conn *c, unsigned *i)
{
    while (*i < c->recent_count) { /* WEIR_RECENT_SPANS */
        weir_seq s = c->recent[(*i)++];
        unsigned at = ring_find(c, s);
        if (at < c->span_count && ring_holds(ring_run(&c->spans[at]), s)) {
            return &c->spans[at];
        }
    }
    return NULL;
}

/* There are none any more. */
static void ring_forget_recent(weir_conn *c)
{
    c->recent_count = 0;
}

#else

static void ring_note_recent(weir_conn *c, weir_block run)
{
    (void)c;
    (void)run;
}

static const struct weir_span *ring_named(const weir_conn *c, unsigned *i)
{
    (void)c;
    (void)i;
    return NULL;
}

static void ring_forget_recent(weir_conn *c)
{
    (void)c;
}

#endif

/* Joins [from, to) with every span it overlaps or meets into one. */
static void ring_join(weir_conn *c, weir_seq from, weir_seq to)
{
    unsigned first = ring_find(c, from), last = first;
    while (last < c->span_count && seq_leq(c->spans[last].from, to)) { /* span_count */
        from = seq_min(from, c->spans[last].from);
        to = seq_max(to, c->spans[last].to);
        last++;
    }
    if (last == first) {
        if (WEIR_WITH_LARGE_BOARD && (c->span_head + c->span_count == c->span_cap || c->span_count == 0)) {
            ring_rewind_spans(c);
        }
        memmove(c->spans + first + 1, c->spans + first, (c->span_count - first) * sizeof *c->spans);
        c->span_count++;
    } else {
        ring_drop_spans(c, first + 1, last - first - 1);
    }
    c->spans[first].from = from;
    c->spans[first].to = to;
    c->spans[first].stamp = ++c->stamp;
    weir_block run = {from, to};
    ring_note_recent(c, run);
}

/* RCV.NXT moves to `to` and over the runs that were waiting there. */
static void ring_advance(weir_conn *c, weir_seq to)
{
    unsigned met = 0;
    while (met < c->span_count && seq_leq(c->spans[met].from, to)) { /* span_count */
        to = seq_max(to, c->spans[met].to);
        met++;
    }
    c->octets_received += seq_diff(c->rcv.nxt, to);
    c->rcv.nxt = to;
    ring_drop_spans(c, 0, met);
    if (c->span_count == 0) {
        c->stamp = 0; /* ages begin anew: they never come near 2^32 */
        ring_forget_recent(c);
    }
}

WEIR_PRIVATE void weiri_ring_lay(weir_conn *c, weir_seq from, const uint8_t *octets, uint32_t len)
{
    struct weiri_text text = {from, octets, len};
    if (len > 0) { /* an empty ring may be nowhere */
        ring_write(c, &text);
    }
}

WEIR_PRIVATE uint64_t weiri_ring_lay_sum(weir_conn *c, weir_seq from, const uint8_t *octets, uint32_t len)
{
    if (len == 0) { /* an empty ring may be nowhere */
        return 0;
    }
    uint32_t at = ring_rx_place(c, from), first = c->rx_size - at;
    if (len <= first) {
        return weiri_sum_copy(c->rx_ring + at, octets, len, 0);
    }
    uint64_t sum = weiri_sum_copy(c->rx_ring + at, octets, first, 0);
    return weiri_sum_join(sum, weiri_sum_copy(c->rx_ring, octets + first, len - first, 0), first);
}

WEIR_PRIVATE uint8_t *weiri_ring_piece(const weir_conn *c, weir_seq from, uint32_t len)
{
    uint32_t at = ring_rx_place(c, from);
    return len <= c->rx_size - at ? c->rx_ring + at : NULL;
}

WEIR_PRIVATE bool weiri_ring_is(const weir_conn *c, weir_seq from, const uint8_t *octets, uint32_t len)
{
    uint32_t at = ring_rx_place(c, from), first = base_min32(len, c->rx_size - at);
    return memcmp(c->rx_ring + at, octets, first) == 0 && memcmp(c->rx_ring, octets + first, len - first) == 0;
}

WEIR_PRIVATE void weiri_ring_put(weir_conn *c, const uint8_t *octets, uint32_t len)
{
    weiri_ring_lay(c, c->rcv.nxt, octets, len);
}

WEIR_PRIVATE uint64_t weiri_ring_put_sum(weir_conn *c, const uint8_t *octets, uint32_t len)
{
    return weiri_ring_lay_sum(c, c->rcv.nxt, octets, len);
}

WEIR_PRIVATE void weiri_ring_append(weir_conn *c, uint32_t len)
{
    WEIR_ASSERT(c->span_count == 0);
    c->octets_received += len;
    c->rcv.nxt = seq_add(c->rcv.nxt, len);
    c->stamp = 0;
    ring_forget_recent(c);
}

WEIR_PRIVATE bool weiri_ring_receive(weir_conn *c, const struct weiri_text *text)
{
    weir_seq end = seq_add(text->from, text->len);
    WEIR_ASSERT(seq_leq(end, c->rcv.adv) && seq_leq(c->rcv.nxt, text->from));
    if (seq_eq(text->from, c->rcv.nxt)) {
        bool gaps = c->span_count > 0;
        ring_write_gaps(c, text);
        ring_advance(c, end);
        return gaps;
    }
    WEIRI_COUNT(c, ooo_in, 1);
    /* SHLD-31. Text without a span would be lost from sight, so it is not taken at all: the peer will send it again. */
    if (ring_can_join(c, text->from, end)) {
        ring_write_gaps(c, text);
        ring_join(c, text->from, end);
    }
    return true;
}

#if WEIR_WITH_DSACK
WEIR_PRIVATE void weiri_ring_note_duplicate(weir_conn *c, weir_block run)
{
    if (!conn_has(c, WEIRI_SACK_OK) || !seq_lt(run.from, run.to)) {
        return;
    }
    weir_block dup;
    dup.from = run.from;
    dup.to = seq_min(run.to, c->rcv.nxt);
    if (seq_lt(run.from, c->rcv.nxt)) {
        uint64_t age = seq_diff(run.from, c->rcv.nxt), came = c->octets_received + (conn_has(c, WEIRI_FIN_TAKEN) ? 1 : 0);
        if (age > came || age > RING_SIZE_MAX) {
            return; /* nobody sent that before: it is no duplicate, whatever it is */
        }
    } else {
        unsigned i = ring_find(c, run.from);
        if (i < c->span_count && seq_eq(c->spans[i].to, run.from)) { /* meets it but does not hold any of it */
            i++;
        }
        if (i == c->span_count || !seq_lt(c->spans[i].from, run.to)) {
            return;
        }
        dup.from = seq_max(run.from, c->spans[i].from);
        dup.to = seq_min(run.to, c->spans[i].to);
    }
    c->dsack = dup;
    WEIRI_COUNT(c, dup_in, 1);
}

WEIR_PRIVATE bool weiri_ring_duplicate(const weir_conn *c)
{
    return !seq_eq(c->dsack.from, c->dsack.to);
}

WEIR_PRIVATE void weiri_ring_forget_duplicate(weir_conn *c)
{
    c->dsack.to = c->dsack.from;
}

/* The duplicate, and the span that holds it, which comes next (RFC 2883 4 (5)). */
static unsigned ring_sack_duplicate(const weir_conn *c, weir_block *blocks, const struct weir_span **around)
{
    if (!weiri_ring_duplicate(c)) {
        return 0;
    }
    blocks[0] = c->dsack;
    unsigned i = ring_find(c, c->dsack.to);
    if (i < c->span_count && seq_leq(c->spans[i].from, c->dsack.from)) {
        *around = &c->spans[i];
    }
    return 1;
}
#else
static unsigned ring_sack_duplicate(const weir_conn *c, weir_block *blocks, const struct weir_span **around)
{
    (void)c;
    (void)blocks;
    (void)around;
    return 0;
}
#endif

/* The span with the greatest stamp below `below`: the next most recently reported. */
static const struct weir_span *ring_recent(const weir_conn *c, uint64_t below)
{
    const struct weir_span *best = NULL;
    for (unsigned i = 0; i < c->span_count; i++) { /* span_cap */
        const struct weir_span *s = &c->spans[i];
        if (s->stamp < below && (best == NULL || s->stamp > best->stamp)) {
            best = s;
        }
    }
    return best;
}

/* The next most recently reported. Those that grew last are known by name, *i of them were asked for; only where they are gone, filled up
 * from below, the others are searched. */
static const struct weir_span *ring_next_recent(const weir_conn *c, unsigned *i, uint64_t below)
{
    const struct weir_span *s = ring_named(c, i);
    return s != NULL ? s : ring_recent(c, below);
}

/* A span as it is reported: with the FIN after it, which is an octet of sequence space. */
static weir_block ring_block(const weir_conn *c, const struct weir_span *s)
{
    weir_block run = ring_run(s);
    if (conn_has(c, WEIRI_FIN_KNOWN) && seq_eq(run.to, c->rcv.fin)) {
        run.to = seq_add(run.to, 1);
    }
    return run;
}

WEIR_PRIVATE uint8_t weiri_ring_sack(const weir_conn *c, weir_block *blocks, unsigned max)
{
    const struct weir_span *around = NULL;
    unsigned count = max > 0 ? ring_sack_duplicate(c, blocks, &around) : 0;
    if (around != NULL && count < max) {
        blocks[count++] = ring_block(c, around);
    }
    uint64_t below = UINT64_MAX;
    unsigned asked = 0;
    for (unsigned seen = 0; count < max && seen < c->span_count; seen++) {
        const struct weir_span *s = ring_next_recent(c, &asked, below);
        if (WEIR_NEVER(s == NULL)) {
            break;
        }
        below = s->stamp;
        if (s != around) {
            blocks[count++] = ring_block(c, s);
        }
    }
    return (uint8_t)count;
}

WEIR_PRIVATE uint32_t weiri_ring_readable(const weir_conn *c)
{
    return seq_diff(c->rcv.usr, c->rcv.nxt) - (conn_has(c, WEIRI_FIN_TAKEN) ? 1 : 0);
}

WEIR_PRIVATE uint32_t weiri_ring_held(const weir_conn *c)
{
    return c->span_count > 0 ? seq_diff(c->rcv.usr, c->spans[c->span_count - 1].to) : weiri_ring_readable(c);
}

WEIR_PRIVATE weir_seq weiri_ring_end(const weir_conn *c)
{
    return seq_add(c->rcv.usr, c->rx_size);
}

/* ---- send ring ------------------------------------------------------------------------------------------------------------------- */

static uint32_t ring_tx_place(const weir_conn *c, weir_seq s)
{
    return ring_place(c->tx_size, seq_add(c->snd.iss, 1), s);
}

WEIR_PRIVATE void weiri_ring_slices(const weir_conn *c, weir_seq from, uint32_t len, weir_slice body[2])
{
    uint32_t at = ring_tx_place(c, from), first = base_min32(len, c->tx_size - at);
    body[0].octets = len > 0 ? c->tx_ring + at : c->tx_ring;
    body[0].len = first;
    body[1].octets = c->tx_ring;
    body[1].len = len - first;
}

/* Octets that are kept: from the first not acknowledged to the last committed. */
static uint32_t ring_tx_used(const weir_conn *c)
{
    weir_seq first = seq_min(conn_first(c), c->snd.end);
    return seq_diff(first, c->snd.end);
}

WEIR_PRIVATE uint32_t weiri_ring_room(const weir_conn *c)
{
    return c->tx_size - ring_tx_used(c);
}

/* ---- the user's side --------------------------------------------------------------------------------------------------------------- */

WEIR_PRIVATE uint32_t weiri_ring_to_read(const weir_conn *c)
{
    bool open = c->state != WEIR_LISTEN && c->state != WEIR_SYN_SENT && c->state != WEIR_SYN_RECEIVED;
    return open ? weiri_ring_readable(c) : 0;
}

WEIR_PRIVATE uint32_t weiri_ring_to_write(const weir_conn *c)
{
    bool sending = c->state == WEIR_LISTEN || c->state == WEIR_SYN_SENT || c->state == WEIR_SYN_RECEIVED ||
                   c->state == WEIR_ESTABLISHED || c->state == WEIR_CLOSE_WAIT;
    return sending && !conn_has(c, WEIRI_FIN_QUEUED) ? weiri_ring_room(c) : 0;
}

WEIR_API const uint8_t *weir_rx_peek(const weir_conn *c, size_t *len)
{
    uint32_t at = ring_rx_place(c, c->rcv.usr);
    *len = base_min32(weiri_ring_to_read(c), c->rx_size - at);
    return c->rx_size > 0 ? c->rx_ring + at : NULL;
}

WEIR_API uint8_t *weir_tx_reserve(const weir_conn *c, size_t *len)
{
    uint32_t at = ring_tx_place(c, c->snd.end);
    *len = base_min32(weiri_ring_to_write(c), c->tx_size - at);
    return c->tx_size > 0 ? c->tx_ring + at : NULL;
}

/* ---- storage ------------------------------------------------------------------------------------------------------------------------- */

static bool ring_size_ok(uint32_t size)
{
    return size >= RING_SIZE_MIN && size <= RING_SIZE_MAX && (size & (size - 1)) == 0;
}

/* A record for about each 1 KiB of ring, within bounds. Of segments sent: about one each. Of runs out of order: enough for every second
 * segment of a window to be missing. */
static uint16_t ring_records(uint32_t size, uint32_t most)
{
    return (uint16_t)base_min32(base_max32(size / 1024, 16), most);
}

WEIR_API size_t weir_buffers_size(weir_sizes sizes)
{
    if (!ring_size_ok(sizes.rx) || !ring_size_ok(sizes.tx)) {
        return 0;
    }
    size_t spans = ring_records(sizes.rx, RING_SPANS_MAX) * sizeof(struct weir_span);
    size_t sent = WEIRI_BOARD_MEMORY(ring_records(sizes.tx, RING_SENT_MAX)) * sizeof(struct weir_sent);
    return (size_t)sizes.rx + sizes.tx + ((spans + sent + 7) & ~(size_t)7);
}

WEIR_API bool weir_buffers_carve(weir_buffers *b, void *memory, size_t len, weir_sizes sizes)
{
    size_t need = weir_buffers_size(sizes);
    if (need == 0 || len < need || memory == NULL) {
        return false;
    }
    uint8_t *at = (uint8_t *)memory;
    b->sent_cap = ring_records(sizes.tx, RING_SENT_MAX);
    b->span_cap = ring_records(sizes.rx, RING_SPANS_MAX);
    b->sent = (struct weir_sent *)(void *)at;
    at += WEIRI_BOARD_MEMORY(b->sent_cap) * sizeof(struct weir_sent);
    b->spans = (struct weir_span *)(void *)at;
    at = (uint8_t *)memory + (need - sizes.rx - sizes.tx);
    b->rx = at;
    b->tx = at + sizes.rx;
    b->rx_size = sizes.rx;
    b->tx_size = sizes.tx;
    return true;
}

/* A ring: `first` is the sequence number of its first place. */
struct ring_place_of {
    uint8_t *octets;
    uint32_t size;
    weir_seq first;
};

/* Octets go to the places that a ring of another size gives their sequence numbers. */
static void ring_move(const struct ring_place_of *from, const struct ring_place_of *to, weir_seq at, uint32_t len)
{
    while (len > 0) { /* once for each time that one of the rings begins anew */
        uint32_t here = ring_place(from->size, from->first, at), there = ring_place(to->size, to->first, at);
        uint32_t part = base_min32(len, base_min32(from->size - here, to->size - there));
        memmove(to->octets + there, from->octets + here, part); /* the same ring may be given again */
        at = seq_add(at, part);
        len -= part;
    }
}

static void ring_take_rx(weir_conn *c, const weir_buffers *b)
{
    struct ring_place_of from = {c->rx_ring, c->rx_size, seq_add(c->rcv.irs, 1)}, to = {b->rx, b->rx_size, from.first};
    ring_move(&from, &to, c->rcv.usr, weiri_ring_held(c));
    if (c->span_count > 0) {
        memmove(b->spans, c->spans, c->span_count * sizeof *c->spans);
    }
    c->rx_ring = b->rx;
    c->rx_size = b->rx_size;
    c->spans = b->spans;
    c->span_head = 0;
    c->span_cap = b->span_cap;
}

static void ring_take_tx(weir_conn *c, const weir_buffers *b)
{
    struct ring_place_of from = {c->tx_ring, c->tx_size, seq_add(c->snd.iss, 1)}, to = {b->tx, b->tx_size, from.first};
    uint32_t used = ring_tx_used(c);
    ring_move(&from, &to, seq_sub(c->snd.end, used), used);
    weiri_board_move(&c->board, b->sent, b->sent_cap);
    c->tx_ring = b->tx;
    c->tx_size = b->tx_size;
}

static bool ring_fits(const weir_conn *c, const weir_buffers *b)
{
    bool rx = weiri_ring_held(c) <= b->rx_size && c->span_count <= b->span_cap;
    return rx && ring_tx_used(c) <= b->tx_size && c->board.count <= b->sent_cap;
}

WEIR_API weir_err weir_set_buffers(weir_conn *c, const weir_buffers *b, weir_us now)
{
    if (!ring_fits(c, b)) {
        return WEIR_ERR_INVALID;
    }
    c->now = c->now > now ? c->now : now; /* no event: what weir_last_path tells stays */
    ring_take_rx(c, b);
    ring_take_tx(c, b);
    weiri_tune_moved(c, b);
    if (weiri_window_update_due(c)) {
        conn_set(c, WEIRI_ACK_NOW, true);
    }
    weiri_conn_finish(c);
    return WEIR_ERR_NONE;
}

#undef RING_SIZE_MIN
#undef RING_SIZE_MAX
#undef RING_SENT_MAX
#undef RING_SPANS_MAX
