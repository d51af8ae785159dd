/* test_siphash.c - weir_siphash against the authors' vectors, at every length, alignment, and against a guard page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "weir/weir.h"

#include "guard.h"
#include "naive.h"

#define VECTORS "siphash_2_4.txt"
enum { VECTOR_COUNT = 64 };

struct vector {
    uint8_t octets[8];
};

/* The section [vectors_sip64]: "<length> <the hash, least significant octet first>". */
static void read_vectors(struct vector *vectors)
{
    FILE *file = naive_vectors(VECTORS);
    char line[128], hex[64];
    unsigned idx, count = 0;
    bool inside = false;

    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '[')
            inside = strncmp(line, "[vectors_sip64]", 15) == 0;
        else if (inside && sscanf(line, "%u %63s", &idx, hex) == 2) {
            assert_int_equal(idx, count);
            assert_true(count < VECTOR_COUNT);
            assert_int_equal(naive_octets(hex, vectors[count].octets, 8), 8);
            count++;
        }
    }
    fclose(file);
    assert_int_equal(count, VECTOR_COUNT);
}

static uint64_t little_endian(const uint8_t *octets)
{
    uint64_t word = 0;
    for (int i = 7; i >= 0; i--)
        word = word * 256 + octets[i];
    return word;
}

static void known_answers(void **state)
{
    struct vector vectors[VECTOR_COUNT];
    uint8_t key[16], message[VECTOR_COUNT];
    char hex[64];

    (void)state;
    read_vectors(vectors);
    naive_value(VECTORS, "key", hex, sizeof hex);
    assert_int_equal(naive_octets(hex, key, 16), 16);
    for (unsigned i = 0; i < VECTOR_COUNT; i++)
        message[i] = (uint8_t)i;
    for (unsigned len = 0; len < VECTOR_COUNT; len++) {
        const uint8_t *guarded_key = guard_put(key, 16), *guarded = guard_put(message, len);
        if (weir_siphash(guarded_key, guarded, len) != little_endian(vectors[len].octets))
            fail_msg("length %u", len);
        guard_free_all();
    }
}

/* The place of the octets in memory does not matter. */
static void every_alignment(void **state)
{
    uint8_t room[80], key[24], message[40];
    uint64_t expected;

    (void)state;
    for (unsigned i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 29 + 7);
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(200 - i);
    expected = weir_siphash(key, message, 37);
    for (unsigned at = 0; at < 16; at++) {
        uint8_t moved_key[32];
        memset(room, 0xee, sizeof room);
        memcpy(room + at, message, 37);
        memcpy(moved_key + at % 16, key, 16);
        assert_true(weir_siphash(moved_key + at % 16, room + at, 37) == expected);
    }
}

/* Every bit of the key and of the message matters, and so does the length. */
static void every_bit_counts(void **state)
{
    uint8_t key[16] = {0}, message[23] = {0};
    uint64_t plain = weir_siphash(key, message, sizeof message);

    (void)state;
    for (unsigned bit = 0; bit < 8 * sizeof key; bit++) {
        key[bit / 8] = (uint8_t)(1u << bit % 8);
        assert_true(weir_siphash(key, message, sizeof message) != plain);
        key[bit / 8] = 0;
    }
    for (unsigned bit = 0; bit < 8 * sizeof message; bit++) {
        message[bit / 8] = (uint8_t)(1u << bit % 8);
        assert_true(weir_siphash(key, message, sizeof message) != plain);
        message[bit / 8] = 0;
    }
    for (size_t len = 0; len < sizeof message; len++)
        assert_true(weir_siphash(key, message, len) != plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(every_alignment),
        cmocka_unit_test(every_bit_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
