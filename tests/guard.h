/* guard.h - rooms that end, or begin, at a page nobody may touch: one octet too far stops the program without any
 * sanitizer. For tests only; not for threads. */
#ifndef WEIR_TESTS_GUARD_H
#define WEIR_TESTS_GUARD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define GUARD_FRESH(octets, len) __msan_allocated_memory((octets), (len))
#endif
#endif
#ifndef GUARD_FRESH
#define GUARD_FRESH(octets, len) ((void)(octets), (void)(len))
#endif

enum { GUARD_ROOMS_MAX = 4096 };

struct guard_room {
    void *map;
    size_t len;
};

struct guard_rooms {
    struct guard_room room[GUARD_ROOMS_MAX];
    size_t count;
};

/* One list for each test program. */
static struct guard_rooms *guard_rooms(void)
{
    static struct guard_rooms rooms;
    return &rooms;
}

static size_t guard_round(size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (len + page - 1) / page * page;
}

/* Pages for `len` octets between two guard pages; the first octet of those pages. */
static uint8_t *guard_pages(size_t len)
{
    struct guard_rooms *rooms = guard_rooms();
    size_t page = (size_t)sysconf(_SC_PAGESIZE), body = guard_round(len);
    uint8_t *map = (uint8_t *)mmap(NULL, body + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (map == (uint8_t *)MAP_FAILED || rooms->count == GUARD_ROOMS_MAX ||
        (body != 0 && mprotect(map + page, body, PROT_READ | PROT_WRITE) != 0)) {
        fprintf(stderr, "guard.h: no room of %zu octets (%zu rooms are taken)\n", len, rooms->count);
        abort();
    }
    rooms->room[rooms->count].map = map;
    rooms->room[rooms->count].len = body + 2 * page;
    rooms->count++;
    return map + page;
}

/* `len` octets that may be written, the last of them before a guard page. What they hold is not defined. */
__attribute__((unused)) static uint8_t *guard_room(size_t len)
{
    uint8_t *room = guard_pages(len) + (guard_round(len) - len);
    GUARD_FRESH(room, len);
    return room;
}

/* The same with the first of them behind a guard page: for what might look before its beginning. */
__attribute__((unused)) static uint8_t *guard_room_front(size_t len)
{
    uint8_t *room = guard_pages(len);
    GUARD_FRESH(room, len);
    return room;
}

/* A copy that ends at a guard page. */
__attribute__((unused)) static uint8_t *guard_put(const void *octets, size_t len)
{
    uint8_t *room = guard_room(len);
    if (len != 0)
        memcpy(room, octets, len);
    return room;
}

__attribute__((unused)) static void guard_free_all(void)
{
    struct guard_rooms *rooms = guard_rooms();
    for (size_t i = 0; i < rooms->count; i++)
        munmap(rooms->room[i].map, rooms->room[i].len);
    rooms->count = 0;
}

#endif /* WEIR_TESTS_GUARD_H */
