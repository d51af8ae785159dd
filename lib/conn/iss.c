/* iss.c - numbers that an outsider must not guess: initial sequence numbers and timestamp offsets, from the secret.
 *
 * RFC 6528 3: ISN = M + F(sockets, secret), M a clock of 4 microseconds (MUST-8, MUST-9, SHLD-1). RFC 7323 7.1: the timestamp offset. */
#include "conn/conn.h"

WEIR_PRIVATE size_t weiri_sockets_text(uint8_t text[WEIRI_SOCKETS_TEXT], const weir_tuple *tuple)
{
    const size_t from = weir_addr_is_v4(&tuple->local) ? 12 : 0, len = 16 - from;
    memcpy(text, tuple->local.octets + from, len);
    memcpy(text + len, tuple->remote.octets + from, len);
    base_put32(text + 2 * len, (uint32_t)tuple->local_port << 16 | tuple->remote_port);
    return 2 * len + 4;
}

/* One keyed function, two uses: each has a half of what it gives, and no half of a keyed hash tells of the other. */
WEIR_PRIVATE uint64_t weiri_numbers(const weir_config *cfg, const weir_tuple *tuple)
{
    uint8_t text[WEIRI_SOCKETS_TEXT];
    const size_t len = weiri_sockets_text(text, tuple);
    return weir_siphash(cfg->secret, text, len);
}

WEIR_PRIVATE uint32_t weiri_ts_now(const weir_conn *c)
{
    return (uint32_t)(c->now / 1000) + c->ts.offset;
}
