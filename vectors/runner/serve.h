/* serve.h - any struct target as an adapter: the answering end of the line protocol (FORMAT.md). */
#ifndef WEIR_VECTORS_SERVE_H
#define WEIR_VECTORS_SERVE_H

#include "target.h"

/* Answers the commands that come in on `in` until "quit" or the end; the exit status of the program. */
int serve(struct target *t, int in, int out);

/* The same for a stack whose state cannot be wiped: each reset but the first is answered by a new process, a fork of this one
 * in which `make` builds the target. This process must not have touched the stack. */
int serve_forked(struct target *(*make)(char *why, size_t cap), int in, int out);

#endif
