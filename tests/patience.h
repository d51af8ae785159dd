/* patience.h - how often is enough: fewer repetitions where each takes ten times as long (sanitizers, an emulated processor). */
#ifndef PATIENCE_H
#define PATIENCE_H

#include <stdlib.h>

/* `whole`, or `fewer` where the environment has WEIR_TESTS_BRIEF. What a repetition asserts is the same. */
static inline unsigned patience(unsigned whole, unsigned fewer)
{
    return getenv("WEIR_TESTS_BRIEF") != NULL ? fewer : whole;
}

#endif
