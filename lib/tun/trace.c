/* trace.c - packets into the capture file, with what they did to their connection: the change of state and the rows
 * of the state table (lib/conn/rows.h) that were gone through. Looks at the stack, never touches it. Only runs when
 * there is a capture.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>

#include "tun/room.h"

struct trace_text {
    char text[640];
    size_t len;
};

static void trace_say(struct trace_text *to, const char *format, ...) WEIRI_PRINTF(2, 3);

static void trace_say(struct trace_text *to, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(to->text + to->len, sizeof to->text - to->len, format, args);
    va_end(args);
    if (n > 0)
        to->len += (size_t)n < sizeof to->text - to->len ? (size_t)n : sizeof to->text - to->len - 1;
}

/* "LISTEN -> SYN-RECEIVED: L3 (RFC 9293 3.10.7.2 third)"; where the state stays, rows by name alone. */
static void trace_path(struct trace_text *to, const weir_conn *conn)
{
    weir_path path = weir_last_path(conn);
    bool moved = path.from != path.to;

    if (path.count == 0) {
        trace_say(to, "%s", weir_state_name(weir_state(conn)));
        return;
    }
    trace_say(to, "%s", weir_state_name((enum weir_state)path.from));
    if (moved)
        trace_say(to, " -> %s", weir_state_name((enum weir_state)path.to));
    for (unsigned i = 0; i < path.count && i < WEIR_PATH_MAX; i++) {
        trace_say(to, "%s%s", i == 0 ? ": " : ", ", weir_row_name(path.row[i]));
        if (moved)
            trace_say(to, " (%s)", weir_row_section(path.row[i]));
    }
}

/* The connection that the stack's last packet was about; NULL if there was none, or it is gone: then *ended says so. */
static const weir_conn *trace_conn(const weir_tun *t, bool *ended)
{
    weir_handle last = weir_stack_last(t->stack);
    const weir_conn *conn = last == 0 ? NULL : weir_stack_peek(t->stack, last);

    *ended = last != 0 && conn == NULL;
    return conn;
}

/* "45 segments of 1448 octets": one packet here, so many for a network. */
static void trace_segments(struct trace_text *to, size_t len, uint16_t gso_size)
{
    if (gso_size != 0)
        trace_say(to, "%ssegments of %u octets in %zu", to->len == 0 ? "" : "; ", gso_size, len);
}

void weiri_trace_in(weir_tun *t, const weir_slice *packet, uint16_t gso_size, enum weir_verdict verdict, weir_us now)
{
    struct trace_text comment;
    weir_pcapng_packet about = {now, true, comment.text};
    bool ended;
    const weir_conn *conn = trace_conn(t, &ended);

    comment.len = 0;
    comment.text[0] = '\0';
    if (verdict != WEIR_OK)
        trace_say(&comment, "refused, %s: %s", weir_verdict_name(verdict), weir_verdict_reason(verdict));
    else if (conn != NULL)
        trace_path(&comment, conn);
    else if (ended)
        trace_say(&comment, "the end of the connection: its record is given back");
    trace_segments(&comment, packet->len, gso_size);
    weir_pcapng_write(t->pcapng, &about, packet, 1);
    t->stats.captured++;
}

void weiri_trace_out(weir_tun *t, const weir_slice *packet, const struct weiri_sent *sent, weir_us now)
{
    struct trace_text comment;
    char link[WEIR_AMOUNT_TEXT];
    weir_pcapng_packet about = {now, false, comment.text};
    bool ended;
    const weir_conn *conn = trace_conn(t, &ended);

    comment.len = 0;
    comment.text[0] = '\0';
    if (conn != NULL)
        trace_say(&comment, "%s%s", weir_state_name(weir_state(conn)), sent->again ? ", retransmission" : "");
    trace_segments(&comment, packet->len, sent->gso_size);
    if (sent->fate != 0)
        trace_say(&comment, "%slink: %s", comment.len == 0 ? "" : "; ", weir_link_fate_text(sent->fate, link));
    weir_pcapng_write(t->pcapng, &about, packet, 1);
    t->stats.captured++;
}
