/* header_svg.c - the header of a TCP segment, field by field: words of 32 bits with their octets and what these mean. */
#include "ladder.h"
#include "markup.h"
#include "packet_parts.h"

#include <stdarg.h>
#include <string.h>

/* One field: where it lies, its octets, what it means. */
struct header_field {
    int bit, bits;       /* from the beginning of the TCP header */
    const char *name;
    char value[80];
    bool option;
};
#define HEADER_FIELDS 64
struct header {
    struct header_field fields[HEADER_FIELDS];
    int count;
    const uint8_t *octets;
    int len;
};

__attribute__((format(printf, 5, 6))) static void header_add(struct header *h, int bit, int bits, const char *name, const char *format, ...)
{
    struct header_field *f = &h->fields[h->count];
    va_list args;

    if (h->count == HEADER_FIELDS)
        return;
    *f = (struct header_field){.bit = bit, .bits = bits, .name = name, .option = bit >= 160};
    va_start(args, format);
    vsnprintf(f->value, sizeof f->value, format, args);
    va_end(args);
    h->count++;
}

static void header_fixed(struct header *h, const struct packet *p)
{
    static const struct { const char *name; unsigned flag; } flags[] = {
        {"AE", PACKET_AE}, {"CWR", PACKET_CWR}, {"ECE", PACKET_ECE}, {"URG", PACKET_URG}, {"ACK", PACKET_ACK}, {"PSH", PACKET_PSH},
        {"RST", PACKET_RST}, {"SYN", PACKET_SYN}, {"FIN", PACKET_FIN}};
    const uint8_t *o = h->octets;

    header_add(h, 0, 16, "source port", "%u", p->source_port);
    header_add(h, 16, 16, "destination port", "%u", p->destination_port);
    header_add(h, 32, 32, "sequence number", "%u", p->seq);
    header_add(h, 64, 32, "acknowledgment number", (p->flags & PACKET_ACK) != 0 ? "%u" : "%u: means nothing without ACK", p->ack);
    header_add(h, 96, 4, "data offset", "%d words", h->len / 4);
    header_add(h, 100, 3, "rsvd", "%u", p->reserved);
    for (int i = 0; i < 9; i++)
        header_add(h, 103 + i, 1, flags[i].name, "%d", (p->flags & flags[i].flag) != 0);
    header_add(h, 112, 16, "window", "%u", p->win);
    header_add(h, 128, 16, "checksum", "0x%04x: right", packet_get16(o + 16));
    header_add(h, 144, 16, "urgent pointer", (p->flags & PACKET_URG) != 0 ? "%u" : "%u: means nothing without URG", p->urg);
}

static const char *header_kind(const struct script_option *o)
{
    switch (o->kind) {
    case SCRIPT_OPT_MSS: return "MSS";
    case SCRIPT_OPT_WSCALE: return "window scale";
    case SCRIPT_OPT_SACK_OK: return "SACK permitted";
    case SCRIPT_OPT_SACK: return "SACK";
    case SCRIPT_OPT_TS: return "timestamps";
    default: return NULL;
    }
}

/* One option: kind, length, data. */
static void header_option(struct header *h, int at, int len, const struct script_option *o)
{
    char text[80];
    struct packet_text t = {text, sizeof text, 0};

    text[0] = 0;
    packet_print_options(&t, o, 1);
    if (len == 1) {
        header_add(h, 160 + 8 * at, 8, o->kind == SCRIPT_OPT_NOP ? "NOP" : "EOL", "kind %d", o->kind == SCRIPT_OPT_NOP ? 1 : 0);
        return;
    }
    header_add(h, 160 + 8 * at, 8, "kind", "%d%s%s", h->octets[20 + at], header_kind(o) != NULL ? ": " : "",
               header_kind(o) != NULL ? header_kind(o) : "");
    header_add(h, 168 + 8 * at, 8, "length", "%d", len);
    if (o->kind == SCRIPT_OPT_TS) {
        header_add(h, 176 + 8 * at, 32, "TSval", "%u", o->value);
        header_add(h, 208 + 8 * at, 32, "TSecr", "%u", o->echo);
    } else if (len > 2) {
        header_add(h, 176 + 8 * at, 8 * (len - 2), "data", "%s", text);
    }
}

static void header_options(struct header *h, const struct packet *p)
{
    int at = 0;

    for (int i = 0; i < p->option_count && at < p->option_len; i++) {
        int len = p->options[i].kind == SCRIPT_OPT_NOP || p->options[i].kind == SCRIPT_OPT_EOL ? 1 : p->option_octets[at + 1];
        header_option(h, at, len, &p->options[i]);
        at += len;
    }
    if (p->options_bad)
        header_add(h, 160 + 8 * at, 8 * (p->option_len - at), "no option", "its length is wrong");
}

static bool header_make(struct header *h, const struct packet *p, const uint8_t *octets, size_t len)
{
    size_t ip = p->v6 ? 40 : 20;

    memset(h, 0, sizeof *h);
    if (p->proto != SCRIPT_TCP || octets == NULL || len < ip + 20)
        return false;
    h->octets = octets + ip;
    h->len = 20 + p->option_len;
    if (len < ip + (size_t)h->len)
        return false;
    header_fixed(h, p);
    header_options(h, p);
    return true;
}

bool header_text(const struct packet *packet, const uint8_t *octets, size_t len, FILE *out)
{
    struct header h;

    if (!header_make(&h, packet, octets, len))
        return false;
    fprintf(out, "octet  bits  field                   value\n");
    for (int i = 0; i < h.count; i++)
        fprintf(out, "%5d  %4d  %-22s  %s\n", h.fields[i].bit / 8, h.fields[i].bits, h.fields[i].name, h.fields[i].value);
    return true;
}

/* ---- the picture: 26 pixels a bit ---- */

enum { HEADER_LEFT = 40, HEADER_BIT = 26, HEADER_WORD = 74, HEADER_WIDTH = 40 + 32 * 26 + 40 };

static void header_words(FILE *out, int x, int y, const char *kind, const char *text)
{
    fprintf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">", kind, x, y);
    markup_text(out, text);
    fputs("</text>\n", out);
}

/* The part of a field that lies in one word: a box with name, value and octets; only the longest part has the name. */
static void header_part(FILE *out, const struct header *h, const struct header_field *f, int bit, int bits, bool named, int top)
{
    int x = HEADER_LEFT + bit % 32 * HEADER_BIT, y = top + bit / 32 * HEADER_WORD, width = bits * HEADER_BIT, middle = x + width / 2;
    char hex[16] = "";

    fprintf(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", f->option ? "option" : "field", x, y, width,
            HEADER_WORD - 8);
    if (bits < 8) {
        header_words(out, middle, y + 18, "soft", f->name);
        header_words(out, middle, y + 38, f->value[0] == '1' && bits == 1 ? "end out" : "", f->value);
        return;
    }
    for (int i = 0; i < bits / 8; i++)
        snprintf(hex + 3 * i, sizeof hex - (size_t)(3 * i), "%02x ", h->octets[bit / 8 + i]);
    if (named) {
        header_words(out, middle, y + 18, "soft", f->name);
        header_words(out, middle, y + 38, "end", f->value);
    }
    header_words(out, middle, y + 58, "mono soft", hex);
}

static void header_field(FILE *out, const struct header *h, const struct header_field *f, int top)
{
    int longest = 0, at = -1;

    for (int pass = 0; pass < 2; pass++) {
        for (int bit = f->bit; bit < f->bit + f->bits;) {
            int room = 32 - bit % 32, left = f->bit + f->bits - bit, bits = left < room ? left : room;
            if (pass == 0 && bits > longest) {
                longest = bits;
                at = bit;
            } else if (pass == 1) {
                header_part(out, h, f, bit, bits, bit == at, top);
            }
            bit += bits;
        }
    }
}

bool header_svg(const struct packet *packet, const uint8_t *octets, size_t len, const char *title, FILE *out)
{
    struct header h;
    int top = 74, height;
    char number[12], text[200];

    if (!header_make(&h, packet, octets, len))
        return false;
    height = top + h.len / 4 * HEADER_WORD + 34;
    ladder_svg_begin(out, title, HEADER_WIDTH, height);
    fprintf(out, "<text class=\"head\" x=\"%d\" y=\"26\">", HEADER_LEFT);
    markup_text(out, title);
    fputs("</text>\n", out);
    for (int bit = 0; bit < 32; bit++) {
        snprintf(number, sizeof number, "%d", bit);
        header_words(out, HEADER_LEFT + bit * HEADER_BIT + HEADER_BIT / 2, top - 10, "soft", number);
    }
    for (int word = 0; word < h.len / 4; word++) {
        snprintf(number, sizeof number, "%d", 4 * word);
        header_words(out, HEADER_LEFT - 18, top + word * HEADER_WORD + 38, "soft mono", number);
    }
    for (int i = 0; i < h.count; i++)
        header_field(out, &h, &h.fields[i], top);
    snprintf(text, sizeof text, "%d octets of header, %u of payload; bits across, octets down the side", h.len, packet->len);
    header_words(out, HEADER_WIDTH / 2, height - 14, "soft", text);
    fputs("</svg>\n", out);
    return true;
}
