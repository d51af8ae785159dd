/* scenario.c - runs a script against a target: its time, its sequence spaces, its verdict. calls.c makes the system calls. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "course.h"
#include "line.h"

#define COURSE_FOREVER ((int64_t)30 * 24 * 3600 * 1000000) /* "*" in virtual time */
#define COURSE_PATIENCE ((int64_t)60 * 1000000)            /* in real time; and how long a late segment is looked for */
#define COURSE_SETTLE_US ((int64_t)20000)                  /* after the end, where time is real */
/* A script that was written for IPv4 keeps its segment sizes when it is run over IPv6: every MTU is 20 more. */
#define COURSE_V6_MORE 20
#define COURSE_TURNS_MAX 1000000                           /* a target that never gets on with time */

/* ---- ending ---- */

int64_t course_now(const struct course *c)
{
    return c->target->ops->now(c->target) - c->start;
}

static void course_where(const struct course *c, const struct script_event *event, char *text, size_t cap)
{
    if (event != NULL) {
        (void)snprintf(text, cap, "%s:%d: ", c->script->file, event->pos.line);
    } else {
        (void)snprintf(text, cap, "%s: ", c->script->file);
    }
}

void course_end(struct course *c, enum outcome_verdict verdict, const struct script_event *event, const char *format, ...)
{
    va_list args;
    if (c->ended) {
        return;
    }
    c->ended = true;
    c->out->strict = c->out->semantic = verdict;
    c->out->line = event == NULL ? 0 : event->pos.line;
    course_where(c, event, c->out->reason, sizeof c->out->reason);
    const size_t at = strlen(c->out->reason);
    va_start(args, format);
    (void)vsnprintf(c->out->reason + at, sizeof c->out->reason - at, format, args);
    va_end(args);
}

static const char *course_why(struct course *c)
{
    const char *why = c->target->ops->why == NULL ? NULL : c->target->ops->why(c->target);
    return why == NULL || why[0] == 0 ? "the target is gone" : why;
}

bool course_fatal(struct course *c, const struct script_event *event, answer a)
{
    if (a == ANSWER_DEAD) {
        course_end(c, OUTCOME_DEAD, event, "%s", course_why(c));
    } else if (a == ANSWER_WRONG) {
        course_end(c, OUTCOME_FAIL, event, "%s", course_why(c));
    }
    return c->ended;
}

/* ---- rows ---- */

static void course_fire(struct course *c, const char *row, const char *state)
{
    (void)snprintf(c->out->row, sizeof c->out->row, "%s", row);
    for (int i = 0; i < c->fired_count; i++) {
        if (strcmp(c->fired[i].row, row) == 0 && (state == NULL || strcmp(c->fired[i].state, state) == 0)) {
            return;
        }
    }
    bool first = true;
    for (int i = 0; i < c->fired_count && first; i++) {
        first = strcmp(c->fired[i].row, row) != 0;
    }
    const size_t at = strlen(c->out->rows);
    if (first && at + strlen(row) + 2 < sizeof c->out->rows) {
        (void)snprintf(c->out->rows + at, sizeof c->out->rows - at, "%s%s", at > 0 ? " " : "", row);
    }
    if (c->fired_count < COURSE_FIRED_MAX && state != NULL) {
        c->fired[c->fired_count].row = row;
        c->fired[c->fired_count++].state = state;
    }
}

static void course_trace(struct course *c)
{
    struct target_trace trace;
    if (c->target->ops->trace == NULL) {
        return;
    }
    trace.count = 0;
    trace.text[0] = 0;
    trace.state = NULL;
    c->target->ops->trace(c->target, &trace);
    for (int i = 0; i < trace.count; i++) {
        course_fire(c, trace.fired[i].row, trace.fired[i].state);
    }
    if (c->record != NULL) {
        memcpy(c->rows, trace.text, sizeof c->rows);
    }
    c->state = trace.state;
}

/* Rows that the head names must have fired, where the target tells. */
static void course_check_rows(struct course *c)
{
    const struct target_ops *ops = c->target->ops;
    if (c->script->head.rows == NULL || ops->has == NULL || !ops->has(c->target, "rows")) {
        return;
    }
    for (const char **row = c->script->head.rows; *row != NULL && !c->ended; row++) {
        const char *at = strchr(*row, '@');
        const size_t len = at == NULL ? strlen(*row) : (size_t)(at - *row);
        bool found = false;
        for (int i = 0; i < c->fired_count && !found; i++) {
            found = strncmp(c->fired[i].row, *row, len) == 0 && c->fired[i].row[len] == 0 &&
                    (at == NULL || strcmp(c->fired[i].state, at + 1) == 0);
        }
        if (!found) {
            course_end(c, OUTCOME_FAIL, NULL, "row %s did not fire; these did: %s", *row, c->out->rows);
        }
    }
}

/* ---- what the stack sends ---- */

static struct course_seen *course_push(struct course *c)
{
    if (c->seen_count == c->seen_cap) {
        const int cap = c->seen_cap * 2;
        struct course_seen *seen = malloc((size_t)cap * sizeof *seen);
        if (seen == NULL) {
            course_end(c, OUTCOME_DEAD, NULL, "no memory for %d segments", cap);
            return NULL;
        }
        for (int i = 0; i < c->seen_count; i++) {
            seen[i] = c->seen[(c->seen_head + i) % c->seen_cap];
        }
        free(c->seen);
        c->seen = seen;
        c->seen_cap = cap;
        c->seen_head = 0;
    }
    return &c->seen[(c->seen_head + c->seen_count) % c->seen_cap];
}

static void course_pop(struct course *c)
{
    free(c->seen[c->seen_head].octets);
    c->seen_head = (c->seen_head + 1) % c->seen_cap;
    c->seen_count--;
}

/* Is it of the socket under test? A port that the stack chose is learnt from its first segment. */
static bool course_is_ours(struct course *c, const struct packet *p)
{
    if (p->proto != SCRIPT_TCP) {
        return true;
    }
    if (p->destination_port != c->space.remote_port) {
        return false;
    }
    if (c->space.local_port == 0) {
        c->space.local_port = p->source_port;
    }
    return p->source_port == c->space.local_port;
}

/* Inbound acknowledgments may need the ISN before the script asks for the SYN: until then it is taken to be written as 0. */
static void course_guess_isn(struct course *c, const struct packet *p)
{
    if (p->proto == SCRIPT_TCP && (p->flags & 2) && !c->space.out_known) {
        c->space.out_base = p->seq;
        c->space.out_known = c->isn_guessed = true;
    }
}

static void course_take(struct course *c, const struct script_event *event, size_t len, int64_t when)
{
    char why[200];
    struct course_seen *seen = course_push(c);
    if (seen == NULL) {
        return;
    }
    if (!packet_read(&seen->packet, c->octets, len, &c->world, why, sizeof why)) {
        if (!c->target->ops->real_time) { /* a kernel says other things on its interface too */
            course_end(c, OUTCOME_FAIL, event, "the stack sent no good packet: %s", why);
        }
        return;
    }
    if (!course_is_ours(c, &seen->packet)) {
        return;
    }
    seen->when = when - c->start;
    seen->octets = NULL;
    seen->len = (uint32_t)len;
    course_guess_isn(c, &seen->packet);
    record_take_octets(c, seen, c->octets, len);
    c->seen_count++;
    c->out->packets_out++;
}

static void course_drain(struct course *c, const struct script_event *event)
{
    int64_t when = 0;
    while (!c->ended) {
        const answer len = c->target->ops->packet_out(c->target, c->octets, sizeof c->octets, &when);
        if (len <= 0) {
            (void)course_fatal(c, event, len);
            return;
        }
        course_take(c, event, (size_t)len, when);
    }
}

void course_settle(struct course *c, const struct script_event *event)
{
    course_drain(c, event);
    course_trace(c);
}

/* ---- time ---- */

/* One step towards `until`; false: it is there, or the end has come. */
static bool course_step(struct course *c, const struct script_event *event, int64_t until)
{
    if (c->ended || course_now(c) >= until) {
        return false;
    }
    if (c->blocked.event != NULL && c->blocked.wake >= 0 && c->blocked.wake < until) {
        until = c->blocked.wake;
    }
    if (course_fatal(c, event, c->target->ops->advance(c->target, c->start + until))) {
        return false;
    }
    course_settle(c, event);
    if (c->record != NULL && c->rows[0] != 0) {
        record_text(c, RECORD_TIMER, "timeout", 0);
    }
    course_retry(c);
    return !c->ended;
}

static void course_go_until(struct course *c, const struct script_event *event, int64_t until)
{
    int turns = 0;
    while (course_step(c, event, until)) {
        if (++turns == COURSE_TURNS_MAX) {
            course_end(c, OUTCOME_DEAD, event, "the target does not get on with time");
        }
    }
}

void course_window(const struct course *c, const struct script_time *time, int64_t *from, int64_t *to, int64_t *gap)
{
    const int64_t base = time->when == SCRIPT_AFTER ? c->last : 0;
    if (time->when == SCRIPT_ANY) {
        *from = c->last;
        *to = c->last + (c->target->ops->real_time ? COURSE_PATIENCE : COURSE_FOREVER);
        *gap = 0;
        return;
    }
    *from = base + time->from;
    *to = base + (time->range ? time->to : time->from);
    *gap = *from > c->last ? *from - c->last : 0;
}

/* packetdrill's: 4 ms or an eighth of the gap, whichever is more. */
static int64_t course_tolerance(const struct course *c, int64_t gap)
{
    const int64_t stated = c->tolerance >= 0 ? c->tolerance : 4000, part = gap / 1000 * c->tolerance_permille;
    return stated > part ? stated : part;
}

bool course_on_time(struct course *c, const struct script_event *event, const struct script_time *time, int64_t when, const char *what)
{
    int64_t from, to, gap;
    course_window(c, time, &from, &to, &gap);
    const int64_t tolerance = course_tolerance(c, gap);
    if (time->when == SCRIPT_ANY || (when >= from - tolerance && when <= to + tolerance)) {
        return true;
    }
    if (from == to) {
        course_end(c, OUTCOME_FAIL, event, "%s came at %.6f s, expected %.6f s +- %.6f", what, (double)when / 1e6, (double)from / 1e6,
                   (double)tolerance / 1e6);
    } else {
        course_end(c, OUTCOME_FAIL, event, "%s came at %.6f s, expected %.6f s to %.6f s +- %.6f", what, (double)when / 1e6,
                   (double)from / 1e6, (double)to / 1e6, (double)tolerance / 1e6);
    }
    return false;
}

/* ---- outbound ---- */

static void course_taste(struct course *c, const struct script_event *event, const char *why)
{
    if (c->out->strict == OUTCOME_PASS) {
        c->out->strict = OUTCOME_FAIL;
        course_where(c, event, c->out->taste, sizeof c->out->taste);
        const size_t at = strlen(c->out->taste);
        (void)snprintf(c->out->taste + at, sizeof c->out->taste - at, "%s", why);
    }
}

static void course_differs(struct course *c, const struct script_event *event, const struct packet *seen, const char *why)
{
    char expected_text[400], seen_text[400];
    packet_print_script(event->packet, expected_text, sizeof expected_text);
    packet_print(seen, &c->space, seen_text, sizeof seen_text);
    record_miss(c, expected_text, seen_text, event->pos.line);
    course_end(c, OUTCOME_FAIL, event, "expected %s; seen %s: %s", expected_text, seen_text, why);
}

static void course_missing(struct course *c, const struct script_event *event)
{
    char expected[400];
    packet_print_script(event->packet, expected, sizeof expected);
    record_miss(c, expected, "", event->pos.line);
    course_end(c, OUTCOME_FAIL, event, "expected %s; nothing was sent until %.6f s", expected, (double)course_now(c) / 1e6);
}

/* Waits for the next segment; false if none comes. One that is too late is waited for, so that it can be said when it came. */
static bool course_await(struct course *c, const struct script_event *event)
{
    int64_t from, to, gap;
    int turns = 0;
    if (c->seen_count > 0) {
        return true;
    }
    course_window(c, &event->time, &from, &to, &gap);
    const int64_t late = c->target->ops->real_time ? 2 * (to - c->last) + 1000000 : 10 * (to - c->last) + COURSE_PATIENCE;
    const int64_t until = event->time.when == SCRIPT_ANY ? to : c->last + late;
    while (c->seen_count == 0 && course_step(c, event, until)) {
        if (++turns == COURSE_TURNS_MAX) {
            course_end(c, OUTCOME_DEAD, event, "the target does not get on with time");
        }
    }
    if (c->seen_count == 0 && !c->ended) {
        course_missing(c, event);
    }
    return c->seen_count > 0 && !c->ended;
}

/* A SYN of the stack begins a numbering, unless it may only be the old one once more. */
static void course_isn(struct course *c, const struct script_packet *p, const struct packet *seen)
{
    if (p->proto != SCRIPT_TCP || seen->proto != SCRIPT_TCP || !(seen->flags & 2) || !(p->flags & 2) || !c->space.out_known) {
        return;
    }
    const bool same = seen->seq == (p->seq_literal ? p->seq : p->seq + c->space.out_base);
    if (!same && (c->isn_guessed || (c->syn_seen && c->spoken))) {
        c->space.out_known = false; /* packet_learn takes it anew */
        c->space.ts_known = false;
    }
}

static bool course_compare(struct course *c, const struct script_event *event, const struct script_packet *p, const struct packet *seen)
{
    char why[600];
    course_isn(c, p, seen);
    switch (packet_compare(p, seen, &c->space, why, sizeof why)) {
    case PACKET_SAME: break;
    case PACKET_SAME_MEANING: course_taste(c, event, why); break;
    case PACKET_DIFFERS: course_differs(c, event, seen, why); return false;
    }
    if (seen->proto == SCRIPT_TCP && (seen->flags & 2)) {
        c->isn_guessed = c->syn_seen = c->spoken = false;
    } else {
        c->spoken = true;
    }
    packet_learn(&c->space, p, seen);
    return true;
}

/* Segments that follow each other make up the script's longer one. PSH and FIN count on the last alone. */
static void course_join(struct course *c, const struct script_event *event)
{
    struct script_packet part = *event->packet;
    uint32_t got = 0, size = c->seen[c->seen_head].packet.len;
    while (!c->ended && got < event->packet->len && course_await(c, event)) {
        struct course_seen *seen = &c->seen[c->seen_head];
        const bool last = seen->packet.len >= event->packet->len - got;
        part.seq = event->packet->seq + got;
        part.len = last ? event->packet->len - got : size;
        part.seq_end = part.seq + part.len;
        part.flags = event->packet->flags;
        if (!last) {
            part.flags &= (uint16_t)~9u;
            seen->packet.flags &= (uint16_t)~9u;
        }
        const int64_t when = seen->when;
        got += seen->packet.len;
        record_packet(c, &seen->packet, seen->octets, seen->len, when, event->pos.line);
        if (course_compare(c, event, &part, &seen->packet) && course_on_time(c, event, &event->time, when, "the segment")) {
            course_pop(c);
        }
    }
}

static void course_outbound(struct course *c, const struct script_event *event)
{
    const struct script_packet *p = event->packet;
    if (!course_await(c, event)) {
        return;
    }
    struct course_seen *seen = &c->seen[c->seen_head];
    if (p->proto == SCRIPT_TCP && seen->packet.proto == SCRIPT_TCP && !c->strict_segments && seen->packet.len > 0 &&
        seen->packet.len < p->len) {
        course_join(c, event);
        return;
    }
    const int64_t when = seen->when;
    record_packet(c, &seen->packet, seen->octets, seen->len, when, event->pos.line);
    if (course_compare(c, event, p, &seen->packet) && course_on_time(c, event, &event->time, when, "the segment")) {
        course_pop(c);
        course_go_until(c, event, when); /* it may have been handed out for later */
    }
}

/* ---- inbound ---- */

static void course_inbound(struct course *c, const struct script_event *event)
{
    const struct script_packet *p = event->packet;
    struct script_packet larger;
    char why[300];
    if (c->larger && p->icmp_mtu > 0 && p->proto == SCRIPT_ICMP) {
        larger = *p;
        larger.icmp_mtu += COURSE_V6_MORE;
        p = &larger;
    }
    const size_t len = packet_build(p, &c->space, &c->world, c->octets, sizeof c->octets, why, sizeof why);
    if (len == 0) {
        course_end(c, OUTCOME_UNSUPPORTED, event, "this packet cannot be built: %s", why);
        return;
    }
    if (p->proto == SCRIPT_TCP && (p->flags & 2) && p->seq_literal) {
        c->space.in_base = p->seq; /* the peer's numbers are written from 0 on, and mean this */
    }
    if (p->proto == SCRIPT_TCP && (p->flags & 0x12) == 2) {
        c->spoken = c->spoken || (c->space.out_known && p->seq != c->syn_seq);
        c->syn_seen = true;
        c->syn_seq = p->seq;
    } else {
        c->spoken = true;
    }
    c->out->packets_in++;
    struct packet seen;
    if (c->record != NULL && packet_read(&seen, c->octets, len, &c->world, why, sizeof why)) {
        record_packet(c, &seen, c->octets, (uint32_t)len, course_now(c), event->pos.line);
    }
    if (!course_fatal(c, event, c->target->ops->packet_in(c->target, c->octets, len))) {
        course_settle(c, event);
        record_state(c);
        course_retry(c);
    }
}

/* ---- code and shell ---- */

static void course_set_words(struct expr *e)
{
    static const struct { const char *name; int value; } words[] = {
        {"TCP_ESTABLISHED", 1}, {"TCP_SYN_SENT", 2}, {"TCP_SYN_RECV", 3}, {"TCP_FIN_WAIT1", 4}, {"TCP_FIN_WAIT2", 5}, {"TCP_TIME_WAIT", 6},
        {"TCP_CLOSE", 7}, {"TCP_CLOSE_WAIT", 8}, {"TCP_LAST_ACK", 9}, {"TCP_LISTEN", 10}, {"TCP_CLOSING", 11}, {"TCPI_OPT_TIMESTAMPS", 1},
        {"TCPI_OPT_SACK", 2}, {"TCPI_OPT_WSCALE", 4}, {"TCPI_OPT_ECN", 8}, {"TCP_CA_Open", 0}, {"TCP_CA_Disorder", 1}, {"TCP_CA_CWR", 2},
        {"TCP_CA_Recovery", 3}, {"TCP_CA_Loss", 4}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        expr_set_int(e, words[i].name, words[i].value);
    }
}

static int course_state_number(const char *state)
{
    static const char *const states[] = {"ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSED",
                                         "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING"};
    for (int i = 0; state != NULL && i < (int)(sizeof states / sizeof states[0]); i++) {
        if (strcmp(states[i], state) == 0) {
            return i + 1;
        }
    }
    return 0;
}

/* The facts at this moment, under Linux's names: tcpi_rtt. */
static bool course_facts(struct course *c, const struct script_event *event)
{
    struct target_info info;
    char name[40];
    if (c->current < 0) {
        return true;
    }
    const answer a = c->target->ops->info == NULL ? ANSWER_UNIMPLEMENTED
                                                  : c->target->ops->info(c->target, c->fds[c->current].socket, &info);
    if (course_fatal(c, event, a)) {
        return false;
    }
    if (a < 0) {
        course_end(c, OUTCOME_UNSUPPORTED, event, "the target tells no facts about a connection");
        return false;
    }
    expr_set_int(c->expr, "tcpi_state", course_state_number(info.state));
    for (const struct line_field *f = line_fields; f->name != NULL; f++) {
        const int64_t value = *line_info_number(&info, f);
        if (value >= 0) {
            (void)snprintf(name, sizeof name, "tcpi_%s", f->name);
            expr_set_int(c->expr, name, value);
        }
    }
    return true;
}

static void course_code(struct course *c, const struct script_event *event)
{
    char why[400];
    if (c->expr == NULL) {
        c->expr = expr_new();
        if (c->expr == NULL) {
            course_end(c, OUTCOME_DEAD, event, "no memory for variables");
            return;
        }
        course_set_words(c->expr);
    }
    if (!course_facts(c, event)) {
        return;
    }
    switch (expr_run(c->expr, event->text, why, sizeof why)) {
    case EXPR_OK: break;
    case EXPR_ASSERTION: course_end(c, OUTCOME_FAIL, event, "%s", why); break;
    case EXPR_UNSUPPORTED: course_end(c, OUTCOME_UNSUPPORTED, event, "%s", why); break;
    case EXPR_BROKEN: course_end(c, OUTCOME_BROKEN, event, "%s", why); break;
    }
}

static bool course_set(struct course *c, const char *name, const char *value)
{
    const answer a = c->target->ops->set == NULL ? ANSWER_UNIMPLEMENTED : c->target->ops->set(c->target, name, value);
    if (course_fatal(c, NULL, a)) {
        return false;
    }
    if (a == ANSWER_UNIMPLEMENTED) {
        course_end(c, OUTCOME_UNSUPPORTED, NULL, "setting %s=%s", name, value);
    } else if (a < 0) {
        course_end(c, OUTCOME_BROKEN, NULL, "setting %s: \"%s\" is not a value of it, or out of its range", name, value);
    }
    return a >= 0;
}

static bool course_shell_set(void *self, const char *name, const char *value)
{
    return course_set(self, name, value);
}

static void course_shell(struct course *c, const struct script_event *event, const char *command)
{
    char why[300];
    if (!settings_shell(command, course_shell_set, c, why, sizeof why)) {
        course_end(c, OUTCOME_UNSUPPORTED, event, "command %s", why);
    }
}

/* ---- options of the script ---- */

/* Options of packetdrill that mean nothing here: addresses are the runner's, and it says what it does in its own way. */
static bool course_option_idle(const char *name)
{
    static const char *const idle[] = {"local_ip", "remote_ip", "gateway_ip", "netmask_ip", "send_omit_free", "verbose", "dry_run",
                                       "non_fatal", "init_scripts", "bind_port", "persistent_tun_dev", "speed", "debug", "wire_client",
                                       "wire_server"};
    for (size_t i = 0; i < sizeof idle / sizeof idle[0]; i++) {
        if (strcmp(idle[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool course_number(struct course *c, const struct script_setting *s, int64_t most, int64_t *number)
{
    char *end = NULL;
    *number = s->value == NULL ? -1 : strtoll(s->value, &end, 0);
    if (s->value == NULL || end == s->value || *end != 0 || *number < 0 || *number > most) {
        course_end(c, OUTCOME_BROKEN, NULL, "option --%s: \"%s\" is no number from 0 to %lld", s->name, s->value == NULL ? "" : s->value,
                   (long long)most);
        return false;
    }
    return true;
}

static void course_option_ip(struct course *c, const struct script_setting *s)
{
    const char *value = s->value == NULL ? "" : s->value;
    if (strcmp(value, "ipv4") == 0 || strcmp(value, "ipv6") == 0) {
        return; /* read before the target was reset */
    }
    course_end(c, strcmp(value, "ipv4-mapped-ipv6") == 0 ? OUTCOME_UNSUPPORTED : OUTCOME_BROKEN, NULL, "option --ip_version=%s", value);
}

static void course_option_size(struct course *c, const struct script_setting *s)
{
    char text[24];
    int64_t number;
    if (course_number(c, s, 65535, &number)) {
        number += strcmp(s->name, "mss") == 0 ? (c->world.v6 ? 60 : 40) : 0;
        (void)snprintf(text, sizeof text, "%lld", (long long)number);
        (void)course_set(c, "mtu", text);
    }
}

static void course_option(struct course *c, const struct script_setting *s)
{
    int64_t number;
    if (strcmp(s->name, "tolerance_usecs") == 0) {
        if (course_number(c, s, INT32_MAX, &number)) {
            c->tolerance = c->options->tolerance_us >= 0 ? c->options->tolerance_us : number;
        }
    } else if (strcmp(s->name, "tolerance_percent") == 0) { /* of the gap: ours, packetdrill's is 12.5 and fixed */
        if (course_number(c, s, 100, &number)) {
            c->tolerance_permille = number * 10;
        }
    } else if (strcmp(s->name, "strict_segments") == 0) {
        c->strict_segments = s->value == NULL || strcmp(s->value, "false") != 0;
    } else if (strcmp(s->name, "tcp_ts_tick_usecs") == 0) {
        if (course_number(c, s, INT32_MAX, &number)) {
            c->space.ts_tick_us = number;
        }
    } else if (strcmp(s->name, "connect_port") == 0) {
        if (course_number(c, s, 65535, &number)) {
            c->connect_port = (uint16_t)number;
        }
    } else if (strcmp(s->name, "ip_version") == 0) {
        course_option_ip(c, s);
    } else if (strcmp(s->name, "mss") == 0 || strcmp(s->name, "mtu") == 0) {
        course_option_size(c, s);
    } else if (strchr(s->name, '_') == NULL && s->value != NULL) {
        (void)course_set(c, s->name, s->value); /* FORMAT.md's settings */
    } else if (!course_option_idle(s->name)) {
        course_end(c, OUTCOME_UNSUPPORTED, NULL, "option --%s", s->name);
    }
}

static bool course_overridden(const struct course *c, const char *name)
{
    for (int i = 0; i < c->options->override_count; i++) {
        if (strcmp(c->options->overrides[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void course_set_profile(struct course *c)
{
    const char *name = c->options->profile != NULL ? c->options->profile : c->exact ? "rfc" : "linux";
    const struct script_setting *s = settings_profile(name);
    if (s == NULL) {
        course_end(c, OUTCOME_BROKEN, NULL, "there is no profile %s", name);
        return;
    }
    for (; s->name != NULL; s++) { /* a stack that cannot be configured is as it is */
        (void)course_fatal(c, NULL, c->target->ops->set == NULL ? 0 : c->target->ops->set(c->target, s->name, s->value));
    }
}

static void course_set_mtu(struct course *c, const char *value)
{
    char text[24];
    char *end;
    const long mtu = strtol(value, &end, 10);
    if (!c->larger || end == value || *end != 0) {
        (void)course_set(c, "mtu", value);
        return;
    }
    (void)snprintf(text, sizeof text, "%ld", mtu + COURSE_V6_MORE);
    (void)course_set(c, "mtu", text);
}

static void course_set_head(struct course *c)
{
    for (const char **s = c->script->head.settings; s != NULL && *s != NULL && !c->ended; s++) {
        char name[64];
        const char *equals = strchr(*s, '=');
        if (equals == NULL || (size_t)(equals - *s) >= sizeof name) {
            course_end(c, OUTCOME_BROKEN, NULL, "setting %s is not name=value", *s);
            return;
        }
        (void)snprintf(name, sizeof name, "%.*s", (int)(equals - *s), *s);
        if (strcmp(name, "mtu") == 0) {
            course_set_mtu(c, equals + 1);
        } else {
            (void)course_set(c, name, equals + 1);
        }
    }
}

static void course_set_all(struct course *c)
{
    course_set_profile(c);
    if (c->larger && c->target->ops->set != NULL) {
        (void)course_fatal(c, NULL, c->target->ops->set(c->target, "mtu", "1520"));
    }
    for (int i = 0; i < c->script->setting_count && !c->ended; i++) {
        if (!course_overridden(c, c->script->settings[i].name)) {
            course_option(c, &c->script->settings[i]);
        }
    }
    if (c->script->init != NULL && !c->ended) {
        course_shell(c, NULL, c->script->init);
    }
    course_set_head(c);
    for (int i = 0; i < c->options->override_count && !c->ended; i++) {
        course_option(c, &c->options->overrides[i]);
    }
}

/* ---- before, between, after ---- */

static void course_check_needs(struct course *c)
{
    const struct script_head *head = &c->script->head;
    const struct target_ops *ops = c->target->ops;
    if (head->api != NULL && strcmp(head->api, "connection") == 0 && (ops->has == NULL || !ops->has(c->target, "connection"))) {
        course_end(c, OUTCOME_UNSUPPORTED, NULL, "api: connection");
    }
    for (const char **need = head->needs; need != NULL && *need != NULL && !c->ended && ops->has != NULL; need++) {
        if (!ops->has(c->target, *need)) {
            course_end(c, OUTCOME_UNSUPPORTED, NULL, "needs: %s", *need);
        }
    }
}

static void course_check_length(struct course *c)
{
    int64_t total = 0;
    for (int i = 0; i < c->script->event_count; i++) {
        const struct script_time *t = &c->script->events[i].time;
        total = t->when == SCRIPT_AT ? (t->from > total ? t->from : total) : t->when == SCRIPT_AFTER ? total + t->from : total;
    }
    if (c->options->real_time_limit && total > c->options->limit_us) {
        course_end(c, OUTCOME_UNSUPPORTED, NULL, "takes %lld s", (long long)(total / 1000000));
    }
}

/* A blocking call is one thread: the next call waits until it is over. */
static void course_await_blocked(struct course *c)
{
    const struct script_event *event = c->blocked.event;
    const int64_t last = c->last;
    int64_t from, to, gap;
    int turns = 0;
    if (event == NULL) {
        return;
    }
    c->last = c->blocked.base;
    course_window(c, &event->call->end, &from, &to, &gap);
    c->last = last;
    to += course_tolerance(c, gap) + (c->target->ops->real_time ? 1000000 : COURSE_PATIENCE);
    while (c->blocked.event != NULL && course_step(c, event, to)) {
        if (++turns == COURSE_TURNS_MAX) {
            course_end(c, OUTCOME_DEAD, event, "the target does not get on with time");
        }
    }
    if (c->blocked.event != NULL) {
        course_end(c, OUTCOME_FAIL, event, "%s still blocks at %.6f s", event->call->name, (double)course_now(c) / 1e6);
    }
}

/* Times may not run backwards. */
static bool course_check_time(struct course *c, const struct script_event *event)
{
    const struct script_time *t = &event->time;
    if (t->when == SCRIPT_AT && t->from < c->floor) {
        course_end(c, OUTCOME_BROKEN, event, "%.6f s is before the event that stands before it (%.6f s)", (double)t->from / 1e6,
                   (double)c->floor / 1e6);
        return false;
    }
    if (t->range && t->to < t->from) {
        course_end(c, OUTCOME_BROKEN, event, "this range of times ends before it begins");
        return false;
    }
    c->floor = t->when == SCRIPT_AT ? t->from : t->when == SCRIPT_AFTER ? c->floor + t->from : c->floor;
    return true;
}

static void course_event(struct course *c, const struct script_event *event)
{
    int64_t from, to, gap;
    if (!course_check_time(c, event)) {
        return;
    }
    if (event->kind == SCRIPT_PACKET && event->packet->outbound) {
        course_outbound(c, event);
        c->last = course_now(c);
        return;
    }
    course_window(c, &event->time, &from, &to, &gap);
    course_go_until(c, event, from);
    if (event->kind == SCRIPT_CALL) {
        course_await_blocked(c);
    }
    if (c->ended || (!c->target->ops->real_time && !course_on_time(c, event, &event->time, course_now(c), "the time of this event"))) {
        return;
    }
    const int64_t base = c->last;
    c->last = course_now(c);
    switch (event->kind) {
    case SCRIPT_PACKET: course_inbound(c, event); break;
    case SCRIPT_CALL: course_call(c, event, base); break;
    case SCRIPT_CODE: course_code(c, event); break;
    case SCRIPT_SHELL: course_shell(c, event, event->text); break;
    }
}

static void course_check_quiet(struct course *c)
{
    char text[400];
    if (c->target->ops->real_time) {
        course_go_until(c, NULL, course_now(c) + COURSE_SETTLE_US);
    }
    if ((c->exact || c->options->quiet_end) && c->seen_count > 0 && !c->ended) {
        const struct course_seen *seen = &c->seen[c->seen_head];
        packet_print(&seen->packet, &c->space, text, sizeof text);
        record_miss(c, "", text, 0);
        course_end(c, OUTCOME_FAIL, NULL, "at the end of the script: nothing more was expected; seen %s, at %.6f s", text,
                   (double)seen->when / 1e6);
    }
}

/* The version that a script states, NULL if it states none. */
static const char *course_version(const struct script *script)
{
    const char *version = NULL;
    for (int i = 0; i < script->setting_count; i++) {
        version = strcmp(script->settings[i].name, "ip_version") == 0 ? script->settings[i].value : version;
    }
    return version;
}

static void course_world(struct target_world *world, bool v6)
{
    static const uint8_t local4[4] = {192, 168, 0, 1}, remote4[4] = {192, 0, 2, 1};
    static const uint8_t local6[16] = {0xfd, 0x3d, 0x0a, 0x0b, 0x17, 0xd6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    static const uint8_t remote6[16] = {0xfd, 0x3d, 0xfa, 0x7b, 0xd1, 0x7d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    memset(world, 0, sizeof *world);
    world->v6 = v6;
    memcpy(world->local, v6 ? local6 : local4, v6 ? 16 : 4);
    memcpy(world->remote, v6 ? remote6 : remote4, v6 ? 16 : 4);
    world->listen_port = 8080;
    world->remote_port = 40000;
}

struct packet_space course_fresh_space(const struct course *c)
{
    struct packet_space space;
    memset(&space, 0, sizeof space);
    space.in_known = true; /* the script's numbers are the peer's own */
    space.local_port = c->world.listen_port;
    space.remote_port = c->world.remote_port;
    space.ts_tick_us = c->space.ts_tick_us;
    space.ts_tolerance_us = c->tolerance >= 0 ? c->tolerance : 4000;
    space.exact_echo = c->exact;
    return space;
}

static bool course_begin(struct course *c)
{
    c->space.ts_tick_us = 0;
    course_check_needs(c);
    course_check_length(c);
    if (!c->ended && !c->target->ops->reset(c->target, &c->world)) {
        course_end(c, OUTCOME_DEAD, NULL, "%s", course_why(c));
    }
    if (!c->ended) {
        course_set_all(c);
    }
    c->space = course_fresh_space(c);
    c->start = c->ended ? 0 : c->target->ops->now(c->target);
    return !c->ended;
}

static void course_run(struct course *c)
{
    for (int i = 0; i < c->script->event_count && !c->ended; i++) {
        course_event(c, &c->script->events[i]);
    }
    if (!c->ended) {
        course_await_blocked(c);
    }
    if (!c->ended) {
        course_check_quiet(c);
    }
    if (!c->ended) {
        course_check_rows(c);
    }
    c->out->virtual_us = course_now(c);
}

/* Everything but the fields named is left as it is: a course is large, and most of it is written before it is read. */
static void course_init(struct course *c, const struct script *script, struct target *target, const struct scenario_options *options)
{
    c->script = script;
    c->target = target;
    c->options = options;
    c->syn_seq = 0;
    c->syn_seen = c->spoken = c->isn_guessed = false;
    c->start = c->last = c->floor = 0;
    c->exact = script->head.present;
    c->strict_segments = c->exact;
    c->ended = false;
    c->tolerance = options->tolerance_us;
    c->tolerance_permille = 125;
    c->fd_count = 0;
    c->current = -1;
    c->blocked.event = NULL;
    c->seen_head = c->seen_count = 0;
    c->fired_count = 0;
    c->state = NULL;
    c->rows[0] = 0;
    c->expr = NULL;
    const char *version = course_version(script);
    course_world(&c->world, version == NULL ? options->v6 : strcmp(version, "ipv6") == 0);
    c->larger = version == NULL && options->v6;
    c->connect_port = c->world.listen_port;
}

void scenario_run(const struct script *script, struct target *target, const struct scenario_options *options, struct outcome *outcome,
                  struct record *record)
{
    struct course *c = malloc(sizeof *c);
    memset(outcome, 0, sizeof *outcome);
    if (c != NULL) {
        c->seen_cap = 16;
        c->seen = malloc((size_t)c->seen_cap * sizeof *c->seen);
    }
    if (c == NULL || c->seen == NULL) {
        outcome->strict = outcome->semantic = OUTCOME_DEAD;
        (void)snprintf(outcome->reason, sizeof outcome->reason, "%s: no memory", script->file);
        free(c);
        return;
    }
    course_init(c, script, target, options);
    c->out = outcome;
    c->record = record;
    if (course_begin(c)) {
        course_run(c);
    }
    if (outcome->strict == OUTCOME_FAIL && outcome->semantic == OUTCOME_PASS) {
        (void)snprintf(outcome->reason, sizeof outcome->reason, "%s", outcome->taste);
    }
    if (record != NULL) {
        record->space = c->space;
        record->v6 = c->world.v6;
    }
    while (c->seen_count > 0) {
        course_pop(c);
    }
    expr_free(c->expr);
    free(c->seen);
    free(c);
}
