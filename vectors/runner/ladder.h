/* ladder.h - a record as the steps of a ladder, for whoever draws it: ladder.c as text, ladder_svg.c as a picture. */
#ifndef WEIR_VECTORS_LADDER_H
#define WEIR_VECTORS_LADDER_H

#include "report.h"

/* How a segment travels. */
enum ladder_course {
    LADDER_ARRIVES,
    LADDER_LOST,  /* said by a remark "lost ...", or sent again by the stack and never acknowledged in between */
    LADDER_STRAY  /* said by a remark "old ..." or "forged ...": not what this peer sends now */
};
struct ladder_step {
    const struct record_line *line;
    enum ladder_course course;
    char label[120];     /* of a segment: names of flags, numbers, window */
    char options[200];   /* of a segment: as the script writes them; empty */
    const char *state;   /* of the stack, where it changes; NULL */
    const char *peer;    /* the same of the peer, inferred */
    const char *rows;    /* that fired; empty */
    int64_t gap;         /* microseconds since the step before */
};
struct ladder {
    const struct record *record;
    struct ladder_step *steps;
    int count;
    const char *state, *peer;   /* at the beginning; NULL: not told */
};

/* The steps worth drawing. False: no memory. */
bool ladder_make(struct ladder *ladder, const struct record *record);
void ladder_free(struct ladder *ladder);

/* "1.250 s", "40 ms", "7 us". */
const char *ladder_time(int64_t us, char text[32]);

/* Takes the comments at the ends of a script's lines into the remarks of the record. */
void ladder_remarks(struct record *record, const char *script, size_t len);

/* header_svg.c: the header of a TCP segment, field by field, from the octets of an IP packet. False: it is none. */
bool header_text(const struct packet *packet, const uint8_t *octets, size_t len, FILE *out);
bool header_svg(const struct packet *packet, const uint8_t *octets, size_t len, const char *title, FILE *out);

/* How many octets of a text stand on one line of `room`: to a blank or comma where there is one, never inside a character. */
size_t ladder_break(const char *text, size_t len, size_t room);

/* The beginning of a picture: its element, title, style and paper. */
void ladder_svg_begin(FILE *out, const char *title, int width, int height);
/* The style that every picture and page shares: colours for light and dark. */
extern const char ladder_style[];

#endif
