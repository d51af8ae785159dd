/* markup.c - text inside XML and HTML: whatever comes in, what goes out is well-formed. */
#include "markup.h"

#include <stdint.h>
#include <string.h>

/* The octets of the UTF-8 character at `at`, 0 if there is none (RFC 3629: no surrogates, no long forms, at most U+10FFFF). */
static size_t markup_character(const uint8_t *at, size_t len)
{
    static const struct { uint8_t first, last; size_t len; uint8_t low, high; } forms[] = {
        {0x20, 0x7e, 1, 0, 0}, {'\t', '\n', 1, 0, 0}, {'\r', '\r', 1, 0, 0}, {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
        {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xee, 3, 0x80, 0xbf}, {0xef, 0xef, 3, 0x80, 0xbe},
        {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f}};

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (at[0] < forms[i].first || at[0] > forms[i].last || forms[i].len > len)
            continue;
        if (forms[i].len > 1 && (at[1] < forms[i].low || at[1] > forms[i].high))
            return 0;
        for (size_t k = 2; k < forms[i].len; k++)
            if ((at[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].len;
    }
    return 0;
}

void markup_octets(FILE *out, const char *text, size_t len)
{
    size_t step;

    for (size_t i = 0; i < len; i += step) {
        step = markup_character((const uint8_t *)text + i, len - i);
        if (step == 0) {
            fputs("\xef\xbf\xbd", out);
            step = 1;
        } else if (text[i] == '&') {
            fputs("&amp;", out);
        } else if (text[i] == '<') {
            fputs("&lt;", out);
        } else if (text[i] == '>') {
            fputs("&gt;", out);
        } else if (text[i] == '"') {
            fputs("&quot;", out);
        } else {
            fwrite(text + i, 1, step, out);
        }
    }
}

void markup_text(FILE *out, const char *text)
{
    if (text != NULL)
        markup_octets(out, text, strlen(text));
}
