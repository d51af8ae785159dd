/* train.c - segments of one stream that came together, where the user of this end only listens: all but the first are taken as one.
 *
 * Of such a segment nothing is new but its number, its text, and with them its lengths and checksums. What it does is known from the one
 * before: its text goes into the ring while it is summed, or stays where it is and is told; RCV.NXT moves on, and no acknowledgment is due
 * that is not due already. What is different, or damaged, ends the run, and is judged in arrive.c like everything else. tests/test_train.c
 * gives the same packets together and one by one, and compares. RFC 9293 3.10.7.4. */
#include "stack/room.h"

#if WEIR_WITH_PREDICTION

/* Inlined in any case: a loop for each of two. */
#define TRAIN_INLINE static inline __attribute__((always_inline))

struct train_run {
    weir_conn *conn;
    const uint8_t *first;    /* the packet before the run */
    uint32_t headers, room;  /* their length; octets of text that may come yet, .. */
    uint32_t most;           /* .. in one segment */
    uint64_t ip, tcp;        /* the sums of what all share */
    weir_seq next;
    bool trusted;            /* the TCP checksums are right */
};

static uint64_t train_word(const uint8_t *octets)
{
    uint32_t word;
    memcpy(&word, octets, sizeof word);
    return word;
}

static uint64_t train_two(const uint8_t *a, const uint8_t *b, unsigned at)
{
    uint16_t one, other;
    memcpy(&one, a + at, sizeof one);
    memcpy(&other, b + at, sizeof other);
    return (uint64_t)(one ^ other);
}

static uint64_t train_four(const uint8_t *a, const uint8_t *b, unsigned at)
{
    return train_word(a + at) ^ train_word(b + at);
}

static uint64_t train_eight(const uint8_t *a, const uint8_t *b, unsigned at)
{
    uint64_t one, other;
    memcpy(&one, a + at, sizeof one);
    memcpy(&other, b + at, sizeof other);
    return one ^ other;
}

/* What all of a run share: the headers but for IPv4's total length, Identification and checksum, and TCP's sequence number and checksum. */
static bool train_is_like(const struct train_run *r, const uint8_t *packet)
{
    const uint8_t *a = r->first, *b = packet;
    const uint64_t ip = train_two(a, b, 0) | train_four(a, b, 6) | train_eight(a, b, 12);
    const uint64_t tcp = train_four(a, b, 20) | train_eight(a, b, 28) | train_two(a, b, 38);
    const unsigned least = WEIRI_IP4_HEADER + 20;
    return (ip | tcp) == 0 && (r->headers == least || memcmp(a + least, b + least, 12) == 0);
}

/* The words of a header in which segments of a run differ, in part or all of them. */
static uint64_t train_own_ip(const uint8_t *packet)
{
    return train_word(packet) + train_word(packet + 4) + train_word(packet + 8);
}

static uint64_t train_own_tcp(const uint8_t *tcp)
{
    return train_word(tcp + 4) + train_word(tcp + 16);
}

static void train_begin(struct train_run *r, weir_stack *s, const uint8_t *first)
{
    const weir_view *v = &s->train.view;
    const uint8_t *tcp = first + WEIRI_IP4_HEADER;
    r->conn = slot_conn(s, s->touched);
    r->first = first;
    r->headers = WEIRI_IP4_HEADER + v->header_len;
    r->room = weiri_predict_more(r->conn);
    r->most = r->conn->rcv_mss;
    r->next = r->conn->rcv.nxt;
    r->trusted = s->cfg.checksum_trusted;
    r->ip = wire_sum_20(first) - train_own_ip(first);
    r->tcp = wire_sum_20(tcp) + wire_sum_header(tcp + 20, v->header_len - 20u) + wire_sum_header(tcp - 8, 8) + weiri_sum_tcp(0) -
             train_own_tcp(tcp);
}

/* The length of its text; 0: it is not one more of the run. Nothing is said of its TCP checksum. */
static uint32_t train_text(const struct train_run *r, const weir_slice *packet)
{
    const uint8_t *at = packet->octets;
    if (packet->len <= r->headers || !train_is_like(r, at) || base_get32(at + WEIRI_IP4_HEADER + 4) != r->next.v) {
        return 0;
    }
    const uint32_t len = base_get16(at + 2), text = len - r->headers;
    const bool fits = len > r->headers && len <= packet->len && text <= r->room && text <= r->most;
    return fits && weiri_sum_finish(r->ip + train_own_ip(at)) == 0 ? text : 0;
}

/* Puts it where it belongs, unless it is told; false: it is not as it was sent, and nobody will have seen it. */
TRAIN_INLINE bool train_put(const struct train_run *r, const uint8_t *packet, uint32_t text, bool told)
{
    const uint8_t *octets = packet + r->headers;
    if (r->trusted) {
        if (!told) {
            weiri_ring_lay(r->conn, r->next, octets, text);
        }
        return true;
    }
    const uint64_t header = r->tcp + train_own_tcp(packet + WEIRI_IP4_HEADER) + weiri_sum_word(r->headers - WEIRI_IP4_HEADER + text);
    if (told) {
        return weiri_sum_finish(weiri_sum(octets, text, header)) == 0;
    }
    uint8_t *to = weiri_ring_piece(r->conn, r->next, text);
    const uint64_t sum = to != NULL ? weiri_sum_copy(to, octets, text, header)
                                    : weiri_sum_join(weiri_ring_lay_sum(r->conn, r->next, octets, text), header, 0);
    return weiri_sum_finish(sum) == 0;
}

/* So many have been taken. */
static void train_end(weir_stack *s, const struct train_run *r, const weir_slice *last, uint32_t count)
{
    weir_view *v = &s->train.view;
    v->payload = last->octets + r->headers;
    v->payload_len = base_get16(last->octets + 2) - r->headers;
    v->seq = seq_sub(r->next, v->payload_len);
    weiri_predict_heard_more(r->conn, v, count, seq_diff(r->conn->rcv.nxt, r->next));
    s->stats.packets_in += count;
    s->stats.verdicts[WEIR_OK] += count;
}

TRAIN_INLINE size_t train_take(struct train_run *r, weir_stack *s, const weir_slice *packets, size_t count, bool told)
{
    size_t taken = 0;
    uint64_t octets = 0;
    while (taken < count) { /* the packets */
        const uint32_t text = train_text(r, &packets[taken]);
        if (text == 0 || !train_put(r, packets[taken].octets, text, told)) {
            break;
        }
        r->next = seq_add(r->next, text);
        r->room -= text;
        octets += packets[taken].len;
        taken++;
    }
    s->stats.octets_in += octets;
    return taken;
}

WEIR_PRIVATE size_t weiri_train_run(weir_stack *s, const weir_slice *packets, size_t count, bool told)
{
    struct train_run r;
    if (!s->train.heard) {
        return 0;
    }
    train_begin(&r, s, packets[-1].octets);
    const size_t taken = told ? train_take(&r, s, packets, count, true) : train_take(&r, s, packets, count, false);
    if (taken > 0) {
        train_end(s, &r, &packets[taken - 1], (uint32_t)taken);
    }
    return taken;
}

#undef TRAIN_INLINE

#endif /* WEIR_WITH_PREDICTION */
