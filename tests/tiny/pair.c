/* pair.c [SEEDS] - ends of two builds of weir, with all features and with WEIR_TINY, exchange octets both ways over a link that loses, doubles
 * and reorders, in virtual time. Each seed is run with every pair of builds. Exit 1 if an octet is wrong, or a connection does not end well. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "end.h"

#define PAIR_OCTETS 40000u
#define PAIR_SEGMENTS 256
#define PAIR_FOREVER UINT64_MAX
#define PAIR_LONGEST (UINT64_C(3600) * 1000000)

struct pair_segment {
    uint64_t at;
    size_t len;
    uint8_t octets[1600];
};

struct pair_side {
    const struct end_ops *ops;
    void *memory;
    struct pair_segment coming[PAIR_SEGMENTS];
    uint32_t written, read;
    bool closed, over;
};

struct pair {
    struct pair_side side[2];
    uint64_t now, random;
    uint32_t loss; /* of a thousand */
};

static uint32_t pair_random(struct pair *p)
{
    p->random = p->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(p->random >> 33);
}

static uint8_t pair_octet(int from, uint32_t i)
{
    return (uint8_t)(i * 7 + i / 251 + (uint32_t)from);
}

/* What finds no place is lost, as is what the link loses. */
static void pair_carry(struct pair *p, int to, const uint8_t *octets, size_t len)
{
    unsigned copies = pair_random(p) % 1000 < p->loss ? 0 : pair_random(p) % 1000 < p->loss ? 2 : 1;
    for (int i = 0; i < PAIR_SEGMENTS && copies > 0; i++) {
        struct pair_segment *s = &p->side[to].coming[i];
        if (s->len == 0) {
            s->len = len;
            s->at = p->now + 10000 + (pair_random(p) % 100 < 10 ? pair_random(p) % 20000 : 0);
            memcpy(s->octets, octets, len);
            copies--;
        }
    }
}

static bool pair_use(struct pair *p, int from)
{
    struct pair_side *s = &p->side[from];
    uint8_t octets[1000];
    bool over = false;
    for (size_t got = 1; got > 0;) {
        got = s->ops->read(s->memory, octets, sizeof octets, &over, p->now);
        for (size_t i = 0; i < got; i++) {
            if (octets[i] != pair_octet(1 - from, s->read++)) {
                return false;
            }
        }
    }
    s->over = s->over || over;
    size_t len = PAIR_OCTETS - s->written < sizeof octets ? PAIR_OCTETS - s->written : sizeof octets;
    for (size_t i = 0; i < len; i++) {
        octets[i] = pair_octet(from, s->written + (uint32_t)i);
    }
    s->written += (uint32_t)(len > 0 ? s->ops->write(s->memory, octets, len, p->now) : 0);
    if (s->written == PAIR_OCTETS && !s->closed) {
        s->closed = true;
        s->ops->close(s->memory, p->now);
    }
    return true;
}

/* Both ends say what they have to say; when something happens next. */
static uint64_t pair_turn(struct pair *p)
{
    uint64_t next = PAIR_FOREVER;
    for (int from = 0; from < 2; from++) {
        struct pair_side *s = &p->side[from];
        uint8_t octets[1600];
        size_t len;
        while ((len = s->ops->poll(s->memory, octets, sizeof octets, p->now)) > 0) {
            pair_carry(p, 1 - from, octets, len);
        }
    }
    for (int to = 0; to < 2; to++) {
        uint64_t at = p->side[to].ops->deadline(p->side[to].memory);
        next = at < next ? at : next;
        for (int i = 0; i < PAIR_SEGMENTS; i++) {
            const struct pair_segment *s = &p->side[to].coming[i];
            next = s->len > 0 && s->at < next ? s->at : next;
        }
    }
    return next;
}

static void pair_arrive(struct pair *p)
{
    for (int to = 0; to < 2; to++) {
        struct pair_side *side = &p->side[to];
        for (int i = 0; i < PAIR_SEGMENTS; i++) {
            struct pair_segment *s = &side->coming[i];
            if (s->len > 0 && s->at <= p->now) {
                side->ops->input(side->memory, s->octets, s->len, p->now);
                s->len = 0;
            }
        }
        side->ops->input(side->memory, NULL, 0, p->now);
    }
}

/* NULL, or what went wrong. */
static const char *pair_run(struct pair *p)
{
    bool well[2] = {false, false}, done[2] = {false, false};
    while (!done[0] || !done[1]) {
        uint64_t next = pair_turn(p);
        if (next == PAIR_FOREVER || next > PAIR_LONGEST) {
            return "it stands still";
        }
        p->now = next > p->now ? next : p->now;
        pair_arrive(p);
        for (int i = 0; i < 2; i++) {
            if (!pair_use(p, i)) {
                return "an octet is wrong";
            }
            done[i] = p->side[i].ops->done(p->side[i].memory, &well[i]);
        }
    }
    bool all = p->side[0].read == PAIR_OCTETS && p->side[1].read == PAIR_OCTETS;
    return !all ? "octets are missing" : !well[0] || !well[1] ? "a connection ended with an error" : NULL;
}

static bool pair_seed(uint32_t seed, const struct end_ops *one, const struct end_ops *other, const char *names)
{
    static struct pair p;
    memset(&p, 0, sizeof p);
    p.random = seed;
    p.loss = pair_random(&p) % 60;
    p.side[0].ops = one;
    p.side[1].ops = other;
    const char *wrong = "no memory";
    p.side[0].memory = calloc(1, one->size);
    p.side[1].memory = calloc(1, other->size);
    if (p.side[0].memory != NULL && p.side[1].memory != NULL) {
        bool begun = one->begin(p.side[0].memory, true, seed) && other->begin(p.side[1].memory, false, seed / 3);
        wrong = begun ? pair_run(&p) : "it does not begin";
    }
    free(p.side[0].memory);
    free(p.side[1].memory);
    if (wrong != NULL) {
        printf("pair: seed %" PRIu32 ", %s: %s\n", seed, names, wrong);
    }
    return wrong == NULL;
}

int main(int argc, char **argv)
{
    uint32_t seeds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100, failed = 0;
    for (uint32_t seed = 1; seed <= seeds; seed++) {
        failed += !pair_seed(seed, &end_whole, &end_tiny, "whole to tiny");
        failed += !pair_seed(seed, &end_tiny, &end_whole, "tiny to whole");
        failed += !pair_seed(seed, &end_tiny, &end_tiny, "tiny to tiny");
    }
    printf("pair: %" PRIu32 " of %" PRIu32 " exchanges failed\n", failed, 3 * seeds);
    return failed > 0;
}
