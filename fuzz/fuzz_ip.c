/* fuzz_ip.c - whole IP packets through the IP and ICMP readers.
 *
 * Input: an octet of mode, then a packet. Mode may put the IPv4 header checksum and the ICMP checksum right, so that what lies behind them
 * is reached. Checks: a refusal leaves the output alone; a payload lies inside its packet; addresses are those that stand there; what is
 * emitted is read again; a reply to an echo carries a checksum that is right. */
#include "fuzz.h"

enum { IP_MODE_FIX_HEADER = 1, IP_MODE_FIX_ICMP = 2 };

static enum weir_verdict ip_fuzz_read(struct weiri_ip *ip, const uint8_t *packet, size_t len)
{
    struct weiri_ip before;
    memset(&before, 0xa5, sizeof before);
    memset(ip, 0xa5, sizeof *ip);
    enum weir_verdict verdict = weiri_ip_view(ip, packet, len);
    FUZZ_CHECK((unsigned)verdict <= WEIR_IP_DESTINATION, "a verdict that is not one of IP");
    FUZZ_CHECK(verdict == WEIR_OK || memcmp(ip, &before, sizeof before) == 0, "refused, and the output was written to");
    return verdict;
}

static void ip_fuzz_fix_header(uint8_t *packet, size_t len)
{
    size_t header = len > 0 ? (packet[0] & 15u) * 4 : 0;
    if (len > 0 && packet[0] >> 4 == 4 && header >= 20 && header <= len) {
        base_put16(packet + 10, 0);
        base_put16(packet + 10, weiri_sum_finish(weiri_sum(packet, header, 0)));
    }
}

static void ip_fuzz_check(const struct weiri_ip *ip, const uint8_t *packet, size_t len)
{
    bool v4 = packet[0] >> 4 == 4;
    size_t fixed = v4 ? 20 : 40;
    FUZZ_CHECK(ip->version == packet[0] >> 4, "version");
    FUZZ_CHECK(ip->payload >= packet + fixed && ip->payload <= packet + len, "the payload begins outside the packet");
    FUZZ_CHECK(ip->payload_len <= (size_t)(packet + len - ip->payload), "the payload ends outside the packet");
    FUZZ_CHECK(ip->protocol == WEIRI_PROTO_TCP || ip->protocol == (v4 ? WEIRI_PROTO_ICMP : WEIRI_PROTO_ICMP6), "protocol");
    FUZZ_CHECK(weir_addr_is_v4(&ip->addrs.source) == v4 && weir_addr_is_v4(&ip->addrs.destination) == v4, "an address of the other family");
    size_t at = v4 ? 12 : 8, size = v4 ? 4 : 16;
    FUZZ_CHECK(memcmp(ip->addrs.source.octets + (v4 ? 12 : 0), packet + at, size) == 0, "source");
    FUZZ_CHECK(memcmp(ip->addrs.destination.octets + (v4 ? 12 : 0), packet + at + size, size) == 0, "destination");
    FUZZ_CHECK(ip->ttl == packet[v4 ? 8 : 7], "TTL");
}

/* The same addresses and protocol in a packet of ours are read as they were written. */
static void ip_fuzz_round_trip(const struct weiri_ip *ip)
{
    uint8_t room[WEIR_IP_HEADER_MAX + 64];
    struct weiri_ip_fields f;
    struct weiri_ip again;
    memset(&f, 0, sizeof f);
    memset(room, 0, sizeof room);
    f.addrs = ip->addrs;
    f.payload_len = ip->payload_len < 64 ? ip->payload_len : 64;
    f.protocol = ip->protocol;
    f.ttl = ip->ttl;
    f.traffic_class = ip->traffic_class;
    f.dont_fragment = true;
    size_t header = weiri_ip_emit(room + WEIR_IP_HEADER_MAX, &f);
    uint8_t *packet = fuzz_put(room + WEIR_IP_HEADER_MAX - header, header + f.payload_len);
    FUZZ_CHECK(ip_fuzz_read(&again, packet, header + f.payload_len) == WEIR_OK, "refused what was emitted");
    FUZZ_CHECK(memcmp(&again.addrs, &ip->addrs, sizeof again.addrs) == 0 && again.protocol == f.protocol && again.ttl == f.ttl &&
                   again.traffic_class == f.traffic_class && again.payload_len == f.payload_len,
               "emitted and read again is not the same");
}

static uint64_t ip_fuzz_icmp_sum(const struct weiri_ip *ip, const uint8_t *message)
{
    uint64_t sum = ip->version == 6 ? weiri_sum_pseudo(&ip->addrs, ip->payload_len, WEIRI_PROTO_ICMP6) : 0;
    return weiri_sum(message, ip->payload_len, sum);
}

static void ip_fuzz_echo(struct weiri_ip *ip, uint8_t *message)
{
    weir_pseudo turned = {ip->addrs.destination, ip->addrs.source};
    weiri_icmp_echo_reply(message, ip->payload_len);
    ip->addrs = turned;
    FUZZ_CHECK(weiri_sum_finish(ip_fuzz_icmp_sum(ip, message)) == 0, "a reply to an echo with a wrong checksum");
    FUZZ_CHECK(message[0] == (ip->version == 6 ? 129 : 0), "a reply to an echo of another type");
}

static void ip_fuzz_icmp(unsigned mode, struct weiri_ip *ip)
{
    struct weiri_icmp_view icmp, before;
    uint8_t *message = fuzz_put(ip->payload, ip->payload_len); /* it ends at the guard page even where the packet went on */
    ip->payload = message;
    if ((mode & IP_MODE_FIX_ICMP) && ip->payload_len >= 4) {
        base_put16(message + 2, 0);
        base_put16(message + 2, weiri_sum_finish(ip_fuzz_icmp_sum(ip, message)));
    }
    memset(&before, 0xa5, sizeof before);
    memset(&icmp, 0xa5, sizeof icmp);
    enum weir_verdict verdict = weiri_icmp_view(&icmp, ip);
    bool listed = verdict == WEIR_OK || (verdict >= WEIR_ICMP_TRUNCATED && verdict <= WEIR_ICMP_UNMATCHED);
    FUZZ_CHECK(listed, "a verdict that is not one of ICMP");
    if (verdict != WEIR_OK) {
        FUZZ_CHECK(memcmp(&icmp, &before, sizeof before) == 0, "refused, and the output was written to");
        FUZZ_CHECK(!(mode & IP_MODE_FIX_ICMP) || verdict != WEIR_ICMP_CHECKSUM, "the checksum is right and was refused");
        return;
    }
    if (icmp.type == WEIRI_ICMP_ECHO) {
        ip_fuzz_echo(ip, message);
        return;
    }
    bool v4 = ip->version == 4;
    FUZZ_CHECK(weir_addr_is_v4(&icmp.quoted.local) == v4 && weir_addr_is_v4(&icmp.quoted.remote) == v4, "quoted addresses of another family");
    FUZZ_CHECK(icmp.error.kind == WEIR_ICMP_TOO_BIG || icmp.error.mtu == 0, "an MTU that nobody told");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_bytes in = {data, size};
    struct weiri_ip ip;
    unsigned mode = fuzz_u8(&in);
    if (in.left > FUZZ_ROOM) {
        return 0;
    }
    size_t len = in.left;
    uint8_t *packet = fuzz_put(in.at, len);
    if (mode & IP_MODE_FIX_HEADER) {
        ip_fuzz_fix_header(packet, len);
    }
    fuzz_packet("in", 0, NULL, packet, len);
    enum weir_verdict verdict = ip_fuzz_read(&ip, packet, len);
    FUZZ_CHECK(!(mode & IP_MODE_FIX_HEADER) || verdict != WEIR_IP_CHECKSUM, "the checksum is right and was refused");
    if (verdict != WEIR_OK) {
        return 0;
    }
    ip_fuzz_check(&ip, packet, len);
    (void)weiri_addr_classify(&ip.addrs.source);
    if (ip.protocol != WEIRI_PROTO_TCP) {
        static uint8_t copy[65536 + 64];
        if (ip.payload_len <= sizeof copy) {
            memcpy(copy, ip.payload, ip.payload_len);
            ip.payload = copy;
            ip_fuzz_icmp(mode, &ip);
        }
        return 0;
    }
    ip_fuzz_round_trip(&ip);
    return 0;
}
