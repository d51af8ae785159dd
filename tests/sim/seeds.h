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
    {208, SIM_CLEAN, "SEND with MORE filled the send ring, and the ring waited 200 ms for what could not come"},
    {319, SIM_ANY, "no fault: the acknowledgments of an hour are lost, and the persist and retransmission timers must go on"},
};

#endif /* SIM_SEEDS_H */
