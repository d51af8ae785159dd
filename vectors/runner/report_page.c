/* report_page.c - the page of one scenario: what it shows, what became of it, its ladder, its script, and how to repeat it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ladder.h"
#include "markup.h"
#include "report_html.h"
#include "runner.h"

static void page_fact(FILE *out, const char *name, const char *text)
{
    if (text == NULL || *text == 0)
        return;
    fprintf(out, "<dt>%s</dt><dd>", name);
    markup_text(out, text);
    fputs("</dd>\n", out);
}

static void page_words(FILE *out, const char *name, const char **words)
{
    if (words == NULL || words[0] == NULL)
        return;
    fprintf(out, "<dt>%s</dt><dd>", name);
    for (; *words != NULL; words++) {
        fputs("<code>", out);
        markup_text(out, *words);
        fputs("</code> ", out);
    }
    fputs("</dd>\n", out);
}

/* "RFC 9293 3.10.7.4" leads to that section. */
static void page_section(FILE *out, const char *section)
{
    int rfc = 0, taken = 0;
    char where[40] = "";

    if (section == NULL || *section == 0)
        return;
    fputs("<dt>section</dt><dd>", out);
    if (sscanf(section, "RFC %5d %39[0-9.]%n", &rfc, where, &taken) >= 1 && rfc > 0) {
        size_t len = strlen(where);
        if (len > 0 && where[len - 1] == '.')
            where[len - 1] = 0;
        fprintf(out, "<a href=\"https://www.rfc-editor.org/rfc/rfc%d%s%s\">", rfc, where[0] != 0 ? "#section-" : "", where);
        markup_text(out, section);
        fputs("</a>", out);
    } else {
        markup_text(out, section);
    }
    fputs("</dd>\n", out);
}

static void page_facts(const struct report *r, const struct report_case *c, FILE *out)
{
    fputs("<dl>\n", out);
    page_fact(out, "title", c->title);
    page_fact(out, "level", c->level);
    page_section(out, c->section);
    page_words(out, "shows", c->covers);
    page_fact(out, "family", c->family);
    page_words(out, "needs", c->needs);
    page_words(out, "rows wanted", c->rows);
    page_fact(out, "rows fired", c->outcome.rows);
    page_fact(out, "what happened", c->outcome.reason);
    page_fact(out, "matter of taste", c->outcome.taste);
    page_fact(out, "last row", c->outcome.strict == OUTCOME_PASS ? NULL : c->outcome.row);
    page_fact(out, "known failure", c->known ? c->known_reason : NULL);
    page_fact(out, "target", r->target);
    if (c->facts != NULL) {
        fputs("<dt>connections</dt><dd><pre>", out);
        markup_text(out, c->facts);
        fputs("</pre></dd>\n", out);
    }
    fputs("<dt>again</dt><dd><code>", out);
    markup_text(out, r->command != NULL ? r->command : "weir-vectors");
    fputs(" ", out);
    markup_text(out, c->id);
    fputs("</code></dd>\n</dl>\n", out);
}

/* The script with its lines numbered; the one where it ended is marked. */
static void page_script(const struct report_case *c, const char *text, size_t len, FILE *out)
{
    int number = 1;

    fputs("<h2>Script</h2>\n<pre class=\"script\">", out);
    for (size_t at = 0; at < len; number++) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t line = newline == NULL ? len - at : (size_t)(newline - text) - at;
        bool marked = number == c->outcome.line && c->outcome.strict != OUTCOME_PASS;
        fprintf(out, "<span id=\"L%d\"%s><i>%4d</i> ", number, marked ? " class=\"at\"" : "", number);
        markup_octets(out, text + at, line);
        fputs("</span>\n", out);
        at += line + 1;
    }
    fputs("</pre>\n", out);
}

void html_page(const struct report *r, int index, FILE *out)
{
    const struct report_case *c = &r->cases[index];
    char name[HTML_NAME];
    size_t len = 0;
    char *text = c->file == NULL ? NULL : tree_file_text(c->file, &len);

    html_begin(out, c->id);
    fputs("<p><a href=\"../index.html\">all vectors</a></p>\n<h1>", out);
    markup_text(out, c->id);
    fprintf(out, " <span class=\"v %s\">%s</span></h1>\n", report_verdict_name(report_verdict(c)), html_verdict(c));
    page_facts(r, c, out);
    if (c->record != NULL) {
        fputs("<h2>Ladder</h2>\n<div class=\"wide\">\n", out);
        if (text != NULL)
            ladder_remarks(c->record, text, len);
        ladder_svg(c->record, NULL, out);
        fprintf(out, "</div>\n<p><a href=\"%s.pcapng\" download>capture file (pcapng)</a></p>\n", html_name(r, index, name));
    }
    if (text != NULL)
        page_script(c, text, len, out);
    fputs("</body></html>\n", out);
    free(text);
}
