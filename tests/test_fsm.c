/* test_fsm.c - the rows of the state machine, exhaustively: every state with every combination of facts that can occur.
 *
 * What can occur is written down as rules (fsm_rules.h), each with its reason. Over all of it: exactly one path, forward only, to END; no
 * row and no state of a row that never fires; the same actions and the same next state as the plain switch of fsm_reference.h; and for every
 * small change of the table a combination that notices it. Knows nothing of what facts mean to a connection (test_facts.c) nor of what
 * actions do (test_conn.c): the action function here only takes notes. RFC 9293 3.10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conn/fsm.c"
#include "fsm_reference.h"
#include "fsm_rules.h"

/* ---- the rows as data -------------------------------------------------------------------------------------------- */

#define F(fact) ((uint32_t)WEIRI_F_##fact)
#define S(state) (1u << WEIR_##state)
#define OPENISH (S(ESTABLISHED) | S(FIN_WAIT_1) | S(FIN_WAIT_2) | S(CLOSE_WAIT))
#define CLOSINGISH (S(CLOSING) | S(LAST_ACK) | S(TIME_WAIT))
#define RECEIVING (S(ESTABLISHED) | S(FIN_WAIT_1) | S(FIN_WAIT_2))
#define SENDING (S(SYN_SENT) | S(SYN_RECEIVED) | S(ESTABLISHED) | S(CLOSE_WAIT))
#define SYNCHRONIZED (OPENISH | CLOSINGISH)
#define OTHERS (S(SYN_RECEIVED) | SYNCHRONIZED)
#define ANY ((1u << WEIR_STATE_COUNT) - 1)
#define WEIR_SAME WEIR_STATE_COUNT

struct row {
    const char *id;
    unsigned number;
    enum weiri_stage at;
    uint32_t in, need, refuse;
    enum weiri_action action;
    unsigned next;
    enum weiri_stage then;
    const char *source;
};

static const struct row segment_rows[] = {
#define ROW(id, at, in, need, refuse, action, next, then, source) \
    {#id, WEIRI_ROW_##id, WEIRI_STAGE_##at, in, need, refuse, WEIRI_ACT_##action, WEIR_##next, WEIRI_STAGE_##then, source},
#include "conn/rows.h"
};

static const struct row call_rows[] = {
#define CALL(id, at, in, need, refuse, action, next, source) \
    {#id, WEIRI_ROW_##id, WEIRI_STAGE_##at, in, need, refuse, WEIRI_ACT_##action, WEIR_##next, WEIRI_STAGE_END, source},
#include "conn/rows.h"
};

#define SEGMENT_ROWS (sizeof segment_rows / sizeof segment_rows[0])
#define CALL_ROWS (sizeof call_rows / sizeof call_rows[0])
#define ROWS_MAX (SEGMENT_ROWS > CALL_ROWS ? SEGMENT_ROWS : CALL_ROWS)

struct table {
    struct row row[ROWS_MAX];
    size_t count;
};

static const char *const state_names[] = {"CLOSED",     "LISTEN",     "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
                                          "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",  "LAST-ACK",     "TIME-WAIT",   "same"};
static const char *const fact_names[] = {
#define X(name) #name,
    WEIRI_FACTS(X)
#undef X
};
static const char *const action_names[] = {
#define X(name) #name,
    WEIRI_ACTIONS(X)
#undef X
};

static const char *const stage_names[] = {
#define X(name) #name,
    WEIRI_STAGES(X)
#undef X
};

/* ---- what can happen --------------------------------------------------------------------------------------------- */

static uint32_t rule_facts(const struct rule *r)
{
    return r->need | r->refuse | r->then | r->never;
}

/* One thing that can happen. */
struct situation {
    uint32_t facts;
    uint8_t state;
    uint8_t event; /* of a call: enum weiri_stage */
};

struct situations {
    struct situation *one;
    size_t count, cap;
};

static struct situations segments, calls;
static unsigned rule_hits[RULES];

static void situations_add(struct situations *all, struct situation s)
{
    if (all->count == all->cap) {
        all->cap = all->cap == 0 ? 4096 : 2 * all->cap;
        void *more = realloc(all->one, all->cap * sizeof *all->one);
        assert_non_null(more);
        all->one = (struct situation *)more;
    }
    all->one[all->count++] = s;
}

/* The bit of the last fact a rule speaks of: from there on it can be judged. 0 if it speaks of facts nobody asks for. */
static uint32_t rule_last(const struct rule *r, uint32_t cared)
{
    uint32_t all = rule_facts(r), top = 0;
    if (all & ~cared) {
        return 0;
    }
    for (uint32_t bit = 1; bit <= all && bit != 0; bit <<= 1) {
        top = all & bit ? bit : top;
    }
    return top;
}

/* Every assignment of the facts in `cared` from `bit` on, given those before: depth is the number of facts. */
static void situations_walk(struct situations *all, struct situation s, uint32_t bit, uint32_t cared)
{
    if (bit == 1u << WEIRI_FACT_COUNT) {
        situations_add(all, s);
        return;
    }
    if (!(cared & bit)) {
        situations_walk(all, s, bit << 1, cared);
        return;
    }
    for (unsigned on = 0; on < 2; on++) {
        struct situation t = s;
        t.facts |= on ? bit : 0;
        bool possible = true;
        for (size_t i = 0; i < RULES; i++) {
            if (rule_last(&rules[i], cared) == bit && rule_broken(&rules[i], t.state, t.facts)) {
                rule_hits[i]++;
                possible = false;
            }
        }
        if (possible) {
            situations_walk(all, t, bit << 1, cared);
        }
    }
}

static uint32_t rows_facts(const struct row *rows, size_t count)
{
    uint32_t facts = 0;
    for (size_t i = 0; i < count; i++) {
        facts |= rows[i].need | rows[i].refuse;
    }
    return facts;
}

/* Facts that only a segment has. */
#define CALL_FACTS (F(PASSIVE) | F(RELEASED) | F(CLOSED) | F(QUEUED) | F(UNREAD) | F(REMOTE))

/* Of a connection's own facts those that no row for segments asks for are left out there: they cannot matter. */
static int setup(void **state)
{
    (void)state;
    uint32_t all = (1u << WEIRI_FACT_COUNT) - 1;
    uint32_t cared = (all & ~CALL_FACTS) | rows_facts(segment_rows, SEGMENT_ROWS);
    for (unsigned s = 0; s < WEIR_STATE_COUNT; s++) {
        struct situation one = {0, (uint8_t)s, 0};
        situations_walk(&segments, one, 1, cared);
        for (unsigned e = WEIRI_STAGE_OPEN_PASSIVE; e < WEIRI_STAGE_END; e++) {
            one.event = (uint8_t)e;
            situations_walk(&calls, one, 1, CALL_FACTS);
        }
    }
    print_message("%zu combinations of state and facts for segments, %zu for calls\n", segments.count, calls.count);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(segments.one);
    free(calls.one);
    return 0;
}

/* ---- what the table does ----------------------------------------------------------------------------------------- */

/* Facts that the table's own actions add on the way; all others are there from the start. */
static uint32_t situation_later(const struct situation *s)
{
    return F(FIN_REACHED) | (s->state == WEIR_SYN_SENT ? F(TEXT) | F(OCTETS) : 0);
}

static uint32_t added_by(const struct situation *s, enum weiri_action action)
{
    uint32_t text = F(TEXT) | F(OCTETS);
    return action == WEIRI_ACT_TAKE_TEXT      ? s->facts & F(FIN_REACHED)
           : action == WEIRI_ACT_TAKE_SYN_ACK ? s->facts & situation_later(s) & text
                                              : 0;
}

struct outcome {
    unsigned state;
    enum weiri_action did[REFERENCE_MAX];
    unsigned count;
    unsigned path[REFERENCE_MAX];
    unsigned path_count;
    bool ended; /* every stage on the way decided, and the last one said END */
};

static struct outcome noted;
static const struct situation *noting;

/* In the place of act.c. */
WEIR_PRIVATE void weiri_act(struct weiri_step *s, enum weiri_action action)
{
    noted.did[noted.count++] = action;
    s->facts |= added_by(noting, action);
}

static struct outcome run_fsm(const struct situation *s)
{
    weir_conn c;
    struct weiri_step step;
    memset(&c, 0, sizeof c);
    memset(&step, 0, sizeof step);
    memset(&noted, 0, sizeof noted);
    noting = s;
    c.state = s->state;
    step.c = &c;
    step.facts = s->facts & ~situation_later(s);
    if (s->event != 0) {
        weiri_fsm_call(&step, (enum weiri_stage)s->event);
    } else {
        weiri_fsm_segment(&step);
    }
    noted.state = c.state;
    for (unsigned i = 0; i < c.path.count; i++) {
        noted.path[noted.path_count++] = c.path.row[i];
    }
    return noted;
}

/* The same, over rows that can be changed. */
static struct outcome run_rows(const struct table *t, const struct situation *s)
{
    struct outcome o;
    memset(&o, 0, sizeof o);
    o.state = s->state;
    uint32_t facts = s->facts & ~situation_later(s);
    enum weiri_stage stage = s->event != 0 ? (enum weiri_stage)s->event : fsm_first_stage(&(weir_conn){.state = s->state});
    for (size_t i = 0; i < t->count && o.path_count < REFERENCE_MAX; i++) {
        const struct row *r = &t->row[i];
        if (stage != r->at || !(r->in >> o.state & 1u) || (facts & r->need) != r->need || (facts & r->refuse)) {
            continue;
        }
        o.path[o.path_count++] = r->number;
        if (r->action != WEIRI_ACT_NONE) {
            o.did[o.count++] = r->action;
            facts |= added_by(s, r->action);
        }
        o.state = r->next == WEIR_SAME ? o.state : r->next;
        stage = r->then;
    }
    o.ended = stage == WEIRI_STAGE_END;
    return o;
}

static struct outcome run_reference(const struct situation *s)
{
    struct reference r;
    struct outcome o;
    memset(&r, 0, sizeof r);
    memset(&o, 0, sizeof o);
    r.state = s->state;
    r.facts = s->facts;
    if (s->event != 0) {
        reference_call(&r, (enum weiri_stage)s->event);
    } else {
        reference_segment(&r);
    }
    o.state = r.state;
    o.count = r.count;
    memcpy(o.did, r.did, sizeof o.did);
    o.ended = true;
    return o;
}

static bool outcome_same(const struct outcome *a, const struct outcome *b)
{
    return a->ended == b->ended && a->state == b->state && a->count == b->count &&
           memcmp(a->did, b->did, a->count * sizeof a->did[0]) == 0;
}

static void table_of(struct table *t, bool of_calls)
{
    const struct row *from = of_calls ? call_rows : segment_rows;
    t->count = of_calls ? CALL_ROWS : SEGMENT_ROWS;
    memcpy(t->row, from, t->count * sizeof t->row[0]);
}

/* ---- words for a failure ----------------------------------------------------------------------------------------- */

static void print_outcome(const char *who, const struct outcome *o)
{
    print_error("  %s:", who);
    for (unsigned i = 0; i < o->count; i++) {
        print_error(" %s", action_names[o->did[i]]);
    }
    print_error(" -> %s%s;", state_names[o->state], o->ended ? "" : " (not decided)");
    for (unsigned i = 0; i < o->path_count; i++) {
        print_error(" %s", weir_row_name(o->path[i]));
    }
    print_error("\n");
}

static void print_situation(const struct situation *s)
{
    print_error("%s, %s:", state_names[s->state], s->event != 0 ? stage_names[s->event] : "a segment");
    for (unsigned i = 0; i < WEIRI_FACT_COUNT; i++) {
        if (s->facts >> i & 1u) {
            print_error(" %s", fact_names[i]);
        }
    }
    print_error("\n");
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void check_row(const struct row *r)
{
    if (strncmp(r->source, "RFC ", 4) != 0 || r->in == 0 || (r->in & ~ANY) || (r->need & r->refuse)) {
        fail_msg("%s: a row needs a source, states of the RFC, and facts that do not exclude each other", r->id);
    }
    if (r->then <= r->at) {
        fail_msg("%s goes back", r->id);
    }
    assert_string_equal(weir_row_name(r->number), r->id);
    assert_string_equal(weir_row_section(r->number), r->source);
}

static void test_rows_are_well_formed(void **state)
{
    (void)state;
    assert_int_equal(weir_row_count(), SEGMENT_ROWS + CALL_ROWS);
    for (size_t i = 0; i < SEGMENT_ROWS; i++) {
        check_row(&segment_rows[i]);
        assert_true(i == 0 || segment_rows[i - 1].at <= segment_rows[i].at);
        assert_true(segment_rows[i].at < WEIRI_STAGE_OPEN_PASSIVE);
    }
    for (size_t i = 0; i < CALL_ROWS; i++) {
        check_row(&call_rows[i]);
        assert_true(i == 0 || call_rows[i - 1].at <= call_rows[i].at);
        assert_true(call_rows[i].at >= WEIRI_STAGE_OPEN_PASSIVE);
    }
    for (unsigned i = 0; i < weir_row_count(); i++) {
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(weir_row_name(i), weir_row_name(j));
        }
    }
    assert_string_equal(weir_row_name(weir_row_count()), "?");
    assert_string_equal(weir_row_section(weir_row_count()), "?");
}

/* A rule that keeps nothing out is a rule nobody needs, or one with a mistake. */
static void test_rules_bite(void **state)
{
    (void)state;
    for (size_t i = 0; i < RULES; i++) {
        if (rule_hits[i] == 0) {
            fail_msg("this rule keeps nothing out: %s", rules[i].why);
        }
    }
}

/* One path for each combination, to END, the same in fsm.c and in the interpreter; and within weir_path. */
static void check_total(const struct situations *all, bool of_calls, unsigned *longest)
{
    struct table t;
    table_of(&t, of_calls);
    for (size_t i = 0; i < all->count; i++) {
        const struct situation *s = &all->one[i];
        struct outcome rows = run_rows(&t, s);
        if (!rows.ended) {
            print_situation(s);
            print_outcome("rows", &rows);
            fail_msg("a hole in the table");
        }
        struct outcome fsm = run_fsm(s);
        fsm.ended = true;
        if (!outcome_same(&rows, &fsm) || fsm.path_count != rows.path_count ||
            memcmp(fsm.path, rows.path, sizeof fsm.path) != 0) {
            print_situation(s);
            print_outcome("rows", &rows);
            print_outcome("fsm.c", &fsm);
            fail_msg("fsm.c does not do what its rows say");
        }
        *longest = rows.path_count > *longest ? rows.path_count : *longest;
    }
}

static void test_every_combination_is_decided(void **state)
{
    (void)state;
    unsigned longest = 0;
    check_total(&segments, false, &longest);
    assert_int_equal(longest, WEIR_PATH_MAX);
    longest = 0;
    check_total(&calls, true, &longest);
    assert_int_equal(longest, 1);
}

/* Every row fires in every state it names. A call's last row may say ANY: in whatever state is left. */
static void check_alive(const struct situations *all, bool of_calls)
{
    static unsigned fired[WEIRI_ROW_COUNT][WEIR_STATE_COUNT];
    struct table t;
    unsigned dead = 0;
    memset(fired, 0, sizeof fired);
    table_of(&t, of_calls);
    for (size_t i = 0; i < all->count; i++) {
        struct outcome o = run_rows(&t, &all->one[i]);
        unsigned at = all->one[i].state;
        for (unsigned k = 0; k < o.path_count; k++) {
            fired[o.path[k]][at]++;
            const struct row *r = of_calls ? &call_rows[o.path[k] - SEGMENT_ROWS] : &segment_rows[o.path[k]];
            at = r->next == WEIR_SAME ? at : r->next;
        }
    }
    for (size_t i = 0; i < t.count; i++) {
        unsigned total = 0;
        for (unsigned s = 0; s < WEIR_STATE_COUNT; s++) {
            total += fired[t.row[i].number][s];
            if ((t.row[i].in >> s & 1u) && fired[t.row[i].number][s] == 0 && t.row[i].in != ANY) {
                print_error("%s never fires in %s\n", t.row[i].id, state_names[s]);
                dead++;
            }
        }
        if (total == 0) {
            print_error("%s never fires\n", t.row[i].id);
            dead++;
        }
    }
    assert_int_equal(dead, 0);
}

static void test_no_row_is_dead(void **state)
{
    (void)state;
    check_alive(&segments, false);
    check_alive(&calls, true);
}

static void check_reference(const struct situations *all)
{
    unsigned differ = 0;
    for (size_t i = 0; i < all->count; i++) {
        struct outcome fsm = run_fsm(&all->one[i]), reference = run_reference(&all->one[i]);
        fsm.ended = true;
        if (!outcome_same(&fsm, &reference) && differ++ < 5) {
            print_situation(&all->one[i]);
            print_outcome("rows     ", &fsm);
            print_outcome("reference", &reference);
        }
    }
    assert_int_equal(differ, 0);
}

static void test_segments_against_the_reference(void **state)
{
    (void)state;
    check_reference(&segments);
}

static void test_calls_against_the_reference(void **state)
{
    (void)state;
    check_reference(&calls);
}

/* ---- would anybody notice? --------------------------------------------------------------------------------------- */

static struct outcome *expected; /* of the reference, one for each situation */

/* Each difference found is moved to the front of the line: most changes are then noticed at once. */
static bool table_noticed(const struct table *t, const struct situations *all)
{
    static size_t last;
    for (size_t k = 0; k < all->count; k++) {
        size_t i = (last + k) % all->count;
        struct outcome o = run_rows(t, &all->one[i]);
        if (!outcome_same(&o, &expected[i])) {
            last = i;
            return true;
        }
    }
    return false;
}

/* Do both rows match one and the same moment of some situation, and would it matter which comes first? */
static bool rows_compete(const struct row *a, const struct row *b)
{
    bool meet = a->at == b->at && (a->in & b->in) && !(a->need & b->refuse) && !(b->need & a->refuse);
    return meet && (a->action != b->action || a->next != b->next || a->then != b->then);
}

/* The same question asked of the situations: is there one in which, when `b` has been put before `a`, b fires at their stage, and was it
 * not b that fired before? */
static bool rows_meet(const struct table *before, size_t at, const struct situations *all)
{
    const struct row *a = &before->row[at], *b = &before->row[at + 1];
    struct table only = *before; /* a is gone: does b fire where a fired? */
    memmove(&only.row[at], &only.row[at + 1], (only.count - at - 1) * sizeof only.row[0]);
    only.count--;
    for (size_t i = 0; i < all->count; i++) {
        struct outcome with = run_rows(before, &all->one[i]), without = run_rows(&only, &all->one[i]);
        bool a_fired = false, b_fired = false;
        for (unsigned k = 0; k < with.path_count; k++) {
            a_fired = a_fired || with.path[k] == a->number;
        }
        for (unsigned k = 0; k < without.path_count; k++) {
            b_fired = b_fired || without.path[k] == b->number;
        }
        if (a_fired && b_fired) {
            return true;
        }
    }
    return false;
}

/* What a row says for its reader although the table would do the same without it. */
struct spare {
    const char *id, *what;
    const char *why;
};
static const struct spare spares[] = {
    {"L3", "SYN", "without SYN the segment is dropped as well, by L5"},
    {"S1", "ACK", "a RST without ACK is dropped as well, by S4"},
    {"W1", "SYN", "REUSE is a fact about a SYN"},
    {"R7", "RST", "STAY is a fact about a RST"},
    {"Q2", "SYN", "SEQ_PROBE is no fact about a RST: leaving that stage out changes nothing"},
    {"A8", "URG", "what follows ignores URG, text and FIN in this state: END says so at once"},
    {"AB2", "the row", "AB4 does the same; the RFC lists the states apart"},
    {"AB2", "LISTEN", "as above"},
    {"AB2", "SYN-SENT", "as above"},
};
#define SPARES (sizeof spares / sizeof spares[0])
static unsigned spare_seen[SPARES];

struct tally {
    unsigned changes, noticed, same;
};

/* A change was made to `what` of a row: noticed, or known to change nothing. */
static void tally_one(struct tally *n, const char *id, const char *what, bool noticed)
{
    n->changes++;
    n->noticed += noticed;
    for (size_t i = 0; !noticed && i < SPARES; i++) {
        if (strcmp(spares[i].id, id) == 0 && strcmp(spares[i].what, what) == 0) {
            spare_seen[i]++;
            n->same++;
            return;
        }
    }
    if (!noticed) {
        print_error("%s, %s changed: nobody notices\n", id, what);
    }
}

static void tally_end(const char *what, const struct tally *n)
{
    print_message("  %s: %u noticed of %u; %u change nothing\n", what, n->noticed, n->changes, n->same);
    assert_int_equal(n->noticed + n->same, n->changes);
}

static void change_deleted(const struct table *t, const struct situations *all)
{
    struct tally n = {0, 0, 0};
    for (size_t i = 0; i < t->count; i++) {
        struct table m = *t;
        memmove(&m.row[i], &m.row[i + 1], (m.count - i - 1) * sizeof m.row[0]);
        m.count--;
        tally_one(&n, t->row[i].id, "the row", table_noticed(&m, all));
    }
    tally_end("a row deleted", &n);
}

/* Rows that cannot both match may stand in either order: those swaps change nothing, and only those. */
static void change_swapped(const struct table *t, const struct situations *all)
{
    struct tally n = {0, 0, 0};
    for (size_t i = 0; i + 1 < t->count; i++) {
        if (t->row[i].at != t->row[i + 1].at) {
            continue;
        }
        struct table m = *t;
        m.row[i] = t->row[i + 1];
        m.row[i + 1] = t->row[i];
        bool noticed = table_noticed(&m, all), compete = rows_compete(&t->row[i], &t->row[i + 1]) && rows_meet(t, i, all);
        n.changes++;
        n.noticed += noticed;
        n.same += !noticed && !compete;
        if (noticed != compete) {
            fail_msg("%s and %s %s, yet their order %s", t->row[i].id, t->row[i + 1].id, compete ? "compete" : "do not compete",
                     noticed ? "matters" : "does not matter");
        }
    }
    tally_end("two rows of a stage swapped", &n);
}

/* Each condition of each row left out: a fact needed, a fact refused. */
static void change_loosened(const struct table *t, const struct situations *all)
{
    struct tally n = {0, 0, 0};
    for (size_t i = 0; i < t->count; i++) {
        for (unsigned fact = 0; fact < WEIRI_FACT_COUNT; fact++) {
            struct table m = *t;
            if (!((m.row[i].need | m.row[i].refuse) >> fact & 1u)) {
                continue;
            }
            m.row[i].need &= ~(1u << fact);
            m.row[i].refuse &= ~(1u << fact);
            tally_one(&n, t->row[i].id, fact_names[fact], table_noticed(&m, all));
        }
    }
    tally_end("a condition left out", &n);
}

static void change_narrowed(const struct table *t, const struct situations *all)
{
    struct tally n = {0, 0, 0};
    for (size_t i = 0; i < t->count; i++) {
        for (unsigned s = 0; s < WEIR_STATE_COUNT; s++) {
            struct table m = *t;
            if (!(m.row[i].in >> s & 1u)) {
                continue;
            }
            m.row[i].in &= ~(1u << s);
            bool noticed = table_noticed(&m, all);
            if (noticed || t->row[i].in != ANY) { /* ANY: in whatever state the rows before have left */
                tally_one(&n, t->row[i].id, state_names[s], noticed);
            }
        }
    }
    tally_end("a state left out", &n);
}

static void change_replaced(const struct table *t, const struct situations *all)
{
    struct tally n = {0, 0, 0};
    for (size_t i = 0; i < t->count; i++) {
        const struct row *r = &t->row[i];
        struct table m = *t;
        m.row[i].action = r->action == WEIRI_ACT_NONE ? WEIRI_ACT_SEND_ACK : WEIRI_ACT_NONE;
        tally_one(&n, r->id, "the action", table_noticed(&m, all));
        m = *t;
        m.row[i].next = r->next != WEIR_SAME ? WEIR_SAME : r->in == S(CLOSED) ? WEIR_LISTEN : WEIR_CLOSED;
        tally_one(&n, r->id, "the next state", table_noticed(&m, all));
    }
    tally_end("an action or a next state changed", &n);
}

/* A row that ends goes on instead; one that goes on ends, or leaves a stage out. */
static void change_restaged(const struct table *t, const struct situations *all)
{
    struct tally n = {0, 0, 0};
    for (size_t i = 0; i < t->count; i++) {
        const struct row *r = &t->row[i];
        struct table m = *t;
        m.row[i].then = r->then != WEIRI_STAGE_END ? WEIRI_STAGE_END : (enum weiri_stage)(r->at + 1);
        tally_one(&n, r->id, stage_names[m.row[i].then], table_noticed(&m, all));
        if (r->then != WEIRI_STAGE_END) {
            m.row[i].then = (enum weiri_stage)(r->then + 1);
            tally_one(&n, r->id, stage_names[m.row[i].then], table_noticed(&m, all));
        }
    }
    tally_end("a next stage changed", &n);
}

static void check_changes(const struct situations *all, bool of_calls)
{
    struct table t;
    table_of(&t, of_calls);
    expected = (struct outcome *)malloc(all->count * sizeof *expected);
    assert_non_null(expected);
    for (size_t i = 0; i < all->count; i++) {
        expected[i] = run_reference(&all->one[i]);
    }
    assert_false(table_noticed(&t, all));
    change_deleted(&t, all);
    change_swapped(&t, all);
    change_loosened(&t, all);
    change_narrowed(&t, all);
    change_replaced(&t, all);
    if (!of_calls) {
        change_restaged(&t, all);
    }
    free(expected);
}

static void test_changes_of_the_segment_rows_are_noticed(void **state)
{
    (void)state;
    check_changes(&segments, false);
}

static void test_changes_of_the_call_rows_are_noticed(void **state)
{
    (void)state;
    check_changes(&calls, true);
}

/* Runs after those two: the list of what may change unnoticed has nothing in it that would be noticed. */
static void test_nothing_is_excused_without_need(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPARES; i++) {
        if (spare_seen[i] == 0) {
            fail_msg("%s, %s: a change of it is noticed (%s)", spares[i].id, spares[i].what, spares[i].why);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_well_formed),
        cmocka_unit_test(test_rules_bite),
        cmocka_unit_test(test_every_combination_is_decided),
        cmocka_unit_test(test_no_row_is_dead),
        cmocka_unit_test(test_segments_against_the_reference),
        cmocka_unit_test(test_calls_against_the_reference),
        cmocka_unit_test(test_changes_of_the_segment_rows_are_noticed),
        cmocka_unit_test(test_changes_of_the_call_rows_are_noticed),
        cmocka_unit_test(test_nothing_is_excused_without_need),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
