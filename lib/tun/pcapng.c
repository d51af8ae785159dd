/* pcapng.c - the capture file: pcapng blocks (draft-ietf-opsawg-pcapng), LINKTYPE_RAW, times in microseconds.
 *
 * Knows packets as octets and comments as text; nothing of TCP or devices. The file is little-endian on every
 * machine, so that the same run gives the same octets. Blocks are collected in a buffer and written in large pieces;
 * a write that fails is told once, and from then on packets are only counted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tun/room.h"

#define PCAPNG_PACKET_MAX 65535u
#define PCAPNG_TEXT_MAX 1000u
#define PCAPNG_BLOCK_MAX (PCAPNG_PACKET_MAX + 4u * PCAPNG_TEXT_MAX + 256u) /* the longest block, with room to spare */
#define PCAPNG_BUFFER (4u * PCAPNG_BLOCK_MAX)

/* Block types, and the options in use: each block type counts its own from 2; 1 is a comment everywhere. */
enum pcapng_block { PCAPNG_SECTION = 0x0a0d0d0a, PCAPNG_INTERFACE = 1, PCAPNG_STATISTICS = 5, PCAPNG_PACKET = 6 };
enum pcapng_option {
    PCAPNG_END = 0,
    PCAPNG_COMMENT = 1,
    PCAPNG_APPLICATION = 4,
    PCAPNG_NAME = 2,
    PCAPNG_RESOLUTION = 9,
    PCAPNG_FLAGS = 2,
    PCAPNG_START_TIME = 2,
    PCAPNG_END_TIME = 3,
    PCAPNG_RECEIVED = 4,
    PCAPNG_DROPPED = 5
};
enum { PCAPNG_MAGIC = 0x1a2b3c4d, PCAPNG_LINKTYPE_RAW = 101, PCAPNG_DIRECTION_IN = 1, PCAPNG_DIRECTION_OUT = 2 };

struct weir_pcapng {
    int fd;
    uint32_t snap_len;
    weir_us epoch_us, started_at;
    uint64_t written, missed;
    weir_fault fault;      /* kind NONE: none yet */
    bool told, started;
    char path[128];        /* as much of it as a message needs */
    size_t len, block_at;  /* of the buffer, and where the open block begins */
    uint8_t buffer[PCAPNG_BUFFER];
};

/* ---- octets into the buffer; pcapng_begin has made sure of the room ---- */

static void pcapng_put(weir_pcapng *p, const void *octets, size_t len)
{
    memcpy(p->buffer + p->len, octets, len);
    p->len += len;
}

static void pcapng_put_number(weir_pcapng *p, uint64_t value, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        p->buffer[p->len++] = (uint8_t)(value >> (8 * i));
}

static void pcapng_pad(weir_pcapng *p)
{
    while ((p->len - p->block_at) % 4 != 0)
        p->buffer[p->len++] = 0;
}

static void pcapng_put_text(weir_pcapng *p, enum pcapng_option option, const char *text)
{
    size_t len = text == NULL ? 0 : strnlen(text, PCAPNG_TEXT_MAX);

    if (len == 0)
        return;
    pcapng_put_number(p, option, 2);
    pcapng_put_number(p, len, 2);
    pcapng_put(p, text, len);
    pcapng_pad(p);
}

static void pcapng_put_option(weir_pcapng *p, enum pcapng_option option, uint64_t value, unsigned len)
{
    pcapng_put_number(p, option, 2);
    pcapng_put_number(p, len, 2);
    pcapng_put_number(p, value, len);
    pcapng_pad(p);
}

/* A time is two halves, the high one first, whatever the byte order. */
static void pcapng_put_time(weir_pcapng *p, weir_us when)
{
    uint64_t time = when + p->epoch_us;

    pcapng_put_number(p, time >> 32, 4);
    pcapng_put_number(p, time & UINT32_MAX, 4);
}

static void pcapng_put_time_option(weir_pcapng *p, enum pcapng_option option, weir_us when)
{
    pcapng_put_number(p, option, 2);
    pcapng_put_number(p, 8, 2);
    pcapng_put_time(p, when);
}

static void pcapng_begin(weir_pcapng *p, enum pcapng_block type)
{
    if (PCAPNG_BUFFER - p->len < PCAPNG_BLOCK_MAX)
        weir_pcapng_flush(p);
    p->block_at = p->len;
    pcapng_put_number(p, type, 4);
    pcapng_put_number(p, 0, 4);
}

/* Ends the options, and writes the length of the block at both of its ends. */
static void pcapng_end(weir_pcapng *p)
{
    size_t len, end;

    pcapng_put_number(p, PCAPNG_END, 4);
    len = p->len - p->block_at + 4;
    pcapng_put_number(p, len, 4);
    end = p->len;
    p->len = p->block_at + 4;
    pcapng_put_number(p, len, 4);
    p->len = end;
}

/* ---- the file ---- */

static bool pcapng_write_all(int fd, const uint8_t *octets, size_t len)
{
    while (len > 0) { /* ends: every turn writes, waits or fails */
        ssize_t n = write(fd, octets, len);
        if (n > 0) {
            octets += n;
            len -= (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            struct pollfd ready = {fd, POLLOUT, 0};
            (void)poll(&ready, 1, 1000);
        } else if (n == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

void weir_pcapng_flush(weir_pcapng *p)
{
    if (p->len != 0 && p->fault.kind == WEIR_FAULT_NONE && !pcapng_write_all(p->fd, p->buffer, p->len))
        (void)weiri_fault(&p->fault, WEIR_FAULT_FAILED, errno,
                          "traffic goes on without it; make room on the disk and capture again",
                          "capture file %s: write", p->path);
    p->len = 0;
}

static void pcapng_header(weir_pcapng *p, const weir_pcapng_about *about)
{
    pcapng_begin(p, PCAPNG_SECTION);
    pcapng_put_number(p, PCAPNG_MAGIC, 4);
    pcapng_put_number(p, 1, 2); /* version 1.0 */
    pcapng_put_number(p, 0, 2);
    pcapng_put_number(p, UINT64_MAX, 8); /* length of the section: not known */
    pcapng_put_text(p, PCAPNG_COMMENT, about->comment);
    pcapng_put_text(p, PCAPNG_APPLICATION, about->application);
    pcapng_end(p);
    pcapng_begin(p, PCAPNG_INTERFACE);
    pcapng_put_number(p, PCAPNG_LINKTYPE_RAW, 2);
    pcapng_put_number(p, 0, 2);
    pcapng_put_number(p, about->snap_len, 4);
    pcapng_put_text(p, PCAPNG_NAME, about->interface);
    pcapng_put_option(p, PCAPNG_RESOLUTION, 6, 1);
    pcapng_end(p);
}

static int pcapng_file(const char *path, weir_fault *fault)
{
    int fd;

    if (strcmp(path, "-") != 0) {
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0)
            (void)weiri_fault(fault, WEIR_FAULT_FAILED, errno, "name a file in a directory that can be written",
                              "capture file %s", path);
        return fd;
    }
    if (isatty(STDOUT_FILENO)) {
        (void)weiri_fault(fault, WEIR_FAULT_USAGE, 0, "pipe it into a program: | tshark -r -",
                          "capture to standard output: it is a terminal");
        return -1;
    }
    fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        (void)weiri_fault(fault, WEIR_FAULT_FAILED, errno, "see that it is open", "capture to standard output");
    return fd;
}

weir_pcapng *weir_pcapng_open(const weir_pcapng_about *about, weir_fault *fault)
{
    weir_pcapng *p = malloc(sizeof *p);

    if (p == NULL) {
        (void)weiri_fault(fault, WEIR_FAULT_FAILED, ENOMEM, NULL, "capture file %s", about->path);
        return NULL;
    }
    memset(p, 0, sizeof *p - sizeof p->buffer);
    p->fd = pcapng_file(about->path, fault);
    if (p->fd < 0) {
        free(p);
        return NULL;
    }
    strncpy(p->path, about->path, sizeof p->path - 1);
    p->snap_len = about->snap_len == 0 || about->snap_len > PCAPNG_PACKET_MAX ? PCAPNG_PACKET_MAX : about->snap_len;
    p->epoch_us = about->epoch_us;
    pcapng_header(p, about);
    weir_pcapng_flush(p); /* a reader that follows the file knows at once what it is */
    return p;
}

void weir_pcapng_write(weir_pcapng *p, const weir_pcapng_packet *packet, const weir_slice *slices, size_t count)
{
    size_t len = 0, kept;

    if (p->fault.kind != WEIR_FAULT_NONE) {
        p->missed++;
        return;
    }
    for (size_t i = 0; i < count; i++)
        len += slices[i].len;
    kept = len < p->snap_len ? len : p->snap_len;
    if (!p->started)
        p->started_at = packet->when;
    p->started = true;
    pcapng_begin(p, PCAPNG_PACKET);
    pcapng_put_number(p, 0, 4); /* the interface */
    pcapng_put_time(p, packet->when);
    pcapng_put_number(p, kept, 4);
    pcapng_put_number(p, len, 4);
    for (size_t i = 0; i < count && kept > 0; i++) {
        size_t part = slices[i].len < kept ? slices[i].len : kept;
        if (part != 0)
            pcapng_put(p, slices[i].octets, part);
        kept -= part;
    }
    pcapng_pad(p);
    pcapng_put_option(p, PCAPNG_FLAGS, packet->inbound ? PCAPNG_DIRECTION_IN : PCAPNG_DIRECTION_OUT, 4);
    pcapng_put_text(p, PCAPNG_COMMENT, packet->comment);
    pcapng_end(p);
    p->written++;
}

bool weir_pcapng_failed(weir_pcapng *p, weir_fault *fault)
{
    if (p->fault.kind == WEIR_FAULT_NONE || p->told)
        return false;
    p->told = true;
    if (fault != NULL)
        *fault = p->fault;
    return true;
}

static void pcapng_statistics(weir_pcapng *p, const weir_pcapng_totals *totals, weir_us now)
{
    weir_pcapng_totals own = {p->written + p->missed, p->missed};

    if (totals == NULL)
        totals = &own;
    pcapng_begin(p, PCAPNG_STATISTICS);
    pcapng_put_number(p, 0, 4);
    pcapng_put_time(p, now);
    pcapng_put_time_option(p, PCAPNG_START_TIME, p->started ? p->started_at : now);
    pcapng_put_time_option(p, PCAPNG_END_TIME, now);
    pcapng_put_option(p, PCAPNG_RECEIVED, totals->received, 8);
    pcapng_put_option(p, PCAPNG_DROPPED, totals->dropped, 8);
    pcapng_end(p);
}

bool weir_pcapng_close(weir_pcapng *p, const weir_pcapng_totals *totals, weir_us now, weir_fault *fault)
{
    bool failed;

    if (p == NULL)
        return true;
    if (p->fault.kind == WEIR_FAULT_NONE)
        pcapng_statistics(p, totals, now);
    weir_pcapng_flush(p);
    if (close(p->fd) != 0 && p->fault.kind == WEIR_FAULT_NONE)
        (void)weiri_fault(&p->fault, WEIR_FAULT_FAILED, errno, "the file may be incomplete", "capture file %s: close",
                          p->path);
    failed = weir_pcapng_failed(p, fault);
    free(p);
    return !failed;
}
