/* report_pcapng.c - the packets of one scenario as a capture file: pcapng (draft-ietf-opsawg-pcapng), LINKTYPE_RAW, little-endian on every
 * machine, times in microseconds since the script began, each packet with its direction and a comment. */
#include <string.h>

#include "report_html.h"

enum { PCAPNG_SECTION = 0x0a0d0d0a, PCAPNG_INTERFACE = 1, PCAPNG_PACKET = 6, PCAPNG_RAW = 101 };
enum { PCAPNG_COMMENT = 1, PCAPNG_FLAGS = 2, PCAPNG_APPLICATION = 4 };

static void pcapng_number(FILE *out, uint64_t value, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        fputc((int)(value >> 8 * i & 0xff), out);
}

static size_t pcapng_padded(size_t len)
{
    return (len + 3) & ~(size_t)3;
}

static void pcapng_octets(FILE *out, const void *octets, size_t len)
{
    fwrite(octets, 1, len, out);
    pcapng_number(out, 0, (unsigned)(pcapng_padded(len) - len));
}

/* A text as an option; nothing if it is empty. */
static size_t pcapng_text_len(const char *text)
{
    return *text == 0 ? 0 : 4 + pcapng_padded(strlen(text));
}

static void pcapng_text(FILE *out, unsigned option, const char *text)
{
    if (*text == 0)
        return;
    pcapng_number(out, option, 2);
    pcapng_number(out, strlen(text), 2);
    pcapng_octets(out, text, strlen(text));
}

static void pcapng_head(FILE *out, const char *about)
{
    static const char application[] = "weir-vectors";
    size_t len = 28 + pcapng_text_len(about) + pcapng_text_len(application) + 4;

    pcapng_number(out, PCAPNG_SECTION, 4);
    pcapng_number(out, len, 4);
    pcapng_number(out, 0x1a2b3c4d, 4);
    pcapng_number(out, 1, 4); /* version 1.0 */
    pcapng_number(out, UINT64_MAX, 8); /* length of the section: not told */
    pcapng_text(out, PCAPNG_COMMENT, about);
    pcapng_text(out, PCAPNG_APPLICATION, application);
    pcapng_number(out, 0, 4);
    pcapng_number(out, len, 4);
    pcapng_number(out, PCAPNG_INTERFACE, 4);
    pcapng_number(out, 20, 4);
    pcapng_number(out, PCAPNG_RAW, 4);
    pcapng_number(out, 0, 4); /* packets are whole; microseconds are what is meant without a word */
    pcapng_number(out, 20, 4);
}

static void pcapng_packet(FILE *out, const struct record_line *line)
{
    char comment[600];
    size_t len;

    snprintf(comment, sizeof comment, "%s%s%s%s%s%s%s", line->text, line->state != NULL ? "; then " : "",
             line->state != NULL ? line->state : "", line->rows[0] != 0 ? "; rows " : "", line->rows, line->remark[0] != 0 ? "; " : "",
             line->remark);
    len = 32 + pcapng_padded(line->len) + pcapng_text_len(comment) + 8 + 4;
    pcapng_number(out, PCAPNG_PACKET, 4);
    pcapng_number(out, len, 4);
    pcapng_number(out, 0, 4); /* the interface */
    pcapng_number(out, (uint64_t)line->time >> 32, 4);
    pcapng_number(out, (uint64_t)line->time & UINT32_MAX, 4);
    pcapng_number(out, line->len, 4);
    pcapng_number(out, line->len, 4);
    pcapng_octets(out, line->octets, line->len);
    pcapng_text(out, PCAPNG_COMMENT, comment);
    pcapng_number(out, PCAPNG_FLAGS, 2);
    pcapng_number(out, 4, 2);
    pcapng_number(out, line->kind == RECORD_IN ? 1 : 2, 4);
    pcapng_number(out, 0, 4);
    pcapng_number(out, len, 4);
}

void pcapng_write(const struct report_case *c, FILE *out)
{
    char about[400];

    snprintf(about, sizeof about, "%s: %s", c->id, c->title != NULL ? c->title : "");
    pcapng_head(out, about);
    for (int i = 0; c->record != NULL && i < c->record->count; i++)
        if (c->record->lines[i].octets != NULL)
            pcapng_packet(out, &c->record->lines[i]);
}
