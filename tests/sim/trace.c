/* trace.c - the hash of a run and its printed form; also what streams consist of. Decides nothing.
 *
 * The hash takes in every packet with its time, its direction and what became of it, and everything users did or saw.
 * It reads numbers, never memory, so that it is the same on every machine. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

/* ---- the hash: FNV-1a (RFC 9923), eight octets at a time, with a shift so that high bits come down too ---- */

static void trace_word(uint64_t *hash, uint64_t word)
{
    *hash = (*hash ^ word) * UINT64_C(0x100000001b3);
    *hash ^= *hash >> 29;
}

void sim_trace_number(struct sim_world *w, uint64_t value)
{
    trace_word(&w->result->hash, value);
}

void sim_trace_octets(struct sim_world *w, const uint8_t *octets, uint32_t len)
{
    uint64_t word = 0;
    uint32_t i;

    for (i = 0; i < len; i++) {
        word |= (uint64_t)octets[i] << (8 * (i & 7));
        if ((i & 7) == 7) {
            trace_word(&w->result->hash, word);
            word = 0;
        }
    }
    trace_word(&w->result->hash, word);
    trace_word(&w->result->hash, len);
}

/* ---- the content of streams ---- */

static uint64_t content_word(uint64_t key, uint32_t index)
{
    return sim_mix(key + UINT64_C(0x9e3779b97f4a7c15) * index);
}

void sim_content(uint64_t key, uint32_t offset, uint8_t *octets, uint32_t len)
{
    uint64_t word = content_word(key, offset >> 3);
    uint32_t i;

    for (i = 0; i < len; i++, offset++) {
        if ((offset & 7) == 0) {
            word = content_word(key, offset >> 3);
        }
        octets[i] = (uint8_t)(word >> (8 * (offset & 7)));
    }
}

uint32_t sim_content_matches(uint64_t key, uint32_t offset, const uint8_t *octets, uint32_t len)
{
    uint64_t word = content_word(key, offset >> 3);
    uint32_t i;

    for (i = 0; i < len; i++, offset++) {
        if ((offset & 7) == 0) {
            word = content_word(key, offset >> 3);
        }
        if (octets[i] != (uint8_t)(word >> (8 * (offset & 7)))) {
            return i;
        }
    }
    return len;
}

/* ---- printing ---- */

static void trace_time(const struct sim_world *w)
{
    printf("%6llu.%06llu ", (unsigned long long)(w->now / SIM_SECOND), (unsigned long long)(w->now % SIM_SECOND));
}

static void trace_options(const weir_view *v)
{
    uint32_t i;

    if (v->options & WEIR_OPT_MSS) {
        printf(" mss %u", v->mss);
    }
    if (v->options & WEIR_OPT_WSCALE) {
        printf(" wscale %u", v->wscale);
    }
    if (v->options & WEIR_OPT_SACK_OK) {
        printf(" sackOK");
    }
    if (v->options & WEIR_OPT_TIMESTAMPS) {
        printf(" ts %u %u", v->ts_value, v->ts_echo);
    }
    for (i = 0; (v->options & WEIR_OPT_SACK) && i < v->sack_count; i++) {
        printf(" sack %u..%u", v->sack[i].from.v, v->sack[i].to.v);
    }
}

static void trace_segment(const uint8_t *octets, uint32_t len)
{
    static const struct {
        uint16_t flag;
        char letter;
    } letters[] = {{WEIR_SYN, 'S'}, {WEIR_FIN, 'F'}, {WEIR_RST, 'R'}, {WEIR_PSH, 'P'}, {WEIR_ACK, '.'}, {WEIR_URG, 'U'}};
    weir_view v;
    uint32_t i;

    if (weir_view_segment(&v, octets, len, NULL) != WEIR_OK) {
        printf("unreadable");
        return;
    }
    printf("%u > %u ", v.source_port, v.destination_port);
    for (i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (v.flags & letters[i].flag) {
            putchar(letters[i].letter);
        }
    }
    printf(" seq %u len %u ack %u win %u", v.seq.v, v.payload_len, v.ack.v, v.window);
    if (v.flags & WEIR_URG) {
        printf(" urg %u", v.urgent);
    }
    trace_options(&v);
}

static void trace_print_packet(const struct sim_packet *p)
{
    uint32_t at = 40, protocol = p->len > 9 ? p->octets[6] : 0;

    if (p->len >= 20 && p->octets[0] >> 4 == 4) {
        at = (p->octets[0] & 15u) * 4u;
        protocol = p->octets[9];
    }
    if (protocol == 6 && p->len > at) {
        uint32_t total = p->octets[0] >> 4 == 4 ? (uint32_t)p->octets[2] << 8 | p->octets[3]
                                                : 40 + ((uint32_t)p->octets[4] << 8 | p->octets[5]);

        trace_segment(p->octets + at, (total < p->len && total > at ? total : p->len) - at);
    } else {
        printf("protocol %u", protocol);
    }
}

void sim_trace_packet(struct sim_world *w, const struct sim_packet *p, const char *fate)
{
    sim_trace_number(w, w->now);
    sim_trace_number(w, p->order << 16 | (uint64_t)p->from << 12 | (uint64_t)p->to << 8 | (uint8_t)fate[0]);
    sim_trace_octets(w, p->octets, p->len);
    if (w->options->verbose) {
        trace_time(w);
        printf("%u>%u #%llu %s: ", p->from, p->to, (unsigned long long)p->order, fate);
        trace_print_packet(p);
        printf("\n");
    }
}

void sim_trace_event(struct sim_world *w, uint32_t host, int plan, const char *what, uint64_t value)
{
    sim_trace_number(w, w->now);
    sim_trace_octets(w, (const uint8_t *)what, (uint32_t)strlen(what));
    sim_trace_number(w, (uint64_t)host << 8 | (uint8_t)(plan + 1));
    sim_trace_number(w, value);
    if (w->options->verbose) {
        trace_time(w);
        printf("    host %u plan %d: %s %llu\n", host, plan, what, (unsigned long long)value);
    }
}

void sim_trace_path(struct sim_world *w, uint32_t host, const weir_conn *c)
{
    weir_path path;
    uint32_t i;

    if (!w->options->verbose || c == NULL) {
        return;
    }
    path = weir_last_path(c);
    trace_time(w);
    printf("    host %u rows", host);
    for (i = 0; i < path.count && i < WEIR_PATH_MAX; i++) {
        printf(" %s", weir_row_name(path.row[i]));
    }
    printf(": %s -> %s; rcv.nxt %u snd.una %u snd.nxt %u\n", weir_state_name((enum weir_state)path.from),
           weir_state_name((enum weir_state)path.to), c->rcv.nxt.v, c->snd.una.v, c->snd.nxt.v);
}
