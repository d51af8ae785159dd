/* ladder_model.c - what a ladder shows: how each segment travelled, what it says, and what state the peer must think itself in.
 * The peer is a script: its state is inferred from what it sent and what reached it, as if it were a TCP. */
#include "ladder.h"
#include "packet_parts.h"

#include <stdlib.h>
#include <string.h>

#define LADDER_AHEAD 400 /* how far a retransmission is looked for */

struct ladder_peer {
    const char *state;
    bool fin_sent;
    uint32_t fin_end;
};

static bool ladder_is(const char *state, const char *name)
{
    return strcmp(state, name) == 0;
}

static uint32_t ladder_end(const struct packet *p)
{
    return p->seq + p->len + ((p->flags & PACKET_SYN) != 0) + ((p->flags & PACKET_FIN) != 0);
}

static void peer_sends_syn(struct ladder_peer *peer, const struct packet *p)
{
    if (ladder_is(peer->state, "CLOSED") || ladder_is(peer->state, "TIME-WAIT"))
        *peer = (struct ladder_peer){(p->flags & PACKET_ACK) != 0 ? "SYN-RECEIVED" : "SYN-SENT", false, 0};
    else if (ladder_is(peer->state, "LISTEN"))
        peer->state = "SYN-RECEIVED";
}

static void peer_sends(struct ladder_peer *peer, const struct packet *p)
{
    if ((p->flags & PACKET_RST) != 0) {
        peer->state = "CLOSED";
        return;
    }
    if ((p->flags & PACKET_SYN) != 0)
        peer_sends_syn(peer, p);
    if ((p->flags & PACKET_FIN) == 0 || peer->fin_sent)
        return;
    if (ladder_is(peer->state, "ESTABLISHED") || ladder_is(peer->state, "SYN-RECEIVED"))
        peer->state = "FIN-WAIT-1";
    else if (ladder_is(peer->state, "CLOSE-WAIT"))
        peer->state = "LAST-ACK";
    else
        return;
    peer->fin_sent = true;
    peer->fin_end = ladder_end(p);
}

static void peer_gets_syn(struct ladder_peer *peer, bool ack)
{
    if (ladder_is(peer->state, "SYN-SENT"))
        peer->state = ack ? "ESTABLISHED" : "SYN-RECEIVED";
    else if (ladder_is(peer->state, "LISTEN") && !ack)
        peer->state = "SYN-RECEIVED";
}

static void peer_gets_ack(struct ladder_peer *peer, const struct packet *p)
{
    if (ladder_is(peer->state, "SYN-RECEIVED") && (p->flags & PACKET_SYN) == 0)
        peer->state = "ESTABLISHED";
    if (!peer->fin_sent || (int32_t)(p->ack - peer->fin_end) < 0)
        return;
    if (ladder_is(peer->state, "FIN-WAIT-1"))
        peer->state = "FIN-WAIT-2";
    else if (ladder_is(peer->state, "CLOSING"))
        peer->state = "TIME-WAIT";
    else if (ladder_is(peer->state, "LAST-ACK"))
        peer->state = "CLOSED";
}

static void peer_gets(struct ladder_peer *peer, const struct packet *p)
{
    if ((p->flags & PACKET_RST) != 0) {
        peer->state = ladder_is(peer->state, "LISTEN") ? "LISTEN" : "CLOSED";
        return;
    }
    if ((p->flags & PACKET_SYN) != 0)
        peer_gets_syn(peer, (p->flags & PACKET_ACK) != 0);
    else if ((p->flags & PACKET_ACK) != 0)
        peer_gets_ack(peer, p);
    if ((p->flags & PACKET_FIN) == 0)
        return;
    if (ladder_is(peer->state, "ESTABLISHED"))
        peer->state = "CLOSE-WAIT";
    else if (ladder_is(peer->state, "FIN-WAIT-1"))
        peer->state = "CLOSING";
    else if (ladder_is(peer->state, "FIN-WAIT-2"))
        peer->state = "TIME-WAIT";
}

/* ---- what became of a segment ---- */

static bool ladder_says(const struct record_line *line, const char *word)
{
    size_t len = strlen(word);

    return strncmp(line->remark, word, len) == 0 && (line->remark[len] < 'a' || line->remark[len] > 'z');
}

/* The stack sent it again, and in between nothing came that shows that it had arrived: an acknowledgment, or a window of 0. */
static bool ladder_resent(const struct record *record, int at)
{
    const struct packet *p = &record->lines[at].packet;
    uint32_t end = ladder_end(p);

    if (p->proto != SCRIPT_TCP || end == p->seq || (p->flags & PACKET_RST) != 0)
        return false;
    for (int i = at + 1; i < record->count && i <= at + LADDER_AHEAD; i++) {
        const struct packet *later = &record->lines[i].packet;
        if (record->lines[i].octets == NULL || later->proto != SCRIPT_TCP)
            continue;
        if (record->lines[i].kind == RECORD_OUT && later->seq == p->seq && ladder_end(later) != later->seq)
            return later->source_port == p->source_port && later->destination_port == p->destination_port &&
                   ((later->flags ^ p->flags) & (PACKET_SYN | PACKET_ACK)) == 0; /* the SYN,ACK of a simultaneous open answers */
        if (record->lines[i].kind == RECORD_IN && (later->flags & PACKET_RST) != 0)
            return false;
        if (record->lines[i].kind == RECORD_IN && (later->flags & PACKET_ACK) != 0 &&
            ((int32_t)(later->ack - end) >= 0 || later->win == 0))
            return false;
    }
    return false;
}

static enum ladder_course ladder_course(const struct record *record, int at)
{
    const struct record_line *line = &record->lines[at];

    if (ladder_says(line, "lost"))
        return LADDER_LOST;
    if (ladder_says(line, "old") || ladder_says(line, "forged"))
        return LADDER_STRAY;
    return line->kind == RECORD_OUT && ladder_resent(record, at) ? LADDER_LOST : LADDER_ARRIVES;
}

/* ---- words ---- */

static void ladder_flags(struct packet_text *t, unsigned flags)
{
    static const struct { unsigned flag; const char *name; } names[] = {
        {PACKET_SYN, "SYN"}, {PACKET_FIN, "FIN"}, {PACKET_RST, "RST"}, {PACKET_ACK, "ACK"}, {PACKET_PSH, "PSH"},
        {PACKET_URG, "URG"}, {PACKET_ECE, "ECE"}, {PACKET_CWR, "CWR"}, {PACKET_AE, "AE"}};
    size_t start = t->len;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((flags & names[i].flag) != 0)
            packet_text_add(t, "%s%s", t->len > start ? "," : "", names[i].name);
    if (flags == 0)
        packet_text_add(t, "no flag");
}

/* The part of packet_print's text that is `<...>` behind the numbers. */
static void ladder_options(struct ladder_step *step, const char *text)
{
    const char *open = strstr(text, " <");

    if (open == NULL)
        return;
    struct packet_text t = {step->options, sizeof step->options, 0};
    packet_text_add(&t, "%s", open + 1);
}

static void ladder_label(struct ladder_step *step, const struct packet_space *space)
{
    const struct packet *p = &step->line->packet;
    struct packet_text t = {step->label, sizeof step->label, 0};
    char text[320];

    packet_print(p, space, text, sizeof text);
    if (p->proto != SCRIPT_TCP) {
        packet_text_add(&t, "%s", text + 2);
        return;
    }
    bool out = p->outbound;
    uint32_t own = out ? (space->out_known ? space->out_base : 0) : (space->in_known ? space->in_base : 0);
    uint32_t other = out ? (space->in_known ? space->in_base : 0) : (space->out_known ? space->out_base : 0);
    ladder_flags(&t, p->flags);
    packet_text_add(&t, "  seq %u", p->seq - own);
    if (p->len > 0)
        packet_text_add(&t, "..%u (%u)", p->seq - own + p->len, p->len);
    if ((p->flags & PACKET_ACK) != 0)
        packet_text_add(&t, "  ack %u", p->ack - other);
    packet_text_add(&t, "  win %u", p->win);
    if ((p->flags & PACKET_URG) != 0)
        packet_text_add(&t, "  urg %u", p->urg);
    ladder_options(step, text + 2);
}

const char *ladder_time(int64_t us, char text[32])
{
    struct packet_text t = {text, 32, 0};
    long long value = us < 0 ? 0 : us;

    if (value < 1000) {
        packet_text_add(&t, "%lld us", value);
    } else {
        long long unit = value < 1000000 ? 1000 : 1000000;
        packet_text_add(&t, "%lld.%06lld", value / unit, value % unit * (1000000 / unit));
        while (text[t.len - 1] == '0') /* ends: there is a point */
            text[--t.len] = 0;
        if (text[t.len - 1] == '.')
            text[--t.len] = 0;
        packet_text_add(&t, unit == 1000 ? " ms" : " s");
    }
    return text;
}

size_t ladder_break(const char *text, size_t len, size_t room)
{
    if (len <= room)
        return len;
    for (size_t i = room; i > room / 2; i--)
        if (text[i - 1] == ' ' || text[i - 1] == ',')
            return i;
    for (size_t i = room; i > 1; i--)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return i;
    return room;
}

/* ---- the whole ---- */

static void ladder_inferred(struct ladder_step *step, struct ladder_peer *peer)
{
    const struct packet *p = &step->line->packet;
    const char *before = peer->state;

    if (p->proto != SCRIPT_TCP)
        return;
    if (step->line->kind == RECORD_IN && step->course != LADDER_STRAY)
        peer_sends(peer, p);
    else if (step->line->kind == RECORD_OUT && step->course == LADDER_ARRIVES)
        peer_gets(peer, p);
    if (strcmp(before, peer->state) != 0)
        step->peer = peer->state;
}

/* Before the first segment a peer that is called waits, and one that calls does not exist yet. */
static const char *ladder_peer_first(const struct record *record)
{
    for (int i = 0; i < record->count; i++)
        if (record->lines[i].octets != NULL && record->lines[i].packet.proto == SCRIPT_TCP)
            return record->lines[i].kind == RECORD_OUT && (record->lines[i].packet.flags & PACKET_SYN) != 0 ? "LISTEN" : "CLOSED";
    return "CLOSED";
}

/* What a segment or a call did to the stack comes as a line of its own: it belongs to the step before. */
static bool ladder_joins(struct ladder *ladder, const struct record_line *line, const char *state)
{
    struct ladder_step *before = ladder->count > 0 ? &ladder->steps[ladder->count - 1] : NULL;

    if (line->kind != RECORD_STATE)
        return false;
    if (before != NULL && before->line->time == line->time && before->state == NULL && before->rows[0] == 0) {
        before->state = state;
        before->rows = line->rows;
        return true;
    }
    return state == NULL && line->rows[0] == 0;
}

/* Calls that TCP never hears of. */
static bool ladder_is_no_event(const struct record_line *line)
{
    return line->kind == RECORD_CALL && (strncmp(line->text, "socket(", 7) == 0 || strncmp(line->text, "bind(", 5) == 0);
}

static void ladder_segment(struct ladder_step *step, const struct record *record, int at, struct ladder_peer *peer)
{
    step->course = ladder_course(record, at);
    ladder_label(step, &record->space);
    ladder_inferred(step, peer);
}

bool ladder_make(struct ladder *ladder, const struct record *record)
{
    struct ladder_peer peer = {ladder_peer_first(record), false, 0};
    const char *state = NULL;
    int64_t last = 0;

    *ladder = (struct ladder){.record = record, .peer = peer.state, .state = record->count > 0 ? record->lines[0].state : NULL};
    state = ladder->state;
    ladder->steps = calloc((size_t)record->count + 1, sizeof *ladder->steps);
    if (ladder->steps == NULL)
        return false;
    for (int i = 0; i < record->count; i++) {
        const struct record_line *line = &record->lines[i];
        struct ladder_step *step = &ladder->steps[ladder->count];
        bool changes = line->state != NULL && (state == NULL || strcmp(line->state, state) != 0);
        if (changes)
            state = line->state;
        if (ladder_joins(ladder, line, changes ? state : NULL) || ladder_is_no_event(line))
            continue;
        *step = (struct ladder_step){.line = line, .gap = line->time - last, .rows = line->rows, .state = changes ? state : NULL};
        if ((line->kind == RECORD_IN || line->kind == RECORD_OUT) && line->octets != NULL)
            ladder_segment(step, record, i, &peer);
        ladder->count++;
        last = line->time;
    }
    return true;
}

void ladder_free(struct ladder *ladder)
{
    free(ladder->steps);
    ladder->steps = NULL;
    ladder->count = 0;
}

/* The comment at the end of a line of a script: what follows "//" outside a string and a shell command. */
static void ladder_remark(char *remark, size_t cap, const char *line, size_t len)
{
    char quote = 0;
    size_t at = 0;

    while (at < len && (quote != 0 || line[at] != '/' || at + 1 == len || line[at + 1] != '/')) {
        if (quote == 0 && (line[at] == '"' || line[at] == '`'))
            quote = line[at];
        else if (line[at] == quote && line[at - 1] != '\\')
            quote = 0;
        at++;
    }
    for (at += 2; at < len && (line[at] == ' ' || line[at] == '\t'); at++)
        continue;
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == ' '))
        len--;
    if (at >= len)
        return;
    len = len - at < cap - 1 ? len - at : cap - 1;
    memcpy(remark, line + at, len);
    remark[len] = 0;
}

void ladder_remarks(struct record *record, const char *script, size_t len)
{
    int number = 1;

    for (size_t start = 0; start < len; number++) {
        const char *newline = memchr(script + start, '\n', len - start);
        size_t line_len = newline == NULL ? len - start : (size_t)(newline - script) - start;
        for (int i = 0; i < record->count; i++)
            if (record->lines[i].script_line == number)
                ladder_remark(record->lines[i].remark, sizeof record->lines[i].remark, script + start, line_len);
        start += line_len + 1;
    }
}
