/* app_echo.c - echo (RFC 862) and discard (RFC 863): the smallest users of a connection. */
#define _GNU_SOURCE
#include "tun/programs/app.h"

#include <string.h>

/* From the receive ring into the send ring, as far as both go. */
static void echo_move(struct instance *in, weir_conn *c)
{
    for (unsigned turn = 0; turn < 4; turn++) { /* each ring shows at most two runs */
        size_t len, room;
        const uint8_t *from = weir_rx_peek(c, &len);
        uint8_t *to = weir_tx_reserve(c, &room);
        if (len > room)
            len = room;
        if (len == 0)
            return;
        memcpy(to, from, len);
        (void)weir_tx_commit(c, len, WEIR_SEND_PUSH, in->now);
        (void)weir_rx_consume(c, len, in->now);
    }
}

static unsigned echo_serve(struct instance *in, struct session *s, unsigned events)
{
    weir_conn *c = run_conn(in, s);
    (void)events;
    echo_move(in, c);
    unsigned now = weir_events(c);
    if ((now & (WEIR_EV_READABLE | WEIR_EV_PEER_FIN)) == WEIR_EV_PEER_FIN) {
        run_done(in, s);
        return 0;
    }
    /* With the send ring full, waiting for octets to read would turn for nothing. */
    return (now & WEIR_EV_READABLE) != 0 && (now & WEIR_EV_WRITABLE) == 0 ? WEIR_EV_WRITABLE
                                                                          : WEIR_EV_READABLE | WEIR_EV_PEER_FIN;
}

static unsigned discard_serve(struct instance *in, struct session *s, unsigned events)
{
    (void)events;
    if (run_drain(in, s, NULL))
        run_done(in, s);
    return WEIR_EV_READABLE | WEIR_EV_PEER_FIN;
}

static void echo_ended(struct instance *in, struct session *s, weir_err err)
{
    char remote[WEIR_ENDPOINT_TEXT];
    weir_info info;
    const weir_conn *c = weir_stack_peek(in->stack, s->conn);
    if (c == NULL || in->options->verbose == 0)
        return;
    weir_info_get(c, &info);
    tell(in, "%s: %llu octets in, %llu out%s%s",
         weir_format_endpoint(remote, &weir_sockets(c)->remote, weir_sockets(c)->remote_port),
         (unsigned long long)info.octets_received, (unsigned long long)info.octets_acked + info.snd_queued,
         err != WEIR_ERR_NONE ? ": " : "", err != WEIR_ERR_NONE ? weir_err_name(err) : "");
}

const struct app app_echo = {
    .session_size = sizeof(struct session), .port = 7, .serve = echo_serve, .ended = echo_ended};
const struct app app_discard = {
    .session_size = sizeof(struct session), .port = 9, .serve = discard_serve, .ended = echo_ended};
