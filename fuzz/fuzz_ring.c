/* fuzz_ring.c - reassembly, SACK blocks and both rings beside a map with a line for each octet.
 *
 * Input: three octets of configuration (ring sizes, where the numbers begin), then text that arrives anywhere in the window, reading,
 * duplicates, blocks asked for, text committed and acknowledged, rings exchanged for others. The map and the rings agree after each: RCV.NXT,
 * each octet (the first that came stays), the runs out of order, the blocks by age (RFC 2018 4), the duplicate before them (RFC 2883 4),
 * the octets of the send ring. Every invariant (weir_check) after each step. */
#include "fuzz.h"

enum {
    RING_SPACE = 1 << 15, /* octets that the map can tell apart */
    RING_MEMORY = 65536,
    RING_SIZE_LARGEST = 16384,
    RING_STEPS = 400,
    RING_RUNS = 64
};

struct ring_octet {
    bool here;
    uint8_t value;
};

struct ring_world {
    weir_conn c;
    weir_config cfg;
    struct fuzz_bytes in;
    weir_us now;
    uint32_t irs, iss;
    uint32_t nxt, usr, adv;      /* offsets from the first octet; of the stream in */
    uint32_t una, end;           /* of the stream out */
    struct {
        uint32_t from, to;       /* a run out of order, as the map knows it; the newest first */
    } runs[RING_RUNS];
    unsigned run_count, slot;
};

static uint64_t ring_memory[2][RING_MEMORY / 8];
static struct ring_octet ring_map[RING_SPACE];

static struct ring_octet *ring_in(uint32_t offset)
{
    return &ring_map[offset % RING_SPACE];
}

static uint8_t ring_out_octet(uint32_t offset)
{
    return (uint8_t)(offset * 29 + (offset >> 8) * 3 + 5);
}

static weir_seq ring_seq(const struct ring_world *w, uint32_t offset)
{
    return seq_of(w->irs + 1 + offset);
}

/* ---- what must hold ------------------------------------------------------------------------------------------------------------------ */

static void ring_compare_in(const struct ring_world *w)
{
    const weir_conn *c = &w->c;
    FUZZ_CHECK(seq_eq(c->rcv.nxt, ring_seq(w, w->nxt)) && seq_eq(c->rcv.usr, ring_seq(w, w->usr)), "RCV.NXT is not where the map ends");
    FUZZ_CHECK(c->octets_received == w->nxt, "octets received are counted otherwise");
    FUZZ_CHECK(c->span_count == w->run_count, "another number of runs out of order");
    for (unsigned i = 0; i < c->span_count; i++) {
        bool known = false;
        for (unsigned k = 0; k < w->run_count; k++) {
            known = known || (seq_eq(c->spans[i].from, ring_seq(w, w->runs[k].from)) && seq_eq(c->spans[i].to, ring_seq(w, w->runs[k].to)));
        }
        FUZZ_CHECK(known, "a run out of order that the map does not have");
        for (uint32_t at = c->spans[i].from.v; at != c->spans[i].to.v && c->rx_size > 0; at++) {
            uint32_t offset = at - w->irs - 1;
            FUZZ_CHECK(c->rx_ring[offset & (c->rx_size - 1)] == ring_in(offset)->value, "an octet out of order is not the one that came first");
        }
    }
}

static void ring_compare_out(const struct ring_world *w)
{
    weir_slice body[2];
    weiri_ring_slices(&w->c, seq_of(w->iss + 1 + w->una), w->end - w->una, body);
    FUZZ_CHECK(body[0].len + body[1].len == w->end - w->una, "slices of another length");
    for (uint32_t i = w->una; i < w->end; i++) {
        size_t at = i - w->una;
        uint8_t octet = at < body[0].len ? body[0].octets[at] : body[1].octets[at - body[0].len];
        FUZZ_CHECK(octet == ring_out_octet(i), "an octet of the send ring is another one");
    }
}

static void ring_compare(const struct ring_world *w, bool out)
{
    FUZZ_HOLDS(weir_check(&w->c));
    ring_compare_in(w);
    if (out) {
        ring_compare_out(w);
    }
}

/* ---- text in ------------------------------------------------------------------------------------------------------------------------- */

static void ring_drop_run(struct ring_world *w, unsigned i)
{
    w->run_count--;
    memmove(&w->runs[i], &w->runs[i + 1], (w->run_count - i) * sizeof w->runs[0]);
}

/* Runs that this text meets become one with it, the newest; false: none, and there is no memory for one more. */
static bool ring_note_run(struct ring_world *w, uint32_t from, uint32_t to)
{
    bool meets = false;
    for (unsigned i = 0; i < w->run_count; i++) {
        meets = meets || (w->runs[i].from <= to && from <= w->runs[i].to);
    }
    if (!meets && w->run_count == w->c.span_cap) {
        return false;
    }
    for (unsigned i = 0; i < w->run_count;) {
        if (w->runs[i].from <= to && from <= w->runs[i].to) {
            from = from < w->runs[i].from ? from : w->runs[i].from;
            to = to > w->runs[i].to ? to : w->runs[i].to;
            ring_drop_run(w, i);
        } else {
            i++;
        }
    }
    memmove(&w->runs[1], &w->runs[0], w->run_count * sizeof w->runs[0]);
    w->run_count++;
    w->runs[0].from = from;
    w->runs[0].to = to;
    return true;
}

static void ring_take(struct ring_world *w, const struct weiri_text *t, uint32_t from)
{
    bool next = from == w->nxt;
    if (!next && !ring_note_run(w, from, from + t->len)) {
        return;
    }
    for (uint32_t i = 0; i < t->len; i++) {
        struct ring_octet *o = ring_in(from + i);
        o->value = o->here ? o->value : t->octets[i];
        o->here = true;
    }
    while (next && w->nxt < w->usr + RING_SIZE_LARGEST && ring_in(w->nxt)->here) {
        w->nxt++;
    }
    for (unsigned i = 0; i < w->run_count;) {
        if (w->runs[i].from <= w->nxt) {
            ring_drop_run(w, i);
        } else {
            i++;
        }
    }
}

static void ring_receive(struct ring_world *w)
{
    static uint8_t text[RING_SIZE_LARGEST];
    uint32_t how = fuzz_u8(&w->in), end = w->usr + w->c.rx_size;
    uint32_t from = w->nxt + (how & 1 ? fuzz_u8(&w->in) * (how & 2 ? 16u : 1u) : 0), len = fuzz_u8(&w->in) * (how & 4 ? 16u : 1u);
    end = end < w->adv ? end : w->adv;
    if (from >= end || len == 0) {
        return;
    }
    len = len < end - from ? len : end - from;
    for (uint32_t i = 0; i < len; i++) {
        text[i] = (uint8_t)((from + i) * 7 + how);
    }
    struct weiri_text t = {ring_seq(w, from), fuzz_put(text, len), len};
    bool gap = from > w->nxt || w->run_count > 0, told;
    if (how & 8 && !gap) {
        uint64_t sum = weiri_ring_put_sum(&w->c, t.octets, t.len);
        FUZZ_CHECK(weiri_sum_finish(sum) == weiri_sum_finish(weiri_sum(t.octets, t.len, 0)), "another sum on the way into the ring");
        weiri_ring_append(&w->c, t.len);
        told = false;
    } else {
        told = weiri_ring_receive(&w->c, &t);
    }
    FUZZ_CHECK(told == gap, "a gap that is none, or none that is one");
    ring_take(w, &t, from);
}

static void ring_read(struct ring_world *w)
{
    uint32_t want = fuzz_u8(&w->in) * 8u;
    for (unsigned part = 0; part < 2; part++) {
        size_t len;
        const uint8_t *at = weir_rx_peek(&w->c, &len);
        len = len < want ? len : want;
        for (size_t i = 0; i < len; i++) {
            FUZZ_CHECK(at[i] == ring_in(w->usr + (uint32_t)i)->value, "an octet that can be read is not the one that came first");
            ring_in(w->usr + (uint32_t)i)->here = false;
        }
        FUZZ_CHECK(weir_rx_consume(&w->c, len, w->now) == WEIR_ERR_NONE, "cannot consume what peek shows");
        w->usr += (uint32_t)len;
        want -= (uint32_t)len;
    }
    FUZZ_CHECK(want == 0 || w->usr == w->nxt, "there is more to read than peek shows");
    uint32_t edge = w->usr + w->c.rx_size;
    w->adv = edge > w->adv ? edge : w->adv; /* a segment with the whole window goes out */
    w->c.rcv.adv = ring_seq(w, w->adv);
    w->c.rcv.acked = w->c.rcv.nxt;
}

/* ---- blocks -------------------------------------------------------------------------------------------------------------------------- */

/* The first run of [from, to) that is here already. */
static bool ring_naive_duplicate(const struct ring_world *w, uint32_t from, uint32_t to, uint32_t *first, uint32_t *last)
{
    for (*first = from; *first < to && !(*first < w->nxt || ring_in(*first)->here); (*first)++) {
    }
    for (*last = *first; *last < to && (*first < w->nxt ? *last < w->nxt : ring_in(*last)->here); (*last)++) {
    }
    return *first < *last;
}

static void ring_duplicate(struct ring_world *w)
{
    uint32_t back = fuzz_u8(&w->in) * 4u, from = w->nxt + 256 < back ? 0 : w->nxt + 256 - back, to = from + fuzz_u8(&w->in), first, last;
    weir_block run = {ring_seq(w, from), ring_seq(w, to)};
    if (to > w->usr + w->c.rx_size || to > w->adv) {
        return;
    }
    memset(&w->c.dsack, 0, sizeof w->c.dsack);
    weiri_ring_note_duplicate(&w->c, run);
    bool is = ring_naive_duplicate(w, from, to, &first, &last), told = !seq_eq(w->c.dsack.from, w->c.dsack.to);
    FUZZ_CHECK(is == told, "a duplicate that is none, or none that is one");
    FUZZ_CHECK(!told || (seq_eq(w->c.dsack.from, ring_seq(w, first)) && seq_eq(w->c.dsack.to, ring_seq(w, last))), "another duplicate");
}

static void ring_blocks(struct ring_world *w)
{
    weir_block blocks[4];
    unsigned max = fuzz_u8(&w->in) % 5, at = 0;
    bool dup = !seq_eq(w->c.dsack.from, w->c.dsack.to);
    unsigned count = weiri_ring_sack(&w->c, blocks, max), around = RING_RUNS;
    for (unsigned i = 0; dup && i < w->run_count; i++) { /* the run that holds the duplicate comes next (RFC 2883 4 (5)) */
        bool holds = seq_leq(ring_seq(w, w->runs[i].from), w->c.dsack.from) && seq_leq(w->c.dsack.to, ring_seq(w, w->runs[i].to));
        around = holds ? i : around;
    }
    if (dup && at < count) {
        FUZZ_CHECK(seq_eq(blocks[0].from, w->c.dsack.from) && seq_eq(blocks[0].to, w->c.dsack.to), "the duplicate does not come first");
        at++;
    }
    for (unsigned k = 0, turn = around < RING_RUNS ? 0 : 1; at < count; turn = 1) {
        unsigned i = turn == 0 ? around : k++;
        FUZZ_CHECK(i < w->run_count, "more blocks than runs");
        if (turn == 1 && i == around) {
            continue;
        }
        FUZZ_CHECK(seq_eq(blocks[at].from, ring_seq(w, w->runs[i].from)) && seq_eq(blocks[at].to, ring_seq(w, w->runs[i].to)),
                   "blocks are not told by age, the newest first");
        at++;
    }
    unsigned want = (dup ? 1u : 0) + w->run_count;
    FUZZ_CHECK(count == (want < max ? want : max), "blocks are left out");
    if (max > 0) {
        memset(&w->c.dsack, 0, sizeof w->c.dsack);
    }
}

/* ---- text out, rings ----------------------------------------------------------------------------------------------------------------- */

static void ring_commit(struct ring_world *w)
{
    uint32_t want = fuzz_u8(&w->in) * 8u;
    size_t room;
    uint8_t *to = weir_tx_reserve(&w->c, &room);
    FUZZ_CHECK(room <= w->c.tx_size - (w->end - w->una), "room for more than the ring has");
    want = want < room ? want : (uint32_t)room;
    for (uint32_t i = 0; i < want; i++) {
        to[i] = ring_out_octet(w->end + i);
    }
    w->end += want;
    w->c.snd.end = seq_add(w->c.snd.end, want);
}

/* Sent and acknowledged at once. */
static void ring_acknowledge(struct ring_world *w)
{
    uint32_t len = fuzz_u8(&w->in) * 8u;
    len = len < w->end - w->una ? len : w->end - w->una;
    w->una += len;
    w->c.octets_acked += len;
    w->c.snd.una = w->c.snd.nxt = seq_of(w->iss + 1 + w->una);
}

static void ring_exchange(struct ring_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    weir_sizes sizes = {256u << (how & 7) % 7, 256u << (how >> 3 & 7) % 7};
    weir_buffers b;
    FUZZ_CHECK(weir_buffers_carve(&b, ring_memory[w->slot ^ 1], sizeof ring_memory[0], sizes), "rings of these sizes are refused");
    uint32_t last = w->nxt;
    for (unsigned i = 0; i < w->run_count; i++) {
        last = last > w->runs[i].to ? last : w->runs[i].to;
    }
    bool fits = last - w->usr <= sizes.rx && w->run_count <= b.span_cap && w->end - w->una <= sizes.tx;
    FUZZ_CHECK((weir_set_buffers(&w->c, &b, w->now) == WEIR_ERR_NONE) == fits, "rings of another size taken or refused");
    if (fits) {
        memset(ring_memory[w->slot], 0xee, sizeof ring_memory[0]);
        w->slot ^= 1;
    }
}

/* ---- one run ------------------------------------------------------------------------------------------------------------------------- */

/* A connection that is established, with nothing sent or received yet. */
static void ring_start(struct ring_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    weir_sizes sizes = {256u << (how & 7) % 7, 256u << (how >> 3 & 7) % 7};
    weir_buffers b;
    w->irs = fuzz_u8(&w->in) * 0x01010101u - 4096;
    w->iss = fuzz_u8(&w->in) * 0x01010101u - 4096;
    w->now = 1000000;
    weir_config_internet(&w->cfg);
    memset(w->cfg.secret, 1, sizeof w->cfg.secret);
    w->cfg.rx_max = w->cfg.tx_max = 1u << 20;
    FUZZ_CHECK(weir_buffers_carve(&b, ring_memory[0], sizeof ring_memory[0], sizes), "rings of these sizes are refused");
    FUZZ_CHECK(weir_init(&w->c, &w->cfg, &b, w->now) == WEIR_ERR_NONE, "this configuration is refused");
    weir_conn *c = &w->c;
    c->state = WEIR_ESTABLISHED;
    c->flags |= WEIRI_SACK_OK;
    c->snd.iss = seq_of(w->iss);
    c->snd.una = c->snd.nxt = c->snd.end = c->snd.wl2 = c->recover = seq_of(w->iss + 1);
    c->cwv.from = c->snd.una;
    c->octets_acked = 1; /* the SYN was acknowledged: SND.UNA may come by the ISS again */
    c->mss_snd = c->mss_adv = 1460;
    c->snd.wnd = c->snd.max_wnd = 65535;
    c->rcv.irs = seq_of(w->irs);
    c->rcv.nxt = c->rcv.usr = c->rcv.acked = ring_seq(w, 0);
    w->adv = sizes.rx;
    c->rcv.adv = ring_seq(w, w->adv);
}

static void ring_step(struct ring_world *w)
{
    fuzz_event(&w->in);
    unsigned op = fuzz_u8(&w->in) & 15;
    switch (op) {
    case 0: case 1: case 2: case 3: case 4: case 5: ring_receive(w); break;
    case 6: case 7: ring_read(w); break;
    case 8: ring_duplicate(w); break;
    case 9: case 10: ring_blocks(w); break;
    case 11: case 12: ring_commit(w); break;
    case 13: ring_acknowledge(w); break;
    default: ring_exchange(w); break;
    }
    ring_compare(w, op > 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ring_world w;
    memset(&w, 0, sizeof w);
    memset(ring_map, 0, sizeof ring_map);
    w.in = fuzz_begin(data, size);
    ring_start(&w);
    for (unsigned i = 0; i < RING_STEPS && w.in.left > 0; i++) {
        ring_step(&w);
    }
    return 0;
}

#if defined(WEIR_FUZZ_UNIT) && !defined(WEIR_FUZZ_PLAIN)
static const struct fuzz_phrase fuzz_phrases[] = {
    FUZZ_PHRASE("\x00\x00\x64"), FUZZ_PHRASE("\x00\x08\x20"), FUZZ_PHRASE("\x00\x04\xff"),                 /* text in order, */
    FUZZ_PHRASE("\x00\x01\x40\x20"), FUZZ_PHRASE("\x00\x11\x10\x08"), FUZZ_PHRASE("\x00\x23\x40\x30"),     /* behind holes, */
    FUZZ_PHRASE("\x00\x01\x10\x08\x00\x01\x30\x08\x00\x01\x50\x08\x00\x01\x70\x08"), FUZZ_PHRASE("\x00\x01\x18\x40"),
    FUZZ_PHRASE("\x06\xff"), FUZZ_PHRASE("\x06\x03"),                                                     /* reading, */
    FUZZ_PHRASE("\x08\x30\x40\x09\x04"), FUZZ_PHRASE("\x08\x80\x20"), FUZZ_PHRASE("\x09\x04"), FUZZ_PHRASE("\x09\x01"),
    FUZZ_PHRASE("\x0b\x40"), FUZZ_PHRASE("\x0b\xff\x0d\x80"), FUZZ_PHRASE("\x0d\xff"), FUZZ_PHRASE("\x0e\x09"), FUZZ_PHRASE("\x0e\x36"),
};
#include "mutate.h"
#endif
