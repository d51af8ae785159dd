/* sha256.h - SHA-256 (FIPS 180-4), so that an upload nobody keeps can still be compared. Pure. */
#ifndef WEIR_TUN_SHA256_H
#define WEIR_TUN_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t h[8];
    uint64_t len;
    uint8_t block[64];
};

#define SHA256_TEXT 65
void sha256_begin(struct sha256 *s);
void sha256_add(struct sha256 *s, const uint8_t *octets, size_t len);
/* The digest in hexadecimal; ends the sum. */
void sha256_text(struct sha256 *s, char text[SHA256_TEXT]);

#endif
