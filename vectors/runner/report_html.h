/* report_html.h - what the files of the HTML report share. */
#ifndef WEIR_VECTORS_REPORT_HTML_H
#define WEIR_VECTORS_REPORT_HTML_H

#include "report.h"

/* The name of a case's page and capture in the folder "cases", without ending: its id, with "~" for "/". */
#define HTML_NAME 160
const char *html_name(const struct report *r, int index, char name[HTML_NAME]);
/* Element and style of a page up to its body's beginning. */
void html_begin(FILE *out, const char *title);
/* "pass", "in meaning", "fail"...: the word of a case, and the class of its colour. */
const char *html_verdict(const struct report_case *c);
bool html_is_bad(const struct report_case *c);
/* Opens a file to be written, or says why not. */
FILE *html_open(const char *folder, const char *name, const char *ending, char *path, size_t cap);
bool html_close(FILE *out, const char *path);

/* report_page.c: the page of one scenario. */
void html_page(const struct report *r, int index, FILE *out);
/* report_pcapng.c: its packets for Wireshark and tcpdump, with what happened at each as a comment. */
void pcapng_write(const struct report_case *c, FILE *out);

#endif
