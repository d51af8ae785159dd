/* fsm_rules.h - which facts about a segment can hold together in which state, each rule with its reason.
 *
 * test_fsm.c goes through everything these rules allow; test_walk.c holds that nothing else happens to real connections. */
#ifndef WEIR_TESTS_FSM_RULES_H
#define WEIR_TESTS_FSM_RULES_H

#include "conn/conn.h"

#define F(fact) ((uint32_t)WEIRI_F_##fact)
#define S(state) (1u << WEIR_##state)
#define ANY ((1u << WEIR_STATE_COUNT) - 1)
#define NOT(states) (ANY & ~(states))
#define UNSYNCED (S(CLOSED) | S(LISTEN) | S(SYN_SENT))
#define RECEIVING (S(ESTABLISHED) | S(FIN_WAIT_1) | S(FIN_WAIT_2))
#define CLOSINGISH (S(CLOSING) | S(LAST_ACK) | S(TIME_WAIT))
#define SEQUENCE_FACTS (F(SEQ_OK) | F(SEQ_NEXT) | F(SEQ_PROBE) | F(STALE) | F(NO_STAMP) | F(FIN_AGAIN) | F(SYN_AGAIN))
#define ACK_FACTS (F(ACK_NEW) | F(ACK_OLD) | F(ACK_FUTURE) | F(ACK_FIN))

/* In `in`, where all of `need` and none of `refuse` hold, all of `then` and none of `never` hold too. */
struct rule {
    uint32_t in, need, refuse, then, never;
    const char *why;
};

static const struct rule rules[] = {
    /* acknowledgments */
    {S(CLOSED) | S(LISTEN), 0, 0, 0, ACK_FACTS, "nothing was sent: there is no SND.UNA to compare with"},
    {ANY, 0, F(ACK), 0, ACK_FACTS, "SEG.ACK has a meaning with ACK only"},
    {ANY, F(ACK_NEW), 0, 0, F(ACK_OLD) | F(ACK_FUTURE), "SEG.ACK is one number: after SND.UNA, before it, or after SND.NXT"},
    {ANY, F(ACK_OLD), 0, 0, F(ACK_FUTURE), "the same"},
    {ANY, F(ACK_FIN), 0, F(ACK_NEW), 0, "our FIN was not acknowledged before: where it was, the state is another"},
    {NOT(S(FIN_WAIT_1) | S(CLOSING) | S(LAST_ACK)), 0, 0, 0, F(ACK_FIN), "in no other state is there a FIN in flight"},
    {S(FIN_WAIT_2) | S(TIME_WAIT), 0, 0, 0, F(ACK_NEW), "everything sent, our FIN included, is acknowledged"},
    /* sequence numbers */
    {UNSYNCED, 0, 0, 0, SEQUENCE_FACTS, "RCV.NXT is not known before a SYN was taken"},
    {ANY, F(SEQ_PROBE), 0, F(SEQ_NEXT), F(SEQ_OK) | F(RST), "not acceptable, at RCV.NXT, window 0; a RST there is acceptable (3.5.3)"},
    {ANY, F(SEQ_NEXT), F(SEQ_OK), F(SEQ_PROBE), 0, "RCV.NXT is unacceptable only to a segment with text and a window of 0"},
    {S(CLOSED) | S(LISTEN), 0, 0, 0, F(TEXT), "no place for text yet"},
    {S(SYN_SENT), 0, F(SYN), 0, F(TEXT), "TAKE_SYN_ACK finds the text of a SYN,ACK; anything else has none"},
    {NOT(UNSYNCED), 0, F(SEQ_OK), 0, F(TEXT), "text inside the window belongs to an acceptable segment"},
    {NOT(UNSYNCED), F(SEQ_OK) | F(FIN), 0, F(TEXT), 0, "an acceptable segment's last number, its FIN, is not before RCV.NXT"},
    {ANY, F(OCTETS), 0, F(TEXT), 0, "octets are text"},
    {ANY, F(TEXT), F(FIN), F(OCTETS), 0, "without FIN there is nothing else that TEXT could stand for"},
    {ANY, F(SYN) | F(TEXT) | F(SEQ_NEXT), F(FIN) | F(OCTETS), 0, F(TEXT), "a SYN alone is no text"},
    {ANY, F(FIN_AGAIN), 0, F(FIN), F(SEQ_OK) | F(SEQ_NEXT) | F(SEQ_PROBE), "it ends before RCV.NXT"},
    {NOT(S(CLOSE_WAIT) | CLOSINGISH), 0, 0, 0, F(FIN_AGAIN), "in no other state has a FIN been taken"},
    {ANY, F(SYN_AGAIN), 0, F(SYN), F(ACK), "it is the SYN of an active open"},
    {S(SYN_RECEIVED), F(SYN_AGAIN), 0, 0, F(SEQ_NEXT), "IRS is before RCV.NXT; later the numbers may have come round"},
    {S(SYN_RECEIVED), F(SYN_AGAIN) | F(SEQ_OK), 0, F(TEXT), F(RST), "it reaches the window only by text or FIN, which a RST does not"},
    {ANY, F(FIN_REACHED), 0, F(TEXT), F(SYN), "found when text is taken; the FIN of a SYN segment is left for the peer to repeat"},
    {NOT(S(SYN_RECEIVED) | RECEIVING), 0, 0, 0, F(FIN_REACHED), "text is not taken in the other states"},
    /* timestamps */
    {ANY, F(RST), 0, 0, F(STALE) | F(NO_STAMP), "a RST is not judged by its timestamp (RFC 7323 5.2)"},
    {ANY, F(STALE), 0, 0, F(NO_STAMP), "it has a timestamp or it has none"},
    {NOT(S(TIME_WAIT)), 0, 0, 0, F(REUSE), "asked in TIME-WAIT only (RFC 6191)"},
    {ANY, F(REUSE), 0, F(SYN), 0, "asked of a SYN only"},
    {NOT(S(TIME_WAIT)), 0, 0, 0, F(STAY), "asked in TIME-WAIT only (RFC 1337)"},
    {ANY, F(STAY), 0, F(RST), 0, "asked of a RST only"},
    /* the connection */
    {S(LISTEN), 0, 0, F(PASSIVE), 0, "that is what LISTEN is"},
    {S(SYN_SENT), 0, 0, 0, F(PASSIVE), "an active OPEN leaves LISTEN for good (3.10.1)"},
    {S(LISTEN) | S(SYN_SENT) | S(ESTABLISHED) | S(CLOSE_WAIT), 0, 0, 0, F(CLOSED), "CLOSE leaves these states at once (3.10.4)"},
    {RECEIVING & ~S(ESTABLISHED), 0, 0, F(CLOSED), 0, "only CLOSE leads here"},
    {CLOSINGISH, 0, 0, F(CLOSED), 0, "only CLOSE leads here"},
    {NOT(S(CLOSED)), F(RELEASED), 0, F(CLOSED), 0, "to walk away is to CLOSE first"},
    {S(LISTEN) | S(FIN_WAIT_2) | S(TIME_WAIT), 0, 0, 0, F(QUEUED), "nothing can be sent yet, or all is acknowledged"},
    {S(LISTEN) | S(SYN_SENT) | S(SYN_RECEIVED), 0, 0, 0, F(UNREAD), "nothing was taken yet"},
    {NOT(S(CLOSED) | S(LISTEN)), 0, 0, F(REMOTE), 0, "a SYN was sent to somebody or came from somebody"},
};
#define RULES (sizeof rules / sizeof rules[0])

static bool rule_broken(const struct rule *r, unsigned state, uint32_t facts)
{
    bool asked = (r->in >> state & 1u) && (facts & r->need) == r->need && !(facts & r->refuse);
    return asked && ((facts & r->then) != r->then || (facts & r->never));
}

#undef F
#undef S
#undef ANY
#undef NOT
#undef UNSYNCED
#undef RECEIVING
#undef CLOSINGISH
#undef SEQUENCE_FACTS
#undef ACK_FACTS

#endif /* WEIR_TESTS_FSM_RULES_H */
