/* tun.c - the adapter's object: from a configuration to a device, a stack and links that belong together, and back.
 *
 * Knows what is set up in which order and undone in which; packets move in loop.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "tun/room.h"

/* ---- configuration ---- */

void weir_tun_config_init(weir_tun_config *config)
{
    memset(config, 0, sizeof *config);
    config->fd = -1;
    config->mtu = 1500;
    config->batch = 64;
    config->link_memory = 32u << 20;
    (void)weir_parse_prefix("10.77.0.2/24", &config->addr4);
    (void)weir_parse_prefix("fd77::2/64", &config->addr6);
    weir_link_config_init(&config->in);
    weir_link_config_init(&config->out);
}

/* The first address of the network that is not weir's own; the other one of a network of two. */
weir_addr weir_tun_default_peer(const weir_prefix *own)
{
    unsigned bits = weir_addr_is_v4(&own->addr) ? 32 : 128;
    weir_addr peer = own->addr;

    if (own->len + 1u >= bits) {
        peer.octets[15] ^= 1;
        return peer;
    }
    for (unsigned bit = 128 - (bits - own->len); bit < 128; bit++)
        peer.octets[bit / 8] &= (uint8_t)~(0x80u >> bit % 8);
    peer.octets[15] |= 1;
    if (weir_addr_equal(&peer, &own->addr))
        peer.octets[15] ^= 3; /* .1 is weir's: .2 */
    return peer;
}

static bool tun_address(weir_tun *t, const weir_prefix *own, const weir_addr *peer, weir_addr *peer_used,
                        weir_fault *fault)
{
    struct weiri_address *address = &t->addresses[t->address_count];
    bool v4 = peer_used == &t->peer4;
    unsigned bits = v4 ? 32 : 128;

    if (own->len == 0)
        return true;
    if (weir_addr_is_v4(&own->addr) != v4 || own->len > bits || weir_addr_is_unspecified(&own->addr))
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, v4 ? "like 10.77.0.2/24" : "like fd77::2/64",
                           "weir's address is no %s address", v4 ? "IPv4" : "IPv6");
    address->own = *own;
    address->peer = weir_addr_is_unspecified(peer) ? weir_tun_default_peer(own) : *peer;
    if (weir_addr_is_v4(&address->peer) != v4)
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "give both of one family",
                           "the peer's address and weir's are of different families");
    if (weir_addr_equal(&address->peer, &own->addr))
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "the peer is the kernel, weir is the other host on the link",
                           "the peer's address and weir's are the same");
    *peer_used = address->peer;
    t->address_count++;
    return true;
}

static bool tun_check(const weir_tun_config *config, weir_fault *fault)
{
    if (config->mtu < 68 || config->mtu > 65535)
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "68 to 65535 octets", "an MTU of %u is out of range",
                           config->mtu);
    if (config->mtu < 1280 && config->addr6.len != 0)
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "take 1280 or more, or no IPv6 address (RFC 8200 5)",
                           "an MTU of %u is too small for IPv6", config->mtu);
    if (config->addr4.len == 0 && config->addr6.len == 0)
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "give it an IPv4 or an IPv6 address", "weir has no address");
    if (config->route_count > WEIR_TUN_ROUTES_MAX)
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, NULL, "more than %d routes", WEIR_TUN_ROUTES_MAX);
    if (config->unshare && config->fd >= 0)
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "leave one of them out",
                           "an open descriptor stays in its own namespace");
    return true;
}

static bool tun_random(void *octets, size_t len)
{
    ssize_t n;

    do
        n = getrandom(octets, len, 0); /* up to 256 octets come at once or not at all */
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len;
}

bool weiri_seed(uint64_t *seed, weir_fault *fault)
{
    if (*seed != 0 || tun_random(seed, sizeof *seed))
        return true;
    return weiri_fault(fault, WEIR_FAULT_FAILED, errno, "the kernel must have getrandom(2)", "no random numbers");
}

/* ---- parts ---- */

bool weiri_way_open(struct weiri_way *way, const weir_link_config *config, uint64_t seed, size_t memory, weir_fault *fault)
{
    way->config = *config;
    way->config.seed = seed;
    if (memory < WEIR_LINK_MEMORY_MIN)
        memory = WEIR_LINK_MEMORY_MIN;
    way->memory = mmap(NULL, memory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (way->memory == MAP_FAILED) {
        way->memory = NULL;
        return weiri_fault(fault, WEIR_FAULT_FAILED, errno, "give the link less memory",
                           "no memory for packets under way");
    }
    way->memory_len = memory;
    way->link = weir_link_init(way->memory, memory, &way->config);
    if (way->link == NULL)
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0,
                           "shares up to 100%, times up to a day, rates up to 1000gbit, runs up to 1000 packets, 8 patterns",
                           "the impairment of the link is out of range");
    return true;
}

/* Only a way that is impaired needs a link. */
static bool tun_way_open(struct weiri_way *way, const weir_link_config *config, uint64_t seed, size_t memory,
                         weir_fault *fault)
{
    if (!weir_link_config_idle(config))
        return weiri_way_open(way, config, seed, memory, fault);
    way->config = *config;
    way->config.seed = seed;
    return true;
}

void weiri_way_close(struct weiri_way *way)
{
    if (way->memory != NULL)
        (void)munmap(way->memory, way->memory_len);
}

static bool tun_capture_open(weir_tun *t, const weir_tun_config *config, weir_fault *fault)
{
    weir_pcapng_about about;
    struct timespec wall;
    char comment[96];

    if (config->pcapng == NULL)
        return true;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    (void)snprintf(comment, sizeof comment, "as weir's host sees it; seed %llu", (unsigned long long)t->seed);
    memset(&about, 0, sizeof about);
    about.path = config->pcapng;
    about.interface = t->device.name;
    about.application = config->application;
    about.comment = comment;
    about.epoch_us = (weir_us)wall.tv_sec * 1000000 + (weir_us)wall.tv_nsec / 1000 - weir_tun_now();
    t->pcapng = weir_pcapng_open(&about, fault);
    return t->pcapng != NULL;
}

static bool tun_device_open(weir_tun *t, const weir_tun_config *config, weir_fault *fault)
{
    struct weiri_interface interface;

    if (config->fd >= 0 && !weiri_device_adopt(&t->device, config->fd, fault))
        return false;
    if (config->fd >= 0)
        return true;
    if (config->unshare && !weiri_namespace_enter(fault))
        return false;
    if (!weiri_device_create(&t->device, config->name, config->offload == WEIR_OFFLOAD_AUTO, fault))
        return false;
    memset(&interface, 0, sizeof interface);
    interface.name = t->device.name;
    interface.mtu = config->mtu;
    interface.addresses = t->addresses;
    interface.address_count = t->address_count;
    interface.routes = config->routes;
    interface.route_count = config->route_count;
    return weiri_interface_up(&interface, fault);
}

/* A link has packets as a network has them. */
static bool tun_offload(weir_tun *t, const weir_tun_config *config)
{
    bool wanted = config->offload == WEIR_OFFLOAD_AUTO && t->in.link == NULL && t->out.link == NULL;

    t->offload = weiri_device_offload(&t->device, wanted) && wanted;
    return true;
}

static bool tun_build(weir_tun *t, const weir_tun_config *config, weir_fault *fault)
{
    t->mtu = config->mtu;
    t->seed = config->seed;
    t->seed_given = config->seed != 0;
    t->batch = config->batch == 0 ? 64 : config->batch;
    t->any_destination = config->route_count != 0;
    return tun_check(config, fault) && weiri_seed(&t->seed, fault) &&
           tun_address(t, &config->addr4, &config->peer4, &t->peer4, fault) &&
           tun_address(t, &config->addr6, &config->peer6, &t->peer6, fault) &&
           tun_way_open(&t->in, &config->in, weiri_mix(t->seed, 1), config->link_memory, fault) &&
           tun_way_open(&t->out, &config->out, weiri_mix(t->seed, 2), config->link_memory, fault) &&
           tun_device_open(t, config, fault) && tun_offload(t, config) && tun_capture_open(t, config, fault);
}

/* ---- life ---- */

weir_tun *weir_tun_open(const weir_tun_config *config, weir_fault *fault)
{
    weir_tun *t = calloc(1, sizeof *t);

    if (t == NULL) {
        (void)weiri_fault(fault, WEIR_FAULT_FAILED, ENOMEM, NULL, "cannot make an adapter");
        return NULL;
    }
    t->device.fd = t->signals = -1;
    if (!tun_build(t, config, fault)) {
        if (config->fd >= 0)
            t->device.fd = -1; /* not ours yet */
        (void)weir_tun_close(t, NULL);
        return NULL;
    }
    return t;
}

bool weir_tun_close(weir_tun *t, weir_fault *fault)
{
    bool complete;

    if (t == NULL)
        return true;
    complete = weir_pcapng_close(t->pcapng, NULL, weir_tun_now(), fault);
    if (t->device.fd >= 0)
        (void)close(t->device.fd);
    if (t->signals >= 0)
        (void)close(t->signals);
    if (t->stack_memory != NULL)
        (void)munmap(t->stack_memory, t->stack_len);
    weiri_way_close(&t->in);
    weiri_way_close(&t->out);
    free(t->polls);
    free(t);
    return complete;
}

void weir_tun_stack_config(weir_tun *t, weir_stack_config *config)
{
    weir_stack_config_init(config);
    config->tcp.mtu = (uint16_t)t->mtu;
    config->tcp.gso_max = t->offload ? 65535 : 0;
    config->tcp.partial_checksum = t->offload;
    config->any_destination = t->any_destination;
    for (size_t i = 0; i < t->address_count; i++) {
        config->addrs[i] = t->addresses[i].own.addr;
        config->prefix_len[i] = weir_addr_is_v4(&config->addrs[i]) ? t->addresses[i].own.len : 0;
    }
    config->addr_count = (uint8_t)t->address_count;
    if (!t->seed_given && tun_random(config->tcp.secret, sizeof config->tcp.secret))
        return;
    for (unsigned i = 0; i < sizeof config->tcp.secret; i++) /* for reproduction, as the header says */
        config->tcp.secret[i] = (uint8_t)(weiri_mix(t->seed, 3 + i / 8) >> (8 * (i % 8)));
}

bool weir_tun_start(weir_tun *t, const weir_stack_config *config, weir_fault *fault)
{
    const char *field = "stack";
    size_t len = weir_stack_size(config);
    weir_err err = weir_config_check(&config->tcp, &field);

    if (!t->offload && (config->tcp.gso_max != 0 || config->tcp.partial_checksum))
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "leave gso_max and partial_checksum as weir_tun_stack_config sets them",
                           "this device takes no super-segments and no partial checksums");
    if (len == 0 || err != WEIR_ERR_NONE)
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "see weir/stack.h for its range",
                           "the configuration of the stack is refused (%s)",
                           err != WEIR_ERR_NONE ? field : "limits or addresses");
    t->stack_memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (t->stack_memory == MAP_FAILED) {
        t->stack_memory = NULL;
        return weiri_fault(fault, WEIR_FAULT_FAILED, errno, "allow fewer connections or smaller rings",
                           "%zu octets for the stack", len);
    }
    t->stack_len = len;
    t->stack = weir_stack_init(t->stack_memory, len, config, weir_tun_now(), &err);
    if (t->stack == NULL)
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "see weir/stack.h", "the stack is refused (%s)",
                           weir_err_name(err));
    return true;
}

bool weir_tun_drop_privileges(weir_tun *t, weir_fault *fault)
{
    (void)t;
    return weiri_privilege_drop(fault);
}

bool weir_tun_impair(weir_tun *t, const weir_link_config *in, const weir_link_config *out, weir_fault *fault)
{
    struct weiri_way *ways[2] = {&t->in, &t->out};
    const weir_link_config *configs[2] = {in, out};

    for (unsigned i = 0; i < 2; i++) {
        weir_link_config config = *configs[i];
        config.seed = ways[i]->config.seed;
        if (ways[i]->link == NULL) {
            if (!tun_way_open(ways[i], &config, config.seed, 32u << 20, fault))
                return false;
        } else if (!weir_link_change(ways[i]->link, &config)) {
            return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "see weir/tun.h",
                               "the impairment of the link is out of range");
        }
        ways[i]->config = config;
    }
    if (t->offload && (t->in.link != NULL || t->out.link != NULL))
        t->offload = !weiri_device_offload(&t->device, false);
    return true;
}

bool weir_tun_offloads(const weir_tun *t)
{
    return t->offload;
}

/* ---- looking ---- */

weir_stack *weir_tun_stack(weir_tun *t)
{
    return t->stack;
}

const char *weir_tun_name(const weir_tun *t)
{
    return t->device.name;
}

int weir_tun_fd(const weir_tun *t)
{
    return t->device.fd;
}

uint32_t weir_tun_mtu(const weir_tun *t)
{
    return t->mtu;
}

uint64_t weir_tun_seed(const weir_tun *t)
{
    return t->seed;
}

weir_addr weir_tun_peer4(const weir_tun *t)
{
    return t->peer4;
}

weir_addr weir_tun_peer6(const weir_tun *t)
{
    return t->peer6;
}

void weir_tun_get_stats(const weir_tun *t, weir_tun_stats *stats)
{
    *stats = t->stats;
    if (t->in.link != NULL)
        stats->in = *weir_link_get_stats(t->in.link);
    if (t->out.link != NULL)
        stats->out = *weir_link_get_stats(t->out.link);
}
