/* fsm.c - runs the rows of rows.h. The only place where a connection changes its state.
 *
 * Knows the order of rows and stages; knows neither what a fact means (facts.c) nor what an action does (act.c). RFC 9293 3.10. */
#include "conn/conn.h"

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

#ifdef WEIR_ROW_HOOK /* for the runner of the vectors: whoever links the rooms is told each row that fires, and in which state */
void weir_row_hook(unsigned row, unsigned state);
#endif

static enum weiri_stage fsm_first_stage(const weir_conn *c)
{
    switch (c->state) {
    case WEIR_CLOSED: return WEIRI_STAGE_CLOSED;
    case WEIR_LISTEN: return WEIRI_STAGE_LISTEN;
    case WEIR_SYN_SENT: return WEIRI_STAGE_SYN_SENT;
    default: return WEIRI_STAGE_STAMP;
    }
}

/* For weir_last_path. */
#if WEIR_WITH_COUNTERS
static void fsm_note_row(weir_conn *c, enum weiri_row row)
{
    if (!WEIR_NEVER(c->path.count >= WEIR_PATH_MAX)) {
        c->path.row[c->path.count++] = (uint8_t)row;
    }
}

static void fsm_note_state(weir_conn *c)
{
    c->path.to = c->state;
}

static void fsm_note_rows(weir_conn *c, const uint8_t *rows, size_t count)
{
    WEIR_ASSERT(count <= WEIR_PATH_MAX && c->path.count == 0);
    memcpy(c->path.row, rows, count);
    c->path.count = (uint8_t)count;
}

WEIR_PRIVATE void weiri_fsm_begin(weir_conn *c)
{
    c->path.count = 0;
    c->path.from = c->state;
    c->path.to = c->state;
}

WEIR_API weir_path weir_last_path(const weir_conn *c)
{
    return c->path;
}
#else
static void fsm_note_row(weir_conn *c, enum weiri_row row)
{
    (void)c;
    (void)row;
}

static void fsm_note_state(weir_conn *c)
{
    (void)c;
}

static void fsm_note_rows(weir_conn *c, const uint8_t *rows, size_t count)
{
    (void)c;
    (void)rows;
    (void)count;
}

WEIR_PRIVATE void weiri_fsm_begin(weir_conn *c)
{
    (void)c;
}

WEIR_API weir_path weir_last_path(const weir_conn *c)
{
    weir_path none;
    memset(&none, 0, sizeof none);
    none.from = none.to = c->state;
    return none;
}
#endif

/* A row has fired: does what it names, and only then enters the next state, so that actions see the state the row was for. */
static void fsm_fire(struct weiri_step *s, enum weiri_row row, enum weiri_action action, unsigned next)
{
    weir_conn *c = s->c;
#ifdef WEIR_ROW_HOOK
    weir_row_hook((unsigned)row, c->state);
#endif
    fsm_note_row(c, row);
    if (action != WEIRI_ACT_NONE) {
        weiri_act(s, action);
    }
    if (next != WEIR_SAME) {
        c->state = (uint8_t)next;
    }
    fsm_note_state(c);
}

#if WEIR_WITH_FAST_TABLE

/* No row asks for a fact and refuses it. */
#define FSM_MATCHES(in, need, refuse) ((((uint32_t)(in)) >> s->c->state & 1u) && (s->facts & ((need) | (refuse))) == (need))

WEIR_PRIVATE void weiri_fsm_segment(struct weiri_step *s)
{
    enum weiri_stage stage = fsm_first_stage(s->c);
#define ROW(id, at, in, need, refuse, action, next, then, source)                        \
    if (stage == WEIRI_STAGE_##at && FSM_MATCHES(in, need, refuse)) {                    \
        fsm_fire(s, WEIRI_ROW_##id, WEIRI_ACT_##action, WEIR_##next);                    \
        stage = WEIRI_STAGE_##then;                                                      \
    }
#include "conn/rows.h"
    WEIR_ASSERT(stage == WEIRI_STAGE_END);
}

WEIR_PRIVATE void weiri_fsm_call(struct weiri_step *s, enum weiri_stage stage)
{
#define CALL(id, at, in, need, refuse, action, next, source)                             \
    if (stage == WEIRI_STAGE_##at && FSM_MATCHES(in, need, refuse)) {                    \
        fsm_fire(s, WEIRI_ROW_##id, WEIRI_ACT_##action, WEIR_##next);                    \
        return;                                                                          \
    }
#include "conn/rows.h"
    WEIR_ASSERT(false);
}

#else

/* A row in six octets. No row asks for, or refuses, more than two facts: they are named by their numbers, 31 is none. After it comes the
 * END, the next stage, or, with `skips`, the one that URG is. */
struct fsm_row {
    uint16_t in : 11, at : 5;
    uint16_t need_1 : 5, need_2 : 5, refuse_1 : 5, goes : 1;
    uint16_t refuse_2 : 5, action : 6, next : 4, skips : 1;
};

#define FSM_NONE 0x80000000u
#define FSM_FIRST(facts) ((unsigned)__builtin_ctz((facts) | FSM_NONE))
#define FSM_SECOND(facts) FSM_FIRST((uint32_t)(facts) & ((uint32_t)(facts) - 1u))
#define FSM_ROW(at, in, need, refuse, action, next, then)                                                                \
    {(in), WEIRI_STAGE_##at, FSM_FIRST(need), FSM_SECOND(need), FSM_FIRST(refuse), WEIRI_STAGE_##then != WEIRI_STAGE_END, \
     FSM_SECOND(refuse), WEIRI_ACT_##action, WEIR_##next, WEIRI_STAGE_##then == WEIRI_STAGE_URG},

static const struct fsm_row fsm_rows[] = { /* by enum weiri_row */
#define ROW(id, at, in, need, refuse, action, next, then, source) FSM_ROW(at, in, need, refuse, action, next, then)
#define CALL(id, at, in, need, refuse, action, next, source) FSM_ROW(at, in, need, refuse, action, next, END)
#include "conn/rows.h"
};

#define FSM_AT_MOST_TWO(facts) ((((facts) & ((facts) - 1u)) & (((facts) & ((facts) - 1u)) - 1u)) == 0)
#define FSM_KNOWS(at, then)                                                                                              \
    (WEIRI_STAGE_##then == WEIRI_STAGE_END || WEIRI_STAGE_##then == WEIRI_STAGE_URG || (int)WEIRI_STAGE_##then == (int)WEIRI_STAGE_##at + 1)
#define ROW(id, at, in, need, refuse, action, next, then, ...)                                                           \
    typedef char fsm_fits_##id[FSM_AT_MOST_TWO((uint32_t)(need)) && FSM_AT_MOST_TWO((uint32_t)(refuse)) && FSM_KNOWS(at, then) ? 1 : -1];
#define CALL(id, at, in, need, refuse, action, next, ...) ROW(id, at, in, need, refuse, action, next, END, )
#include "conn/rows.h"

static bool fsm_matches(const struct weiri_step *s, const struct fsm_row *r)
{
    uint32_t has = s->facts | FSM_NONE, lacks = ~s->facts | FSM_NONE;
    return (r->in >> s->c->state & has >> r->need_1 & has >> r->need_2 & lacks >> r->refuse_1 & lacks >> r->refuse_2 & 1u) != 0;
}

/* The first row of a stage that matches fires; the stage after it. */
static enum weiri_stage fsm_walk(struct weiri_step *s, enum weiri_stage stage)
{
    for (unsigned i = 0; i < WEIRI_ROW_COUNT; i++) { /* the table */
        const struct fsm_row *r = &fsm_rows[i];
        if (r->at == (unsigned)stage && fsm_matches(s, r)) {
            fsm_fire(s, (enum weiri_row)i, (enum weiri_action)r->action, r->next);
            return !r->goes ? WEIRI_STAGE_END : r->skips ? WEIRI_STAGE_URG : (enum weiri_stage)(r->at + 1);
        }
    }
    WEIR_ASSERT(false);
    return WEIRI_STAGE_END;
}

WEIR_PRIVATE void weiri_fsm_segment(struct weiri_step *s)
{
    enum weiri_stage stage = fsm_first_stage(s->c);
    while (stage != WEIRI_STAGE_END) { /* stages only go forward */
        stage = fsm_walk(s, stage);
    }
}

WEIR_PRIVATE void weiri_fsm_call(struct weiri_step *s, enum weiri_stage stage)
{
    (void)fsm_walk(s, stage);
}

#undef FSM_NONE
#undef FSM_FIRST
#undef FSM_SECOND
#undef FSM_ROW
#undef FSM_AT_MOST_TWO
#undef FSM_KNOWS

#endif /* WEIR_WITH_FAST_TABLE */

WEIR_PRIVATE void weiri_fsm_went(weir_conn *c, const uint8_t *rows, size_t count)
{
#ifdef WEIR_ROW_HOOK
    for (size_t i = 0; i < count; i++) {
        weir_row_hook(rows[i], c->state);
    }
#endif
    fsm_note_rows(c, rows, count);
}

static const char *const fsm_row_names[] = {
#define ROW(id, ...) #id,
#define CALL(id, ...) #id,
#include "conn/rows.h"
};

static const char *const fsm_row_sources[] = {
#define ROW(id, at, in, need, refuse, action, next, then, source) source,
#define CALL(id, at, in, need, refuse, action, next, source) source,
#include "conn/rows.h"
};

WEIR_API unsigned weir_row_count(void)
{
    return WEIRI_ROW_COUNT;
}

WEIR_API const char *weir_row_name(unsigned row)
{
    return row < WEIRI_ROW_COUNT ? fsm_row_names[row] : "?";
}

WEIR_API const char *weir_row_section(unsigned row)
{
    return row < WEIRI_ROW_COUNT ? fsm_row_sources[row] : "?";
}

#undef F
#undef S
#undef OPENISH
#undef CLOSINGISH
#undef RECEIVING
#undef SENDING
#undef SYNCHRONIZED
#undef OTHERS
#undef ANY
#undef WEIR_SAME
#undef FSM_MATCHES
