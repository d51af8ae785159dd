/* rows.h - the state machine as data: RFC 9293 3.10 with RFC 5961, 7323 and 6191. No include guard: included several times.
 *
 *   ROW(id, stage, in states, facts that must hold, facts that must not, action, next state, next stage, source)
 *   CALL(id, event, in states, facts that must hold, facts that must not, action, next state, source)
 *
 * ROW is SEGMENT ARRIVES (3.10.7): within a stage the first row that matches fires, then the next stage runs, until END. Stages only
 * go forward. CALL is a user call, a timeout or an ICMP error: the first row of the event that matches fires, and that is all.
 * Whoever includes this file defines what a row shall mean; a kind that is left undefined is passed over. */
#ifndef ROW
#define ROW(...)
#endif
#ifndef CALL
#define CALL(...)
#endif

/* --- CLOSED ------------------------------------------------------------------------------------------------------------------ */
ROW(C1, CLOSED, S(CLOSED), F(RST), 0, NONE, SAME, END, "RFC 9293 3.10.7.1")
ROW(C2, CLOSED, S(CLOSED), F(ACK), 0, RST_FROM_ACK, SAME, END, "RFC 9293 3.10.7.1")
ROW(C3, CLOSED, S(CLOSED), 0, 0, RST_FROM_SEQ, SAME, END, "RFC 9293 3.10.7.1")

/* --- LISTEN ------------------------------------------------------------------------------------------------------------------ */
ROW(L1, LISTEN, S(LISTEN), F(RST), 0, NONE, SAME, END, "RFC 9293 3.10.7.2 first")
ROW(L2, LISTEN, S(LISTEN), F(ACK), 0, RST_FROM_ACK, SAME, END, "RFC 9293 3.10.7.2 second")
ROW(L3, LISTEN, S(LISTEN), F(SYN), F(REMOTE), NONE, SAME, END, "RFC 9293 3.10.7.2 third: nobody to answer yet, weir_set_remote")
/* Text and FIN of a SYN that is not acknowledged yet are left for the peer to repeat. */
ROW(L4, LISTEN, S(LISTEN), F(SYN), 0, TAKE_SYN, SYN_RECEIVED, END, "RFC 9293 3.10.7.2 third")
ROW(L5, LISTEN, S(LISTEN), 0, 0, NONE, SAME, END, "RFC 9293 3.10.7.2 fourth")

/* --- SYN-SENT ---------------------------------------------------------------------------------------------------------------- */
ROW(S1, SYN_SENT, S(SYN_SENT), F(ACK) | F(RST), F(ACK_NEW), NONE, SAME, END, "RFC 9293 3.10.7.3 first")
ROW(S2, SYN_SENT, S(SYN_SENT), F(ACK), F(ACK_NEW), RST_FROM_ACK, SAME, END, "RFC 9293 3.10.7.3 first")
ROW(S3, SYN_SENT, S(SYN_SENT), F(RST) | F(ACK), 0, END_REFUSED, CLOSED, END, "RFC 9293 3.10.7.3 second; RFC 5961 3.2")
ROW(S4, SYN_SENT, S(SYN_SENT), F(RST), 0, NONE, SAME, END, "RFC 9293 3.10.7.3 second")
ROW(S5, SYN_SENT, S(SYN_SENT), F(SYN) | F(ACK), 0, TAKE_SYN_ACK, ESTABLISHED, URG, "RFC 9293 3.10.7.3 fourth")
ROW(S6, SYN_SENT, S(SYN_SENT), F(SYN), 0, CROSS_SYN, SYN_RECEIVED, END, "RFC 9293 3.10.7.3 fourth (MUST-10)")
ROW(S7, SYN_SENT, S(SYN_SENT), 0, 0, NONE, SAME, END, "RFC 9293 3.10.7.3 fifth")

/* --- all other states: timestamps come before the sequence number (RFC 7323 5.3) --------------------------------------------- */
ROW(W1, STAMP, S(TIME_WAIT), F(SYN) | F(REUSE), F(RST) | F(ACK), REOPEN, CLOSED, END, "RFC 6191 2; RFC 9293 3.10.7.4 fourth (MAY-2)")
ROW(W2, STAMP, S(TIME_WAIT), F(SYN), F(RST) | F(ACK), NONE, SAME, END, "RFC 6191 2")
ROW(P1, STAMP, OTHERS, F(STALE), 0, SEND_ACK, SAME, END, "RFC 7323 5.3 R1")
ROW(P2, STAMP, OTHERS, F(NO_STAMP), 0, NONE, SAME, END, "RFC 7323 3.2")
ROW(P3, STAMP, OTHERS, 0, 0, NONE, SAME, SEQ, "RFC 7323 5.3 R2")

/* Q5 stands first: the SYN that opened us lies before the window and is trimmed off, whatever text it carries. */
ROW(Q5, SEQ, S(SYN_RECEIVED), F(SYN_AGAIN), F(RST), RESEND_SYN_ACK, SAME, END, "RFC 9293 3.10.7.4 first; the SYN,ACK was lost")
ROW(Q1, SEQ, OTHERS, F(SEQ_OK), 0, NONE, SAME, RST, "RFC 9293 3.10.7.4 first")
ROW(Q2, SEQ, OTHERS, F(SEQ_PROBE), 0, SEND_ACK, SAME, RST, "RFC 9293 3.10.7.4 first (MUST-66)")
ROW(Q3, SEQ, OTHERS, F(RST), 0, NONE, SAME, END, "RFC 9293 3.10.7.4 first; RFC 5961 3.2")
ROW(Q4, SEQ, S(TIME_WAIT), F(FIN_AGAIN), 0, RESTART_2MSL, SAME, END, "RFC 9293 3.10.7.4 fifth, TIME-WAIT")
ROW(Q6, SEQ, OTHERS, 0, 0, SEND_ACK, SAME, END, "RFC 9293 3.10.7.4 first")

ROW(R7, RST, S(TIME_WAIT), F(RST) | F(STAY), 0, NONE, SAME, END, "RFC 1337 3 (F1), where the configuration asks for it")
ROW(R1, RST, OTHERS, F(RST), F(SEQ_NEXT), CHALLENGE_ACK, SAME, END, "RFC 9293 3.10.7.4 second; RFC 5961 3.2")
ROW(R2, RST, S(SYN_RECEIVED), F(RST) | F(PASSIVE), F(CLOSED), RETURN_TO_LISTEN, LISTEN, END, "RFC 9293 3.10.7.4 second")
ROW(R3, RST, S(SYN_RECEIVED), F(RST), 0, END_REFUSED, CLOSED, END, "RFC 9293 3.10.7.4 second")
ROW(R4, RST, OPENISH, F(RST), 0, END_RESET, CLOSED, END, "RFC 9293 3.10.7.4 second")
ROW(R5, RST, CLOSINGISH, F(RST), 0, END_RESET_LATE, CLOSED, END, "RFC 9293 3.10.7.4 second")
ROW(R6, RST, OTHERS, 0, 0, NONE, SAME, SYN, "RFC 9293 3.10.7.4 second")

ROW(Y1, SYN, S(SYN_RECEIVED), F(SYN) | F(PASSIVE), F(CLOSED), RETURN_TO_LISTEN, LISTEN, END, "RFC 9293 3.10.7.4 fourth; erratum 8710")
ROW(Y2, SYN, OTHERS, F(SYN), 0, CHALLENGE_ACK, SAME, END, "RFC 9293 3.10.7.4 fourth; RFC 5961 4.2")
ROW(Y3, SYN, OTHERS, 0, 0, NONE, SAME, ACK, "RFC 9293 3.10.7.4 fourth")

ROW(A1, ACK, OTHERS, 0, F(ACK), NONE, SAME, END, "RFC 9293 3.10.7.4 fifth")
ROW(A2, ACK, S(SYN_RECEIVED), F(ACK_NEW) | F(CLOSED), 0, ACCEPT_ACK, FIN_WAIT_1, URG, "RFC 9293 3.10.7.4 fifth; 3.10.4: a CLOSE waited")
ROW(A3, ACK, S(SYN_RECEIVED), F(ACK_NEW), 0, ACCEPT_ACK, ESTABLISHED, URG, "RFC 9293 3.10.7.4 fifth")
ROW(A4, ACK, S(SYN_RECEIVED), 0, 0, RST_FROM_ACK, SAME, END, "RFC 9293 3.10.7.4 fifth")
ROW(A5, ACK, SYNCHRONIZED, F(ACK_OLD), 0, CHALLENGE_ACK, SAME, END, "RFC 9293 3.10.7.4 fifth (MAY-12); RFC 5961 5.2")
ROW(A6, ACK, SYNCHRONIZED, F(ACK_FUTURE), 0, SEND_ACK, SAME, END, "RFC 9293 3.10.7.4 fifth; RFC 5961 5.2")
ROW(A7, ACK, S(FIN_WAIT_1), F(ACK_FIN), 0, ACCEPT_ACK, FIN_WAIT_2, URG, "RFC 9293 3.10.7.4 fifth")
ROW(A8, ACK, S(CLOSING), F(ACK_FIN), 0, ACCEPT_LAST_ACK, TIME_WAIT, END, "RFC 9293 3.10.7.4 fifth")
ROW(A9, ACK, S(LAST_ACK), F(ACK_FIN), 0, END_DONE, CLOSED, END, "RFC 9293 3.10.7.4 fifth")
ROW(A10, ACK, SYNCHRONIZED, 0, 0, ACCEPT_ACK, SAME, URG, "RFC 9293 3.10.7.4 fifth")

ROW(U1, URG, RECEIVING, F(URG), 0, TAKE_URGENT, SAME, TEXT, "RFC 9293 3.10.7.4 sixth")
ROW(U2, URG, SYNCHRONIZED, 0, 0, NONE, SAME, TEXT, "RFC 9293 3.10.7.4 sixth")

ROW(T1, TEXT, S(FIN_WAIT_1) | S(FIN_WAIT_2), F(OCTETS) | F(RELEASED), 0, END_UNREAD, CLOSED, END, "RFC 9293 3.6.1 (SHLD-3)")
ROW(T2, TEXT, RECEIVING, F(TEXT), 0, TAKE_TEXT, SAME, FIN, "RFC 9293 3.10.7.4 seventh")
ROW(T3, TEXT, SYNCHRONIZED, 0, 0, NONE, SAME, END, "RFC 9293 3.10.7.4 seventh")

/* SYN-RECEIVED is not here: any segment that gets so far has left that state at the ACK. */
ROW(F1, FIN, RECEIVING, 0, F(FIN_REACHED), NONE, SAME, END, "RFC 9293 3.10.7.4 eighth")
ROW(F2, FIN, S(ESTABLISHED), 0, 0, TAKE_FIN, CLOSE_WAIT, END, "RFC 9293 3.10.7.4 eighth")
ROW(F3, FIN, S(FIN_WAIT_1), 0, 0, TAKE_FIN, CLOSING, END, "RFC 9293 3.10.7.4 eighth; erratum 8805")
ROW(F4, FIN, S(FIN_WAIT_2), 0, 0, TAKE_LAST_FIN, TIME_WAIT, END, "RFC 9293 3.10.7.4 eighth")

/* --- user calls -------------------------------------------------------------------------------------------------------------- */
CALL(OP1, OPEN_PASSIVE, S(CLOSED), 0, 0, START_LISTEN, LISTEN, "RFC 9293 3.10.1")
CALL(OP2, OPEN_PASSIVE, ANY, 0, 0, FAIL_EXISTS, SAME, "RFC 9293 3.10.1")
CALL(OA1, OPEN_ACTIVE, S(CLOSED) | S(LISTEN), F(REMOTE), 0, START_SYN, SYN_SENT, "RFC 9293 3.10.1")
CALL(OA2, OPEN_ACTIVE, S(CLOSED) | S(LISTEN), 0, 0, FAIL_UNSPECIFIED, SAME, "RFC 9293 3.10.1")
CALL(OA3, OPEN_ACTIVE, ANY, 0, 0, FAIL_EXISTS, SAME, "RFC 9293 3.10.1")

CALL(SE1, SEND, S(CLOSED), 0, 0, FAIL_NOT_EXIST, SAME, "RFC 9293 3.10.2")
CALL(SE2, SEND, S(LISTEN), F(REMOTE), 0, OPEN_AND_QUEUE, SYN_SENT, "RFC 9293 3.10.2")
CALL(SE3, SEND, S(LISTEN), 0, 0, FAIL_UNSPECIFIED, SAME, "RFC 9293 3.10.2")
CALL(SE4, SEND, SENDING, 0, F(CLOSED), QUEUE_TEXT, SAME, "RFC 9293 3.10.2")
CALL(SE5, SEND, ANY, 0, 0, FAIL_CLOSING, SAME, "RFC 9293 3.10.2")

CALL(RE1, RECEIVE, ANY, F(UNREAD), 0, NONE, SAME, "RFC 9293 3.10.3; what came before FIN or RST is served in every state")
CALL(RE2, RECEIVE, S(CLOSED), 0, 0, FAIL_NOT_EXIST, SAME, "RFC 9293 3.10.3")
CALL(RE3, RECEIVE, S(LISTEN) | S(SYN_SENT) | S(SYN_RECEIVED) | RECEIVING, 0, 0, NONE, SAME, "RFC 9293 3.10.3")
CALL(RE4, RECEIVE, ANY, 0, 0, FAIL_CLOSING, SAME, "RFC 9293 3.10.3")

CALL(CL1, CLOSE, S(CLOSED), 0, 0, FAIL_NOT_EXIST, SAME, "RFC 9293 3.10.4")
CALL(CL2, CLOSE, S(LISTEN) | S(SYN_SENT), 0, 0, END_DELETE, CLOSED, "RFC 9293 3.10.4")
CALL(CL3, CLOSE, S(SYN_RECEIVED), F(CLOSED), 0, FAIL_CLOSING, SAME, "RFC 9293 3.10.4")
CALL(CL4, CLOSE, S(SYN_RECEIVED), F(QUEUED), 0, QUEUE_FIN, SAME, "RFC 9293 3.10.4; A2 goes on when the SYN is acknowledged")
CALL(CL5, CLOSE, S(SYN_RECEIVED) | S(ESTABLISHED), 0, 0, QUEUE_FIN, FIN_WAIT_1, "RFC 9293 3.10.4")
CALL(CL6, CLOSE, S(CLOSE_WAIT), 0, 0, QUEUE_FIN, LAST_ACK, "RFC 9293 3.10.4")
CALL(CL7, CLOSE, ANY, 0, 0, FAIL_CLOSING, SAME, "RFC 9293 3.10.4")

CALL(AB1, ABORT, S(CLOSED), 0, 0, FAIL_NOT_EXIST, SAME, "RFC 9293 3.10.5")
CALL(AB2, ABORT, S(LISTEN) | S(SYN_SENT), 0, 0, END_DELETE, CLOSED, "RFC 9293 3.10.5")
CALL(AB3, ABORT, S(SYN_RECEIVED) | OPENISH, 0, 0, END_ABORT, CLOSED, "RFC 9293 3.10.5")
/* The RFC enters these two only when every SEND has been segmentized; here CLOSE does. Text that never went is cut off: tell the peer. */
CALL(AB5, ABORT, S(CLOSING) | S(LAST_ACK), F(QUEUED), 0, END_ABORT, CLOSED, "RFC 9293 3.10.5 CLOSE-WAIT")
CALL(AB4, ABORT, ANY, 0, 0, END_DELETE, CLOSED, "RFC 9293 3.10.5")

/* --- timeouts and ICMP ------------------------------------------------------------------------------------------------------- */
CALL(TU1, TIMEOUT_USER, S(CLOSED) | S(LISTEN) | S(TIME_WAIT), 0, 0, NONE, SAME, "RFC 9293 3.10.8")
CALL(TU2, TIMEOUT_USER, S(SYN_RECEIVED), F(PASSIVE), F(CLOSED), RETURN_TO_LISTEN, LISTEN, "RFC 9293 3.10.8; nobody knows of it yet")
CALL(TU3, TIMEOUT_USER, ANY, 0, 0, END_TIMEOUT, CLOSED, "RFC 9293 3.10.8")
CALL(TR1, TIMEOUT_RESEND, S(CLOSED) | S(LISTEN) | S(TIME_WAIT), 0, 0, NONE, SAME, "RFC 9293 3.10.8")
CALL(TR2, TIMEOUT_RESEND, ANY, 0, 0, RESEND, SAME, "RFC 9293 3.10.8; RFC 6298 5.4")
CALL(TL1, TIMEOUT_LIFE, S(TIME_WAIT), 0, 0, END_DELETE, CLOSED, "RFC 9293 3.10.8 TIME-WAIT timeout")
CALL(TL2, TIMEOUT_LIFE, S(FIN_WAIT_2), F(RELEASED), 0, END_DELETE, CLOSED, "RFC 9293 3.6.1: nobody waits for the FIN any more")
CALL(TL3, TIMEOUT_LIFE, ANY, 0, 0, NONE, SAME, "RFC 9293 3.10.8")
CALL(IH1, ICMP_HARD, S(SYN_SENT) | S(SYN_RECEIVED), 0, F(PASSIVE), END_UNREACHABLE, CLOSED, "RFC 9293 3.9.2.2 (SHLD-26)")
CALL(IH2, ICMP_HARD, ANY, 0, 0, SOFT_ERROR, SAME, "RFC 5927 5.2")

#undef ROW
#undef CALL
