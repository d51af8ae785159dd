/* device.c - a program for a small device with one connection: what of weir it needs is what ci/tiny counts.
 *
 * It opens actively, or waits for a SYN, sends, receives and closes, in the memory that is declared here. IP is the link's affair. */
#include "device.h"

#include <string.h>

#include "weir/weir.h"

#define DEVICE_RING 512
static uint64_t device_memory[(2 * DEVICE_RING + 1024) / sizeof(uint64_t)];
static weir_config device_config;
static weir_conn device_conn;

static bool device_begin(const weir_tuple *sockets, bool active)
{
    weir_sizes rings = {DEVICE_RING, DEVICE_RING};
    weir_buffers buffers;
    weir_config_tiny(&device_config);
    device_random(device_config.secret);
    if (!weir_buffers_carve(&buffers, device_memory, sizeof device_memory, rings) ||
        weir_init(&device_conn, &device_config, &buffers, device_now()) != WEIR_ERR_NONE) {
        return false;
    }
    weir_err err = active ? weir_connect(&device_conn, sockets, device_now()) : weir_listen(&device_conn, sockets, device_now());
    return err == WEIR_ERR_NONE;
}

/* What has come is sent back, from one ring into the other; after the peer's FIN comes ours. */
static void device_use(void)
{
    size_t len, room;
    const uint8_t *from = weir_rx_peek(&device_conn, &len);
    uint8_t *to = weir_tx_reserve(&device_conn, &room);
    size_t count = len < room ? len : room;
    if (count > 0) {
        memcpy(to, from, count);
        (void)weir_tx_commit(&device_conn, count, 0, device_now());
        (void)weir_rx_consume(&device_conn, count, device_now());
    } else if (len == 0) {
        (void)weir_close(&device_conn, device_now());
    }
}

static void device_turn(const weir_tuple *sockets)
{
    static uint8_t segment[1500];
    static weir_out out;
    weir_pseudo in = {sockets->remote, sockets->local};
    weir_view view;
    size_t len = device_receive(segment, sizeof segment);
    if (len > 0 && weir_view_segment(&view, segment, len, &in) == WEIR_OK) {
        (void)weir_input(&device_conn, &view, device_now());
    }
    if (weir_deadline(&device_conn) <= device_now()) {
        weir_expire(&device_conn, device_now());
    }
    if (weir_events(&device_conn) & (WEIR_EV_READABLE | WEIR_EV_PEER_FIN)) {
        device_use();
    }
    while (weir_poll(&device_conn, &out, device_now()) > 0) {
        device_send(segment, weir_out_copy(&out, segment, sizeof segment));
    }
    if (len == 0) {
        device_sleep(weir_deadline(&device_conn));
    }
}

static int device_run(bool active)
{
    weir_tuple sockets = {weir_addr_v4(192, 0, 2, 1), weir_addr_v4(192, 0, 2, 2), 49152, 7};
    if (!device_begin(&sockets, active)) {
        return 1;
    }
    while (weir_state(&device_conn) != WEIR_CLOSED) {
        device_turn(&sockets);
    }
    return weir_error(&device_conn) == WEIR_ERR_NONE ? 0 : 2;
}

int device_echo(void)
{
    return device_run(true);
}

int device_serve(void)
{
    return device_run(false);
}
