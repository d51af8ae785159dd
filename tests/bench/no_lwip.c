/* no_lwip.c - in place of lwip.c where liblwip is not installed: no cases. */
#include "bench.h"

const struct bench_case bench_lwip[] = {{0}};
