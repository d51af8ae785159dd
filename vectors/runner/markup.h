/* markup.h - text inside XML and HTML. */
#ifndef WEIR_VECTORS_MARKUP_H
#define WEIR_VECTORS_MARKUP_H

#include <stddef.h>
#include <stdio.h>

/* Text as it may stand in an element or a quoted attribute: & < > " as entities; what is no UTF-8, and controls that XML does not have,
 * as U+FFFD. NULL is nothing. */
void markup_text(FILE *out, const char *text);
void markup_octets(FILE *out, const char *text, size_t len);

#endif
