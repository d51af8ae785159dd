/* print.c - connections and counters for people (in the manner of ss) and for programs (JSON). */
#define _GNU_SOURCE
#include "tun/programs/app.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* ---- saying ---- */

static void print_line(const char *format, va_list list)
{
    char line[1024];
    int len = vsnprintf(line, sizeof line, format, list);
    (void)fprintf(stderr, "weir-tun: %.*s\n", len < 0 ? 0 : (int)sizeof line, line);
}

void complain(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_line(format, list);
    va_end(list);
}

void say(const struct instance *in, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    if (in->options->quiet == 0)
        print_line(format, list);
    va_end(list);
}

void tell(const struct instance *in, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    if (in->options->verbose != 0)
        print_line(format, list);
    va_end(list);
}

/* ---- one connection ---- */

static double print_ms(uint32_t us)
{
    return (double)us / 1000.0;
}

/* As `ss -i` has them: bits a second, and the times in which something else than congestion control was the limit. */
static void print_rates(FILE *to, const weir_info *info)
{
    if (info->delivery_rate != 0)
        (void)fprintf(to, " delivery_rate %llubps%s pacing_rate %llubps", (unsigned long long)info->delivery_rate * 8,
                      info->app_limited != 0 ? " app_limited" : "", (unsigned long long)info->pacing_rate * 8);
    if (info->bbr_bw != 0)
        (void)fprintf(to, " bbr:(bw:%llubps,mrtt:%.3f)", (unsigned long long)info->bbr_bw * 8, print_ms(info->bbr_min_rtt));
    if (info->busy_time != 0)
        (void)fprintf(to, " busy:%llums rwnd_limited:%llums sndbuf_limited:%llums", (unsigned long long)info->busy_time / 1000,
                      (unsigned long long)info->rwnd_limited / 1000, (unsigned long long)info->sndbuf_limited / 1000);
}

void print_info(FILE *to, const weir_info *info)
{
    (void)fprintf(to, "rtt:%.3f/%.3fms minrtt:%.3fms rto:%.0fms mss:%u cwnd:%u ", print_ms(info->rtt),
                  print_ms(info->rttvar), print_ms(info->min_rtt), print_ms(info->rto), info->snd_mss, info->snd_cwnd);
    if (info->snd_ssthresh < UINT32_C(0x7fffffff))
        (void)fprintf(to, "ssthresh:%u ", info->snd_ssthresh);
    (void)fprintf(to, "wscale:%u,%u snd_wnd:%u rcv_wnd:%u acked:%llu received:%llu segs_out:%u segs_in:%u",
                  info->wscale_snd, info->wscale_rcv, info->snd_wnd, info->rcv_wnd,
                  (unsigned long long)info->octets_acked, (unsigned long long)info->octets_received, info->segments_out,
                  info->segments_in);
    if (info->unacked != 0 || info->sacked != 0 || info->lost != 0)
        (void)fprintf(to, " unacked:%u sacked:%u lost:%u", info->unacked, info->sacked, info->lost);
    if (info->total_retrans != 0)
        (void)fprintf(to, " retrans:%u recoveries:%u timeouts:%u", info->total_retrans, info->fast_recoveries,
                      info->timeouts);
    if (info->out_of_order_in != 0 || info->dup_in != 0)
        (void)fprintf(to, " ooo_in:%u dup_in:%u", info->out_of_order_in, info->dup_in);
    if (info->ecn)
        (void)fprintf(to, " ecn received_ce:%u delivered_ce:%u", info->received_ce, info->delivered_ce);
    if (info->backoff != 0 || info->probes != 0)
        (void)fprintf(to, " backoff:%u probes:%u", info->backoff, info->probes);
    print_rates(to, info);
    (void)fputc('\n', to);
}

void print_connection(FILE *to, const weir_conn *c)
{
    char local[WEIR_ENDPOINT_TEXT], remote[WEIR_ENDPOINT_TEXT];
    const weir_tuple *tuple = weir_sockets(c);
    weir_info info;
    weir_info_get(c, &info);
    (void)fprintf(to, "%-12s %7u %7u  %s  %s  ", weir_state_name(weir_state(c)), info.rcv_queued, info.snd_queued,
                  weir_format_endpoint(local, &tuple->local, tuple->local_port),
                  weir_format_endpoint(remote, &tuple->remote, tuple->remote_port));
    print_info(to, &info);
}

/* The fields of weir_info by name: octets wide, and where. */
struct print_field {
    const char *name;
    size_t at, size;
};
#define FIELD(name) \
    { \
#name, offsetof(weir_info, name), sizeof(((weir_info *)0)->name) \
    }
static const struct print_field print_fields[] = {
    FIELD(wscale_snd),
    FIELD(wscale_rcv),
    FIELD(backoff),
    FIELD(probes),
    FIELD(retransmits),
    FIELD(in_recovery),
    FIELD(rto),
    FIELD(rtt),
    FIELD(rttvar),
    FIELD(min_rtt),
    FIELD(ato),
    FIELD(snd_mss),
    FIELD(rcv_mss),
    FIELD(adv_mss),
    FIELD(pmtu),
    FIELD(snd_cwnd),
    FIELD(snd_ssthresh),
    FIELD(unacked),
    FIELD(sacked),
    FIELD(lost),
    FIELD(retrans),
    FIELD(snd_wnd),
    FIELD(rcv_wnd),
    FIELD(snd_queued),
    FIELD(snd_unsent),
    FIELD(rcv_queued),
    FIELD(rcv_spans),
    FIELD(octets_acked),
    FIELD(octets_received),
    FIELD(segments_in),
    FIELD(segments_out),
    FIELD(data_segments_in),
    FIELD(data_segments_out),
    FIELD(delivered),
    FIELD(delivery_rate),
    FIELD(app_limited),
    FIELD(pacing_rate),
    FIELD(busy_time),
    FIELD(rwnd_limited),
    FIELD(sndbuf_limited),
    FIELD(bbr_bw),
    FIELD(bbr_min_rtt),
    FIELD(total_retrans),
    FIELD(timeouts),
    FIELD(fast_recoveries),
    FIELD(dup_in),
    FIELD(out_of_order_in),
    FIELD(challenge_acks),
    FIELD(dsack_in),
    FIELD(paws_dropped),
    FIELD(ecn),
    FIELD(received_ce),
    FIELD(delivered_ce),
};

static uint64_t print_field_value(const weir_info *info, const struct print_field *field)
{
    const unsigned char *at = (const unsigned char *)info + field->at;
    uint64_t wide;
    uint32_t word;
    if (field->size == 1)
        return *at;
    if (field->size == sizeof word) {
        memcpy(&word, at, sizeof word);
        return word;
    }
    memcpy(&wide, at, sizeof wide);
    return wide;
}

static void print_connection_fields(FILE *to, const weir_conn *c)
{
    char local[WEIR_ENDPOINT_TEXT], remote[WEIR_ENDPOINT_TEXT];
    const weir_tuple *tuple = weir_sockets(c);
    weir_info info;
    weir_info_get(c, &info);
    (void)fprintf(to, "\"state\":\"%s\",\"local\":\"%s\",\"remote\":\"%s\"", weir_state_name(weir_state(c)),
                  weir_format_endpoint(local, &tuple->local, tuple->local_port),
                  weir_format_endpoint(remote, &tuple->remote, tuple->remote_port));
    for (size_t i = 0; i < sizeof print_fields / sizeof *print_fields; i++)
        (void)fprintf(to, ",\"%s\":%llu", print_fields[i].name,
                      (unsigned long long)print_field_value(&info, &print_fields[i]));
}

void print_connection_json(FILE *to, const weir_conn *c, double seconds)
{
    (void)fprintf(to, "{\"type\":\"connection\",\"seconds\":%.3f,", seconds);
    print_connection_fields(to, c);
    (void)fputs("}\n", to);
}

/* ---- the stack ---- */

struct print_counter {
    const char *name;
    uint64_t value;
};

#define PRINT_COUNTERS 36

static size_t print_counters(const struct instance *in, struct print_counter rows[PRINT_COUNTERS])
{
    const weir_stats *s = weir_stack_stats(in->stack);
    weir_tun_stats device;
    weir_tun_get_stats(in->tun, &device);
    const struct print_counter all[] = {
        {"connections", s->connections},
        {"half_open", s->half_open},
        {"listeners", s->listeners},
        {"time_wait", s->time_wait},
        {"sessions", in->session_count},
        {"sessions_ended", in->totals.sessions},
        {"sessions_failed", in->totals.failed},
        {"connections_peak", s->connections_peak},
        {"half_open_peak", s->half_open_peak},
        {"cookies_out", s->cookies_out},
        {"cookies_in", s->cookies_in},
        {"time_wait_peak", s->time_wait_peak},
        {"active_opens", s->active_opens},
        {"passive_opens", s->passive_opens},
        {"established", s->established},
        {"resets_in", s->resets_in},
        {"resets_out", s->resets_out},
        {"retransmitted", s->retransmitted},
        {"packets_in", s->packets_in},
        {"packets_out", s->packets_out},
        {"octets_in", s->octets_in},
        {"octets_out", s->octets_out},
        {"echo_replies", s->echo_replies},
        {"odd_segments", s->odd_segments},
        {"time_wait_reused", s->time_wait_reused},
        {"time_wait_evicted", s->time_wait_evicted},
        {"rings_grown", s->rings_grown},
        {"rings_refused", s->rings_refused},
        {"rings_reclaimed", s->rings_reclaimed},
        {"rings_missing", s->rings_missing},
        {"ring_octets", s->ring_octets},
        {"ring_octets_peak", s->ring_octets_peak},
        {"offload", weir_tun_offloads(in->tun) ? 1 : 0},
        {"supers_in", device.supers_in},
        {"supers_out", device.supers_out},
        {"joined", device.joined},
    };
    _Static_assert(sizeof all / sizeof *all == PRINT_COUNTERS, "one size");
    memcpy(rows, all, sizeof all);
    return PRINT_COUNTERS;
}

static void print_link(FILE *to, const char *name, const weir_link_stats *link)
{
    if (link->pushed != 0)
        (void)fprintf(to,
                      "link %s: %llu packets, %llu lost, %llu twice, %llu corrupted, %llu overtaken, %llu dropped\n",
                      name, (unsigned long long)link->pushed, (unsigned long long)link->lost,
                      (unsigned long long)link->duplicated, (unsigned long long)link->corrupted,
                      (unsigned long long)link->reordered, (unsigned long long)(link->tail_dropped + link->no_memory));
}

static void print_stack_text(FILE *to, const struct instance *in)
{
    struct print_counter rows[PRINT_COUNTERS];
    size_t count = print_counters(in, rows);
    const weir_stats *stats = weir_stack_stats(in->stack);
    weir_tun_stats device;
    (void)fprintf(to, "%-12s %7s %7s  %s  %s\n", "state", "recv-q", "send-q", "local", "remote");
    for (weir_handle h = weir_stack_next(in->stack, 0); h != 0; h = weir_stack_next(in->stack, h)) {
        const weir_conn *c = weir_stack_peek(in->stack, h);
        if (c != NULL)
            print_connection(to, c);
    }
    for (size_t i = 0; i < count; i++)
        (void)fprintf(to, "%s %llu%s", rows[i].name, (unsigned long long)rows[i].value, i % 6 == 5 ? "\n" : "  ");
    for (unsigned v = 0; v < WEIR_VERDICT_COUNT; v++) {
        if (stats->verdicts[v] != 0)
            (void)fprintf(to, "%-20s %12llu  %s\n", weir_verdict_name((enum weir_verdict)v),
                          (unsigned long long)stats->verdicts[v], weir_verdict_reason((enum weir_verdict)v));
    }
    weir_tun_get_stats(in->tun, &device);
    print_link(to, "into weir", &device.in);
    print_link(to, "out of weir", &device.out);
}

static void print_link_json(FILE *to, const char *name, const weir_link_stats *link)
{
    (void)fprintf(to,
                  ",\"%s\":{\"packets\":%llu,\"lost\":%llu,\"duplicated\":%llu,\"corrupted\":%llu,\"reordered\":%llu,"
                  "\"dropped\":%llu}",
                  name, (unsigned long long)link->pushed, (unsigned long long)link->lost,
                  (unsigned long long)link->duplicated, (unsigned long long)link->corrupted,
                  (unsigned long long)link->reordered, (unsigned long long)(link->tail_dropped + link->no_memory));
}

static void print_stack_json(FILE *to, const struct instance *in)
{
    struct print_counter rows[PRINT_COUNTERS];
    size_t count = print_counters(in, rows);
    const weir_stats *stats = weir_stack_stats(in->stack);
    const char *comma = "";
    weir_tun_stats device;
    (void)fprintf(to, "{\"type\":\"stack\",\"seconds\":%.3f", (double)(in->now - in->started_at) / 1e6);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(to, ",\"%s\":%llu", rows[i].name, (unsigned long long)rows[i].value);
    (void)fputs(",\"verdicts\":{", to);
    for (unsigned v = 0; v < WEIR_VERDICT_COUNT; v++) {
        (void)fprintf(to, "%s\"%s\":%llu", comma, weir_verdict_name((enum weir_verdict)v),
                      (unsigned long long)stats->verdicts[v]);
        comma = ",";
    }
    (void)fputs("}", to);
    weir_tun_get_stats(in->tun, &device);
    print_link_json(to, "link_in", &device.in);
    print_link_json(to, "link_out", &device.out);
    (void)fputs(",\"list\":[", to);
    comma = "";
    for (weir_handle h = weir_stack_next(in->stack, 0); h != 0; h = weir_stack_next(in->stack, h)) {
        const weir_conn *c = weir_stack_peek(in->stack, h);
        if (c == NULL)
            continue;
        (void)fprintf(to, "%s{", comma);
        print_connection_fields(to, c);
        (void)fputs("}", to);
        comma = ",";
    }
    (void)fputs("]}\n", to);
}

void print_stack(FILE *to, const struct instance *in, bool json)
{
    if (json)
        print_stack_json(to, in);
    else
        print_stack_text(to, in);
    (void)fflush(to);
}

void print_totals(const struct instance *in)
{
    char octets_in[WEIR_AMOUNT_TEXT], octets_out[WEIR_AMOUNT_TEXT];
    const struct totals *t = &in->totals;
    unsigned long long retransmitted = weir_stack_stats(in->stack)->retransmitted;
    if (in->options->json) {
        (void)printf(
            "{\"type\":\"totals\",\"seconds\":%.3f,\"connections\":%llu,\"failed\":%llu,\"octets_received\":%llu,"
            "\"octets_sent\":%llu,\"retransmitted\":%llu}\n",
            (double)(in->now - in->started_at) / 1e6, (unsigned long long)t->sessions, (unsigned long long)t->failed,
            (unsigned long long)t->octets_in, (unsigned long long)t->octets_out, retransmitted);
        (void)fflush(stdout);
    } else
        tell(in, "%llu connections, %llu failed; %s received, %s sent, %llu segments retransmitted",
             (unsigned long long)t->sessions, (unsigned long long)t->failed,
             weir_format_octets(octets_in, t->octets_in), weir_format_octets(octets_out, t->octets_out), retransmitted);
}
