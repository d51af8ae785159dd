/* known.c - lists of known failures: "ID reason" a line, comments after #. Each entry must have a reason. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

static char *known_trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL) {
        text[--len] = '\0';
    }
    return text;
}

static int known_order(const void *a, const void *b)
{
    return strcmp(((const struct known_entry *)a)->id, ((const struct known_entry *)b)->id);
}

/* One line, taken apart in place; false with a message. A line that says nothing adds nothing. */
static bool known_line(struct known *k, const char *path, int number, char *line, char *error, size_t cap)
{
    line = known_trim(line);
    if (*line == '\0' || *line == '#') {
        return true;
    }
    size_t len = strcspn(line, " \t");
    char *reason = known_trim(line + len);
    if (*reason == '\0' || *reason == '#') {
        snprintf(error, cap, "%s:%d:1: '%.*s' has no reason: each known failure needs one behind its id", path, number, (int)len, line);
        return false;
    }
    line[len] = '\0';
    struct known_entry *list = realloc(k->entries, ((size_t)k->count + 1) * sizeof *list);
    if (list == NULL) {
        snprintf(error, cap, "%s: out of memory", path);
        return false;
    }
    k->entries = list;
    list[k->count++] = (struct known_entry){line, reason, number};
    return true;
}

bool known_read(struct known *k, const char *path, char *error, size_t cap)
{
    size_t len;
    *k = (struct known){.text = tree_file_text(path, &len)};
    if (k->text == NULL) {
        snprintf(error, cap, "%s: %s", path, strerror(errno));
        return false;
    }
    int number = 1;
    for (char *at = k->text, *next; at != NULL; at = next, number++) {
        next = strchr(at, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (!known_line(k, path, number, at, error, cap)) {
            return false;
        }
    }
    if (k->count > 0) {
        qsort(k->entries, (size_t)k->count, sizeof *k->entries, known_order);
    }
    for (int i = 1; i < k->count; i++) {
        if (strcmp(k->entries[i - 1].id, k->entries[i].id) == 0) {
            int a = k->entries[i - 1].line, b = k->entries[i].line;
            snprintf(error, cap, "%s:%d:1: '%s' stands in line %d too", path, a > b ? a : b, k->entries[i].id, a > b ? b : a);
            return false;
        }
    }
    return true;
}

const struct known_entry *known_find(const struct known *k, const char *id)
{
    struct known_entry wanted = {.id = id};
    return k->count == 0 ? NULL : bsearch(&wanted, k->entries, (size_t)k->count, sizeof wanted, known_order);
}

void known_free(struct known *k)
{
    free(k->entries);
    free(k->text);
    *k = (struct known){0};
}
