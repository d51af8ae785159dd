/* seeds.h - seeds that once failed, and what each found. They run before all others, for ever.
 *
 * A seed means the same scenario only as long as scenario.c draws it so: append to its questions, do not reorder them. */
#ifndef SIM_SEEDS_H
#define SIM_SEEDS_H

#include "sim.h"

static const struct {
    uint64_t seed;
    enum sim_profile profile;
    const char *found;
} sim_seeds[] = {
    {0, SIM_ANY, "the first seed of all: here so that the table is never empty"},
};

#endif /* SIM_SEEDS_H */
