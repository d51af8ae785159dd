/* offload.c - what a TUN device does to packets or leaves to be done: the header of virtio that stands in front of each one.
 *
 * Knows Linux Documentation/networking/tuntap.rst and struct virtio_net_hdr (VIRTIO 1.2, 5.1.6); the rest of the adapter knows
 * weir_offload and weir_out.
 */
#include <linux/virtio_net.h>
#include <string.h>

#include "tun/room.h"

_Static_assert(sizeof(struct virtio_net_hdr) == WEIRI_VNET_HEADER, "the header has no padding");

weir_offload weiri_offload_read(const uint8_t octets[WEIRI_VNET_HEADER])
{
    struct virtio_net_hdr header;
    weir_offload offload;
    unsigned type;

    memcpy(&header, octets, sizeof header);
    type = header.gso_type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;
    memset(&offload, 0, sizeof offload);
    offload.checked = (header.flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID)) != 0;
    if (type == VIRTIO_NET_HDR_GSO_TCPV4 || type == VIRTIO_NET_HDR_GSO_TCPV6)
        offload.gso_size = header.gso_size;
    return offload;
}

void weiri_offload_write(uint8_t octets[WEIRI_VNET_HEADER], const weir_out *out)
{
    struct virtio_net_hdr header;
    bool v4 = out->room[out->header_at] >> 4 == 4;

    memset(&header, 0, sizeof header);
    if (out->partial) {
        header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        header.csum_start = (uint16_t)(WEIR_IP_HEADER_MAX - out->header_at);
        header.csum_offset = WEIRI_TCP_CHECKSUM_AT;
    }
    if (out->gso_size != 0) {
        header.gso_type = v4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
        header.gso_size = out->gso_size;
        header.hdr_len = out->header_len;
    }
    memcpy(octets, &header, sizeof header);
}

void weiri_offload_complete(uint8_t *packet, size_t len, size_t start, size_t offset)
{
    uint64_t sum = 0;

    if (start + offset + 2 > len)
        return;
    for (size_t i = start; i < len; i++)
        sum += (uint64_t)packet[i] << ((i - start) % 2 == 0 ? 8 : 0);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    packet[start + offset] = (uint8_t)(~sum >> 8);
    packet[start + offset + 1] = (uint8_t)~sum;
}

void weiri_offload_complete_read(const uint8_t octets[WEIRI_VNET_HEADER], uint8_t *packet, size_t len)
{
    struct virtio_net_hdr header;

    memcpy(&header, octets, sizeof header);
    if ((header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0)
        weiri_offload_complete(packet, len, header.csum_start, header.csum_offset);
}
