/* loop.c - one turn of the loop: wait, packets and time into the stack, packets out of it. Nothing here calls the
 * user back.
 *
 * Knows poll, read, writev and the clock. Every turn is bounded by a batch in each direction, so that
 * neither starves the other, the timers or the caller.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tun/room.h"

#define LOOP_CAPTURE_US 1000000u /* how long a packet may wait in the capture's buffer while there is time to spare */
#define LOOP_OCTETS (3 * WEIRI_OCTETS_MAX) /* after so many in, what they ask for goes out: a sender's window does not run dry meanwhile */
#define LOOP_OURS 2u             /* descriptors in front of the caller's: the device, signals */

weir_us weir_tun_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (weir_us)now.tv_sec * 1000000 + (weir_us)now.tv_nsec / 1000;
}

/* ---- trouble ---- */

static void loop_gone(weir_tun *t, int error)
{
    if (t->gone)
        return;
    t->gone = true;
    (void)weiri_fault(&t->trouble, WEIR_FAULT_FAILED, error, "was it deleted, or the other end closed? start again",
                      "%s is gone", t->device.name);
}

bool weir_tun_trouble(weir_tun *t, weir_fault *fault)
{
    if (t->trouble.kind != WEIR_FAULT_NONE) {
        *fault = t->trouble;
        t->trouble.kind = WEIR_FAULT_NONE;
        return true;
    }
    return t->pcapng != NULL && weir_pcapng_failed(t->pcapng, fault);
}

/* ---- packets in ---- */

static void loop_input(weir_tun *t, const uint8_t *packet, size_t len, const weir_offload *offload, weir_us now)
{
    enum weir_verdict verdict = weir_stack_input_offload(t->stack, packet, len, offload, now);
    weir_slice slice = {packet, len};

    if (t->pcapng != NULL)
        weiri_trace_in(t, &slice, offload->gso_size, verdict, now);
}

static void loop_input_late(weir_tun *t, const uint8_t *packet, size_t len, weir_us now)
{
    const weir_offload none = {false, 0};

    loop_input(t, packet, len, &none, now);
}

/* What was collected goes into the stack. */
static void loop_input_joined(weir_tun *t, weir_us now)
{
    weir_offload offload;
    size_t len = weiri_gro_take(&t->gro, &offload);

    if (len != 0)
        loop_input(t, t->gro.octets, len, &offload, now);
}

/* A packet at weiri_gro_room. In a capture each is seen as it came. */
static void loop_input_one(weir_tun *t, size_t len, const weir_offload *offload, weir_us now)
{
    const uint8_t *packet = weiri_gro_room(&t->gro);
    enum weiri_gro_fate fate = t->pcapng != NULL ? WEIRI_GRO_APART : weiri_gro_add(&t->gro, len, offload);

    t->stats.joined += fate == WEIRI_GRO_TAKEN && t->gro.count > 1;
    if (fate == WEIRI_GRO_TAKEN)
        return;
    loop_input_joined(t, now);
    if (fate == WEIRI_GRO_NEXT) {
        memmove(t->gro.octets, packet, len);
        (void)weiri_gro_add(&t->gro, len, offload);
    } else {
        loop_input(t, packet, len, offload, now);
    }
}

/* One packet from the device to weiri_gro_room: its length, 0 = none now. */
static size_t loop_read(weir_tun *t, bool hung_up, uint8_t header[WEIRI_VNET_HEADER])
{
    struct iovec slices[2] = {{header, WEIRI_VNET_HEADER}, {weiri_gro_room(&t->gro), WEIRI_OCTETS_MAX}};
    size_t front = t->device.vnet ? WEIRI_VNET_HEADER : 0;
    ssize_t n;

    do {
        n = readv(t->device.fd, t->device.vnet ? slices : slices + 1, t->device.vnet ? 2 : 1);
        t->stats.reads++;
    } while (n < 0 && errno == EINTR);
    if (n > (ssize_t)front)
        return (size_t)n - front;
    if (n == 0 ? hung_up : n < 0 && errno != EAGAIN)
        loop_gone(t, n == 0 ? 0 : errno);
    return 0;
}

/* A link takes packets with nothing left to be done to them. */
static void loop_arrived(weir_tun *t, size_t len, const uint8_t header[WEIRI_VNET_HEADER], weir_us now)
{
    weir_offload offload = {false, 0};
    uint8_t *packet = weiri_gro_room(&t->gro);

    if (t->device.vnet)
        offload = weiri_offload_read(header);
    t->stats.packets_in++;
    t->stats.octets_in += len;
    t->stats.supers_in += offload.gso_size != 0;
    if (t->device.vnet && (t->in.link != NULL || t->pcapng != NULL))
        weiri_offload_complete_read(header, packet, len);
    if (t->in.link == NULL)
        loop_input_one(t, len, &offload, now);
    else
        (void)weir_link_push(t->in.link, packet, len, now);
}

static bool loop_receive(weir_tun *t, bool hung_up, weir_us now)
{
    uint8_t header[WEIRI_VNET_HEADER];
    size_t octets = 0;
    unsigned count = 0;

    for (; count < t->batch && octets < LOOP_OCTETS && !t->gone; count++) {
        size_t len = loop_read(t, hung_up, header);
        if (len == 0)
            break;
        loop_arrived(t, len, header, now);
        octets += len;
    }
    loop_input_joined(t, now);
    return count != 0;
}

/* What the link lets through now. It cannot hold more than came, and at most a few batches leave at one time. */
static bool loop_receive_late(weir_tun *t, weir_us now)
{
    unsigned count = 0;
    size_t len;

    if (t->in.link == NULL)
        return false;
    for (; count < 4 * t->batch && (len = weir_link_pop(t->in.link, t->packet, sizeof t->packet, now)) != 0; count++)
        loop_input_late(t, t->packet, len, now);
    return count != 0;
}

/* ---- waiting ---- */

static weir_us loop_due(weir_tun *t, weir_us until, weir_us now)
{
    weir_us due = weir_stack_deadline(t->stack), other;

    due = until < due ? until : due;
    if (t->in.link != NULL && (other = weir_link_deadline(t->in.link)) < due)
        due = other;
    if (t->out.link != NULL && t->held_len == 0 && (other = weir_link_deadline(t->out.link)) < due)
        due = other;
    if (t->pcapng != NULL && t->stats.captured != t->flushed_count && t->flushed_at + LOOP_CAPTURE_US < due)
        due = t->flushed_at + LOOP_CAPTURE_US;
    return t->more ? now : due;
}

static bool loop_room(weir_tun *t, size_t count)
{
    struct pollfd *larger;

    if (count + LOOP_OURS <= t->poll_cap)
        return true;
    larger = realloc(t->polls, (count + LOOP_OURS) * sizeof *larger);
    if (larger == NULL)
        return false;
    t->polls = larger;
    t->poll_cap = count + LOOP_OURS;
    return true;
}

/* Fills t->polls: the device, signals, the caller's. */
static size_t loop_describe(weir_tun *t, const struct pollfd *fds, size_t count)
{
    if (!loop_room(t, count))
        count = 0; /* the caller's are not looked at in a turn without memory: they stay ready */
    if (t->polls == NULL)
        return 0;
    t->polls[0].fd = t->gone ? -1 : t->device.fd;
    t->polls[0].events = (short)(POLLIN | (t->held_len != 0 ? POLLOUT : 0));
    t->polls[1].fd = t->signals;
    t->polls[1].events = POLLIN;
    if (count != 0)
        memcpy(t->polls + LOOP_OURS, fds, count * sizeof *fds);
    return count + LOOP_OURS;
}

/* Returns the descriptors described, with revents 0 if nothing was seen. */
static size_t loop_wait(weir_tun *t, const struct pollfd *fds, size_t count, weir_us until)
{
    weir_us now = weir_tun_now(), due = loop_due(t, until, now), left = due > now ? due - now : 0;
    struct timespec timeout = {(time_t)(left / 1000000), (long)(left % 1000000) * 1000};
    size_t described = loop_describe(t, fds, count);
    int n = ppoll(t->polls, (nfds_t)described, due == WEIR_FOREVER ? NULL : &timeout, NULL);

    t->stats.polls++;
    for (size_t i = 0; n < 0 && i < described; i++)
        t->polls[i].revents = 0;
    return described;
}

/* ---- a turn ---- */

static unsigned loop_callers(const weir_tun *t, struct pollfd *fds, size_t count, size_t described)
{
    unsigned happened = 0;

    for (size_t i = 0; i < count; i++) {
        fds[i].revents = i + LOOP_OURS < described ? t->polls[i + LOOP_OURS].revents : 0;
        if (fds[i].revents != 0)
            happened = WEIR_TUN_FDS;
    }
    return happened;
}

static void loop_capture_flush(weir_tun *t, weir_us now)
{
    if (t->pcapng == NULL || t->stats.captured == t->flushed_count || now < t->flushed_at + LOOP_CAPTURE_US)
        return;
    weir_pcapng_flush(t->pcapng);
    t->flushed_count = t->stats.captured;
    t->flushed_at = now;
}

unsigned weir_tun_step(weir_tun *t, struct pollfd *fds, size_t count, weir_us until)
{
    size_t described = loop_wait(t, fds, count, until);
    unsigned happened = loop_callers(t, fds, count, described);
    short device = described == 0 ? 0 : t->polls[0].revents;
    weir_us now = weir_tun_now();

    if (described != 0 && t->polls[1].revents != 0)
        happened |= weiri_signals_read(t->signals);
    if ((device & POLLIN) != 0 && loop_receive(t, (device & POLLHUP) != 0, now))
        happened |= WEIR_TUN_PACKETS;
    if ((device & (POLLERR | POLLHUP | POLLNVAL)) != 0 && (device & POLLIN) == 0)
        loop_gone(t, 0);
    if (loop_receive_late(t, now))
        happened |= WEIR_TUN_PACKETS;
    weir_stack_expire(t->stack, now);
    loop_capture_flush(t, now);
    if (until != WEIR_FOREVER && now >= until)
        happened |= WEIR_TUN_UNTIL;
    return happened | (t->gone ? WEIR_TUN_GONE : 0);
}

/* ---- packets out ---- */

/* What a device says that has taken no packet: true if it may take this one later. */
static bool loop_refused(weir_tun *t, int error)
{
    if (error == EAGAIN) {
        t->stats.write_again++;
        return true;
    }
    t->stats.write_dropped++;
    if (error == EBADFD || error == ECONNREFUSED || error == ECONNRESET || error == EPIPE || error == ENOTCONN)
        loop_gone(t, error);
    return false;
}

/* Slices of one packet to the device. False: it was not taken, and may be later. */
static bool loop_writev(weir_tun *t, const struct iovec *slices, int count, size_t len)
{
    ssize_t n;

    do {
        n = writev(t->device.fd, slices, count);
        t->stats.writes++;
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return !loop_refused(t, errno);
    t->stats.packets_out++;
    t->stats.octets_out += len;
    return true;
}

static const uint8_t loop_no_offload[WEIRI_VNET_HEADER];

static bool loop_write(weir_tun *t, const uint8_t *packet, size_t len, const uint8_t header[WEIRI_VNET_HEADER])
{
    struct iovec slices[2];
    bool vnet = t->device.vnet;

    slices[0].iov_base = (void *)(uintptr_t)header; /* writev does not write there */
    slices[0].iov_len = WEIRI_VNET_HEADER;
    slices[1].iov_base = (void *)(uintptr_t)packet;
    slices[1].iov_len = len;
    return loop_writev(t, vnet ? slices : slices + 1, vnet ? 2 : 1, len);
}

/* The packet that the device would not take last time. True: none is held now. */
static bool loop_write_held(weir_tun *t)
{
    if (t->held_len != 0 && !t->gone && !loop_write(t, t->held, t->held_len, t->held_header))
        return false;
    t->held_len = 0;
    return true;
}

static void loop_write_out(weir_tun *t, const weir_out *out)
{
    uint8_t header[WEIRI_VNET_HEADER];
    struct iovec slices[4];
    int count = 2;

    weiri_offload_write(header, out);
    slices[0].iov_base = header;
    slices[0].iov_len = sizeof header;
    slices[1].iov_base = (void *)(uintptr_t)(out->room + out->header_at);
    slices[1].iov_len = out->header_len;
    for (unsigned i = 0; i < 2; i++) {
        if (out->body[i].len == 0)
            continue;
        slices[count].iov_base = (void *)(uintptr_t)out->body[i].octets;
        slices[count++].iov_len = out->body[i].len;
    }
    t->stats.supers_out += out->gso_size != 0;
    if (loop_writev(t, t->device.vnet ? slices : slices + 1, t->device.vnet ? count : count - 1, out->len))
        return;
    memcpy(t->held_header, header, sizeof header); /* the slices do not outlive this turn */
    t->held_len = (uint32_t)weir_out_copy(out, t->held, sizeof t->held);
}

/* Into the link, segment by segment: a network has no super-segments. */
static void loop_send_slowly(weir_tun *t, const weir_out *out, struct weiri_sent *sent, weir_us now)
{
    size_t len;

    for (uint32_t i = 0; (len = weir_out_cut(out, i, t->packet, sizeof t->packet)) != 0; i++) {
        weir_slice slice = {t->packet, len};
        sent->fate = weir_link_push(t->out.link, t->packet, len, now);
        if (t->pcapng != NULL)
            weiri_trace_out(t, &slice, sent, now);
    }
}

/* As one packet, super-segment or not, with the checksum that it would have. */
static void loop_capture_out(weir_tun *t, const weir_out *out, struct weiri_sent *sent, weir_us now)
{
    weir_slice slice = {t->packet, weir_out_copy(out, t->packet, sizeof t->packet)};

    if (out->partial)
        weiri_offload_complete(t->packet, slice.len, (size_t)WEIR_IP_HEADER_MAX - out->header_at, WEIRI_TCP_CHECKSUM_AT);
    sent->gso_size = out->gso_size;
    weiri_trace_out(t, &slice, sent, now);
}

/* One packet of the stack to the link or the device; false: it has none. */
static bool loop_send_one(weir_tun *t, weir_us now)
{
    weir_out out;
    struct weiri_sent sent = {0, false, 0};
    uint64_t again = t->pcapng != NULL ? weir_stack_stats(t->stack)->retransmitted : 0;

    if (weir_stack_poll(t->stack, &out, now) == 0)
        return false;
    sent.again = t->pcapng != NULL && weir_stack_stats(t->stack)->retransmitted != again;
    if (t->out.link != NULL) {
        loop_send_slowly(t, &out, &sent, now);
        return true;
    }
    if (t->pcapng != NULL)
        loop_capture_out(t, &out, &sent, now);
    loop_write_out(t, &out);
    return true;
}

/* What the link lets out now; false: the batch was full before it was empty. */
static bool loop_send_late(weir_tun *t, weir_us now)
{
    if (t->out.link == NULL)
        return true;
    for (unsigned count = 0; count < t->batch; count++) {
        size_t len = weir_link_pop(t->out.link, t->packet, sizeof t->packet, now);
        if (len == 0)
            return true;
        if (!loop_write(t, t->packet, len, loop_no_offload)) {
            memcpy(t->held_header, loop_no_offload, sizeof t->held_header);
            memcpy(t->held, t->packet, len);
            t->held_len = (uint32_t)len;
            return true;
        }
    }
    return false;
}

bool weir_tun_flush(weir_tun *t)
{
    weir_us now = weir_tun_now();
    unsigned count = 0;
    bool late;

    t->more = false;
    if (!loop_write_held(t))
        return false;
    while (count < t->batch && t->held_len == 0 && !t->gone && loop_send_one(t, now))
        count++;
    late = t->held_len != 0 || loop_send_late(t, now);
    t->more = (count == t->batch || !late) && t->held_len == 0 && !t->gone;
    return !t->more && t->held_len == 0;
}
