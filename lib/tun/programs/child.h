/* child.h - the command after "--": in the namespace, with the device up; when it ends, weir-tun does. */
#ifndef WEIR_TUN_CHILD_H
#define WEIR_TUN_CHILD_H

#include "tun/programs/app.h"

/* Forks it before privileges are dropped; it waits for child_release. True too if there is nothing to run. */
bool child_start(struct instance *in, int (*inside)(void *), void *argument);
void child_release(struct instance *in);
size_t child_fds(const struct instance *in, struct pollfd fds[1]);
void child_turn(struct instance *in, const struct pollfd *fds, size_t count);
/* Ends one that still runs. */
void child_end(struct instance *in);

#endif
