/* print.c - a scenario in words, for the one who looks into a seed. Decides nothing. */
#include <stdio.h>

#include "sim.h"

static void print_host(const struct sim_scenario *s, uint32_t h)
{
    const weir_stack_config *c = &s->host[h].config;
    const weir_config *t = &c->tcp;

    printf("host %u: origin %llu late %u mtu %u rings rx %u tx %u rx_max %u%s%s%s%s%s%s ack_every %u quick %u ack_delay %llu "
           "rto_min %llu keepalive %llu/%llu backlog %u%s%s %s%s%s%s%s",
           h, (unsigned long long)s->host[h].origin, s->host[h].late_us, t->mtu, c->rings.rx, c->rings.tx, t->rx_max,
           t->timestamps ? " ts" : "", t->sack ? " sack" : "", t->window_scale ? " wscale" : "", t->nagle ? " nagle" : "",
           t->iw10 ? " iw10" : "", t->ack_check ? " ack_check" : "", t->ack_every, t->quick_acks,
           (unsigned long long)t->ack_delay_us, (unsigned long long)t->rto_min_us, (unsigned long long)t->keepalive_idle_us,
           (unsigned long long)t->keepalive_interval_us, s->host[h].backlog, s->host[h].poll_copy ? " poll_copy" : "",
           s->host[h].clock_steps_back ? " clock_steps_back" : "", weir_cc_name((enum weir_cc_kind)t->cc), t->hystart ? " hystart" : "",
           t->rack ? " rack" : "", t->prr ? " prr" : "", t->undo ? " undo" : "");
    if (s->host[h].reboot_at != WEIR_FOREVER) {
        printf(" reboot_at %llu%s", (unsigned long long)s->host[h].reboot_at, s->host[h].new_secret ? " new secret" : "");
    }
    printf("\n");
}

static void print_link(const char *name, const struct sim_link *l)
{
    printf("    %s delay %u jitter %u%s rate %u queue %u; of 65536: loss %u dup %u late %u reorder %u (%u us) corrupt %u pad %u "
           "strip %u squeeze %u split %u; clamp %u; bursts %u good %u us bad %u us\n",
           name, l->delay_us, l->jitter_us, l->jitter_reorders ? " (reorders)" : "", l->rate, l->queue, l->loss, l->dup,
           l->late_dup, l->reorder, l->reorder_us, l->corrupt, l->pad, l->strip, l->squeeze, l->split, l->clamp, l->burst_loss, l->good_us, l->bad_us);
}

static void print_path(const struct sim_scenario *s, uint32_t h)
{
    const struct sim_path *p = &s->path[h];

    printf("path 0-%u: mtu %u", h, p->mtu);
    if (p->mtu_at != WEIR_FOREVER) {
        printf(", %u at %llu", p->mtu_later, (unsigned long long)p->mtu_at);
    }
    if (p->outage_at != WEIR_FOREVER) {
        printf(", outage at %llu for %llu%s", (unsigned long long)p->outage_at, (unsigned long long)p->outage_us,
               p->dead ? " (dead)" : "");
    }
    printf("\n");
    print_link("to 0  ", &p->link[0]);
    print_link("from 0", &p->link[1]);
}

static void print_end(const struct sim_end_plan *e, uint32_t index)
{
    static const char *const leaves[] = {"when sent", "when closed", "early"};

    printf("    end %u: sends %u; write %u pause %u; read %u pause %u late %u; stop at %u for %u; push %u more %u urgent %u; "
           "closes %s; leaves %s%s%s%s; habits %u at %u\n",
           index, e->send_len, e->write_max, e->write_pause_us, e->read_max, e->read_pause_us, e->read_late_us, e->stop_at,
           e->stop_us, e->push, e->more, e->urgent, e->close == SIM_CLOSE_AFTER_EOF ? "after EOF" : "when written",
           leaves[e->leave], e->copying ? " copying" : "", e->eager ? " eager" : "", e->wants_all ? " wants_all" : "",
           e->habits, e->habit_at);
}

static void print_plan(const struct sim_scenario *s, uint32_t index)
{
    static const char *const opens[] = {"listener", "held", "both", "refused", "nobody"};
    static const char *const abrupts[] = {"graceful", "abort", "release now", "release linger", "release"};
    const struct sim_plan *p = &s->plan[index];

    printf("plan %u: %u:%u -> %u:%u %s %s%s at %llu, admit after %u; %s", index, p->host[0], p->port[0], p->host[1], p->port[1],
           p->v6 ? "v6" : "v4", opens[p->open], p->elsewhere ? " elsewhere" : "", (unsigned long long)p->open_at, p->admit_us,
           abrupts[p->abrupt]);
    if (p->abrupt != SIM_GRACEFUL) {
        printf(" by end %u at %u%s, linger %u", p->abrupt_end, p->abrupt_at, p->abrupt_early ? " early" : "", p->linger_us);
    }
    if (p->turn != 0) {
        printf("; turns of %u", p->turn);
    }
    if (p->after != 0) {
        printf("; after plan %u", p->after - 1u);
    }
    printf("\n");
    print_end(&p->end[0], 0);
    print_end(&p->end[1], 1);
}

void sim_scenario_print(const struct sim_scenario *s)
{
    uint32_t i;

    printf("seed %llu, profile %s%s, attack %u of 65536\n", (unsigned long long)s->seed, sim_profile_name(s->profile),
           s->perfect ? ", perfect" : "", s->attack);
    for (i = 0; i < s->host_count; i++) {
        print_host(s, i);
    }
    for (i = 1; i < s->host_count; i++) {
        print_path(s, i);
    }
    for (i = 0; i < s->plan_count; i++) {
        print_plan(s, i);
    }
}
