/* fuzz_image.c - copies of a connection, and images of one that were changed while nobody looked.
 *
 * Input: three octets, then one of fuzz_conn.c. After as many events as the first octet says the connection is copied with its buffers to
 * other memory. Both get the rest of the input: what they say is the same, octet for octet and at the same times, and in the end they differ
 * in nothing but where their memory is. Then octets of the copy, or of its records, are changed: weir_check says that something is wrong, or
 * not, and reads nothing that is not the connection's. */
#define FUZZ_CONN_WITHIN
#include "fuzz_conn.c"

enum { IMAGE_CHANGES = 8 };

struct image {
    struct conn_world w;
    uint8_t memory[CONN_MEMORY], shadow[CONN_SHADOW];
};

static struct image image_kept;

static void image_keep(const struct conn_world *w)
{
    image_kept.w = *w;
    memcpy(image_kept.memory, conn_memory[w->slot], weir_buffers_size(w->sizes));
    memcpy(image_kept.shadow, conn_shadow, sizeof conn_shadow);
}

/* Where it is in the other memory; what is not in this one stays. */
static void *image_moved(void *at, unsigned slot)
{
    uint8_t *p = (uint8_t *)at, *from = (uint8_t *)conn_memory[slot], *to = (uint8_t *)conn_memory[slot ^ 1];
    return p >= from && p < from + CONN_MEMORY ? to + (p - from) : p;
}

/* The same connection in the other memory. The world itself stays where it is, and with it the configuration. */
static void image_restore(struct conn_world *w)
{
    unsigned slot = image_kept.w.slot;
    *w = image_kept.w;
    memcpy(conn_memory[slot ^ 1], image_kept.memory, weir_buffers_size(w->sizes));
    memcpy(conn_shadow, image_kept.shadow, sizeof conn_shadow);
    w->c.rx_ring = (uint8_t *)image_moved(w->c.rx_ring, slot);
    w->c.tx_ring = (uint8_t *)image_moved(w->c.tx_ring, slot);
    w->c.spans = (struct weir_span *)image_moved(w->c.spans, slot);
    w->c.board.sent = (struct weir_sent *)image_moved(w->c.board.sent, slot);
    w->slot = slot ^ 1;
}

static void image_run(struct conn_world *w, unsigned events)
{
    for (unsigned i = 0; i < events && w->in.left > 0; i++) {
        conn_step(w);
    }
}

/* The places and sizes of memory are the keeper's to guard. */
static void image_guard(weir_conn *c, const weir_conn *whole)
{
    c->cfg = whole->cfg;
    c->rx_ring = whole->rx_ring;
    c->tx_ring = whole->tx_ring;
    c->spans = whole->spans;
    c->rx_size = whole->rx_size;
    c->tx_size = whole->tx_size;
    c->span_cap = whole->span_cap;
    c->span_head = whole->span_head;
    c->board.sent = whole->board.sent;
    c->board.cap = whole->board.cap;
}

/* Octets of the connection or of its records become others. */
static void image_change(struct conn_world *w, uint32_t seed)
{
    size_t records = weir_buffers_size(w->sizes) - (weir_buffers_size(w->sizes) > 0 ? w->sizes.rx + w->sizes.tx : 0);
    weir_conn whole = w->c;
    for (unsigned i = 0; i < IMAGE_CHANGES; i++, seed = seed * 1664525u + 1013904223u) {
        bool record = (seed & 0x80) != 0 && records > 0;
        uint8_t *octets = record ? (uint8_t *)conn_memory[w->slot] : (uint8_t *)&w->c;
        octets[(seed >> 8) % (record ? records : sizeof w->c)] ^= (uint8_t)(1u << (seed & 7));
        image_guard(&w->c, &whole);
        const char *broken = weir_check(&w->c);
        FUZZ_CHECK(broken == NULL || broken[0] != 0, "an invariant without words");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct conn_world w;
    memset(&w, 0, sizeof w);
    w.in = fuzz_begin(data, size);
    unsigned before = fuzz_u8(&w.in);
    uint32_t seed = fuzz_u16(&w.in) * 2654435761u;
    conn_start(&w);
    image_run(&w, before);
    w.heard = true;
    image_keep(&w);
    image_run(&w, CONN_STEPS);
    conn_end(&w, 0);
    weir_conn last = w.c;
    uint64_t said = w.said;
    image_restore(&w);
    FUZZ_HOLDS(weir_check(&w.c));
    image_run(&w, CONN_STEPS);
    conn_end(&w, 0);
    FUZZ_CHECK(w.said == said, "a copy says something else than the connection it is a copy of");
    image_guard(&last, &w.c);
    FUZZ_CHECK(memcmp(&last, &w.c, sizeof last) == 0, "a copy ends otherwise than the connection it is a copy of");
    image_restore(&w);
    image_change(&w, seed);
    return 0;
}
