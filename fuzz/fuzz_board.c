/* fuzz_board.c - the scoreboard beside a map with a line for each octet.
 *
 * Input: two octets of configuration (how many records there is memory for, where the numbers begin), then calls of recovery.h in any order.
 * With memory for many records the map and the board agree on each octet after each call: state, transmissions, time; on what each call
 * answers; on the order of transmission. With memory for a few the board may know less than the map, as it documents, and never more: what
 * it has for SACKED was reported. Every invariant (weiri_board_check) after each call. The small board of a device (sack_small.c) is held
 * against the same map, without the order, which it does not keep. */
#include "fuzz.h"

enum {
    BOARD_SPACE = 1 << 12, /* octets outstanding at most */
    BOARD_MANY = 400,
    BOARD_STEPS = 400,
    BOARD_TURNS = 100,     /* of loops, that a call may take */
    BOARD_EACH = 16        /* and for each record, where it looks at all */
};

struct board_octet {
    uint8_t state, tries;
    bool reported, passed; /* by a block; by RACK's mark */
    uint32_t sent_at;
    int64_t order;         /* of transmission */
};

struct board_world {
    struct weir_board b;
    struct fuzz_bytes in;
    struct board_octet map[BOARD_SPACE];
    uint32_t base, una, nxt; /* offsets from `base` */
    int64_t last, front;     /* orders given out at either end */
    weir_us now;
    bool exact;
    unsigned slot;
};

static struct weir_sent board_memory[2][WEIRI_BOARD_MEMORY(BOARD_MANY)];

static struct board_octet *board_octet_at(struct board_world *w, uint32_t offset)
{
    return &w->map[offset % BOARD_SPACE];
}

static weir_seq board_seq(const struct board_world *w, uint32_t offset)
{
    return seq_of(w->base + offset);
}

static uint32_t board_offset_of(const struct board_world *w, weir_seq s)
{
    return s.v - w->base;
}

static bool board_is_open(const struct board_octet *o)
{
    return o->state != WEIRI_SENT_SACKED;
}

/* ---- what must hold ------------------------------------------------------------------------------------------------------------------ */

/* The map is told what the board has, where the board may know less. */
static void board_follow(struct board_octet *o, const struct weir_sent *r)
{
    FUZZ_CHECK(r->state != WEIRI_SENT_SACKED || o->reported, "an octet is SACKED that no block reported");
    o->state = r->state;
    o->tries = r->tries;
    o->sent_at = r->sent_at;
}

static void board_compare(struct board_world *w)
{
    FUZZ_HOLDS(weiri_board_check(&w->b, board_seq(w, w->una), board_seq(w, w->nxt)));
    uint32_t open = 0;
    for (uint32_t i = 0; i < w->b.count; i++) {
        const struct weir_sent *r = weiri_board_record(&w->b, i);
        for (uint32_t at = board_offset_of(w, r->from); at != board_offset_of(w, r->to); at++) {
            struct board_octet *o = board_octet_at(w, at);
            if (w->exact) {
                FUZZ_CHECK(o->state == r->state, "an octet has another state than by the map");
                FUZZ_CHECK(o->tries == r->tries && o->sent_at == r->sent_at, "an octet was sent another time than by the map");
            } else {
                board_follow(o, r);
            }
            open += o->state == WEIRI_SENT_FLYING || o->state == WEIRI_SENT_RESENT;
        }
    }
    FUZZ_CHECK(weiri_board_pipe(&w->b) == open, "pipe is not what was sent and neither SACKED nor LOST");
}

#if WEIR_WITH_RACK
/* The octet with the least order, or the greatest, among those passed, or not; NULL. */
static const struct board_octet *board_extreme(struct board_world *w, bool passed, bool greatest, uint32_t *at)
{
    const struct board_octet *best = NULL;
    for (uint32_t i = w->una; i < w->nxt; i++) {
        const struct board_octet *o = board_octet_at(w, i);
        bool counts = board_is_open(o) && o->passed == passed && !(passed && o->state == WEIRI_SENT_LOST);
        if (counts && (best == NULL || (greatest ? o->order > best->order : o->order < best->order))) {
            best = o;
            *at = i;
        }
    }
    return best;
}

static void board_expect(struct board_world *w, const struct weir_sent *r, bool passed, bool greatest)
{
    uint32_t at = 0;
    bool some = board_extreme(w, passed, greatest, &at) != NULL;
    FUZZ_CHECK(some == (r != NULL), "the order of transmission has an end where the map has none");
    if (r != NULL) {
        weir_seq s = board_seq(w, at);
        FUZZ_CHECK(seq_leq(r->from, s) && seq_lt(s, r->to), "another record comes next in order of transmission");
    }
}
#endif

/* ---- calls --------------------------------------------------------------------------------------------------------------------------- */

static void board_set(struct board_world *w, uint32_t at, enum weiri_sent_state state)
{
    board_octet_at(w, at)->state = (uint8_t)state;
}

static void board_push(struct board_world *w)
{
    uint32_t len = fuzz_u8(&w->in);
    len = len < w->una + BOARD_SPACE - w->nxt ? len : w->una + BOARD_SPACE - w->nxt;
    weir_block run = {board_seq(w, w->nxt), board_seq(w, w->nxt + len)};
    bool room = weiri_board_has_room(&w->b), taken = weiri_board_push(&w->b, run, w->now);
    FUZZ_CHECK(taken == (room || len == 0), "has_room and push disagree");
    for (uint32_t i = 0; taken && i < len; i++, w->nxt++) {
        struct board_octet *o = board_octet_at(w, w->nxt);
        memset(o, 0, sizeof *o);
        o->tries = 1;
        o->sent_at = (uint32_t)w->now;
        o->order = ++w->last;
    }
}

/* What the header says of samples, from the records as they were. */
static bool board_sample(struct board_world *w, uint32_t to, uint32_t *rtt)
{
    bool sampled = false, again = false;
    for (uint32_t i = 0; i < w->b.count; i++) {
        const struct weir_sent *r = weiri_board_record(&w->b, i);
        uint32_t from = board_offset_of(w, r->from), end = board_offset_of(w, r->to);
        if (from >= to || r->state == WEIRI_SENT_SACKED) {
            continue;
        }
        again = again || r->tries > 1;
        sampled = sampled || end <= to;
        *rtt = end <= to ? (uint32_t)w->now - r->sent_at : *rtt;
    }
    return sampled && !again;
}

static void board_ack(struct board_world *w)
{
    uint32_t how = fuzz_u8(&w->in), outstanding = w->nxt - w->una, len = how < 255 ? how * 2 : outstanding, rtt = 0, sacked = 0;
    weir_seq ack = board_seq(w, w->una + len);
    bool believed = len <= outstanding && w->b.count > 0, sampled = believed && board_sample(w, w->una + len, &rtt);
    struct weiri_acked acked = weiri_board_ack(&w->b, ack, w->now);
    for (uint32_t i = 0; believed && i < len; i++) {
        sacked += board_octet_at(w, w->una++)->state == WEIRI_SENT_SACKED;
    }
    FUZZ_CHECK(acked.octets == (believed ? len : 0) && acked.sacked == sacked, "other octets left than were acknowledged");
    FUZZ_CHECK(acked.sampled == sampled && (!sampled || acked.rtt_us == rtt), "a sample that Karn's rule forbids, or none where it allows one");
}

static uint32_t board_place_of(struct board_world *w)
{
    uint32_t how = fuzz_u8(&w->in);
    return w->una + (how < 250 ? how * 4 + (fuzz_u8(&w->in) & 3) : how == 250 ? 0x80000000u : how == 251 ? 0u - 1 : w->nxt - w->una + how - 252);
}

static void board_sack(struct board_world *w)
{
    uint32_t from = board_place_of(w), len = fuzz_u8(&w->in), to = len < 255 ? from + len : w->nxt, fresh = 0;
    weir_block block = {board_seq(w, from), board_seq(w, to)};
    bool believed = from > w->una && from - w->una < BOARD_SPACE && from < to && to <= w->nxt;
    for (uint32_t i = from; believed && i < to; i++) {
        struct board_octet *o = board_octet_at(w, i);
        fresh += board_is_open(o);
        o->reported = true;
        o->state = WEIRI_SENT_SACKED;
    }
    uint32_t told = weiri_board_sack(&w->b, block);
    FUZZ_CHECK(w->exact ? told == fresh : told <= fresh, "newly SACKED octets are counted otherwise");
}

/* RFC 6675 IsLost, octet by octet from the highest. */
static uint32_t board_naive_detect(struct board_world *w, uint32_t mss)
{
    uint32_t runs = 0, octets = 0, lost = 0;
    bool before = false;
    for (uint32_t i = w->nxt; i > w->una; i--) {
        struct board_octet *o = board_octet_at(w, i - 1);
        bool sacked = o->state == WEIRI_SENT_SACKED;
        runs += sacked && !before;
        octets += sacked;
        before = sacked;
        if (o->state == WEIRI_SENT_FLYING && (runs >= 3 || octets > 2 * mss)) {
            o->state = WEIRI_SENT_LOST;
            lost++;
        }
    }
    return lost;
}

/* RFC 6675 NextSeg, rules 3 and 4; `records` as they are now. */
static uint32_t board_naive_guess(struct board_world *w, uint32_t mss, bool rescue)
{
    uint32_t first = w->nxt, count = 0;
    bool above = false;
    for (uint32_t i = w->una; i < w->nxt; i++) {
        const struct board_octet *o = board_octet_at(w, i);
        first = first == w->nxt && o->state == WEIRI_SENT_FLYING ? i : first;
        above = above || (first < i && o->state == WEIRI_SENT_SACKED);
    }
    const struct weir_sent *last = w->b.count > 0 ? weiri_board_record(&w->b, w->b.count - 1u) : NULL;
    uint32_t from = first, to = first;
    if (above) {
        for (uint32_t i = 0; i < w->b.count; i++) {
            const struct weir_sent *r = weiri_board_record(&w->b, i);
            to = board_offset_of(w, r->from) == first ? board_offset_of(w, r->to) : to;
        }
        FUZZ_CHECK(to > first, "the lowest octet that flies is not the first of its record");
    } else if (rescue && last != NULL && last->state == WEIRI_SENT_FLYING) {
        uint32_t len = w->nxt - board_offset_of(w, last->from);
        from = w->nxt - (mss < len ? mss : len);
        to = w->nxt;
    }
    for (uint32_t i = from; i < to; i++, count++) {
        board_set(w, i, WEIRI_SENT_LOST);
    }
    return count;
}

static void board_detect(struct board_world *w, unsigned how)
{
    uint32_t mss = fuzz_u8(&w->in) + 1u;
    uint32_t want = board_naive_detect(w, mss), told = weiri_board_detect(&w->b, mss);
    FUZZ_CHECK(!w->exact || told == want, "IsLost says otherwise");
    if (how & 1) {
        board_compare(w);
        want = board_naive_guess(w, mss, (how & 2) != 0);
        told = weiri_board_guess(&w->b, mss, (how & 2) != 0);
        FUZZ_CHECK(!w->exact || told == want, "NextSeg says otherwise");
    }
}

static void board_lose_head(struct board_world *w)
{
    uint32_t mss = fuzz_u8(&w->in), lost = 0;
    for (uint32_t i = w->una; i < w->nxt && i - w->una < mss && board_is_open(board_octet_at(w, i)); i++) {
        lost += board_octet_at(w, i)->state != WEIRI_SENT_LOST;
        board_set(w, i, WEIRI_SENT_LOST);
    }
    uint32_t told = weiri_board_lose_head(&w->b, mss);
    FUZZ_CHECK(!w->exact || told == lost, "the head is lost otherwise");
}

/* A timeout. A peer that reneged: what was SACKED comes first in order of transmission, the later records before the earlier. */
static void board_lose_all(struct board_world *w)
{
    bool reneged = w->nxt > w->una && board_octet_at(w, w->una)->state == WEIRI_SENT_SACKED;
    for (uint32_t i = 0; i < w->b.count; i++) {
        const struct weir_sent *r = weiri_board_record(&w->b, i);
        uint32_t from = board_offset_of(w, r->from), len = seq_diff(r->from, r->to);
        bool back = r->state == WEIRI_SENT_SACKED;
        w->front -= back ? (int64_t)len : 0;
        for (uint32_t k = 0; k < len && (reneged || !back); k++) {
            struct board_octet *o = board_octet_at(w, from + k);
            o->state = WEIRI_SENT_LOST;
            o->order = back ? w->front + k : o->order;
            o->passed = o->passed || back;
        }
    }
    weiri_board_lose_all(&w->b);
}

static void board_sent_again(struct board_world *w, uint32_t from, uint32_t to)
{
    weir_block run = {board_seq(w, from), board_seq(w, to)};
    for (uint32_t i = from; i < to; i++) {
        struct board_octet *o = board_octet_at(w, i);
        o->tries = (uint8_t)(o->tries + (o->tries < UINT8_MAX));
        o->sent_at = (uint32_t)w->now;
        if (board_is_open(o)) {
            o->state = WEIRI_SENT_RESENT;
            o->order = ++w->last;
            o->passed = false;
        }
    }
    weiri_board_resent(&w->b, run, w->now);
}

/* The first LOST run goes again, or any run. */
static void board_resend(struct board_world *w, unsigned how)
{
    uint32_t max = fuzz_u8(&w->in), first = w->una;
    weir_block run;
    while (first < w->nxt && board_octet_at(w, first)->state != WEIRI_SENT_LOST) {
        first++;
    }
    bool some = weiri_board_next_lost(&w->b, max, &run);
    FUZZ_CHECK(some == (first < w->nxt && max > 0), "there is something LOST, and next_lost says otherwise");
    if (some) {
        uint32_t end = board_offset_of(w, run.to);
        FUZZ_CHECK(board_offset_of(w, run.from) == first && end > first && end - first <= max, "not the first LOST run, or too long");
        for (uint32_t i = first; i < end; i++) {
            FUZZ_CHECK(board_octet_at(w, i)->state == WEIRI_SENT_LOST, "a LOST run with something else in it");
        }
        bool more = end < w->nxt && board_octet_at(w, end)->state == WEIRI_SENT_LOST;
        FUZZ_CHECK(!more || end - first >= max - max / 4, "a short run where there is more");
        board_sent_again(w, first, end);
    } else if ((how & 4) && w->nxt > w->una) {
        uint32_t from = w->una + fuzz_u8(&w->in) * 2u, to = from + max + 1;
        if (to <= w->nxt) {
            board_sent_again(w, from, to);
        }
    }
}

static void board_walk(struct board_world *w)
{
    uint32_t from = w->una + fuzz_u8(&w->in), to = from + 1 + fuzz_u8(&w->in) * 2u, i = 0, at = from;
    weir_block run = {board_seq(w, from), board_seq(w, to)};
    struct weir_sent part;
    if (to > w->nxt) {
        FUZZ_CHECK(!weiri_board_walk(&w->b, run, &i, &part), "walks over a run that was not sent");
        return;
    }
    while (weiri_board_walk(&w->b, run, &i, &part)) {
        uint32_t begin = board_offset_of(w, part.from), end = board_offset_of(w, part.to);
        FUZZ_CHECK(begin >= at && end > begin && end <= to, "a walk that does not go forward");
        for (; at < end; at++) {
            FUZZ_CHECK(board_is_open(board_octet_at(w, at)) == (at >= begin), "a walk leaves out what is not SACKED, or shows what is");
        }
    }
    for (; at < to; at++) {
        FUZZ_CHECK(!board_is_open(board_octet_at(w, at)), "a walk ends before what is not SACKED");
    }
}

#if WEIR_WITH_RACK
/* RACK's mark and what is asked of it. */
static void board_order(struct board_world *w, unsigned how)
{
    const struct weir_sent *next = weiri_board_next(&w->b), *oldest = weiri_board_oldest(&w->b), *newest = weiri_board_newest(&w->b);
    if (w->exact) {
        board_expect(w, next, false, false);
        board_expect(w, oldest, true, false);
        board_expect(w, newest, true, true);
    }
    const struct weir_sent *touched = how & 1 ? oldest : next;
    if (touched == NULL) {
        return;
    }
    for (uint32_t i = board_offset_of(w, touched->from); i != board_offset_of(w, touched->to); i++) {
        struct board_octet *o = board_octet_at(w, i);
        o->passed = true;
        o->state = how & 1 ? WEIRI_SENT_LOST : o->state;
    }
    if (how & 1) {
        weiri_board_lose(&w->b);
    } else {
        weiri_board_pass(&w->b);
    }
}

static void board_lose_first(struct board_world *w)
{
    const struct weir_sent *r = w->b.count > 0 ? weiri_board_record(&w->b, 0) : NULL;
    for (uint32_t i = w->una; r != NULL && r->state != WEIRI_SENT_SACKED && i < board_offset_of(w, r->to); i++) {
        board_set(w, i, WEIRI_SENT_LOST);
    }
    weiri_board_lose_first(&w->b);
}

#endif

static void board_unlose(struct board_world *w)
{
    for (uint32_t i = w->una; i < w->nxt; i++) {
        struct board_octet *o = board_octet_at(w, i);
        o->passed = false;
        o->state = o->state == WEIRI_SENT_LOST ? (o->tries > 1 ? WEIRI_SENT_RESENT : WEIRI_SENT_FLYING) : o->state;
    }
    weiri_board_unlose(&w->b);
}

static void board_move(struct board_world *w)
{
    uint32_t cap = w->exact ? BOARD_MANY : w->b.cap + (fuzz_u8(&w->in) & 7);
    if (cap <= BOARD_MANY) {
        weiri_board_move(&w->b, board_memory[w->slot ^= 1], (uint16_t)cap);
        memset(board_memory[w->slot ^ 1], 0xee, sizeof board_memory[0]);
    }
}

static void board_step(struct board_world *w)
{
    fuzz_event(&w->in);
    fuzz_allow(BOARD_TURNS + BOARD_EACH * (uint64_t)w->b.count);
    unsigned op = fuzz_u8(&w->in), how = op >> 4;
    w->now += how;
    if (w->exact) { /* what costs moves is not what is looked at here, and there is always room */
#if WEIR_WITH_LARGE_BOARD
        w->b.credit = 1u << 20;
#endif
        op = w->b.count > BOARD_MANY - 16 ? 3 : op;
    }
    switch (op & 15) {
    case 0: case 1: case 2: board_push(w); break;
    case 3: board_ack(w); break;
    case 4: case 5: case 6: board_sack(w); break;
    case 7: board_detect(w, how); break;
    case 8: board_lose_head(w); break;
    case 9: board_lose_all(w); break;
    case 10: case 11: board_resend(w, how); break;
    case 12: board_walk(w); break;
#if WEIR_WITH_RACK
    case 13: board_order(w, how); break;
    case 14: if (how & 1) { board_lose_first(w); } else { board_unlose(w); } break;
#else
    case 14: board_unlose(w); break;
#endif
    default: board_move(w); break;
    }
    board_compare(w);
    fuzz_worked();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct board_world w;
    memset(&w, 0, sizeof w);
    w.in = fuzz_begin(data, size);
    unsigned how = fuzz_u8(&w.in), begin = fuzz_u8(&w.in);
    w.exact = (how & 1) == 0;
    w.base = begin & 1 ? 0xffffff00u : begin & 2 ? 0x7fffff00u : begin;
    w.now = begin & 4 ? 0xfffffff0u : 1000;
    weiri_board_init(&w.b, board_memory[0], w.exact ? (uint16_t)BOARD_MANY : (uint16_t)(how >> 1 & 31));
    for (unsigned i = 0; i < BOARD_STEPS && w.in.left > 0; i++) {
        board_step(&w);
    }
    return 0;
}

#if defined(WEIR_FUZZ_UNIT) && !defined(WEIR_FUZZ_PLAIN)
static const struct fuzz_phrase fuzz_phrases[] = {
    FUZZ_PHRASE("\x10\x64"), FUZZ_PHRASE("\x10\x64\x10\x64\x10\x64\x10\x64"), FUZZ_PHRASE("\x00\x01"),          /* push */
    FUZZ_PHRASE("\x03\x32"), FUZZ_PHRASE("\x03\xff"), FUZZ_PHRASE("\x03\x05"),                                  /* acknowledge */
    FUZZ_PHRASE("\x04\x19\x00\x64"), FUZZ_PHRASE("\x04\x4b\x00\x64"), FUZZ_PHRASE("\x04\x30\x01\x07"), FUZZ_PHRASE("\x04\xfd\x00\xff"),
    FUZZ_PHRASE("\x04\xfa\x00\x10"), FUZZ_PHRASE("\x04\xfb\x00\x10"),                                           /* blocks; such as are not */
    FUZZ_PHRASE("\x07\x63"), FUZZ_PHRASE("\x17\x63"), FUZZ_PHRASE("\x37\x20"), FUZZ_PHRASE("\x08\x64"), FUZZ_PHRASE("\x09"), /* losses */
    FUZZ_PHRASE("\x0a\x64"), FUZZ_PHRASE("\x4a\x10"), FUZZ_PHRASE("\x0b\xff"),                                  /* again */
    FUZZ_PHRASE("\x0c\x00\xff"), FUZZ_PHRASE("\x0d"), FUZZ_PHRASE("\x1d"), FUZZ_PHRASE("\x0d\x0d\x1d"), FUZZ_PHRASE("\x0e"), FUZZ_PHRASE("\x1e"),
    FUZZ_PHRASE("\x0f\x05"),
};
#include "mutate.h"
#endif
