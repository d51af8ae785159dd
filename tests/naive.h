/* naive.h - the slow, obvious way of things that the library does the fast way, and a reader of the numeric vectors. For
 * tests only: nothing here includes a header of the library. */
#ifndef WEIR_TESTS_NAIVE_H
#define WEIR_TESTS_NAIVE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One's complement sum of 16-bit words in network order, folded at every step (RFC 1071 1). */
__attribute__((unused)) static uint32_t naive_sum(uint32_t sum, const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 == 0 ? (uint32_t)octets[i] * 256 : octets[i];
        sum = sum % 65536 + sum / 65536;
    }
    return sum;
}

/* The pseudo-header as it would stand in memory (RFC 9293 3.1; RFC 8200 8.1), summed. Addresses of 4 or of 16 octets. */
__attribute__((unused)) static uint32_t naive_pseudo(const uint8_t *source, const uint8_t *destination, size_t addr_len,
                                                     uint32_t len, uint8_t protocol)
{
    uint8_t header[40] = {0};
    size_t at = 2 * addr_len;

    memcpy(header, source, addr_len);
    memcpy(header + addr_len, destination, addr_len);
    if (addr_len == 4) {
        header[at + 1] = protocol;
        header[at + 2] = (uint8_t)(len >> 8);
        header[at + 3] = (uint8_t)len;
        return naive_sum(0, header, 12);
    }
    header[at] = (uint8_t)(len >> 24);
    header[at + 1] = (uint8_t)(len >> 16);
    header[at + 2] = (uint8_t)(len >> 8);
    header[at + 3] = (uint8_t)len;
    header[at + 7] = protocol;
    return naive_sum(0, header, 40);
}

/* Small, seeded, the same everywhere. */
__attribute__((unused)) static uint32_t naive_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

/* Opens vectors/function/<name>; a test without its vectors fails. */
__attribute__((unused)) static FILE *naive_vectors(const char *name)
{
    char path[1024];
    FILE *file;

    snprintf(path, sizeof path, "%s/function/%s", WEIR_VECTORS_DIR, name);
    file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "cannot open %s\n", path);
        abort();
    }
    return file;
}

/* Finds "key=value" in a vector file and copies the value up to white space; a key that is not there stops the program. */
__attribute__((unused)) static void naive_value(const char *name, const char *key, char *value, size_t cap)
{
    FILE *file = naive_vectors(name);
    char line[512];
    size_t key_len = strlen(key), len;

    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, key_len) == 0 && line[key_len] == '=') {
            len = strcspn(line + key_len + 1, " \t\r\n");
            if (len >= cap)
                break;
            memcpy(value, line + key_len + 1, len);
            value[len] = '\0';
            fclose(file);
            return;
        }
    fprintf(stderr, "%s: no %s=\n", name, key);
    abort();
}

/* The same as a hexadecimal number. */
__attribute__((unused)) static uint32_t naive_number(const char *name, const char *key)
{
    char value[64];
    naive_value(name, key, value, sizeof value);
    return (uint32_t)strtoul(value, NULL, 16);
}

/* Pairs of hexadecimal digits; how many octets they were. */
__attribute__((unused)) static size_t naive_octets(const char *hex, uint8_t *octets, size_t cap)
{
    size_t len = 0;
    unsigned octet;

    while (len < cap && sscanf(hex + 2 * len, "%2x", &octet) == 1)
        octets[len++] = (uint8_t)octet;
    return len;
}

#endif /* WEIR_TESTS_NAIVE_H */
