/* inside.c - what the two targets inside this process share: configuration, calls on one connection, rows that fired. */
#include "inside.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "line.h"

/* ---- settings ---- */

enum inside_kind { INSIDE_BOOL, INSIDE_U8, INSIDE_U16, INSIDE_U32, INSIDE_TIME };
struct inside_setting {
    const char *name;
    enum inside_kind kind;
    size_t offset;
};
#define STACK(field) offsetof(weir_stack_config, field)
#define TCP(field) offsetof(weir_stack_config, tcp.field)
static const struct inside_setting inside_settings[] = {
    {"mtu", INSIDE_U16, TCP(mtu)},
    {"timestamps", INSIDE_BOOL, TCP(timestamps)},
    {"sack", INSIDE_BOOL, TCP(sack)},
    {"window-scale", INSIDE_BOOL, TCP(window_scale)},
    {"require-timestamps", INSIDE_BOOL, TCP(require_timestamps)},
    {"receive-buffer", INSIDE_U32, STACK(rings.rx)},
    {"receive-buffer-max", INSIDE_U32, TCP(rx_max)},
    {"send-buffer", INSIDE_U32, STACK(rings.tx)},
    {"send-buffer-max", INSIDE_U32, TCP(tx_max)},
    {"nagle", INSIDE_BOOL, TCP(nagle)},
    {"rack", INSIDE_BOOL, TCP(rack)},
    {"prr", INSIDE_BOOL, TCP(prr)},
    {"undo", INSIDE_BOOL, TCP(undo)},
    {"hystart", INSIDE_BOOL, TCP(hystart)},
    {"halve-cwnd", INSIDE_BOOL, TCP(halve_cwnd)},
    {"cwv", INSIDE_BOOL, TCP(cwv)},
    {"ecn", INSIDE_U8, TCP(ecn)},
    {"abe", INSIDE_BOOL, TCP(abe)},
    {"abc", INSIDE_BOOL, TCP(abc)},
    {"pacing", INSIDE_U8, TCP(pacing)},
    {"ack-delay", INSIDE_TIME, TCP(ack_delay_us)},
    {"ack-every", INSIDE_U8, TCP(ack_every)},
    {"quick-acks", INSIDE_U8, TCP(quick_acks)},
    {"rto-min", INSIDE_TIME, TCP(rto_min_us)},
    {"rto-initial", INSIDE_TIME, TCP(rto_initial_us)},
    {"rto-max", INSIDE_TIME, TCP(rto_max_us)},
    {"r1", INSIDE_U8, TCP(retries_r1)},
    {"r2", INSIDE_TIME, TCP(r2_us)},
    {"r2-syn", INSIDE_TIME, TCP(r2_syn_us)},
    {"keepalive-idle", INSIDE_TIME, TCP(keepalive_idle_us)},
    {"keepalive-interval", INSIDE_TIME, TCP(keepalive_interval_us)},
    {"keepalive-count", INSIDE_U8, TCP(keepalive_count)},
    {"persist-max", INSIDE_TIME, TCP(persist_max_us)},
    {"sws-override", INSIDE_TIME, TCP(sws_override_us)},
    {"msl", INSIDE_TIME, TCP(msl_us)},
    {"fin-wait", INSIDE_TIME, TCP(fin_wait_us)},
    {"orphan", INSIDE_TIME, TCP(orphan_us)},
    {"rfc1337", INSIDE_BOOL, TCP(rfc1337)},
    {"challenge-count", INSIDE_U8, TCP(challenge_count)},
    {"challenge-interval", INSIDE_TIME, TCP(challenge_interval_us)},
    {"ttl", INSIDE_U8, TCP(ttl)},
    {"dscp", INSIDE_U8, TCP(dscp)},
    {"half-open-max", INSIDE_U32, STACK(half_open_max)},
    {"syn-records-max", INSIDE_U32, STACK(syn_records_max)},
    {"syn-whole", INSIDE_U32, STACK(syn_whole)},
    {"time-wait", INSIDE_U32, STACK(time_wait_max)},
};
#undef STACK
#undef TCP

weir_addr inside_addr(const struct target_world *world, const uint8_t *octets)
{
    weir_addr a;
    if (!world->v6) {
        return weir_addr_v4(octets[0], octets[1], octets[2], octets[3]);
    }
    memcpy(a.octets, octets, 16);
    return a;
}

/* Few connections and short tables: a stack is built for each vector. */
void inside_config_init(struct inside_config *config, const struct target_world *world)
{
    static const uint8_t secret[16] = {'a', ' ', 's', 'e', 'c', 'r', 'e', 't', ' ', 'o', 'f', ' ', 'n', 'o', 'n', 'e'};
    memset(config, 0, sizeof *config);
    weir_stack_config_init(&config->stack);
    memcpy(config->stack.tcp.secret, secret, sizeof secret);
    config->stack.addrs[0] = inside_addr(world, world->local);
    config->stack.prefix_len[0] = world->v6 ? 64 : 24;
    config->stack.addr_count = 1;
    config->stack.connections_max = 16;
    config->stack.listeners_max = 8;
    config->stack.time_wait_max = 16;
    config->stack.half_open_max = 16;
}

/* Microseconds, or with a suffix; "never" is WEIR_FOREVER. */
static bool inside_number(const char *text, bool time, uint64_t *number)
{
    char *end;
    if (time && strcmp(text, "never") == 0) {
        *number = WEIR_FOREVER;
        return true;
    }
    errno = 0;
    *number = strtoull(text, &end, 0);
    if (end == text || errno != 0 || text[0] == '-') {
        return false;
    }
    const uint64_t scale = !time || *end == 0 || strcmp(end, "us") == 0 ? 1 : strcmp(end, "ms") == 0 ? 1000 : 1000000;
    if (*end != 0 && !(time && (strcmp(end, "us") == 0 || strcmp(end, "ms") == 0 || strcmp(end, "s") == 0))) {
        return false;
    }
    if (*number > UINT64_MAX / scale) {
        return false;
    }
    *number *= scale;
    return true;
}

/* Rings have sizes that are powers of two: the next one. */
static uint64_t inside_ring(uint64_t octets)
{
    uint64_t size = 256;
    while (size < octets && size < 1u << 30) {
        size *= 2;
    }
    return octets > size ? octets : size;
}

static bool inside_store(weir_stack_config *config, const struct inside_setting *s, uint64_t number)
{
    static const uint64_t most[] = {1, UINT8_MAX, UINT16_MAX, UINT32_MAX, UINT64_MAX};
    uint8_t *at = (uint8_t *)config + s->offset;
    if (s->offset == offsetof(weir_stack_config, rings.rx) || s->offset == offsetof(weir_stack_config, rings.tx)) {
        number = inside_ring(number);
    }
    if (number > most[s->kind]) {
        return false;
    }
    const uint8_t u8 = (uint8_t)number;
    const uint16_t u16 = (uint16_t)number;
    const uint32_t u32 = (uint32_t)number;
    const bool truth = number != 0;
    const weir_us us = number;
    switch (s->kind) {
    case INSIDE_BOOL: memcpy(at, &truth, sizeof truth); break;
    case INSIDE_U8: memcpy(at, &u8, sizeof u8); break;
    case INSIDE_U16: memcpy(at, &u16, sizeof u16); break;
    case INSIDE_U32: memcpy(at, &u32, sizeof u32); break;
    case INSIDE_TIME: memcpy(at, &us, sizeof us); break;
    }
    return true;
}

static answer inside_set_congestion(weir_stack_config *config, const char *value)
{
    const char *name = strcmp(value, "reno") == 0 ? "newreno" : value;
    for (unsigned kind = 0; kind < WEIR_CC_COUNT; kind++) {
        if (strcmp(weir_cc_name((enum weir_cc_kind)kind), name) == 0) {
            config->tcp.cc = (uint8_t)kind;
            return weir_config_check(&config->tcp, NULL) == WEIR_ERR_LEFT_OUT ? ANSWER_UNIMPLEMENTED : 0;
        }
    }
    return ANSWER_UNIMPLEMENTED;
}

/* Settings that are no plain field. */
static answer inside_set_other(struct inside_config *config, const char *name, const char *value)
{
    uint64_t number;
    if (strcmp(name, "congestion") == 0) {
        return inside_set_congestion(&config->stack, value);
    }
    if (!inside_number(value, false, &number)) {
        return ANSWER_ERRNO(EINVAL);
    }
    if (strcmp(name, "initial-window") == 0 && (number == 0 || number == 10)) {
        config->stack.tcp.iw10 = number == 10;
    } else if (strcmp(name, "iss") == 0) {
        config->iss_set = true;
        config->iss = (uint32_t)number;
    } else if (strcmp(name, "backlog") == 0) {
        config->backlog = (uint32_t)number;
    } else {
        return ANSWER_UNIMPLEMENTED;
    }
    return 0;
}

answer inside_config_set(struct inside_config *config, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof inside_settings / sizeof inside_settings[0]; i++) {
        const struct inside_setting *s = &inside_settings[i];
        weir_stack_config changed = config->stack;
        uint64_t number;
        if (strcmp(s->name, name) != 0) {
            continue;
        }
        if (!inside_number(value, s->kind == INSIDE_TIME, &number) || !inside_store(&changed, s, number)) {
            return ANSWER_ERRNO(EINVAL);
        }
        if (weir_config_check(&changed.tcp, NULL) == WEIR_ERR_LEFT_OUT) {
            return ANSWER_UNIMPLEMENTED;
        }
        if (weir_stack_size(&changed) == 0) {
            return ANSWER_ERRNO(EINVAL);
        }
        config->stack = changed;
        return 0;
    }
    return inside_set_other(config, name, value);
}

bool inside_has(const char *need)
{
    static const struct {
        const char *name;
        bool here; /* what was left out of this build is not (weir/features.h) */
    } features[] = {
        {"timestamps", WEIR_WITH_TIMESTAMPS}, {"sack", true}, {"dsack", WEIR_WITH_DSACK}, {"window-scale", WEIR_WITH_WINDOW_SCALE},
        {"paws", WEIR_WITH_TIMESTAMPS}, {"rfc5961", true}, {"limited-transmit", true}, {"last-resort", WEIR_WITH_LAST_RESORT},
        {"unused-window", WEIR_WITH_CWV}, {"keepalive", WEIR_WITH_KEEPALIVE}, {"user-timeout", true}, {"urgent", true}, {"icmp", true},
        {"pmtud", true}, {"rfc5927", WEIR_WITH_PMTU_CHECK}, {"time-wait", true}, {"half-close", true}, {"iss", true}, {"msl", true},
        {"hold", true}, {"virtual-time", true}, {"ipv6", true}, {"ecn", WEIR_WITH_ECN}, {"rfc6675", true}, {"rack", WEIR_WITH_RACK},
        {"tlp", WEIR_WITH_RACK}, {"prr", WEIR_WITH_PRR}, {"cubic", WEIR_WITH_CUBIC}, {"f-rto", WEIR_WITH_UNDO}, {"cwv", WEIR_WITH_CWV},
        {"pacing", WEIR_WITH_PACING}, {"delivery-rate", WEIR_WITH_RATE}, {"bbr", WEIR_WITH_BBR}, {"rows", true}};
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
        if (strcmp(features[i].name, need) == 0) {
            return features[i].here;
        }
    }
    return false;
}

weir_us inside_iss_delay(const struct inside_config *config, const weir_tuple *tuple, weir_us now)
{
    return (weir_us)(config->iss - weiri_iss(&config->stack.tcp, tuple, now).v) << 2;
}

/* ---- calls on one connection ---- */

void inside_user_init(struct inside_user *user)
{
    memset(user, 0, sizeof *user);
    user->nodelay = user->keepalive = user->user_timeout = user->dscp = user->linger = -1;
}

void inside_apply(const struct inside_user *user, weir_conn *c, weir_us now)
{
    if (user->nodelay >= 0) {
        weir_set_nagle(c, user->nodelay == 0);
    }
    if (user->keepalive >= 0) {
        weir_set_keepalive(c, user->keepalive != 0, now);
    }
    if (user->user_timeout >= 0) {
        weir_set_user_timeout(c, (weir_us)user->user_timeout);
    }
    if (user->dscp >= 0) {
        (void)weir_set_dscp(c, (uint8_t)user->dscp);
    }
}

static answer inside_cork(struct inside_user *user, weir_conn *c, weir_us now, bool on)
{
    user->cork = on;
    if (c != NULL && !on) { /* what was held back may go */
        (void)weir_tx_commit(c, 0, 0, now);
    }
    return 0;
}

answer inside_option(struct inside_user *user, weir_conn *c, weir_us now, const char *name, int64_t value)
{
    const struct { const char *name; int64_t *field; int64_t most; } options[] = {
        {"nodelay", &user->nodelay, 1}, {"keepalive", &user->keepalive, 1}, {"user-timeout", &user->user_timeout, INT64_MAX},
        {"dscp", &user->dscp, 63}, {"linger", &user->linger, INT64_MAX}};
    if (strcmp(name, "cork") == 0) {
        return inside_cork(user, c, now, value != 0);
    }
    if (strcmp(name, "reuse-address") == 0) { /* sockets of weir are free as soon as they can be */
        return 0;
    }
    if (strcmp(name, "oob-inline") == 0) { /* urgent octets never leave the line (RFC 6093 6) */
        return value != 0 ? 0 : ANSWER_UNIMPLEMENTED;
    }
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(options[i].name, name) == 0) {
            if (value < (strcmp(name, "linger") == 0 ? -1 : 0) || value > options[i].most) {
                return ANSWER_ERRNO(EINVAL);
            }
            *options[i].field = value;
            if (c != NULL) {
                inside_apply(user, c, now);
            }
            return 0;
        }
    }
    return ANSWER_UNIMPLEMENTED;
}

answer inside_errno(weir_err err)
{
    static const int errnos[WEIR_ERR_COUNT] = {
        [WEIR_ERR_NOT_EXIST] = ENOTCONN, [WEIR_ERR_EXISTS] = EISCONN, [WEIR_ERR_UNSPECIFIED] = EDESTADDRREQ,
        [WEIR_ERR_CLOSING] = EPIPE, [WEIR_ERR_RESOURCES] = EAGAIN, [WEIR_ERR_RESET] = ECONNRESET, [WEIR_ERR_REFUSED] = ECONNREFUSED,
        [WEIR_ERR_TIMEOUT] = ETIMEDOUT, [WEIR_ERR_UNREACHABLE] = EHOSTUNREACH, [WEIR_ERR_ABORTED] = ECONNABORTED,
        [WEIR_ERR_INVALID] = EINVAL, [WEIR_ERR_ADDRESS] = EADDRNOTAVAIL, [WEIR_ERR_SECRET] = EINVAL};
    return ANSWER_ERRNO(errnos[err]);
}

/* What ended the connection is told once; afterwards there is none. */
static answer inside_fail(struct inside_user *user, const weir_conn *c, weir_err err)
{
    if (err == WEIR_ERR_NOT_EXIST && weir_error(c) != WEIR_ERR_NONE && !user->told_error) {
        user->told_error = true;
        return inside_errno(weir_error(c));
    }
    return inside_errno(err);
}

answer inside_send(struct inside_user *user, weir_conn *c, weir_us now, weir_slice octets, int flags)
{
    size_t sent;
    if (flags & ~(MSG_OOB | MSG_MORE | MSG_NOSIGNAL | MSG_DONTWAIT | MSG_EOR)) {
        return ANSWER_UNIMPLEMENTED;
    }
    const unsigned how = ((flags & MSG_MORE) || user->cork ? (unsigned)WEIR_SEND_MORE : 0) |
                         (flags & MSG_OOB ? (unsigned)WEIR_SEND_URGENT : 0) | (flags & MSG_EOR ? (unsigned)WEIR_SEND_PUSH : 0);
    const weir_err err = weir_send(c, octets, how, &sent, now);
    if (err != WEIR_ERR_NONE) {
        return inside_fail(user, c, err);
    }
    return sent == 0 && octets.len > 0 ? ANSWER_ERRNO(EAGAIN) : (answer)sent;
}

static answer inside_peek(const weir_conn *c, weir_slice room)
{
    size_t len;
    const uint8_t *from = weir_rx_peek(c, &len);
    len = len < room.len ? len : room.len;
    memcpy((uint8_t *)(uintptr_t)room.octets, from, len);
    return (answer)len;
}

answer inside_recv(struct inside_user *user, weir_conn *c, weir_us now, weir_slice room, int flags)
{
    size_t got;
    if (flags & ~(MSG_PEEK | MSG_DONTWAIT)) {
        return ANSWER_UNIMPLEMENTED;
    }
    if ((flags & MSG_PEEK) && (weir_events(c) & WEIR_EV_READABLE)) {
        return inside_peek(c, room);
    }
    const weir_err err = weir_recv(c, (uint8_t *)(uintptr_t)room.octets, room.len, &got, now);
    if (err == WEIR_ERR_CLOSING || (user->deaf && got == 0)) {
        return 0;
    }
    if (err != WEIR_ERR_NONE) {
        return inside_fail(user, c, err);
    }
    return got == 0 && room.len > 0 ? ANSWER_ERRNO(EAGAIN) : (answer)got;
}

answer inside_shutdown(struct inside_user *user, weir_conn *c, weir_us now, int how)
{
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) {
        return ANSWER_ERRNO(EINVAL);
    }
    user->deaf = user->deaf || how != SHUT_WR;
    if (how == SHUT_RD) {
        return 0;
    }
    const weir_err err = weir_close(c, now);
    return err == WEIR_ERR_NONE ? 0 : inside_fail(user, c, err);
}

answer inside_ready(const struct inside_user *user, const weir_conn *c)
{
    const unsigned events = weir_events(c);
    const bool closed = (events & WEIR_EV_CLOSED) != 0, fin = (events & WEIR_EV_PEER_FIN) != 0 || user->deaf;
    const bool open = (events & WEIR_EV_CONNECTED) != 0;
    answer bits = 0;
    bits |= (events & WEIR_EV_READABLE) || fin || closed ? POLLIN : 0;
    bits |= (open && (events & WEIR_EV_WRITABLE)) || closed ? POLLOUT : 0;
    bits |= fin || closed ? POLLRDHUP : 0;
    bits |= closed ? POLLHUP : 0;
    bits |= closed && weir_error(c) != WEIR_ERR_NONE && !user->told_error ? POLLERR : 0;
    bits |= (events & WEIR_EV_URGENT) ? POLLPRI : 0;
    return bits;
}

answer inside_error(struct inside_user *user, const weir_conn *c)
{
    if (weir_error(c) == WEIR_ERR_NONE || user->told_error) {
        return 0;
    }
    user->told_error = true;
    return -inside_errno(weir_error(c));
}

answer inside_queued(const weir_conn *c, bool sent)
{
    weir_info info;
    weir_info_get(c, &info);
    return sent ? info.snd_queued : info.rcv_queued;
}

static int64_t inside_segments(uint64_t octets, uint32_t mss)
{
    return mss == 0 ? -1 : (int64_t)((octets + mss - 1) / mss);
}

static int64_t inside_info_options(const weir_info *w)
{
    return (w->options & WEIR_OPT_TIMESTAMPS ? 1 : 0) | (w->options & WEIR_OPT_SACK_OK ? 2 : 0) | (w->options & WEIR_OPT_WSCALE ? 4 : 0) |
           (w->ecn ? 8 : 0);
}

static void inside_info_counts(const weir_info *w, struct target_info *info)
{
    info->total_retrans = w->total_retrans;
    info->backoff = w->backoff;
    info->probes = w->probes;
    info->retransmits = w->retransmits;
    info->segs_in = w->segments_in;
    info->segs_out = w->segments_out;
    info->data_segs_in = w->data_segments_in;
    info->data_segs_out = w->data_segments_out;
    info->dsack_dups = w->dsack_in;
    info->reord_seen = w->reordering;
    info->rcv_ooopack = w->out_of_order_in;
    info->total_rto = w->timeouts;
}

static void inside_info_rates(const weir_info *w, struct target_info *info)
{
    info->delivery_rate = (int64_t)w->delivery_rate;
    info->pacing_rate = (int64_t)w->pacing_rate;
    info->delivery_rate_app_limited = w->app_limited;
    info->busy_time = (int64_t)w->busy_time;
    info->rwnd_limited = (int64_t)w->rwnd_limited;
    info->sndbuf_limited = (int64_t)w->sndbuf_limited;
}

void inside_info(const weir_conn *c, struct target_info *info)
{
    weir_info w;
    weir_info_get(c, &w);
    line_info_clear(info);
    info->state = weir_state_name((enum weir_state)w.state);
    info->rto = w.rto;
    info->rtt = w.rtt;
    info->rttvar = w.rttvar;
    info->min_rtt = w.min_rtt;
    info->snd_mss = w.snd_mss;
    info->rcv_mss = w.rcv_mss;
    info->advmss = w.adv_mss;
    info->pmtu = w.pmtu;
    info->snd_cwnd = w.snd_mss == 0 ? -1 : (int64_t)(w.snd_cwnd / w.snd_mss);
    info->snd_ssthresh = w.snd_ssthresh >= INT32_MAX ? INT32_MAX : w.snd_mss == 0 ? -1 : (int64_t)(w.snd_ssthresh / w.snd_mss);
    info->unacked = inside_segments(w.unacked, w.snd_mss);
    info->sacked = inside_segments(w.sacked, w.snd_mss);
    info->lost = inside_segments((uint64_t)w.lost + w.retrans, w.snd_mss); /* Linux counts a lost one until it is acknowledged */
    info->retrans = inside_segments(w.retrans, w.snd_mss);
    inside_info_counts(&w, info);
    inside_info_rates(&w, info);
    info->options = inside_info_options(&w);
    info->snd_wscale = w.wscale_snd;
    info->rcv_wscale = w.wscale_rcv;
    info->ca_state = conn_has(c, WEIRI_LOSS) ? 4 : conn_has(c, WEIRI_RECOVERY) ? 3 : 0;
    info->snd_wnd = w.snd_wnd;
    info->rcv_wnd = w.rcv_wnd;
    info->bytes_acked = (int64_t)w.octets_acked;
    info->bytes_received = (int64_t)w.octets_received;
    info->delivered_ce = w.delivered_ce;
    info->ato = w.ato;
    info->notsent_bytes = w.snd_unsent;
}

/* ---- rows ---- */

static struct {
    uint8_t row[TARGET_ROWS_MAX], state[TARGET_ROWS_MAX];
    int count;
} inside_fired;
static uint64_t inside_row_counts[256];

void weir_row_hook(unsigned row, unsigned state)
{
    inside_row_counts[row & 255]++;
    if (inside_fired.count < TARGET_ROWS_MAX) {
        inside_fired.row[inside_fired.count] = (uint8_t)row;
        inside_fired.state[inside_fired.count++] = (uint8_t)state;
    }
}

bool target_weir_row_fired(unsigned row)
{
    return inside_row_counts[row & 255] > 0;
}

void target_weir_rows_clear(void)
{
    memset(inside_row_counts, 0, sizeof inside_row_counts);
}

void inside_rows_forget(void)
{
    inside_fired.count = 0;
}

void inside_trace(struct target_trace *trace, const char *state)
{
    size_t at = 0;
    trace->text[0] = 0;
    trace->state = state;
    trace->count = inside_fired.count;
    for (int i = 0; i < inside_fired.count; i++) {
        const char *name = weir_row_name(inside_fired.row[i]);
        const size_t len = strlen(name);
        trace->fired[i].row = name;
        trace->fired[i].state = weir_state_name((enum weir_state)inside_fired.state[i]);
        if (at + len + 2 < sizeof trace->text) {
            memcpy(trace->text + at + (at > 0), name, len + 1);
            if (at > 0) {
                trace->text[at] = ' ';
            }
            at += len + (at > 0);
        }
    }
    inside_rows_forget();
}
