/* null.c - reads an input as the targets do, and does nothing with it: what the engine costs by itself (fuzz/speed).
 *
 * Events of this one are four octets long. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static volatile uint32_t seen;
    struct fuzz_bytes b = fuzz_begin(data, size);
    while (b.left > 0) {
        fuzz_event(&b);
        seen += fuzz_u32(&b);
    }
    return 0;
}

static const struct fuzz_phrase fuzz_phrases[] = {
    FUZZ_PHRASE("\x00\x00\x00\x04"), FUZZ_PHRASE("\x05\x00\x7f\xff"), FUZZ_PHRASE("\x0a\x02\x10\x01"),
};
#include "mutate.h"
