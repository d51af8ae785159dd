/* lwip.c - lwIP as Debian builds it: its raw API at both ends, packets in memory.
 *
 * It keeps its state in globals, so both ends are in one instance: the link swaps the two addresses of each packet, which leaves checksums as
 * they are. What differs from a build made for speed: window and buffers of 64 KiB at most, the checksum in plain C, -O2, and malloc for
 * its memory. Nothing of its threads runs. */
#include <string.h>

#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>

#include "bench.h"

enum { LWIP_APP = 1 << 16, LWIP_SLOTS = 256, LWIP_SLOT = 1600, LWIP_PORT = 80, LWIP_ECHO = 81 };

static struct {
    struct netif netif;
    uint32_t now_ms;
    uint8_t *slots, *app, *user;
    uint16_t len[LWIP_SLOTS];
    unsigned head, count;
    struct tcp_pcb *from, *to;
    unsigned long octets, closed;
    bool ready, swallow, in_place;
} lwip;

/* The library's own gives way to this one. */
u32_t sys_now(void)
{
    return lwip.now_ms;
}

static err_t lwip_out(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    (void)netif;
    (void)to;
    if (lwip.count < LWIP_SLOTS && p->tot_len <= LWIP_SLOT) {
        unsigned at = (lwip.head + lwip.count++) % LWIP_SLOTS;
        lwip.len[at] = pbuf_copy_partial(p, lwip.slots + (size_t)at * LWIP_SLOT, p->tot_len, 0);
    }
    return ERR_OK;
}

static err_t lwip_up(struct netif *netif)
{
    netif->mtu = 1500;
    netif->output = lwip_out;
    return ERR_OK;
}

static void lwip_take(const uint8_t *packet, uint16_t len)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, len, PBUF_RAM);
    if (p == NULL) {
        bench_fail("lwIP has no memory");
    }
    (void)pbuf_take(p, packet, len);
    if (lwip.netif.input(p, &lwip.netif) != ERR_OK) {
        (void)pbuf_free(p);
    }
}

static bool lwip_deliver(void)
{
    if (lwip.count == 0) {
        return false;
    }
    uint8_t *packet = lwip.slots + (size_t)lwip.head * LWIP_SLOT, swap[4];
    uint16_t len = lwip.len[lwip.head];
    lwip.head = (lwip.head + 1) % LWIP_SLOTS;
    lwip.count--;
    memcpy(swap, packet + 12, 4);
    memcpy(packet + 12, packet + 16, 4);
    memcpy(packet + 16, swap, 4);
    lwip_take(packet, len);
    return true;
}

static err_t lwip_on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    (void)arg;
    (void)err;
    if (p == NULL) {
        return ERR_OK;
    }
    if (!lwip.in_place) {
        (void)pbuf_copy_partial(p, lwip.user + lwip.octets % (LWIP_APP - 2048), p->tot_len, 0);
    }
    lwip.octets += p->tot_len;
    tcp_recved(pcb, p->tot_len);
    (void)pbuf_free(p);
    return ERR_OK;
}

static err_t lwip_on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    (void)err;
    lwip.to = pcb;
    tcp_recv(pcb, lwip_on_recv);
    return ERR_OK;
}

static err_t lwip_on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    (void)pcb;
    (void)err;
    return ERR_OK;
}

/* ---- connections that come and go: an octet each way, the client closes first ---- */

static err_t lwip_on_client(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    (void)arg;
    (void)err;
    if (p != NULL) {
        tcp_recved(pcb, p->tot_len);
        (void)pbuf_free(p);
        (void)tcp_close(pcb);
    }
    return ERR_OK;
}

static err_t lwip_on_server(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    (void)arg;
    (void)err;
    if (p == NULL) {
        lwip.closed++;
        return tcp_close(pcb);
    }
    tcp_recved(pcb, p->tot_len);
    (void)pbuf_free(p);
    (void)tcp_write(pcb, lwip.app, 1, TCP_WRITE_FLAG_COPY);
    return tcp_output(pcb);
}

static err_t lwip_on_accept_echo(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    (void)err;
    tcp_recv(pcb, lwip_on_server);
    return ERR_OK;
}

static err_t lwip_on_connected_echo(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    (void)err;
    (void)tcp_write(pcb, lwip.app, 1, TCP_WRITE_FLAG_COPY);
    return tcp_output(pcb);
}

/* What is left in TIME-WAIT is forgotten at once: lwIP walks a list of it. */
static unsigned long lwip_come_and_go(void *state, unsigned long count)
{
    unsigned long first = lwip.closed;
    ip_addr_t peer;
    (void)state;
    IP_ADDR4(&peer, 10, 0, 0, 2);
    for (unsigned long i = 0; i < count; i++) {
        struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_V4);
        if (pcb == NULL || tcp_connect(pcb, &peer, LWIP_ECHO, lwip_on_connected_echo) != ERR_OK) {
            bench_fail("lwIP does not connect");
        }
        tcp_recv(pcb, lwip_on_client);
        while (lwip_deliver()) {
        }
        while (tcp_tw_pcbs != NULL) {
            tcp_abort(tcp_tw_pcbs);
        }
    }
    if (lwip.closed - first != count) {
        bench_fail("lwIP's connections do not come and go");
    }
    return count;
}

/* ---- opening ---- */

static void lwip_listen(uint16_t port, tcp_accept_fn on_accept)
{
    struct tcp_pcb *listener = tcp_new_ip_type(IPADDR_TYPE_V4);
    if (listener == NULL || tcp_bind(listener, IP4_ADDR_ANY, port) != ERR_OK || (listener = tcp_listen(listener)) == NULL) {
        bench_fail("lwIP does not listen");
    }
    tcp_accept(listener, on_accept);
}

static void lwip_start(void)
{
    ip4_addr_t own, mask, peer;
    if (lwip.ready) {
        return;
    }
    lwip.ready = true;
    lwip.slots = bench_memory((size_t)LWIP_SLOTS * LWIP_SLOT);
    lwip.app = bench_memory(LWIP_APP);
    lwip.user = bench_memory(LWIP_APP);
    lwip_init();
    IP4_ADDR(&own, 10, 0, 0, 1);
    IP4_ADDR(&mask, 255, 0, 0, 0);
    IP4_ADDR(&peer, 10, 0, 0, 2);
    if (netif_add(&lwip.netif, &own, &mask, &peer, NULL, lwip_up, ip_input) == NULL) {
        bench_fail("lwIP takes no interface");
    }
    netif_set_default(&lwip.netif);
    netif_set_link_up(&lwip.netif);
    netif_set_up(&lwip.netif);
    lwip_listen(LWIP_PORT, lwip_on_accept);
    lwip_listen(LWIP_ECHO, lwip_on_accept_echo);
}

static void lwip_connect(void)
{
    ip_addr_t peer;
    IP_ADDR4(&peer, 10, 0, 0, 2);
    lwip.from = tcp_new_ip_type(IPADDR_TYPE_V4);
    if (lwip.from == NULL || tcp_connect(lwip.from, &peer, LWIP_PORT, lwip_on_connected) != ERR_OK) {
        bench_fail("lwIP does not connect");
    }
    tcp_nagle_disable(lwip.from);
    while (lwip_deliver()) {
    }
    if (lwip.from->state != ESTABLISHED) {
        bench_fail("lwIP makes no handshake");
    }
}

static unsigned long lwip_bulk(unsigned long count)
{
    unsigned long first = lwip.octets;
    while (lwip.octets - first < count * 1460) {
        unsigned room = tcp_sndbuf(lwip.from);
        if (room > 0) {
            (void)tcp_write(lwip.from, lwip.app, (u16_t)room, lwip.in_place ? 0 : TCP_WRITE_FLAG_COPY);
        }
        (void)tcp_output(lwip.from);
        while (lwip_deliver()) {
        }
        lwip.now_ms++;
        if (lwip.now_ms % TCP_TMR_INTERVAL == 0) {
            tcp_tmr();
        }
    }
    return (lwip.octets - first) / 1460;
}

static unsigned long lwip_copy(void *state, unsigned long count)
{
    (void)state;
    lwip.in_place = false;
    return lwip_bulk(count);
}

static unsigned long lwip_in_place(void *state, unsigned long count)
{
    (void)state;
    lwip.in_place = true;
    return lwip_bulk(count);
}

static void *lwip_open(unsigned long mss)
{
    (void)mss;
    lwip_start();
    if (lwip.from == NULL) {
        lwip_connect();
    }
    (void)lwip_copy(NULL, 2000);
    return NULL;
}

static void *lwip_open_many(unsigned long param)
{
    (void)param;
    lwip_start();
    return NULL;
}

const struct bench_case bench_lwip[] = {
    {"lwIP, copy", "1460 octets", "copy 1460", lwip_open, lwip_copy, 1460, 10000, 0, 1},
    {"lwIP, in place", "1460 octets", "in place 1460", lwip_open, lwip_in_place, 1460, 10000, 0, 1},
    {"lwIP, connection", "connection", "connection", lwip_open_many, lwip_come_and_go, 0, 5000, 0, 1},
    {0}};
