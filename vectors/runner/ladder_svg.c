/* ladder_svg.c - a ladder as a picture: SVG without scripts, fonts or anything from elsewhere; its text can be selected. The same
 * record gives the same octets. All lengths are whole numbers. */
#include "ladder.h"
#include "markup.h"

#include <string.h>

enum {
    SVG_WIDTH = 960,
    SVG_TIME = 86,      /* right edge of the times */
    SVG_STACK = 330,    /* the two lifelines */
    SVG_PEER = 780,
    SVG_SLOPE = 22,     /* how far a segment falls on its way */
    SVG_CHARS = 62      /* of small text between the lifelines */
};

/* Colours stand in it twice, without variables: some viewers of SVG know none. */
const char ladder_style[] =
    ".ladder{font-family:ui-sans-serif,system-ui,'DejaVu Sans',sans-serif;font-size:13px}"
    ".ladder .mono{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:11px}.ladder .soft{font-size:11px}"
    ".ladder .head{font-weight:600;font-size:15px}.ladder .end{font-weight:600}.ladder .note{font-size:12px}"
    ".ladder .state{font-size:11px;font-weight:600}.ladder .life{stroke-width:2}.ladder .gap{stroke-width:4}"
    ".ladder line{stroke-width:1.6}.ladder .missing{stroke-dasharray:3 5}.ladder .stray{stroke-dasharray:7 4}"
    ".ladder .paper,.ladder .option{fill:#fff}.ladder text{fill:#1c2733}.ladder text.soft{fill:#5b6b7b}.ladder text.note{fill:#7a4f00}"
    ".ladder .life{stroke:#c3ccd5}.ladder .gap{stroke:#fff}.ladder .pill,.ladder .field{fill:#e8eef5;stroke:#c3ccd5}"
    ".ladder .option{stroke:#c3ccd5}.ladder line.out{stroke:#1a6b3c}.ladder path.out,.ladder text.out{fill:#1a6b3c}"
    ".ladder line.in{stroke:#1f56a8}.ladder path.in,.ladder text.in{fill:#1f56a8}"
    ".ladder line.bad{stroke:#b3261e}.ladder path.bad,.ladder text.bad{fill:#b3261e}"
    "@media(prefers-color-scheme:dark){"
    ".ladder .paper,.ladder .option{fill:#14181d}.ladder text{fill:#e3e8ee}.ladder text.soft{fill:#9aa8b5}.ladder text.note{fill:#f0c36d}"
    ".ladder .life{stroke:#46525e}.ladder .gap{stroke:#14181d}.ladder .pill,.ladder .field{fill:#26303a;stroke:#46525e}"
    ".ladder .option{stroke:#46525e}.ladder line.out{stroke:#6fd699}.ladder path.out,.ladder text.out{fill:#6fd699}"
    ".ladder line.in{stroke:#8ab8ff}.ladder path.in,.ladder text.in{fill:#8ab8ff}"
    ".ladder line.bad{stroke:#ff8a80}.ladder path.bad,.ladder text.bad{fill:#ff8a80}}";

void ladder_svg_begin(FILE *out, const char *title, int width, int height)
{
    fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ladder\" viewBox=\"0 0 %d %d\" ", width, height);
    fprintf(out, "width=\"%d\" height=\"%d\" role=\"img\">\n<title>", width, height);
    markup_text(out, title);
    fprintf(out, "</title>\n<style>%s</style>\n<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", ladder_style, width, height);
}

static void svg_text(FILE *out, int x, int y, const char *kind, const char *anchor, const char *text)
{
    fprintf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">", kind, x, y, anchor);
    markup_text(out, text);
    fputs("</text>\n", out);
}

/* Text over lines of at most `chars` octets, broken after blanks and commas; the height it takes. Without `out`: only the height. */
static int svg_wrapped(FILE *out, int x, int y, const char *kind, const char *anchor, const char *text, size_t chars)
{
    size_t len = strlen(text);
    int height = 0, line = strcmp(kind, "head") == 0 ? 20 : 14;

    while (len > 0) { /* ends: every turn takes an octet at least */
        size_t take = ladder_break(text, len, chars);
        if (out != NULL) {
            fprintf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">", kind, x, y + height, anchor);
            markup_octets(out, text, take);
            fputs("</text>\n", out);
        }
        text += take;
        len -= take;
        height += line;
    }
    return height;
}

static void svg_pill(FILE *out, int x, int y, const char *state)
{
    int width = 16 + 8 * (int)strlen(state);

    fprintf(out, "<rect class=\"pill\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"18\" rx=\"9\"/>\n", x - width / 2, y - 13, width);
    svg_text(out, x, y, "state", "middle", state);
}

static const char *svg_kind(const struct ladder_step *step)
{
    if (step->line->kind == RECORD_MISS || step->course == LADDER_LOST)
        return "bad";
    return step->line->kind == RECORD_IN ? "in" : "out";
}

/* The way of a segment from one lifeline to the other; lost ones end in a cross, strays begin on the way. */
static void svg_arrow(FILE *out, const struct ladder_step *step, int y)
{
    bool inbound = step->line->kind == RECORD_IN, missing = step->line->kind == RECORD_MISS;
    int direction = inbound ? -1 : 1, from = inbound ? SVG_PEER : SVG_STACK, to = inbound ? SVG_STACK : SVG_PEER;
    int y1 = y, y2 = y + SVG_SLOPE, way = (SVG_PEER - SVG_STACK) / 5;
    const char *kind = svg_kind(step);

    if (step->course == LADDER_LOST) {
        to -= direction * way;
        y2 -= SVG_SLOPE / 5;
    } else if (step->course == LADDER_STRAY) {
        from += direction * way;
        y1 += SVG_SLOPE / 5;
    }
    fprintf(out, "<line class=\"%s%s%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", kind, missing ? " missing" : "",
            step->course == LADDER_STRAY ? " stray" : "", from, y1, to, y2);
    if (step->course == LADDER_LOST)
        for (int tilt = -6; tilt <= 6; tilt += 12)
            fprintf(out, "<line class=\"bad\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", to - 6, y2 - tilt, to + 6, y2 + tilt);
    else
        fprintf(out, "<path class=\"%s\" d=\"M%d %dl%d -5l0 9z\"/>\n", kind, to, y2, -11 * direction);
}

/* Below the arrow: options, remark, or what was expected and what came instead. */
static int svg_below(FILE *out, const struct ladder_step *step, int y)
{
    const struct record_line *line = step->line;
    int middle = (SVG_STACK + SVG_PEER) / 2, start = y;

    if (line->kind == RECORD_MISS) {
        y += svg_wrapped(out, middle, y, "bad mono", "middle", line->expected, SVG_CHARS);
        y += svg_wrapped(out, middle, y, "soft", "middle", line->text, SVG_CHARS);
    }
    y += svg_wrapped(out, middle, y, "soft mono", "middle", step->options, SVG_CHARS);
    y += svg_wrapped(out, middle, y, "note", "middle", line->remark, SVG_CHARS);
    return y - start;
}

static int svg_segment(FILE *out, const struct ladder_step *step, int y)
{
    int rows, below;

    if (out != NULL) {
        bool inbound = step->line->kind == RECORD_IN;
        svg_text(out, (SVG_STACK + SVG_PEER) / 2, y, svg_kind(step), "middle",
                 step->line->kind == RECORD_MISS ? "expected, and did not come" : step->label);
        svg_arrow(out, step, y + 6);
        if (step->peer != NULL)
            svg_pill(out, SVG_PEER + 90, y + (inbound ? 6 : 30), step->peer);
    }
    below = svg_below(out, step, y + 42);
    rows = step->state == NULL ? 30 : step->line->kind == RECORD_IN ? 48 : 22; /* below the state */
    rows += svg_wrapped(out, SVG_STACK - 14, y + rows, "soft mono", "end", step->rows, 26);
    return (below + 44 > rows ? below + 44 : rows) + 8;
}

/* Calls, timers and notes stand at the stack's lifeline. */
static int svg_other(FILE *out, const struct ladder_step *step, int y)
{
    const struct record_line *line = step->line;
    char text[300], when[32] = "";
    int height, rows;

    if (line->kind == RECORD_TIMER && line->timer >= line->time)
        snprintf(text, sizeof text, "%s%s%s (next in %s)", line->timer_name, line->timer_name[0] != 0 ? " " : "", line->text,
                 ladder_time(line->timer - line->time, when));
    else
        snprintf(text, sizeof text, "%s%s%s", line->timer_name, line->timer_name[0] != 0 ? " " : "", line->text);
    height = svg_wrapped(out, SVG_STACK + 14, y, line->kind == RECORD_CALL ? "mono" : "note", "start", text, SVG_CHARS);
    height += svg_wrapped(out, SVG_STACK + 14, y + height, "note", "start", line->remark, SVG_CHARS);
    rows = svg_wrapped(out, SVG_STACK - 14, y + (step->state != NULL ? 18 : 0), "soft mono", "end", step->rows, 26);
    rows += step->state != NULL ? 18 : 0;
    if (out != NULL && text[0] != 0)
        fprintf(out, "<path class=\"%s\" d=\"M%d %dl8 -5l0 9z\"/>\n", line->kind == RECORD_CALL ? "out" : "bad", SVG_STACK + 2, y - 4);
    return (height > rows ? height : rows) + (height + rows > 0 ? 8 : 22);
}

static bool svg_travels(const struct record_line *line)
{
    return line->kind == RECORD_MISS || ((line->kind == RECORD_IN || line->kind == RECORD_OUT) && line->octets != NULL);
}

/* One step at y; the height it takes. Without `out`: only the height. */
static int svg_step(FILE *out, const struct ladder_step *step, int y)
{
    char text[48], gap[32];
    int top = y;
    bool inbound = step->line->kind == RECORD_IN;

    if (step->gap >= 10000) {
        if (out != NULL) {
            for (int i = 0; i < 2; i++)
                fprintf(out, "<line class=\"gap\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke-dasharray=\"4 4\"/>\n",
                        i == 0 ? SVG_STACK : SVG_PEER, y - 8, i == 0 ? SVG_STACK : SVG_PEER, y + 20);
            snprintf(text, sizeof text, "%s later", ladder_time(step->gap, gap));
            svg_text(out, (SVG_STACK + SVG_PEER) / 2, y + 8, "soft", "middle", text);
        }
        y += 34;
    }
    if (out != NULL) {
        snprintf(text, sizeof text, "%lld.%06lld", (long long)(step->line->time / 1000000), (long long)(step->line->time % 1000000));
        svg_text(out, SVG_TIME, y + (inbound ? 30 : 4), "soft mono", "end", text);
        if (step->state != NULL)
            svg_pill(out, SVG_STACK - 90, y + (inbound && svg_travels(step->line) ? 30 : 4), step->state);
    }
    y += svg_travels(step->line) ? svg_segment(out, step, y) : svg_other(out, step, y);
    return y - top;
}

static int svg_steps(FILE *out, const struct ladder *ladder, int y)
{
    for (int i = 0; i < ladder->count; i++)
        y += svg_step(out, &ladder->steps[i], y);
    return y;
}

static void svg_ends(FILE *out, const struct ladder *ladder, int top, int bottom)
{
    svg_text(out, SVG_STACK, top, "end", "middle", "stack");
    svg_text(out, SVG_PEER, top, "end", "middle", "peer");
    svg_text(out, SVG_TIME, top, "soft", "end", "seconds");
    for (int i = 0; i < 2; i++)
        fprintf(out, "<line class=\"life\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", i == 0 ? SVG_STACK : SVG_PEER, top + 8,
                i == 0 ? SVG_STACK : SVG_PEER, bottom);
    if (ladder->state != NULL)
        svg_pill(out, SVG_STACK - 90, top + 22, ladder->state);
    svg_pill(out, SVG_PEER + 90, top + 22, ladder->peer);
}

void ladder_svg(const struct record *record, const char *title, FILE *out)
{
    struct ladder ladder;
    int top = 28, bottom, heading;

    if (!ladder_make(&ladder, record))
        return;
    heading = title == NULL ? 0 : svg_wrapped(NULL, 0, 0, "head", "", title, 96) + 4;
    top += heading;
    bottom = svg_steps(NULL, &ladder, top + 44);
    ladder_svg_begin(out, title != NULL ? title : "ladder", SVG_WIDTH, bottom + 16);
    if (title != NULL)
        svg_wrapped(out, 24, 26, "head", "start", title, 96);
    svg_ends(out, &ladder, top, bottom + 4);
    svg_steps(out, &ladder, top + 44);
    if (ladder.count == 0)
        svg_text(out, (SVG_STACK + SVG_PEER) / 2, top + 40, "soft", "middle", "nothing happened");
    fputs("</svg>\n", out);
    ladder_free(&ladder);
}
