/* net_report.c - one run as a table for people and as JSON for machines. */
#include <string.h>

#include "net.h"

static unsigned long long ull(uint64_t v)
{
    return (unsigned long long)v;
}

/* ---- people ---- */

static void report_head(const struct net_settings *s)
{
    const struct net_plan *p = &s->plan;
    char rate[WEIR_AMOUNT_TEXT], rtt[WEIR_AMOUNT_TEXT], queue[WEIR_AMOUNT_TEXT];

    printf("%s, rtt %s, ", p->rate_bps == 0 ? "no limit" : weir_format_rate(rate, p->rate_bps), weir_format_duration(rtt, p->rtt_us));
    if (p->queue_packets != 0) {
        printf("queue %u packets", p->queue_packets);
    } else {
        printf("queue %s", p->queue_octets == UINT32_MAX ? "without end" : weir_format_octets(queue, p->queue_octets));
    }
    printf(" (%s), window %s, seed %llu\n", p->codel ? "CoDel" : "tail drop", weir_format_octets(queue, p->flow[0].window), ull(p->seed));
}

static void report_flow(uint32_t index, const struct net_plan *plan, const struct net_flow_result *f)
{
    const struct net_counts *c = &f->counts;

    printf("%4u %-8s %9.3f %8llu %7llu %7llu %8llu %5llu %5llu  %6.2f %6.2f %6.2f  %6llu %6llu %6llu", index + 1,
           weir_cc_name((enum weir_cc_kind)plan->flow[index].config.cc), f->goodput_bps / 1e6, ull(c->packets), ull(c->lost + c->queue_lost),
           ull(c->needed), ull(c->spurious), ull(c->timeouts), ull(c->recoveries), (double)f->rtt.min / 1000,
           (double)net_span_mean(&f->rtt) / 1000, (double)f->rtt.max / 1000, ull(f->cwnd.min / 1024), ull(net_span_mean(&f->cwnd) / 1024),
           ull(f->cwnd.max / 1024));
    if (f->done_at != 0) {
        printf("  done after %.3f ms", (double)(f->done_at - f->start) / 1000);
    }
    if (plan->flow[index].window_max != 0) {
        printf("  rings grew to %u and %u KiB", f->ring[0] / 1024, f->ring[1] / 1024);
    }
    if (f->err != WEIR_ERR_NONE || !f->connected) {
        printf("  %s", f->err != WEIR_ERR_NONE ? weir_err_name(f->err) : "nothing arrived");
    }
    printf("\n");
}

static void report_event(const struct net_plan *plan, const struct net_event_result *e)
{
    char span[WEIR_AMOUNT_TEXT];

    if (e->at == NET_NEVER) {
        printf("%s: did not come\n", e->name);
    } else if (!e->measured) {
        printf("%s at %.3f s: the run ends within %s of it, so there is no deficit\n", e->name, (double)e->at / 1e9,
               weir_format_duration(span, plan->deficit_us));
    } else {
        printf("%s at %.3f s: %.1f Mbit/s before; deficit over the next %s: %.1f ms of the link's rate\n", e->name, (double)e->at / 1e9,
               e->steady_bps / 1e6, weir_format_duration(span, plan->deficit_us), e->deficit_ms);
    }
}

static void report_people(const struct net_settings *s, const struct net_result *r)
{
    uint32_t i;

    report_head(s);
    printf("%4s %-8s %9s %8s %7s %7s %8s %5s %5s  %20s  %20s\n", "", "", "goodput", "data", "", "retrans", "retrans", "time-", "fast", "",
           "");
    printf("%4s %-8s %9s %8s %7s %7s %8s %5s %5s  %6s %6s %6s  %6s %6s %6s\n", "flow", "cc", "Mbit/s", "packets", "lost", "needed",
           "spurious", "outs", "rec.", "rtt", "ms avg", "max", "cwnd", "KB avg", "max");
    for (i = 0; i < s->plan.flow_count; i++) {
        report_flow(i, &s->plan, &r->flow[i]);
    }
    printf("all: %.3f Mbit/s, %.1f %% of the link; queue %llu octets on average, %llu at most, %llu packets dropped there, %llu marked\n",
           r->goodput_bps / 1e6, r->utilisation * 100, ull(net_span_mean(&r->queue)), ull(r->queue.max), ull(r->queue_drops),
           ull(r->marks));
    if (s->plan.flow_count > 1) {
        printf("Jain's index %.4f\n", r->jain);
    }
    for (i = 0; i < r->event_count; i++) {
        report_event(&s->plan, &r->event[i]);
    }
    printf("%llu packets in %.3f s of virtual time; trace hash %016llx\n", ull(r->packets), (double)r->end / 1e9, ull(r->hash));
}

/* ---- machines ---- */

static void json_span(FILE *out, const char *name, const struct net_span *s)
{
    fprintf(out, "\"%s\":{\"min\":%llu,\"avg\":%llu,\"max\":%llu}", name, ull(s->min), ull(net_span_mean(s)), ull(s->max));
}

static void json_flow(FILE *out, const struct net_flow_plan *plan, const struct net_flow_result *f)
{
    const struct net_counts *c = &f->counts;

    fprintf(out,
            "{\"cc\":\"%s\",\"start_us\":%llu,\"goodput_bps\":%.0f,\"delivered\":%llu,\"delivered_total\":%llu,\"amount\":%llu,"
            "\"data_packets\":%llu,\"lost\":%llu,\"queue_lost\":%llu,\"retrans\":%llu,\"retrans_needed\":%llu,\"retrans_spurious\":%llu,"
            "\"spurious_flights\":%llu,\"retrans_told\":%llu,\"acks\":%llu,\"acks_lost\":%llu,\"timeouts\":%llu,\"fast_recoveries\":%llu,"
            "\"tail_probes\":%llu,\"undone\":%llu,",
            weir_cc_name((enum weir_cc_kind)plan->config.cc), ull(f->start), f->goodput_bps, ull(c->delivered), ull(f->all.delivered),
            ull(plan->amount), ull(c->packets), ull(c->lost), ull(c->queue_lost), ull(c->retrans), ull(c->needed), ull(c->spurious),
            ull(c->spurious_flights), ull(c->told_retrans),
            ull(c->acks), ull(c->acks_lost), ull(c->timeouts), ull(c->recoveries), ull(c->probes), ull(c->undone));
    fprintf(out, "\"delivery_rate_bps\":%llu,\"pacing_rate_bps\":%llu,", ull(f->delivery_rate * 8), ull(f->pacing_rate * 8));
    json_span(out, "rtt_us", &f->rtt);
    fprintf(out, ",");
    json_span(out, "cwnd", &f->cwnd);
    fprintf(out, ",\"send_ring\":%u,\"receive_ring\":%u,\"send_ring_memory\":%llu,\"receive_ring_memory\":%llu", f->ring[0], f->ring[1],
            ull(f->ring_memory[0]), ull(f->ring_memory[1]));
    fprintf(out, ",\"ssthresh\":%u,\"srtt_us\":%u,\"rto_us\":%u,\"error\":\"%s\",\"done_us\":", f->ssthresh, f->srtt, f->rto,
            f->err == WEIR_ERR_NONE ? "" : weir_err_name(f->err));
    if (f->done_at != 0) {
        fprintf(out, "%llu}", ull(f->done_at));
    } else {
        fprintf(out, "null}");
    }
}

static void json_event(FILE *out, const struct net_event_result *e)
{
    fprintf(out, "{\"name\":\"%s\",\"at_ns\":", e->name);
    if (e->at == NET_NEVER) {
        fprintf(out, "null}");
    } else if (!e->measured) {
        fprintf(out, "%llu,\"steady_bps\":null,\"deficit_ms\":null}", ull(e->at));
    } else {
        fprintf(out, "%llu,\"steady_bps\":%.0f,\"deficit_ms\":%.2f}", ull(e->at), e->steady_bps, e->deficit_ms);
    }
}

void net_report_json(FILE *out, const struct net_plan *plan, const struct net_result *r)
{
    uint32_t i;

    fprintf(out, "{\"rate_bps\":%llu,\"rtt_us\":%llu,\"queue_octets\":%u,\"queue_packets\":%u,\"aqm\":\"%s\",\"loss_ppm\":%u,\"seed\":%llu,",
            ull(plan->rate_bps), ull(plan->rtt_us), plan->queue_octets, plan->queue_packets, plan->codel ? "codel" : "tail",
            plan->loss_ppm, ull(plan->seed));
    fprintf(out, "\"time_us\":%llu,\"packets\":%llu,\"hash\":\"%016llx\",\"goodput_bps\":%.0f,\"utilisation\":%.4f,\"jain\":%.4f,",
            ull(r->end / 1000), ull(r->packets), ull(r->hash), r->goodput_bps, r->utilisation, r->jain);
    fprintf(out, "\"queue_drops\":%llu,\"marks\":%llu,\"first_drops_octets\":%llu,\"filled_us\":", ull(r->queue_drops), ull(r->marks), ull(r->first_drops));
    if (r->filled_at == NET_NEVER) {
        fprintf(out, "null,");
    } else {
        fprintf(out, "%llu,", ull(r->filled_at / 1000));
    }
    json_span(out, "queue", &r->queue);
    fprintf(out, ",\"flows\":[");
    for (i = 0; i < plan->flow_count; i++) {
        fprintf(out, "%s", i == 0 ? "" : ",");
        json_flow(out, &plan->flow[i], &r->flow[i]);
    }
    fprintf(out, "],\"events\":[");
    for (i = 0; i < r->event_count; i++) {
        fprintf(out, "%s", i == 0 ? "" : ",");
        json_event(out, &r->event[i]);
    }
    fprintf(out, "]}");
}

void net_report(const struct net_settings *s, const struct net_result *r)
{
    if (s->json) {
        net_report_json(stdout, &s->plan, r);
        printf("\n");
    } else if (s->run.capture == NULL || strcmp(s->run.capture, "-") != 0) {
        report_people(s, r);
    }
}
