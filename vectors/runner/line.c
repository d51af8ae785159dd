/* line.c - the words of the line protocol: text that grows, numbers, octets, and the names of errors, bits and facts. */
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "line.h"

void line_clear(struct line_text *t)
{
    t->len = 0;
    t->failed = false;
    if (t->text != NULL)
        t->text[0] = '\0';
}

void line_free(struct line_text *t)
{
    free(t->text);
    memset(t, 0, sizeof *t);
}

/* Room for `more` characters and the 0 after them. */
static bool line_room(struct line_text *t, size_t more)
{
    size_t cap = t->cap == 0 ? 256 : t->cap;
    char *text;

    if (t->failed)
        return false;
    while (cap - t->len <= more)
        cap *= 2;
    if (cap == t->cap)
        return true;
    text = realloc(t->text, cap);
    if (text == NULL) {
        line_clear(t);
        t->failed = true;
        return false;
    }
    t->text = text;
    t->cap = cap;
    return true;
}

void line_printf(struct line_text *t, const char *format, ...)
{
    va_list list, again;
    int len;

    va_start(list, format);
    va_copy(again, list);
    len = vsnprintf(NULL, 0, format, list);
    if (len >= 0 && line_room(t, (size_t)len)) {
        (void)vsnprintf(t->text + t->len, t->cap - t->len, format, again);
        t->len += (size_t)len;
    }
    va_end(again);
    va_end(list);
}

void line_hex(struct line_text *t, const uint8_t *octets, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    if (len == 0) {
        line_printf(t, "-");
        return;
    }
    if (!line_room(t, 2 * len))
        return;
    for (size_t i = 0; i < len; i++) {
        t->text[t->len++] = digits[octets[i] >> 4];
        t->text[t->len++] = digits[octets[i] & 15];
    }
    t->text[t->len] = '\0';
}

char *line_word(char **at)
{
    char *word = *at + strspn(*at, " "), *end;

    if (*word == '\0') {
        *at = word;
        return NULL;
    }
    end = word + strcspn(word, " ");
    *at = end;
    if (*end != '\0') {
        *end = '\0';
        *at = end + 1;
    }
    return word;
}

bool line_number(const char *word, int64_t *number)
{
    char *end;
    long long value;

    if (word == NULL || strspn(word, "-0123456789") != strlen(word) || *word == '\0')
        return false;
    errno = 0;
    value = strtoll(word, &end, 10);
    *number = value;
    return errno == 0 && *end == '\0' && end != word;
}

static int line_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int64_t line_octets(const char *word, uint8_t *octets, size_t cap)
{
    size_t len;

    if (word == NULL)
        return -1;
    if (strcmp(word, "-") == 0)
        return 0;
    len = strlen(word);
    if (len % 2 != 0 || len / 2 > cap)
        return -1;
    for (size_t i = 0; i < len / 2; i++) {
        int high = line_digit(word[2 * i]), low = line_digit(word[2 * i + 1]);

        if (high < 0 || low < 0)
            return -1;
        octets[i] = (uint8_t)(high * 16 + low);
    }
    return (int64_t)(len / 2);
}

static const struct line_bit errors[] = {
    {"EPERM", EPERM}, {"EINTR", EINTR}, {"EIO", EIO}, {"EBADF", EBADF}, {"EAGAIN", EAGAIN}, {"EWOULDBLOCK", EAGAIN},
    {"ENOMEM", ENOMEM}, {"EACCES", EACCES}, {"EFAULT", EFAULT}, {"EBUSY", EBUSY}, {"EEXIST", EEXIST},
    {"ENODEV", ENODEV}, {"EINVAL", EINVAL}, {"ENFILE", ENFILE}, {"EMFILE", EMFILE}, {"EPIPE", EPIPE},
    {"ENOSYS", ENOSYS}, {"EPROTO", EPROTO}, {"ENOTSOCK", ENOTSOCK}, {"EDESTADDRREQ", EDESTADDRREQ},
    {"EMSGSIZE", EMSGSIZE}, {"EPROTOTYPE", EPROTOTYPE}, {"ENOPROTOOPT", ENOPROTOOPT},
    {"EPROTONOSUPPORT", EPROTONOSUPPORT}, {"EOPNOTSUPP", EOPNOTSUPP}, {"ENOTSUP", EOPNOTSUPP},
    {"EAFNOSUPPORT", EAFNOSUPPORT}, {"EADDRINUSE", EADDRINUSE}, {"EADDRNOTAVAIL", EADDRNOTAVAIL},
    {"ENETDOWN", ENETDOWN}, {"ENETUNREACH", ENETUNREACH}, {"ENETRESET", ENETRESET}, {"ECONNABORTED", ECONNABORTED},
    {"ECONNRESET", ECONNRESET}, {"ENOBUFS", ENOBUFS}, {"EISCONN", EISCONN}, {"ENOTCONN", ENOTCONN},
    {"ESHUTDOWN", ESHUTDOWN}, {"ETIMEDOUT", ETIMEDOUT}, {"ECONNREFUSED", ECONNREFUSED}, {"EHOSTDOWN", EHOSTDOWN},
    {"EHOSTUNREACH", EHOSTUNREACH}, {"EALREADY", EALREADY}, {"EINPROGRESS", EINPROGRESS}, {NULL, 0},
};

const char *line_errno_name(int error)
{
    for (const struct line_bit *e = errors; e->name != NULL; e++)
        if (e->bit == error)
            return e->name;
    return NULL;
}

int line_errno(const char *name)
{
    for (const struct line_bit *e = errors; name != NULL && e->name != NULL; e++)
        if (strcmp(e->name, name) == 0)
            return e->bit;
    return 0;
}

const struct line_bit line_flags[] = {
    {"oob", MSG_OOB}, {"peek", MSG_PEEK}, {"trunc", MSG_TRUNC}, {"dontwait", MSG_DONTWAIT}, {"waitall", MSG_WAITALL},
    {"eor", MSG_EOR}, {"nosignal", MSG_NOSIGNAL}, {"more", MSG_MORE}, {NULL, 0},
};
const struct line_bit line_ready[] = {
    {"in", POLLIN}, {"out", POLLOUT}, {"pri", POLLPRI}, {"err", POLLERR}, {"hup", POLLHUP}, {"rdhup", 0x2000}, {NULL, 0},
};

void line_bits(struct line_text *t, const struct line_bit *names, int bits)
{
    const char *between = "";

    for (; names->name != NULL; names++)
        if ((bits & names->bit) != 0) {
            line_printf(t, "%s%s", between, names->name);
            between = ",";
        }
    if (*between == '\0')
        line_printf(t, "-");
}

bool line_bits_read(const char *word, const struct line_bit *names, int *bits)
{
    *bits = 0;
    if (word == NULL)
        return false;
    if (strcmp(word, "-") == 0)
        return true;
    for (const char *at = word;; at++) {
        size_t len = strcspn(at, ",");
        const struct line_bit *b = names;

        while (b->name != NULL && (strlen(b->name) != len || strncmp(b->name, at, len) != 0))
            b++;
        if (b->name == NULL)
            return false;
        *bits |= b->bit;
        at += len;
        if (*at == '\0')
            return true;
    }
}

int line_bits_unknown(const struct line_bit *names, int bits)
{
    for (; names->name != NULL; names++)
        bits &= ~names->bit;
    return bits;
}

/* POLLRDHUP has no name without _GNU_SOURCE: 0x2000 above. */
_Static_assert(sizeof(struct target_info) == sizeof(const char *) + 45 * sizeof(int64_t), "a fact without a name below");
#define FIELD(name) {#name, offsetof(struct target_info, name)}
const struct line_field line_fields[] = {
    FIELD(rto), FIELD(rtt), FIELD(rttvar), FIELD(min_rtt), FIELD(snd_mss), FIELD(rcv_mss), FIELD(advmss), FIELD(pmtu),
    FIELD(snd_cwnd), FIELD(snd_ssthresh), FIELD(unacked), FIELD(sacked), FIELD(lost), FIELD(retrans),
    FIELD(total_retrans), FIELD(backoff), FIELD(probes), FIELD(retransmits), FIELD(options), FIELD(snd_wscale),
    FIELD(rcv_wscale), FIELD(ca_state), FIELD(reordering), FIELD(delivered), FIELD(delivered_ce), FIELD(snd_wnd), FIELD(rcv_wnd),
    FIELD(bytes_acked), FIELD(bytes_received), FIELD(segs_in), FIELD(segs_out), FIELD(data_segs_in), FIELD(data_segs_out),
    FIELD(dsack_dups), FIELD(reord_seen), FIELD(rcv_ooopack), FIELD(total_rto), FIELD(ato), FIELD(notsent_bytes),
    FIELD(busy_time), FIELD(rwnd_limited), FIELD(sndbuf_limited), FIELD(delivery_rate), FIELD(pacing_rate),
    FIELD(delivery_rate_app_limited), {NULL, 0},
};

int64_t *line_info_number(struct target_info *info, const struct line_field *field)
{
    return (int64_t *)(void *)((char *)info + field->offset);
}

void line_info_clear(struct target_info *info)
{
    info->state = NULL;
    for (const struct line_field *f = line_fields; f->name != NULL; f++)
        *line_info_number(info, f) = -1;
}

const char *line_state(const char *word)
{
    static const char *const states[] = {"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
                                         "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"};

    for (size_t i = 0; word != NULL && i < sizeof states / sizeof states[0]; i++)
        if (strcmp(states[i], word) == 0)
            return states[i];
    return NULL;
}

bool line_address(const char *word, bool v6, uint8_t octets[16])
{
    memset(octets, 0, 16);
    return word != NULL && inet_pton(v6 ? AF_INET6 : AF_INET, word, octets) == 1;
}

void line_address_print(struct line_text *t, bool v6, const uint8_t octets[16])
{
    char text[INET6_ADDRSTRLEN];

    line_printf(t, "%s", inet_ntop(v6 ? AF_INET6 : AF_INET, octets, text, sizeof text) == NULL ? "?" : text);
}
