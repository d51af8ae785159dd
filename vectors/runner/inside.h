/* inside.h - what the two targets inside this process share: a configuration from words, calls on one connection, rows that fired. */
#ifndef WEIR_VECTORS_INSIDE_H
#define WEIR_VECTORS_INSIDE_H

#include "conn/conn.h"
#include "target.h"
#include "weir/stack.h"

#define INSIDE_EPOCH ((weir_us)3600 * 1000000) /* the time of a stack that is fresh: no timer was ever before 0 */

/* A configuration as settings change it. */
struct inside_config {
    weir_stack_config stack;
    bool iss_set;
    uint32_t iss, backlog;
};
void inside_config_init(struct inside_config *config, const struct target_world *world);
/* A setting of FORMAT.md's list: 0, ANSWER_UNIMPLEMENTED, or ANSWER_ERRNO(EINVAL). */
answer inside_config_set(struct inside_config *config, const char *name, const char *value);
weir_addr inside_addr(const struct target_world *world, const uint8_t *octets);
bool inside_has(const char *need);
/* RFC 6528's clock gives a connection between these sockets the configured ISS so much later than `now`. */
weir_us inside_iss_delay(const struct inside_config *config, const weir_tuple *tuple, weir_us now);

/* What the user of one socket has asked for, and what he was told. */
struct inside_user {
    bool told_error, told_connected, deaf, cork; /* deaf: SHUT_RD */
    int64_t nodelay, keepalive, user_timeout, dscp, linger; /* socket options; -1: never set */
};
void inside_user_init(struct inside_user *user);
/* Keeps a socket option; `c` NULL: there is no connection yet. */
answer inside_option(struct inside_user *user, weir_conn *c, weir_us now, const char *name, int64_t value);
/* A new connection with the options that were set before there was one. */
void inside_apply(const struct inside_user *user, weir_conn *c, weir_us now);
answer inside_errno(weir_err err);
answer inside_send(struct inside_user *user, weir_conn *c, weir_us now, weir_slice octets, int flags);
answer inside_recv(struct inside_user *user, weir_conn *c, weir_us now, weir_slice room, int flags);
answer inside_shutdown(struct inside_user *user, weir_conn *c, weir_us now, int how);
answer inside_ready(const struct inside_user *user, const weir_conn *c);
answer inside_error(struct inside_user *user, const weir_conn *c);
answer inside_queued(const weir_conn *c, bool sent);
void inside_info(const weir_conn *c, struct target_info *info);

/* ---- rows: fsm.c tells each that fires ---- */
void weir_row_hook(unsigned row, unsigned state);
void inside_rows_forget(void); /* those since the trace before */
void inside_trace(struct target_trace *trace, const char *state);

#endif
