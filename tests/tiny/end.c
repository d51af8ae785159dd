/* end.c - compiled twice, with all of weir and with WEIR_TINY: everything but END_NAME stays inside. */
#define WEIR_API static __attribute__((unused))
#include "weir.c"

#include "end.h"

#define END_RING 4096
struct end {
    weir_conn c;
    weir_config cfg;
    weir_tuple sockets;
    uint64_t memory[(2 * END_RING + 4096) / 8];
};

static bool end_begin(void *memory, bool active, uint32_t seed)
{
    struct end *e = (struct end *)memory;
    weir_sizes sizes = {END_RING, END_RING};
    weir_buffers buffers;
    weir_addr one = weir_addr_v4(192, 0, 2, 1), other = weir_addr_v4(192, 0, 2, 2);
    if (seed % 3 == 0) {
        weir_config_tiny(&e->cfg);
    } else {
        weir_config_internet(&e->cfg);
    }
    memset(e->cfg.secret, (int)(seed % 255 + 1), sizeof e->cfg.secret);
    e->cfg.sack = seed % 5 != 0;
    e->sockets.local = active ? one : other;
    e->sockets.remote = active ? other : one;
    e->sockets.local_port = active ? 49152 : 7;
    e->sockets.remote_port = active ? 7 : 49152;
    return weir_buffers_carve(&buffers, e->memory, sizeof e->memory, sizes) && weir_init(&e->c, &e->cfg, &buffers, 0) == WEIR_ERR_NONE &&
           (active ? weir_connect(&e->c, &e->sockets, 0) : weir_listen(&e->c, &e->sockets, 0)) == WEIR_ERR_NONE;
}

static void end_input(void *memory, const uint8_t *segment, size_t len, uint64_t now)
{
    struct end *e = (struct end *)memory;
    weir_pseudo in = {e->sockets.remote, e->sockets.local};
    weir_view view;
    if (len > 0 && weir_view_segment(&view, segment, len, &in) == WEIR_OK) {
        (void)weir_input(&e->c, &view, now);
    }
    weir_expire(&e->c, now);
}

static size_t end_poll(void *memory, uint8_t *segment, size_t cap, uint64_t now)
{
    struct end *e = (struct end *)memory;
    weir_out out;
    return weir_poll(&e->c, &out, now) > 0 ? weir_out_copy(&out, segment, cap) : 0;
}

static uint64_t end_deadline(const void *memory)
{
    return weir_deadline(&((const struct end *)memory)->c);
}

static size_t end_write(void *memory, const uint8_t *octets, size_t len, uint64_t now)
{
    weir_slice slice = {octets, len};
    size_t sent = 0;
    (void)weir_send(&((struct end *)memory)->c, slice, 0, &sent, now);
    return sent;
}

static size_t end_read(void *memory, uint8_t *octets, size_t cap, bool *over, uint64_t now)
{
    size_t got = 0;
    *over = weir_recv(&((struct end *)memory)->c, octets, cap, &got, now) == WEIR_ERR_CLOSING;
    return got;
}

static void end_close(void *memory, uint64_t now)
{
    (void)weir_close(&((struct end *)memory)->c, now);
}

static bool end_done(const void *memory, bool *well)
{
    const struct end *e = (const struct end *)memory;
    *well = weir_error(&e->c) == WEIR_ERR_NONE;
    return weir_state(&e->c) == WEIR_CLOSED || weir_state(&e->c) == WEIR_TIME_WAIT;
}

const struct end_ops END_NAME = {sizeof(struct end), end_begin, end_input, end_poll, end_deadline, end_write, end_read, end_close, end_done};
