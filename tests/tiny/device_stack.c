/* device_stack.c - the same program with a stack: IP packets, ICMP, two connections at a time. ci/tiny counts it too. */
#include "device.h"

#include <string.h>

#include "weir/stack.h"

static uint64_t device_memory[16384 / sizeof(uint64_t)];

static void device_use(weir_stack *stack, const weir_ready *ready)
{
    uint8_t text[64];
    weir_slice slice = {text, 0};
    weir_conn *c = weir_stack_conn(stack, ready->conn);
    size_t room = 0, sent;
    (void)weir_tx_reserve(c, &room);
    weir_err err = weir_recv(c, text, room < sizeof text ? room : sizeof text, &slice.len, device_now());
    if (slice.len > 0) {
        (void)weir_send(c, slice, 0, &sent, device_now());
    } else if (err == WEIR_ERR_CLOSING) {
        (void)weir_stack_release(stack, ready->conn, WEIR_FOREVER, device_now());
    }
}

static weir_stack *device_begin(void)
{
    static weir_stack_config config;
    weir_err err;
    weir_stack_config_init(&config);
    weir_config_tiny(&config.tcp);
    device_random(config.tcp.secret);
    config.addrs[0] = weir_addr_v4(192, 0, 2, 1);
    config.addr_count = 1;
    config.connections_max = 4;
    config.half_open_max = 2;
    config.listeners_max = 1;
    config.time_wait_max = 4;
    config.rings.rx = config.rings.tx = 512;
    return weir_stack_init(device_memory, sizeof device_memory, &config, device_now(), &err);
}

int device_serve(void)
{
    static uint8_t packet[1500];
    weir_stack *stack = device_begin();
    weir_listen_spec spec;
    weir_handle listener;
    memset(&spec, 0, sizeof spec);
    spec.port = 7;
    if (stack == NULL || weir_stack_listen(stack, &spec, &listener) != WEIR_ERR_NONE) {
        return 1;
    }
    for (;;) {
        weir_ready ready;
        size_t len = device_receive(packet, sizeof packet);
        if (len > 0) {
            (void)weir_stack_input(stack, packet, len, device_now());
        }
        weir_stack_expire(stack, device_now());
        while (weir_stack_ready(stack, &ready)) {
            device_use(stack, &ready);
        }
        while ((len = weir_stack_poll_copy(stack, packet, sizeof packet, device_now())) > 0) {
            device_send(packet, len);
        }
        device_sleep(weir_stack_deadline(stack));
    }
}
