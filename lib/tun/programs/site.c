/* site.c - files beneath one folder, opened name by name so that nothing leads out of it. */
#define _GNU_SOURCE
#include "tun/programs/site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int site_status(int error)
{
    switch (error) {
    case ENOENT:
    case ENAMETOOLONG:
        return 404;
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENOTDIR:
    case EISDIR:
    case EROFS:
        return 403;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return 507;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    default:
        return 500;
    }
}

/* Walks to the folder of the last name; *name is that name. The descriptor, or a status negated. */
static int site_walk(int folder, const char *path, const char **name)
{
    int at = dup(folder);
    const char *slash;
    while (at >= 0 && (slash = strchr(path, '/')) != NULL) {
        char segment[256];
        size_t len = (size_t)(slash - path);
        if (len >= sizeof segment) {
            (void)close(at);
            return -404;
        }
        memcpy(segment, path, len);
        segment[len] = '\0';
        int next = openat(at, segment, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int error = errno;
        (void)close(at);
        errno = error;
        at = next;
        path = slash + 1;
    }
    *name = path;
    return at >= 0 ? at : -site_status(errno);
}

int site_open(const struct http_site *site, const char *path, uint64_t *len)
{
    const char *name;
    struct stat status;
    if (*path == '\0')
        return -404;
    int folder = site_walk(site->folder, path, &name);
    if (folder < 0)
        return folder;
    /* Without O_NONBLOCK a FIFO in the folder would stop the whole program. */
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    int error = errno;
    (void)close(folder);
    if (file < 0)
        return -site_status(error);
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        (void)close(file);
        return -403;
    }
    *len = (uint64_t)status.st_size;
    return file;
}

int site_part_begin(struct http_site *site, const char *path, struct site_part *part)
{
    const char *name;
    struct stat status;
    part->folder = part->file = -1;
    if (*path == '\0')
        return 403;
    int folder = site_walk(site->folder, path, &name);
    if (folder < 0)
        return -folder;
    part->replaces = fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (part->replaces && !S_ISREG(status.st_mode)) {
        (void)close(folder);
        return 403;
    }
    (void)snprintf(part->target, sizeof part->target, "%s", name);
    (void)snprintf(part->name, sizeof part->name, ".weir-%ld-%llu.part", (long)getpid(),
                   (unsigned long long)site->serial++);
    part->file = openat(folder, part->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (part->file < 0) {
        int answer = site_status(errno);
        (void)close(folder);
        return answer;
    }
    part->folder = folder;
    return 200;
}

int site_part_write(struct site_part *part, const uint8_t *octets, size_t len)
{
    while (len > 0) { /* ends: every turn writes something or returns */
        ssize_t written = write(part->file, octets, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return site_status(written < 0 ? errno : ENOSPC);
        octets += written;
        len -= (size_t)written;
    }
    return 200;
}

static void site_part_close(struct site_part *part)
{
    if (part->file >= 0)
        (void)close(part->file);
    if (part->folder >= 0)
        (void)close(part->folder);
    part->file = part->folder = -1;
}

int site_part_finish(struct site_part *part)
{
    bool fine = close(part->file) == 0;
    part->file = -1;
    fine = fine && renameat(part->folder, part->name, part->folder, part->target) == 0;
    if (!fine) {
        int answer = site_status(errno);
        site_part_drop(part);
        return answer;
    }
    site_part_close(part);
    return part->replaces ? 204 : 201;
}

void site_part_drop(struct site_part *part)
{
    if (part->folder >= 0)
        (void)unlinkat(part->folder, part->name, 0);
    site_part_close(part);
}

/* SplitMix64 (Steele, Lea, Flood 2014): the word at any index directly, which is what ranges need. */
static uint64_t site_word(uint64_t seed, uint64_t index)
{
    uint64_t z = seed + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void site_synthetic(uint64_t seed, uint64_t at, uint8_t *octets, size_t len)
{
    size_t done = 0;
    while (done < len) {
        uint64_t word = site_word(seed, (at + done) / 8);
        size_t skip = (size_t)((at + done) % 8), count = 8 - skip < len - done ? 8 - skip : len - done;
        uint8_t bytes[8];
        for (unsigned i = 0; i < 8; i++)
            bytes[i] = (uint8_t)(word >> 8 * i);
        memcpy(octets + done, bytes + skip, count);
        done += count;
    }
}
