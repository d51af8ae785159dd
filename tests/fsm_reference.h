/* fsm_reference.h - RFC 9293 3.10 once more, as a plain switch, to be compared with the rows of lib/conn/rows.h.
 *
 * Written from the text of the RFC (errata 8167, 8710, 8805 applied; RFC 5961, 7323 5 and 6191 where 9293 refers to them), in the order
 * of its paragraphs, and knows nothing of rows or stages. It speaks the table's words for facts and actions, so that the two can be
 * compared; where weir makes a choice that the RFC leaves open, or departs from its letter, a comment with "Choice:" says so. */
#ifndef WEIR_TESTS_FSM_REFERENCE_H
#define WEIR_TESTS_FSM_REFERENCE_H

#include "conn/conn.h"

#define REFERENCE_MAX 16

struct reference {
    unsigned state;                /* before, then after */
    uint32_t facts;                /* of the event, FIN_REACHED as TAKE_TEXT will find it */
    enum weiri_action did[REFERENCE_MAX];
    unsigned count;
};

static bool reference_is(const struct reference *r, uint32_t fact)
{
    return (r->facts & fact) != 0;
}

static void reference_do(struct reference *r, enum weiri_action action)
{
    r->did[r->count++] = action;
}

/* The last thing done for an event: do it, enter the state, be done. */
static bool reference_end(struct reference *r, enum weiri_action action, unsigned state)
{
    reference_do(r, action);
    r->state = state;
    return true;
}

static bool reference_drop(void)
{
    return true;
}

#define IS(fact) reference_is(r, (uint32_t)WEIRI_F_##fact)
#define DO(action) reference_do(r, WEIRI_ACT_##action)
#define END(action, to) reference_end(r, WEIRI_ACT_##action, WEIR_##to)
#define ANSWER(action) reference_end(r, WEIRI_ACT_##action, r->state)

/* 3.10.7.1 */
static bool reference_closed(struct reference *r)
{
    if (IS(RST)) {
        return reference_drop();
    }
    if (!IS(ACK)) {
        return ANSWER(RST_FROM_SEQ);
    }
    return ANSWER(RST_FROM_ACK);
}

/* 3.10.7.2 */
static bool reference_listen(struct reference *r)
{
    if (IS(RST)) {
        return reference_drop();
    }
    if (IS(ACK)) {
        return ANSWER(RST_FROM_ACK);
    }
    if (IS(SYN)) {
        /* Choice: a segment of weir carries no addresses; one whose sender was not named cannot be answered. */
        if (!IS(REMOTE)) {
            return reference_drop();
        }
        /* Choice: text and FIN of the SYN are not queued: unacknowledged, they come again. */
        return END(TAKE_SYN, SYN_RECEIVED);
    }
    return reference_drop();
}

/* Sixth to eighth of 3.10.7.4. */
static bool reference_contents(struct reference *r)
{
    bool receiving = r->state == WEIR_ESTABLISHED || r->state == WEIR_FIN_WAIT_1 || r->state == WEIR_FIN_WAIT_2;
    /* Sixth. */
    if (IS(URG) && receiving) {
        DO(TAKE_URGENT);
    }
    /* Seventh; in the other states text is ignored. A FIN there lies beyond the peer's FIN: there is none to take. */
    if (!receiving || !IS(TEXT)) {
        return reference_drop();
    }
    /* 3.6.1 (SHLD-3): octets that nobody will read; a FIN alone loses nothing. */
    if (IS(OCTETS) && IS(RELEASED)) {
        return END(END_UNREAD, CLOSED);
    }
    DO(TAKE_TEXT);
    /* Eighth: text is in order up to the FIN, the one of this segment or one that came before. */
    if (!IS(FIN_REACHED)) {
        return reference_drop();
    }
    switch (r->state) {
    case WEIR_ESTABLISHED: return END(TAKE_FIN, CLOSE_WAIT);
    case WEIR_FIN_WAIT_1: return END(TAKE_FIN, CLOSING); /* our FIN acknowledged: already FIN-WAIT-2 (erratum 8805) */
    default: return END(TAKE_LAST_FIN, TIME_WAIT);
    }
}

/* 3.10.7.3 */
static bool reference_syn_sent(struct reference *r)
{
    /* First. */
    if (IS(ACK) && !IS(ACK_NEW)) {
        if (IS(RST)) {
            return reference_drop();
        }
        return ANSWER(RST_FROM_ACK);
    }
    /* Second; erratum 8167: no check of RCV.NXT. */
    if (IS(RST)) {
        if (IS(ACK)) {
            return END(END_REFUSED, CLOSED);
        }
        return reference_drop();
    }
    /* Fourth. */
    if (IS(SYN)) {
        if (IS(ACK)) {
            DO(TAKE_SYN_ACK);
            r->state = WEIR_ESTABLISHED;
            return reference_contents(r);
        }
        /* Choice: as in LISTEN, what else the SYN carries comes again. */
        return END(CROSS_SYN, SYN_RECEIVED);
    }
    /* Fifth. */
    return reference_drop();
}

/* What comes before the first step: RFC 6191 2 ("the logic above is not applicable for incoming SYN segments" in TIME-WAIT) and
 * RFC 7323 5.3 R1. True: the segment is done with. */
static bool reference_before_first(struct reference *r)
{
    /* A request for a connection is a SYN without ACK. Choice: RFC 6191's rule for SYNs without timestamps is taken too. */
    if (r->state == WEIR_TIME_WAIT && IS(SYN) && !IS(ACK) && !IS(RST)) {
        if (IS(REUSE)) {
            return END(REOPEN, CLOSED);
        }
        return reference_drop();
    }
    if (IS(STALE)) {
        return ANSWER(SEND_ACK);
    }
    /* RFC 7323 3.2: "silently drop", where the user asks for that. */
    return IS(NO_STAMP) && reference_drop();
}

static bool reference_first(struct reference *r)
{
    /* Choice: the SYN that opened us lies outside the window and is trimmed; what it says is that the SYN,ACK was lost. */
    if (r->state == WEIR_SYN_RECEIVED && IS(SYN_AGAIN) && !IS(RST)) {
        return ANSWER(RESEND_SYN_ACK);
    }
    if (IS(SEQ_OK)) {
        return false;
    }
    /* "If the RCV.WND is zero ... special allowance should be made to accept valid ACKs, URGs, and RSTs." */
    if (IS(SEQ_PROBE)) {
        DO(SEND_ACK);
        return false;
    }
    if (IS(RST)) {
        return reference_drop();
    }
    /* "The only thing that can arrive in this state is a retransmission of the remote FIN. Acknowledge it, and restart the 2 MSL timeout."
     * It is never acceptable, so this sentence of the fifth step is meant here. */
    if (r->state == WEIR_TIME_WAIT && IS(FIN_AGAIN)) {
        return ANSWER(RESTART_2MSL);
    }
    return ANSWER(SEND_ACK);
}

static bool reference_second(struct reference *r)
{
    if (!IS(RST)) {
        return false;
    }
    /* Choice, by the configuration: "Ignore RST segments in TIME-WAIT state" (RFC 1337 3, F1). */
    if (r->state == WEIR_TIME_WAIT && IS(STAY)) {
        return reference_drop();
    }
    if (!IS(SEQ_NEXT)) {
        return ANSWER(CHALLENGE_ACK);
    }
    switch (r->state) {
    case WEIR_SYN_RECEIVED:
        /* Choice: a passive connection whose user has called CLOSE does not listen again: nobody would serve it. */
        if (IS(PASSIVE) && !IS(CLOSED)) {
            return END(RETURN_TO_LISTEN, LISTEN);
        }
        return END(END_REFUSED, CLOSED);
    case WEIR_ESTABLISHED:
    case WEIR_FIN_WAIT_1:
    case WEIR_FIN_WAIT_2:
    case WEIR_CLOSE_WAIT: return END(END_RESET, CLOSED);
    default: return END(END_RESET_LATE, CLOSED);
    }
}

static bool reference_fourth(struct reference *r)
{
    if (!IS(SYN)) {
        return false;
    }
    if (r->state == WEIR_SYN_RECEIVED && IS(PASSIVE) && !IS(CLOSED)) {
        return END(RETURN_TO_LISTEN, LISTEN);
    }
    return ANSWER(CHALLENGE_ACK);
}

static bool reference_fifth(struct reference *r)
{
    if (!IS(ACK)) {
        return reference_drop();
    }
    if (r->state == WEIR_SYN_RECEIVED) {
        /* 3.5.2 group 2: in no synchronized state, so RFC 5961's ACK does not apply: the answer is a reset. */
        if (!IS(ACK_NEW)) {
            return ANSWER(RST_FROM_ACK);
        }
        DO(ACCEPT_ACK);
        /* 3.10.4: a CLOSE that waited for ESTABLISHED is carried out now. */
        r->state = IS(CLOSED) ? WEIR_FIN_WAIT_1 : WEIR_ESTABLISHED;
        return false;
    }
    if (IS(ACK_OLD)) {
        return ANSWER(CHALLENGE_ACK);
    }
    if (IS(ACK_FUTURE)) {
        return ANSWER(SEND_ACK);
    }
    switch (r->state) {
    case WEIR_FIN_WAIT_1:
        DO(ACCEPT_ACK);
        r->state = IS(ACK_FIN) ? WEIR_FIN_WAIT_2 : WEIR_FIN_WAIT_1;
        return false;
    case WEIR_CLOSING:
        if (IS(ACK_FIN)) {
            return END(ACCEPT_LAST_ACK, TIME_WAIT);
        }
        return ANSWER(ACCEPT_ACK);
    case WEIR_LAST_ACK:
        if (IS(ACK_FIN)) {
            return END(END_DONE, CLOSED);
        }
        return ANSWER(ACCEPT_ACK);
    default: DO(ACCEPT_ACK); return false;
    }
}

/* 3.10.7: what a segment does in a state. */
static void reference_segment(struct reference *r)
{
    switch (r->state) {
    case WEIR_CLOSED: (void)reference_closed(r); return;
    case WEIR_LISTEN: (void)reference_listen(r); return;
    case WEIR_SYN_SENT: (void)reference_syn_sent(r); return;
    default:
        (void)(reference_before_first(r) || reference_first(r) || reference_second(r) || reference_fourth(r) ||
               reference_fifth(r) || reference_contents(r));
        return;
    }
}

/* 3.10.1, passive. */
static void reference_open_passive(struct reference *r)
{
    if (r->state == WEIR_CLOSED) {
        END(START_LISTEN, LISTEN);
    } else {
        DO(FAIL_EXISTS);
    }
}

/* 3.10.1, active. */
static void reference_open_active(struct reference *r)
{
    if (r->state != WEIR_CLOSED && r->state != WEIR_LISTEN) {
        DO(FAIL_EXISTS);
    } else if (!IS(REMOTE)) {
        DO(FAIL_UNSPECIFIED);
    } else {
        END(START_SYN, SYN_SENT);
    }
}

/* 3.10.2 */
static void reference_send(struct reference *r)
{
    switch (r->state) {
    case WEIR_CLOSED: DO(FAIL_NOT_EXIST); return;
    case WEIR_LISTEN:
        if (IS(REMOTE)) {
            END(OPEN_AND_QUEUE, SYN_SENT);
        } else {
            DO(FAIL_UNSPECIFIED);
        }
        return;
    case WEIR_SYN_RECEIVED:
        /* A CLOSE that waits for ESTABLISHED is a CLOSE: nothing can be sent after it (3.6). */
        if (IS(CLOSED)) {
            DO(FAIL_CLOSING);
            return;
        }
        DO(QUEUE_TEXT);
        return;
    case WEIR_SYN_SENT:
    case WEIR_ESTABLISHED:
    case WEIR_CLOSE_WAIT: DO(QUEUE_TEXT); return;
    default: DO(FAIL_CLOSING); return;
    }
}

/* 3.10.3 */
static void reference_receive(struct reference *r)
{
    /* Choice: what has arrived is the user's in every state: it was acknowledged (CLOSING to TIME-WAIT say "closing" in the RFC, although
     * octets that came before the FIN may still be unread there). */
    if (IS(UNREAD)) {
        return;
    }
    switch (r->state) {
    case WEIR_CLOSED: DO(FAIL_NOT_EXIST); return;
    case WEIR_CLOSE_WAIT:
    case WEIR_CLOSING:
    case WEIR_LAST_ACK:
    case WEIR_TIME_WAIT: DO(FAIL_CLOSING); return;
    default: return;
    }
}

/* 3.10.4 */
static void reference_close(struct reference *r)
{
    switch (r->state) {
    case WEIR_CLOSED: DO(FAIL_NOT_EXIST); return;
    case WEIR_LISTEN:
    case WEIR_SYN_SENT: END(END_DELETE, CLOSED); return;
    case WEIR_SYN_RECEIVED:
        if (IS(CLOSED)) {
            DO(FAIL_CLOSING);
        } else if (IS(QUEUED)) {
            DO(QUEUE_FIN);
        } else {
            END(QUEUE_FIN, FIN_WAIT_1);
        }
        return;
    case WEIR_ESTABLISHED: END(QUEUE_FIN, FIN_WAIT_1); return;
    case WEIR_CLOSE_WAIT: END(QUEUE_FIN, LAST_ACK); return;
    default: DO(FAIL_CLOSING); return;
    }
}

/* 3.10.5 */
static void reference_abort(struct reference *r)
{
    switch (r->state) {
    case WEIR_CLOSED: DO(FAIL_NOT_EXIST); return;
    case WEIR_SYN_RECEIVED:
    case WEIR_ESTABLISHED:
    case WEIR_FIN_WAIT_1:
    case WEIR_FIN_WAIT_2:
    case WEIR_CLOSE_WAIT: END(END_ABORT, CLOSED); return;
    case WEIR_CLOSING:
    case WEIR_LAST_ACK:
        if (IS(QUEUED)) { /* "segmentized" has not happened (3.10.4): FIN has not gone, and this is CLOSE-WAIT still */
            END(END_ABORT, CLOSED);
        } else {
            END(END_DELETE, CLOSED);
        }
        return;
    default: END(END_DELETE, CLOSED); return;
    }
}

/* 3.10.8, user timeout. */
static void reference_user_timeout(struct reference *r)
{
    switch (r->state) {
    case WEIR_CLOSED:
    case WEIR_LISTEN:
    case WEIR_TIME_WAIT: return; /* nothing is waited for */
    case WEIR_SYN_RECEIVED:
        /* Choice: no user knows of it, unless he has closed it; the OPEN goes on listening. */
        if (IS(PASSIVE) && !IS(CLOSED)) {
            END(RETURN_TO_LISTEN, LISTEN);
            return;
        }
        END(END_TIMEOUT, CLOSED);
        return;
    default: END(END_TIMEOUT, CLOSED); return;
    }
}

/* 3.10.8, retransmission timeout: only of a segment in the retransmission queue. */
static void reference_resend_timeout(struct reference *r)
{
    if (r->state != WEIR_CLOSED && r->state != WEIR_LISTEN && r->state != WEIR_TIME_WAIT) {
        DO(RESEND);
    }
}

/* 3.10.8, TIME-WAIT timeout; 3.6.1 lets a connection without a user end in FIN-WAIT-2. */
static void reference_life_timeout(struct reference *r)
{
    if (r->state == WEIR_TIME_WAIT || (r->state == WEIR_FIN_WAIT_2 && IS(RELEASED))) {
        END(END_DELETE, CLOSED);
    }
}

/* 3.9.2.2 (SHLD-26), but RFC 5927 5.2: soft on synchronized connections; and a passive open ends no listener. */
static void reference_icmp_hard(struct reference *r)
{
    if (r->state == WEIR_SYN_SENT || (r->state == WEIR_SYN_RECEIVED && !IS(PASSIVE))) {
        END(END_UNREACHABLE, CLOSED);
    } else {
        DO(SOFT_ERROR);
    }
}

/* A user call, a timeout or an ICMP error. */
__attribute__((unused)) static void reference_call(struct reference *r, enum weiri_stage event)
{
    switch (event) {
    case WEIRI_STAGE_OPEN_PASSIVE: reference_open_passive(r); return;
    case WEIRI_STAGE_OPEN_ACTIVE: reference_open_active(r); return;
    case WEIRI_STAGE_SEND: reference_send(r); return;
    case WEIRI_STAGE_RECEIVE: reference_receive(r); return;
    case WEIRI_STAGE_CLOSE: reference_close(r); return;
    case WEIRI_STAGE_ABORT: reference_abort(r); return;
    case WEIRI_STAGE_TIMEOUT_USER: reference_user_timeout(r); return;
    case WEIRI_STAGE_TIMEOUT_RESEND: reference_resend_timeout(r); return;
    case WEIRI_STAGE_TIMEOUT_LIFE: reference_life_timeout(r); return;
    case WEIRI_STAGE_ICMP_HARD: reference_icmp_hard(r); return;
    default: r->count = REFERENCE_MAX; return; /* no event: differs from any path of the table */
    }
}

#undef IS
#undef DO
#undef END
#undef ANSWER

#endif /* WEIR_TESTS_FSM_REFERENCE_H */
