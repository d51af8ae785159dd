/* report_html.c - the report as pages to look at: an index, and for each scenario a page and a capture file. Nothing in them comes from
 * elsewhere, and all but the filter box works without scripts. */
#include "report_html.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "markup.h"

static const char html_style[] =
    ":root{color-scheme:light dark}"
    "body{font:15px/1.45 ui-sans-serif,system-ui,sans-serif;margin:1.5rem auto;padding:0 1rem;max-width:75rem;"
    "background:#fff;color:#1c2733}a{color:#1f56a8}h1{font-size:1.35rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin-top:2rem}"
    "code,pre{font-family:ui-monospace,monospace;font-size:13px}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #dde3e9;vertical-align:top}"
    "td.n,th.n{text-align:right}.l{white-space:nowrap}"
    "td{overflow-wrap:anywhere}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#5b6b7b}dd{margin:0;"
    "overflow-wrap:anywhere}.wide{overflow-x:auto}pre.script{overflow-x:auto;background:#f3f6f9;padding:.7rem}pre.script i{color:#8996a3}"
    ".at{background:#ffe1de;display:inline-block;min-width:100%}.v{border-radius:.6rem;padding:0 .5rem;font-size:13px;white-space:nowrap;"
    "background:#e8eef5}.pass{background:#d9f2e2}.fail,.dead,.broken,.unexpected{background:#ffd9d5}.known{background:#fdebc4}"
    "summary{cursor:pointer;padding:.25rem 0}input{font:inherit;width:min(30rem,100%);padding:.3rem .5rem}.figures{display:flex;"
    "flex-wrap:wrap;gap:.6rem;padding:0;list-style:none}[hidden]{display:none!important}"
    "@media(prefers-color-scheme:dark){body{background:#14181d;color:#e3e8ee}a{color:#8ab8ff}th,td{border-color:#2c3640}dt{color:#9aa8b5}"
    "pre.script{background:#1b2129}.at{background:#5a2320}.v{background:#26303a}.pass{background:#174a2e}"
    ".fail,.dead,.broken,.unexpected{background:#6b211c}.known{background:#5a4410}}";

/* Rows that do not have every word of the box in them are hidden, folded families with a hit are opened; the box begins with what stands
 * behind # in the address. */
static const char html_filter[] =
    "<script>\n"
    "const box=document.getElementById('filter'),rows=[...document.querySelectorAll('tr[data-case]')],"
    "text=rows.map(r=>r.textContent.toLowerCase()),folds=[...document.querySelectorAll('details')],was=folds.map(f=>f.open);\n"
    "function filter(){const words=box.value.toLowerCase().split(/\\s+/).filter(w=>w);let shown=0;"
    "rows.forEach((r,i)=>{const hit=words.every(w=>text[i].includes(w));r.hidden=!hit;shown+=hit});"
    "folds.forEach((f,i)=>{const hits=f.querySelector('tr[data-case]:not([hidden])')!==null;f.hidden=!hits;"
    "f.open=words.length?hits:was[i]});"
    "document.getElementById('shown').textContent=shown+' of '+rows.length}\n"
    "box.addEventListener('input',filter);box.value=decodeURIComponent(location.hash.slice(1));filter();\n"
    "</script>\n";

const char *html_name(const struct report *r, int index, char name[HTML_NAME])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    const char *id = r->cases[index].id;
    size_t len = 0;
    bool same = true;

    for (; id[len] != 0 && len < HTML_NAME - 16; len++) {
        bool good = strchr(plain, id[len]) != NULL;
        name[len] = good ? id[len] : id[len] == '/' ? '~' : '_';
        same = same && (good || id[len] == '/');
    }
    name[len] = 0;
    if (!same || id[len] != 0) /* two ids must not meet in one file */
        snprintf(name + len, 16, "-%d", index);
    return name;
}

void html_begin(FILE *out, const char *title)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
          "<link rel=\"icon\" href=\"data:,\"><title>", out);
    markup_text(out, title);
    fprintf(out, "</title>\n<style>%s</style></head>\n<body>\n", html_style);
}

const char *html_verdict(const struct report_case *c)
{
    enum report_verdict v = report_verdict(c);

    return v == REPORT_PASS && c->outcome.strict != OUTCOME_PASS ? "pass in meaning" : report_verdict_name(v);
}

bool html_is_bad(const struct report_case *c)
{
    enum report_verdict v = report_verdict(c);

    return v == REPORT_FAIL || v == REPORT_BROKEN || v == REPORT_DEAD || v == REPORT_UNEXPECTED;
}

static bool html_has_page(const struct report_case *c)
{
    return c->kind == VECTOR_SCENARIO;
}

/* ---- the index ---- */

static const char *html_text(const char *text, const char *otherwise)
{
    return text != NULL && *text != 0 ? text : otherwise;
}

/* The cases in an order of their own. */
struct html_list {
    const struct report *report;
    int *index;
    int count;
};

static int html_level(const struct report_case *c)
{
    static const char *const levels[] = {"MUST", "SHOULD", "MAY", "practice"};
    int i = 0;

    while (i < 4 && strcmp(html_text(c->level, ""), levels[i]) != 0)
        i++;
    return i;
}

static int html_by_section(const void *a, const void *b, void *self)
{
    const struct report *r = self;
    const struct report_case *x = &r->cases[*(const int *)a], *y = &r->cases[*(const int *)b];
    int order = strverscmp(html_text(x->section, "~"), html_text(y->section, "~"));

    return order != 0 ? order : html_level(x) != html_level(y) ? html_level(x) - html_level(y) : *(const int *)a - *(const int *)b;
}

static int html_by_family(const void *a, const void *b, void *self)
{
    const struct report *r = self;
    const char *x = html_text(r->cases[*(const int *)a].family, ""), *y = html_text(r->cases[*(const int *)b].family, "");

    return strcmp(x, y) != 0 ? strcmp(x, y) : strverscmp(r->cases[*(const int *)a].id, r->cases[*(const int *)b].id);
}

static void html_figures(const struct html_list *l, FILE *out)
{
    int counts[REPORT_UNEXPECTED + 1] = {0}, taste = 0, families = 0, alone = 0;
    const struct report *r = l->report;
    const char *last = "";

    for (int i = 0; i < l->count; i++) {
        const struct report_case *c = &r->cases[l->index[i]];
        const char *family = html_text(c->family, "");
        counts[report_verdict(c)]++;
        taste += report_verdict(c) == REPORT_PASS && c->outcome.strict != OUTCOME_PASS;
        alone += *family == 0;
        families += *family != 0 && strcmp(family, last) != 0;
        last = family;
    }
    fprintf(out, "<ul class=\"figures\"><li class=\"v\"><b id=\"total\">%d</b> vectors: %d by themselves and %d families</li>\n", r->count,
            alone, families);
    for (int v = 0; v <= REPORT_UNEXPECTED; v++) {
        const char *name = report_verdict_name((enum report_verdict)v);
        if (counts[v] > 0)
            fprintf(out, "<li class=\"v %s\"><b>%d</b> %s</li>\n", name, counts[v], name);
    }
    if (taste > 0)
        fprintf(out, "<li class=\"v\"><b>%d</b> of them in meaning only</li>\n", taste);
    fputs("</ul>\n", out);
}

/* Cases of one section and level: a row of the table. */
static void html_section(const struct html_list *l, int from, int to, FILE *out)
{
    const struct report_case *first = &l->report->cases[l->index[from]];
    int strict = 0, meaning = 0, bad = 0, unsupported = 0, known = 0;

    for (int i = from; i < to; i++) {
        const struct report_case *c = &l->report->cases[l->index[i]];
        enum report_verdict v = report_verdict(c);
        strict += v == REPORT_PASS && c->outcome.strict == OUTCOME_PASS;
        meaning += v == REPORT_PASS && c->outcome.strict != OUTCOME_PASS;
        bad += html_is_bad(c);
        unsupported += v == REPORT_UNSUPPORTED;
        known += v == REPORT_KNOWN;
    }
    fputs("<tr><td>", out);
    markup_text(out, html_text(first->section, "(no section)"));
    fputs("</td><td>", out);
    markup_text(out, html_text(first->level, ""));
    fprintf(out, "</td><td class=\"n\">%d</td><td class=\"n\">%d</td><td class=\"n\">%d</td>", to - from, strict, meaning);
    fprintf(out, bad > 0 ? "<td class=\"n\"><span class=\"v fail\">%d</span></td>" : "<td class=\"n\">%d</td>", bad);
    fprintf(out, "<td class=\"n\">%d</td><td class=\"n\">%d</td></tr>\n", unsupported, known);
}

static void html_sections(const struct html_list *l, FILE *out)
{
    int from = 0;

    fputs("<h2>By section and level</h2>\n<table><tr><th>section</th><th>level</th><th class=\"n\">vectors</th><th class=\"n\">pass</th>"
          "<th class=\"n\">in meaning</th><th class=\"n\">failed</th><th class=\"n\">unsupported</th>"
          "<th class=\"n\">known</th></tr>\n", out);
    for (int i = 1; i <= l->count; i++) {
        const struct report_case *a = &l->report->cases[l->index[i - 1]];
        const struct report_case *b = &l->report->cases[l->index[i < l->count ? i : from]];
        if (i < l->count && strcmp(html_text(a->section, ""), html_text(b->section, "")) == 0 && html_level(a) == html_level(b))
            continue;
        html_section(l, from, i, out);
        from = i;
    }
    fputs("</table>\n", out);
}

static void html_case(const struct report *r, int index, FILE *out)
{
    const struct report_case *c = &r->cases[index];
    char name[HTML_NAME];

    fprintf(out, "<tr data-case><td><span class=\"v %s\">%s</span></td><td>", report_verdict_name(report_verdict(c)), html_verdict(c));
    if (html_has_page(c)) {
        fprintf(out, "<a href=\"cases/%s.html\">", html_name(r, index, name));
        markup_text(out, c->id);
        fputs("</a>", out);
    } else {
        markup_text(out, c->id);
    }
    fputs("<br>", out);
    markup_text(out, c->title);
    if (c->outcome.strict != OUTCOME_PASS) {
        fputs("<br><small>", out);
        markup_text(out, c->known ? c->known_reason : c->outcome.reason);
        fputs("</small>", out);
    }
    fputs("</td><td class=\"l\">", out);
    markup_text(out, html_text(c->level, ""));
    fputs("</td><td>", out);
    markup_text(out, html_text(c->section, ""));
    fputs("</td></tr>\n", out);
}

static void html_failures(const struct html_list *l, FILE *out)
{
    int bad = 0;

    for (int i = 0; i < l->count; i++)
        bad += html_is_bad(&l->report->cases[l->index[i]]);
    if (bad == 0 && l->report->unknown_known_count == 0)
        return;
    fprintf(out, "<details open id=\"failures\"><summary><b>Failures: %d</b></summary>\n<table>\n", bad);
    for (int i = 0; i < l->count; i++)
        if (html_is_bad(&l->report->cases[l->index[i]]))
            html_case(l->report, l->index[i], out);
    fputs("</table></details>\n", out);
    for (int i = 0; i < l->report->unknown_known_count; i++) {
        fputs("<p class=\"v fail\">in the list of known failures, and no vector: ", out);
        markup_text(out, l->report->unknown_known[i]);
        fputs("</p>\n", out);
    }
}

/* All that did not fail; those of one family under one line. */
static void html_families(const struct html_list *l, FILE *out)
{
    const char *open = NULL;
    const struct report *r = l->report;

    fputs("<h2>All that did not fail</h2>\n", out);
    for (int i = 0; i < l->count; i++) {
        const char *family = html_text(r->cases[l->index[i]].family, "");
        int size = 1;
        if (html_is_bad(&r->cases[l->index[i]]))
            continue;
        if (open == NULL || strcmp(open, family) != 0) {
            fputs(open != NULL ? "</table></details>\n" : "", out);
            while (i + size < l->count && strcmp(html_text(r->cases[l->index[i + size]].family, ""), family) == 0)
                size++;
            fprintf(out, "<details%s><summary>", *family == 0 ? " open" : "");
            markup_text(out, *family == 0 ? "By themselves" : family);
            fprintf(out, " (%d)</summary>\n<table>\n", size);
            open = family;
        }
        html_case(r, l->index[i], out);
    }
    fputs(open != NULL ? "</table></details>\n" : "", out);
}

static void html_index(struct html_list *l, FILE *out)
{
    const struct report *r = l->report;

    html_begin(out, "weir's vectors");
    fputs("<h1>weir's vectors, against ", out);
    markup_text(out, html_text(r->target, "weir"));
    fputs("</h1>\n<p>", out);
    fprintf(out, "%s%s%.1f s; <code>", r->profile != NULL ? r->profile : "", r->profile != NULL ? "; " : "", r->seconds);
    markup_text(out, html_text(r->command, "weir-vectors"));
    fputs("</code></p>\n", out);
    qsort_r(l->index, (size_t)l->count, sizeof *l->index, html_by_family, (void *)(uintptr_t)r);
    html_figures(l, out);
    fputs("<p><input id=\"filter\" type=\"search\" placeholder=\"words: id, section, level, verdict\" aria-label=\"filter\"> "
          "<span id=\"shown\"></span></p>\n", out);
    html_failures(l, out);
    qsort_r(l->index, (size_t)l->count, sizeof *l->index, html_by_section, (void *)(uintptr_t)r);
    html_sections(l, out);
    qsort_r(l->index, (size_t)l->count, sizeof *l->index, html_by_family, (void *)(uintptr_t)r);
    html_families(l, out);
    fprintf(out, "%s</body></html>\n", html_filter);
}

/* ---- files ---- */

FILE *html_open(const char *folder, const char *name, const char *ending, char *path, size_t cap)
{
    int len = snprintf(path, cap, "%s/%s%s", folder, name, ending);
    if (len < 0 || (size_t)len >= cap)
        errno = ENAMETOOLONG;
    FILE *out = len >= 0 && (size_t)len < cap ? fopen(path, "w") : NULL;
    if (out == NULL)
        fprintf(stderr, "weir-vectors: %s: %s\n", path, strerror(errno));
    return out;
}

bool html_close(FILE *out, const char *path)
{
    bool good = fflush(out) == 0 && ferror(out) == 0;

    good = fclose(out) == 0 && good;
    if (!good)
        fprintf(stderr, "weir-vectors: %s: %s\n", path, strerror(errno));
    return good;
}

static bool html_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    fprintf(stderr, "weir-vectors: %s: %s\n", path, strerror(errno));
    return false;
}

static bool html_cases(const struct report *r, const char *folder)
{
    char path[4096], name[HTML_NAME];

    for (int i = 0; i < r->count; i++) {
        if (!html_has_page(&r->cases[i]))
            continue;
        FILE *out = html_open(folder, html_name(r, i, name), ".html", path, sizeof path);
        if (out == NULL)
            return false;
        html_page(r, i, out);
        if (!html_close(out, path))
            return false;
        if (r->cases[i].record == NULL)
            continue;
        out = html_open(folder, name, ".pcapng", path, sizeof path);
        if (out == NULL)
            return false;
        pcapng_write(&r->cases[i], out);
        if (!html_close(out, path))
            return false;
    }
    return true;
}

bool report_html(const struct report *r, const char *path)
{
    struct html_list list = {r, calloc((size_t)r->count + 1, sizeof *list.index), r->count};
    char folder[4000], file[4096];
    bool good = list.index != NULL && strlen(path) < 3900;

    snprintf(folder, sizeof folder, "%.3900s/cases", path);
    good = good && html_folder(path) && html_folder(folder);
    FILE *out = good ? html_open(path, "index", ".html", file, sizeof file) : NULL;
    if (out != NULL) {
        for (int i = 0; i < r->count; i++)
            list.index[i] = i;
        html_index(&list, out);
        good = html_close(out, file) && html_cases(r, folder);
    }
    free(list.index);
    return good && out != NULL;
}
