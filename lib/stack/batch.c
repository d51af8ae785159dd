/* batch.c - packets that came together: what each will need is on its way from memory before its turn comes.
 *
 * With very many connections a packet meets a record that nothing has touched for long, and waits for memory three times: the table, the
 * record, the rest of it. Here the waits of several packets are one. Knows where a usual packet has its sockets; what is unusual is not
 * looked at beforehand, and judged in arrive.c like everything else. */
#include "stack/room.h"

#define BATCH_GROUP 8u

/* The sockets that a packet seems to name; nothing is verified. */
static bool batch_tuple(const weir_slice *packet, weir_tuple *tuple)
{
    const uint8_t *at = packet->octets;
    uint32_t ports;
    if (packet->len >= WEIRI_IP4_HEADER + 20 && at[0] == 0x45) {
        tuple->remote = weir_addr_v4(at[12], at[13], at[14], at[15]);
        tuple->local = weir_addr_v4(at[16], at[17], at[18], at[19]);
        ports = WEIRI_IP4_HEADER;
    } else if (packet->len >= WEIRI_IP6_HEADER + 20 && at[0] >> 4 == 6) {
        memcpy(tuple->remote.octets, at + 8, 16);
        memcpy(tuple->local.octets, at + 24, 16);
        ports = WEIRI_IP6_HEADER;
    } else {
        return false;
    }
    tuple->remote_port = base_get16(at + ports);
    tuple->local_port = base_get16(at + ports + 2);
    return true;
}

static bool batch_is_plain(const weir_slice *packet)
{
    return packet->len >= WEIRI_IP4_HEADER + 20 && packet->octets[0] == 0x45;
}

/* Does it name the sockets of the packet before it, in this group or the last that was taken? Packets come in trains. */
static bool batch_follows(const weir_stack *s, const weir_slice *packets, size_t k)
{
    if (!batch_is_plain(&packets[k]) || (k > 0 ? !batch_is_plain(&packets[k - 1]) : !s->train.on)) {
        return false;
    }
    const uint8_t *before = k > 0 ? packets[k - 1].octets : s->train.headers;
    return memcmp(packets[k].octets + 12, before + 12, 12) == 0;
}

/* The records of a group are fetched; three rounds, so that no address is needed before it has come. `found`: where each will be looked for
 * first. */
static void batch_fetch(const weir_stack *s, const weir_slice *packets, size_t count, uint32_t *found)
{
    uint32_t hash[BATCH_GROUP] = {0};
    bool known[BATCH_GROUP];
    weir_tuple tuple;
    bool any = false;
    for (size_t k = 0; k < count; k++) { /* BATCH_GROUP */
        found[k] = WEIRI_NONE;
        known[k] = !batch_follows(s, packets, k) && batch_tuple(&packets[k], &tuple); /* else it is here, or on its way */
        if (known[k]) {
            any = true;
            hash[k] = weiri_demux_hash(s, &tuple);
            __builtin_prefetch(weiri_demux_head(&s->demux, hash[k]));
        }
    }
    for (size_t k = 0; any && k < count; k++) {
        found[k] = known[k] ? *weiri_demux_head(&s->demux, hash[k]) : WEIRI_NONE;
        known[k] = found[k] < s->cfg.connections_max;
        if (known[k]) {
            slot_fetch(s, found[k]);
        }
    }
    for (size_t k = 0; any && k < count; k++) {
        if (known[k]) {
            slot_fetch_record(s, found[k]);
        }
    }
}

WEIR_API void weir_stack_input_batch(weir_stack *s, const weir_slice *packets, size_t count, enum weir_verdict *verdicts, weir_us now)
{
    const weir_offload none = {false, 0};
    struct weiri_arrival p;
    p.offload = &none;
    for (size_t done = 0; done < count;) {
        uint32_t found[BATCH_GROUP];
        found[0] = WEIRI_NONE;
        const size_t group = count - done < BATCH_GROUP ? count - done : BATCH_GROUP;
        if (group > 1) {
            batch_fetch(s, packets + done, group, found);
        }
        for (size_t k = 0; k < group; k++, done++) {
            s->demux.last = found[k] < s->cfg.connections_max ? found[k] : s->demux.last; /* spares a second hash */
            p.packet = packets[done].octets;
            p.len = packets[done].len;
            const enum weir_verdict verdict = weiri_arrive(s, &p, now);
            if (verdicts != NULL) {
                verdicts[done] = verdict;
            }
        }
    }
}

#undef BATCH_GROUP
