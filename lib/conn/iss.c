/* iss.c - numbers that an outsider must not guess: initial sequence numbers and timestamp offsets, from the secret.
 *
 * RFC 6528 3: ISN = M + F(sockets, secret), M a clock of 4 microseconds (MUST-8, MUST-9, SHLD-1). RFC 7323 7.1: the timestamp offset. */
#include "conn/conn.h"

/* One keyed function, two uses: the purpose is hashed too, so that neither number tells the other. */
static uint64_t iss_hash(const weir_config *cfg, const weir_tuple *tuple, uint8_t purpose)
{
    uint8_t input[37];
    memcpy(input, tuple->local.octets, 16);
    memcpy(input + 16, tuple->remote.octets, 16);
    base_put16(input + 32, tuple->local_port);
    base_put16(input + 34, tuple->remote_port);
    input[36] = purpose;
    return weir_siphash(cfg->secret, input, sizeof input);
}

WEIR_PRIVATE weir_seq weiri_iss(const weir_config *cfg, const weir_tuple *tuple, weir_us now)
{
    return seq_of((uint32_t)iss_hash(cfg, tuple, 'i') + (uint32_t)(now >> 2));
}

WEIR_PRIVATE uint32_t weiri_ts_offset(const weir_config *cfg, const weir_tuple *tuple)
{
    return (uint32_t)iss_hash(cfg, tuple, 't');
}

WEIR_PRIVATE uint32_t weiri_ts_now(const weir_conn *c)
{
    return (uint32_t)(c->now / 1000) + c->ts.offset;
}
