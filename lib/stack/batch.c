/* batch.c - packets that came together: what each will need is on its way from memory before its turn comes.
 *
 * With very many connections a packet meets a record that nothing has touched for long, and waits for memory several times: the table, the
 * entry, the record. Here each step of that is made some packets ahead, so that nobody waits, and the packets between are taken meanwhile.
 * Knows where a usual packet has its sockets; what is unusual is not looked at beforehand, and judged in arrive.c like everything else.
 * And which text may be told where it lies: what is told is a prefix of what is readable, and read when the run of its connection ends. */
#include "stack/room.h"

#define BATCH_STEP 4u   /* packets between two steps for the same packet */
#define BATCH_AHEAD 16u /* packets under way at once: four steps of each */

/* What is known of a packet whose turn will come: its hash, and where it will be looked for first; WEIRI_NONE: nothing. */
struct batch_seen {
    uint32_t hash, found;
};

/* Inlined in any case: see slot_fetch_lines. */
#define BATCH_INLINE static inline __attribute__((always_inline))

struct batch_run {
    weir_stack *s;
    const weir_slice *packets;
    size_t from, count; /* those before `from` were not looked at */
    unsigned turns; /* in which there is something to do for packets that were seen */
    unsigned train; /* the last packets that were seen and follow one another */
    weir_text *texts;  /* where texts are told; NULL: nowhere */
    size_t told;
    uint32_t unread;   /* octets told of the connection of the last of them, which it has still to be told of */
    struct batch_seen seen[BATCH_AHEAD];
};

/* The sockets that a packet seems to name; nothing is verified. */
static bool batch_tuple(const weir_slice *packet, weir_tuple *tuple)
{
    const uint8_t *at = packet->octets;
    uint32_t ports;
    if (packet->len >= WEIRI_IP4_HEADER + 20 && at[0] == 0x45) {
        tuple->remote = weir_addr_v4(at[12], at[13], at[14], at[15]);
        tuple->local = weir_addr_v4(at[16], at[17], at[18], at[19]);
        ports = WEIRI_IP4_HEADER;
    } else if (packet->len >= WEIRI_IP6_HEADER + 20 && at[0] >> 4 == 6) {
        memcpy(tuple->remote.octets, at + 8, 16);
        memcpy(tuple->local.octets, at + 24, 16);
        ports = WEIRI_IP6_HEADER;
    } else {
        return false;
    }
    tuple->remote_port = base_get16(at + ports);
    tuple->local_port = base_get16(at + ports + 2);
    return true;
}

static bool batch_is_plain(const weir_slice *packet)
{
    return packet->len >= WEIRI_IP4_HEADER + 20 && packet->octets[0] == 0x45;
}

/* Does it name the sockets of the packet before it, in this batch or the last that was taken? Packets come in trains. */
static bool batch_follows(const struct batch_run *b, size_t k)
{
    const weir_slice *packets = b->packets;
    if (!batch_is_plain(&packets[k]) || (k > 0 ? !batch_is_plain(&packets[k - 1]) : !b->s->train.on)) {
        return false;
    }
    const uint8_t *before = k > 0 ? packets[k - 1].octets : b->s->train.headers;
    return memcmp(packets[k].octets + 12, before + 12, 12) == 0;
}

static bool batch_is_slot(const struct batch_run *b, uint32_t found)
{
    return found < b->s->cfg.connections_max;
}

/* The first step: the head of the chain is fetched. */
static void batch_hash(struct batch_run *b, size_t k)
{
    struct batch_seen *seen = &b->seen[k % BATCH_AHEAD];
    weir_tuple tuple;
    seen->found = WEIRI_NONE;
    b->train = batch_follows(b, k) ? b->train + 1 : 0;
    if (b->train == 0 && batch_tuple(&b->packets[k], &tuple)) { /* else it is here, or on its way */
        seen->hash = weiri_demux_hash(b->s, &tuple);
        seen->found = 0;
        b->turns = BATCH_AHEAD;
        __builtin_prefetch(weiri_demux_head(&b->s->demux, seen->hash));
    }
}

BATCH_INLINE void batch_fetch(const struct batch_run *b, uint32_t found)
{
    if (batch_is_slot(b, found)) {
        slot_fetch_sockets(b->s, found);
        if (!b->s->rests) {
            slot_fetch(b->s, found);
        }
    }
}

/* The second: the first of the chain. */
static void batch_head(struct batch_run *b, size_t k)
{
    struct batch_seen *seen = &b->seen[k % BATCH_AHEAD];
    if (seen->found != WEIRI_NONE) {
        seen->found = *weiri_demux_head(&b->s->demux, seen->hash);
        batch_fetch(b, seen->found);
    }
}

/* The third: it is the one, or the next may be. */
static void batch_node(struct batch_run *b, size_t k)
{
    struct batch_seen *seen = &b->seen[k % BATCH_AHEAD];
    const weir_stack *s = b->s;
    if (!batch_is_slot(b, seen->found)) {
        return;
    }
    if (s->demux.nodes[seen->found].hash != seen->hash) {
        seen->found = s->demux.nodes[seen->found].next;
        batch_fetch(b, seen->found);
    } else if (s->rests && !slot_rests(s, seen->found)) {
        slot_fetch(s, seen->found);
    }
}

/* The fourth: its record, if it is needed. */
BATCH_INLINE void batch_record(const struct batch_run *b, size_t k)
{
    const uint32_t found = b->seen[k % BATCH_AHEAD].found;
    if (batch_is_slot(b, found) && !slot_rests(b->s, found)) {
        slot_fetch_record(b->s, found);
    }
}

static enum weir_verdict batch_take(struct batch_run *b, size_t k, weir_us now)
{
    const weir_offload none = {false, 0};
    const uint32_t found = b->seen[k % BATCH_AHEAD].found;
    struct weiri_arrival p;
    p.packet = b->packets[k].octets;
    p.len = b->packets[k].len;
    p.offload = &none;
    if (batch_is_slot(b, found)) {
        b->s->demux.last = found; /* spares a second hash */
    }
    return weiri_arrive(b->s, &p, now);
}

/* Turn t of the batch: a step for each of four packets. */
static void batch_turn(struct batch_run *b, size_t t)
{
    if (t < b->count) {
        batch_hash(b, t);
    }
    if (b->turns == 0) {
        return;
    }
    b->turns--;
    const size_t since = t - b->from, count = b->count - b->from; /* since - BATCH_STEP is very large before its time */
    if (since - BATCH_STEP < count) {
        batch_head(b, t - BATCH_STEP);
    }
    if (since - 2 * BATCH_STEP < count) {
        batch_node(b, t - 2 * BATCH_STEP);
    }
    if (since - 3 * BATCH_STEP < count) {
        batch_record(b, t - 3 * BATCH_STEP);
    }
}

/* The connection whose text was told learns that it was read. */
static void batch_read(struct batch_run *b, weir_us now)
{
    weir_conn *c = b->unread > 0 ? weir_stack_conn(b->s, b->texts[b->told - 1].conn) : NULL;
    if (c) {
        weiri_user_read(c, b->unread, now);
    }
    b->unread = 0;
}

/* May the text of the packet that was just taken be told? It is in order, the ring has the same, and all else that is readable was told.
 * Where there is urgent data ahead the user has to look. */
static bool batch_may_tell(const struct batch_run *b)
{
    const weir_stack *s = b->s;
    const weir_view *v = &s->train.view;
    if (b->texts == NULL || v->payload_len == 0 || s->touched == WEIRI_NONE || !slot_is(&s->slots[s->touched], WEIRI_SLOT_DIRECT)) {
        return false;
    }
    const weir_conn *c = slot_conn(s, s->touched);
    const bool next = seq_eq(v->seq, seq_add(c->rcv.usr, b->unread)) && weiri_ring_readable(c) == b->unread + v->payload_len;
    return next && !conn_has(c, WEIRI_URG_RCV) && (s->train.heard || weiri_ring_is(c, v->seq, v->payload, v->payload_len));
}

/* Tells those of `more` packets behind packet k, which have the same headers. */
static void batch_tell_texts(struct batch_run *b, size_t k, size_t more)
{
    const weir_handle conn = weiri_slot_handle(b->s, b->s->touched);
    const uint32_t headers = WEIRI_IP4_HEADER + b->s->train.view.header_len;
    const weir_slice *packets = b->packets + k + 1;
    weir_text *texts = b->texts + b->told;
    uint32_t unread = b->unread;
    for (size_t i = 0; i < more; i++) { /* the packets */
        const uint8_t *packet = packets[i].octets;
        const uint32_t len = base_get16(packet + 2) - headers;
        texts[i].conn = conn;
        texts[i].octets = packet + headers;
        texts[i].len = len;
        unread += len;
    }
    b->told += more;
    b->unread = unread;
}

static void batch_tell_first(struct batch_run *b)
{
    const weir_view *v = &b->s->train.view;
    weir_text *text = &b->texts[b->told++];
    text->conn = weiri_slot_handle(b->s, b->s->touched);
    text->octets = v->payload;
    text->len = v->payload_len;
    b->unread += v->payload_len;
}

static void batch_tell(enum weir_verdict *verdicts, size_t from, size_t count, enum weir_verdict verdict)
{
    for (size_t k = from; verdicts != NULL && k < from + count; k++) { /* the packets */
        verdicts[k] = verdict;
    }
}

/* Those that follow packet k, which has just been taken, as far as they can be taken with it. */
static size_t batch_train(struct batch_run *b, size_t k)
{
    const bool told = batch_may_tell(b);
    if (told) {
        batch_tell_first(b);
    }
    const size_t taken = weiri_train_run(b->s, b->packets + k + 1, b->count - k - 1, told);
    if (told) {
        batch_tell_texts(b, k, taken);
    }
    return taken;
}

WEIR_API size_t weir_stack_input_texts(weir_stack *s, const weir_slice *packets, size_t count, enum weir_verdict *verdicts,
                                       weir_text *texts, weir_us now)
{
    struct batch_run b;
    size_t ahead = 0;
    b.s = s;
    b.packets = packets;
    b.from = 0;
    b.count = count;
    b.turns = b.train = 0;
    b.texts = texts;
    b.told = 0;
    b.unread = 0;
    for (size_t k = 0; k < count;) { /* the packets */
        for (; ahead <= k || (ahead < k + BATCH_AHEAD && b.train < 2); ahead++) { /* behind a train nobody is looked for yet */
            batch_turn(&b, ahead);
        }
        if (b.unread > 0 && !batch_follows(&b, k)) {
            batch_read(&b, now);
        }
        s->train.view.payload_len = 0; /* unless it is a segment with text */
        batch_tell(verdicts, k, 1, batch_take(&b, k, now));
        const size_t taken = batch_train(&b, k);
        k++;
        batch_tell(verdicts, k, taken, WEIR_OK);
        k += taken;
        if (ahead < k) { /* nobody is under way */
            ahead = b.from = k;
            b.turns = b.train = 0;
        }
    }
    batch_read(&b, now);
    return b.told;
}

WEIR_API void weir_stack_input_batch(weir_stack *s, const weir_slice *packets, size_t count, enum weir_verdict *verdicts, weir_us now)
{
    (void)weir_stack_input_texts(s, packets, count, verdicts, NULL, now);
}

#undef BATCH_INLINE
#undef BATCH_STEP
#undef BATCH_AHEAD
