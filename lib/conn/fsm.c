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

/* A row has fired: does what it names, and only then enters the next state, so that actions see the state the row was for. */
static void fsm_fire(struct weiri_step *s, enum weiri_row row, enum weiri_action action, unsigned next)
{
    weir_conn *c = s->c;
#ifdef WEIR_ROW_HOOK
    weir_row_hook((unsigned)row, c->state);
#endif
    if (!WEIR_NEVER(c->path.count >= WEIR_PATH_MAX)) {
        c->path.row[c->path.count++] = (uint8_t)row;
    }
    if (action != WEIRI_ACT_NONE) {
        weiri_act(s, action);
    }
    if (next != WEIR_SAME) {
        c->state = (uint8_t)next;
    }
    c->path.to = c->state;
}

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

WEIR_PRIVATE void weiri_fsm_went(weir_conn *c, const uint8_t *rows, size_t count)
{
    WEIR_ASSERT(count <= WEIR_PATH_MAX && c->path.count == 0);
#ifdef WEIR_ROW_HOOK
    for (size_t i = 0; i < count; i++) {
        weir_row_hook(rows[i], c->state);
    }
#endif
    memcpy(c->path.row, rows, count);
    c->path.count = (uint8_t)count;
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
