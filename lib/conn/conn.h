/* conn.h - the vocabulary of one connection: flags, facts, actions, stages; what its files offer each other.
 *
 * Knows the wire and recovery rooms below; nothing of stacks, packets of IP, or the world. */
#ifndef WEIRI_CONN_H
#define WEIRI_CONN_H

#include "recovery/recovery.h"
#include "wire/wire.h"

/* What is true of a connection besides its state: bits of weir_conn.flags. */
enum weiri_flag {
    WEIRI_PASSIVE = 1 << 0,       /* opened by LISTEN (MUST-11) */
    WEIRI_ANY_REMOTE = 1 << 1,    /* LISTEN named no remote socket: returning to LISTEN forgets it again */
    WEIRI_HELD = 1 << 2,          /* SYN,ACK waits for weir_admit */
    WEIRI_TS_OK = 1 << 3,         /* Snd.TS.OK (RFC 7323 3.2) */
    WEIRI_SACK_OK = 1 << 4,       /* both sides sent SACK-permitted */
    WEIRI_WS_OK = 1 << 5,         /* both sides sent Window Scale */
    WEIRI_NAGLE = 1 << 6,
    WEIRI_KEEPALIVE = 1 << 7,
    WEIRI_FIN_QUEUED = 1 << 8,    /* the user closed: FIN follows the octet before snd.end */
    WEIRI_FIN_KNOWN = 1 << 9,     /* the peer's FIN has been seen: rcv.fin is its number */
    WEIRI_FIN_TAKEN = 1 << 10,    /* and everything before it has arrived: rcv.nxt is past it */
    WEIRI_RELEASED = 1 << 11,     /* the user walked away */
    WEIRI_ACK_NOW = 1 << 12,      /* an ACK is due: one, whoever asked for it (MUST-58, MUST-59) */
    WEIRI_SYN_DUE = 1 << 13,      /* SYN or SYN,ACK is due, for the first time or again */
    WEIRI_SYN_RESENT = 1 << 14,   /* it timed out: initial window 1, RTO of 3 s at least (RFC 5681 3.1, RFC 6298 5.7) */
    WEIRI_RESEND_NOW = 1 << 15,   /* one lost segment may go whatever cwnd says (RFC 6675 5 (4.3)) */
    WEIRI_PROBE_DUE = 1 << 16,    /* zero-window probe (RFC 9293 3.8.6.1) */
    WEIRI_KEEP_DUE = 1 << 17,     /* keepalive probe (RFC 9293 3.8.4) */
    WEIRI_SWS_OVERRIDE = 1 << 18, /* the override timer fired: send what fits (RFC 9293 3.8.6.2.1) */
    WEIRI_MORE = 1 << 19,         /* the user said that more follows at once */
    WEIRI_URG_SND = 1 << 20,      /* snd.up is ahead of what was acknowledged */
    WEIRI_URG_RCV = 1 << 21,      /* rcv.up is ahead of what the user has read */
    WEIRI_RECOVERY = 1 << 22,     /* fast recovery, until snd.una reaches recover (RFC 6582) */
    WEIRI_LOSS = 1 << 23,         /* after a timeout, until snd.una reaches recover */
    WEIRI_SUSPECT = 1 << 24,      /* R1 passed, or a soft ICMP error (SHLD-9) */
    WEIRI_CWND_LIMITED = 1 << 25, /* the last text that was sent filled cwnd */
    WEIRI_PARTIAL = 1 << 26,      /* a partial acknowledgment came in this recovery (RFC 6582 3.2) */
    WEIRI_SYN_TWICE = 1 << 27,    /* our SYN went more than once, for whatever reason: no RTT sample (RFC 6298 3) */
    WEIRI_ISS_FLOOR = 1 << 28,    /* the ISS must be above iss_floor */
    WEIRI_ANSWERED = 1 << 29      /* the last zero-window probe was answered: R2 waits for the next (MUST-37) */
};

/* ECN, with RFC 3168's terms: bits of weir_conn.ecn. */
enum weiri_ecn {
    WEIRI_ECN_ASKED = 1 << 0,     /* a SYN or SYN,ACK of ours was an ECN-setup one .. */
    WEIRI_ECN_PLAIN = 1 << 1,     /* .. one of ours was none */
    WEIRI_ECN_HEARD = 1 << 2,     /* one of the peer's was .. */
    WEIRI_ECN_REFUSED = 1 << 3,   /* .. one of the peer's was none */
    WEIRI_ECN_ECHO = 1 << 4,      /* a mark came: ECE in every acknowledgment until CWR comes (6.1.3) */
    WEIRI_ECN_CWR = 1 << 5,       /* the window was reduced: CWR goes with the next new text (6.1.2) */
    WEIRI_ECN_REDUCED = 1 << 6,   /* and what was sent before, up to ecn_end, costs no more (6.1.2) */
    WEIRI_ECN_WAIT = 1 << 7       /* an echo came at a window of one segment: nothing new before the timer (6.1.2) */
};

/* Facts: all that a row may ask, as bits, computed before the table runs (facts.c). Two are learnt on the way: TEXT by
 * TAKE_SYN_ACK, for only then is RCV.NXT known, and FIN_REACHED by TAKE_TEXT. */
#define WEIRI_FACTS(X)                                                                                                  \
    X(SYN) X(FIN) X(RST) X(ACK) X(URG) /* control bits of the segment */                                                 \
    X(SEQ_OK)      /* acceptable: table 6 of RFC 9293 3.10.7.4, or a bare ACK at the window's edge; a RST: SEG.SEQ inside (3.5.3) */ \
    X(SEQ_NEXT)    /* SEG.SEQ = RCV.NXT */                                                                               \
    X(SEQ_PROBE)   /* text at RCV.NXT while our window is zero: its ACK and URG still count (MUST-66) */                 \
    X(STALE)       /* older than TS.Recent (RFC 7323 5.3 R1) */                                                          \
    X(NO_STAMP)    /* lacks the timestamps that were negotiated, and the configuration insists */                        \
    X(ACK_NEW)     /* SND.UNA < SEG.ACK =< SND.NXT */                                                                    \
    X(ACK_OLD)     /* SEG.ACK older than any that could still be on its way (RFC 5961 5.2) */                            \
    X(ACK_FUTURE)  /* SEG.ACK > SND.NXT: of octets never sent */                                                         \
    X(ACK_FIN)     /* SEG.ACK covers our FIN */                                                                          \
    X(TEXT)        /* text or FIN inside the window, at or after RCV.NXT */                                              \
    X(OCTETS)      /* of that, at least one octet of text */                                                             \
    X(FIN_AGAIN)   /* the peer's FIN, already taken, once more */                                                        \
    X(FIN_REACHED) /* everything before the peer's FIN has arrived */                                                    \
    X(SYN_AGAIN)   /* the SYN that opened this connection, once more */                                                  \
    X(REUSE)       /* this SYN may end TIME-WAIT early (RFC 6191) */                                                     \
    X(STAY)        /* no RST may (RFC 1337), by the configuration */                                                     \
    X(PASSIVE)     /* the connection was opened by LISTEN */                                                             \
    X(RELEASED)    /* the user has walked away */                                                                        \
    X(CLOSED)      /* the user has closed: no more to send */                                                            \
    X(QUEUED)      /* octets or SENDs wait to be sent */                                                                 \
    X(UNREAD)      /* octets wait to be read */                                                                          \
    X(REMOTE)      /* the remote socket is specified */

/* Actions: one function each in act.c, named act_<ACTION>. */
#define WEIRI_ACTIONS(X)                                                                                                 \
    X(NONE) X(RST_FROM_ACK) X(RST_FROM_SEQ) X(SEND_ACK) X(CHALLENGE_ACK) X(RESEND_SYN_ACK)                               \
    X(TAKE_SYN) X(TAKE_SYN_ACK) X(CROSS_SYN) X(ACCEPT_ACK) X(ACCEPT_LAST_ACK) X(TAKE_URGENT) X(TAKE_TEXT)                \
    X(TAKE_FIN) X(TAKE_LAST_FIN) X(RESTART_2MSL) X(RETURN_TO_LISTEN) X(REOPEN)                                           \
    X(END_REFUSED) X(END_RESET) X(END_RESET_LATE) X(END_UNREAD) X(END_DONE) X(END_ABORT) X(END_DELETE)                   \
    X(END_TIMEOUT) X(END_UNREACHABLE)                                                                                    \
    X(START_LISTEN) X(START_SYN) X(QUEUE_TEXT) X(OPEN_AND_QUEUE) X(QUEUE_FIN) X(SOFT_ERROR) X(RESEND)                    \
    X(FAIL_NOT_EXIST) X(FAIL_EXISTS) X(FAIL_UNSPECIFIED) X(FAIL_CLOSING)

/* Stages of the table. A segment goes forward through the first group; each event of the second has one stage. */
#define WEIRI_STAGES(X)                                                                                                  \
    X(CLOSED) X(LISTEN) X(SYN_SENT) X(STAMP) X(SEQ) X(RST) X(SYN) X(ACK) X(URG) X(TEXT) X(FIN)                           \
    X(OPEN_PASSIVE) X(OPEN_ACTIVE) X(SEND) X(RECEIVE) X(CLOSE) X(ABORT)                                                  \
    X(TIMEOUT_USER) X(TIMEOUT_RESEND) X(TIMEOUT_LIFE) X(ICMP_HARD) X(END)

#define X(name) WEIRI_FACT_BIT_##name,
enum weiri_fact_bit { WEIRI_FACTS(X) WEIRI_FACT_COUNT };
#undef X
#define X(name) WEIRI_F_##name = 1 << WEIRI_FACT_BIT_##name,
enum weiri_fact { WEIRI_FACTS(X) WEIRI_F_NONE = 0 };
#undef X
#define X(name) WEIRI_ACT_##name,
enum weiri_action { WEIRI_ACTIONS(X) WEIRI_ACTION_COUNT };
#undef X
#define X(name) WEIRI_STAGE_##name,
enum weiri_stage { WEIRI_STAGES(X) WEIRI_STAGE_COUNT };
#undef X

#define ROW(id, ...) WEIRI_ROW_##id,
#define CALL(id, ...) WEIRI_ROW_##id,
enum weiri_row {
#include "conn/rows.h"
    WEIRI_ROW_COUNT
};

/* One event on its way through the table. */
struct weiri_step {
    weir_conn *c;
    const weir_view *v;      /* NULL unless a segment arrived */
    const weir_tuple *tuple; /* of an OPEN */
    uint32_t facts;
    uint32_t count;          /* octets of a SEND */
    unsigned send_flags;
    weir_err result;         /* of a user call */
    bool reuse;              /* the segment is a SYN for a new incarnation */
    bool fresh;              /* an OPEN of a connection just begun */
};

/* fsm.c: the only writer of weir_conn.state after weir_init. */
WEIR_PRIVATE void weiri_fsm_segment(struct weiri_step *s);
WEIR_PRIVATE void weiri_fsm_call(struct weiri_step *s, enum weiri_stage stage);

/* An event begins: no row has fired yet. */
WEIR_PRIVATE void weiri_fsm_begin(weir_conn *c);
/* The table would have let the segment go through these rows. */
WEIR_PRIVATE void weiri_fsm_went(weir_conn *c, const uint8_t *rows, size_t count);

/* predict.c: is it the segment that nearly all are? Then what the table would do with it. */
#if WEIR_WITH_PREDICTION
WEIR_PRIVATE bool weiri_predict(const weir_conn *c, const weir_view *v);
WEIR_PRIVATE void weiri_predicted(struct weiri_step *s);
/* Is it that segment, and does this end say nothing but that it has heard? Then all that weir_input does, but for the text, which has been
 * put into the ring. */
WEIR_PRIVATE bool weiri_predict_listening(const weir_conn *c, const weir_view *v);
WEIR_PRIVATE void weiri_predict_heard(weir_conn *c, const weir_view *v, weir_us now);
/* That has just been done. How much text may follow at once, in segments that differ in number and text alone and are no longer than some
 * that came before, of which each would move RCV.NXT and do nothing else that is not done already. Then all that weir_input does for
 * `count` of them with so much text, `v` being the last; the text has been put into the ring. */
WEIR_PRIVATE uint32_t weiri_predict_more(const weir_conn *c);
WEIR_PRIVATE void weiri_predict_heard_more(weir_conn *c, const weir_view *v, uint32_t count, uint32_t text);
/* All that is due is an acknowledgment: then it stands in `out`, its checksum left open. */
WEIR_PRIVATE bool weiri_predict_ack(weir_conn *c, weir_out *out);
/* The header of a segment at SND.NXT with these control bits and no options but timestamps; its length. */
WEIR_PRIVATE uint32_t weiri_predict_header(weir_conn *c, uint8_t *tcp, unsigned flags);
#endif

#if WEIRI_WITH_CALM
/* calm.c: a segment like that is due: then it stands in `out`, its checksum left open. */
WEIR_PRIVATE bool weiri_calm_speaks(weir_conn *c, weir_out *out);
/* Nothing is on its way and a window open (timer_wanted): is there text that goes, or waits for its time? Not all of it is seen. */
WEIR_PRIVATE bool weiri_calm_starts(const weir_conn *c);
/* timer.c: text or SYN went where nothing was outstanding: what weiri_timer_update does then. */
WEIR_PRIVATE void weiri_timer_sent(weir_conn *c);
#endif

/* facts.c */
WEIR_PRIVATE uint32_t weiri_facts_segment(const weir_conn *c, const weir_view *v);
WEIR_PRIVATE uint32_t weiri_facts_call(const weir_conn *c);
/* Table 6 of RFC 9293 3.10.7.4. */
WEIR_PRIVATE bool weiri_acceptable(weir_block window, weir_seq seq, uint32_t len);
/* RFC 6191 2: may a SYN end TIME-WAIT early (SHLD-4)? */
struct weiri_reuse {
    bool old_ts, new_ts;
    uint32_t recent, ts_value; /* last TSval of the old connection, that of the SYN */
    weir_seq last, isn;        /* last sequence number the peer used, that of the SYN */
};
WEIR_PRIVATE bool weiri_reuse_allowed(const struct weiri_reuse *r);

/* act.c, ack.c: what rows name. */
WEIR_PRIVATE void weiri_act(struct weiri_step *s, enum weiri_action action);
WEIR_PRIVATE void weiri_ack_accept(weir_conn *c, const weir_view *v);
/* The same where nothing is outstanding and nothing is waited for. */
WEIR_PRIVATE void weiri_ack_listening(weir_conn *c, const weir_view *v);

/* What one acknowledgment told, for those who judge of losses. */
struct weiri_news {
    const weir_view *v;
    uint32_t acked;      /* octets that left the scoreboard */
    uint32_t delivered;  /* octets not known to be received before */
    uint32_t flight;     /* FlightSize before it */
    uint32_t sample_us;  /* the round-trip time it measured; 0: none */
    weir_block dsack;    /* the duplicate it reports; from == to: none */
    bool advanced;       /* SND.UNA moved */
    bool duplicate;      /* RFC 5681 2, RFC 6675 2 */
    bool echo;           /* it echoes a congestion mark (RFC 3168 6.1.2) */
    bool original;       /* octets that were sent once have arrived (RFC 5682) */
    struct weiri_rack_ack rack;
    struct weiri_rate_sample rate;
};

/* repair.c: what an acknowledgment, or a timer, says of losses; when recovery begins and ends; the congestion window. */
WEIR_PRIVATE void weiri_repair_begin(const weir_conn *c, struct weiri_news *n);
/* Whole segments that were sent once, and of which nothing was known before, leave the scoreboard and are judged: the usual case of what
 * follows, and all of it where nothing is missing. */
WEIR_PRIVATE struct weiri_acked weiri_repair_in_order(weir_conn *c, struct weiri_news *n);
/* Before the scoreboard takes it: octets that the acknowledgment says have arrived. */
WEIR_PRIVATE void weiri_repair_delivered(weir_conn *c, weir_block run, struct weiri_news *n);
/* Text is sent while nothing is outstanding. */
WEIR_PRIVATE void weiri_repair_idle(weir_conn *c);
/* A sample of the round-trip time. */
WEIR_PRIVATE void weiri_repair_sample(weir_conn *c, uint32_t rtt_us);
/* The scoreboard has taken it. */
WEIR_PRIVATE void weiri_repair_acked(weir_conn *c, struct weiri_news *n);
/* The retransmission timer fired, of text. */
WEIR_PRIVATE void weiri_repair_timeout(weir_conn *c);
/* The timer of RACK-TLP fired. */
WEIR_PRIVATE void weiri_repair_expire(weir_conn *c);
/* A segment of the stream was sent: for the first time, or again. */
WEIR_PRIVATE void weiri_repair_sent(weir_conn *c, weir_block run, bool again);
/* Brings the timer of RACK-TLP in line with the retransmission timer. */
WEIR_PRIVATE void weiri_repair_update(weir_conn *c);

/* ecn.c */
#if WEIR_WITH_ECN
/* A SYN or SYN,ACK of the peer has come; what one of ours carries besides SYN and ACK, when it is sent. */
WEIR_PRIVATE void weiri_ecn_take_syn(weir_conn *c, const weir_view *v);
WEIR_PRIVATE unsigned weiri_ecn_syn_flags(weir_conn *c);
/* Both have agreed to it: new text may say so. */
WEIR_PRIVATE bool weiri_ecn_ok(const weir_conn *c);
/* Text inside the window, or a probe of a window that is zero. */
WEIR_PRIVATE void weiri_ecn_take_text(weir_conn *c, const weir_view *v);
/* This acknowledgment echoes a mark. */
WEIR_PRIVATE bool weiri_ecn_is_echo(const weir_conn *c, const weir_view *v);
/* The window was reduced for congestion, told by whatever; or that was taken back. */
WEIR_PRIVATE void weiri_ecn_reduced(weir_conn *c);
WEIR_PRIVATE void weiri_ecn_restored(weir_conn *c);
/* SND.UNA has moved. */
WEIR_PRIVATE void weiri_ecn_advanced(weir_conn *c);
/* A loss of the first octet outstanding belongs to a window of data that was answered for already. */
WEIR_PRIVATE bool weiri_ecn_answered(const weir_conn *c);
/* For the IP header and the TCP header of a segment that is no SYN; `fresh`: with text that was never sent before, and no probe. */
WEIR_PRIVATE uint8_t weiri_ecn_codepoint(const weir_conn *c, bool fresh);
WEIR_PRIVATE unsigned weiri_ecn_flags(weir_conn *c, bool fresh);
#endif

/* undo.c */
enum weiri_undo { WEIRI_UNDO_NONE, WEIRI_UNDO_FAST, WEIRI_UNDO_TIMEOUT };
enum weiri_frto { WEIRI_FRTO_OFF, WEIRI_FRTO_WAIT, WEIRI_FRTO_NEW };
#if WEIR_WITH_UNDO
/* Before the window is reduced. */
WEIR_PRIVATE void weiri_undo_begin(weir_conn *c, enum weiri_undo kind);
/* Octets were sent again. */
WEIR_PRIVATE void weiri_undo_sent(weir_conn *c, uint32_t octets);
/* Was it needless? Then the window is what it was, and recovery is over: true. */
WEIR_PRIVATE bool weiri_undo_acked(weir_conn *c, const struct weiri_news *n);
/* A sample of the round-trip time, SND.UNA being moved. */
WEIR_PRIVATE void weiri_undo_sample(weir_conn *c, uint32_t rtt_us);
/* Recovery is over; what came of it may yet be told. */
WEIR_PRIVATE void weiri_undo_leave(weir_conn *c);
/* Nothing is to be taken back. */
WEIR_PRIVATE void weiri_undo_forget(weir_conn *c);
/* New text shall go before what is taken for lost (RFC 5682 2.1 and 3.1 step 2). */
WEIR_PRIVATE bool weiri_undo_asks_new(const weir_conn *c);
#endif
/* Text has arrived: when is its ACK due? RFC 9293 3.8.6.3, RFC 5681 4.2. */
WEIR_PRIVATE void weiri_ack_due(weir_conn *c, const weir_view *v);
/* The retransmission timer fired (RFC 6298 5.4-5.6, RFC 5681 3.1; MUST-19). */
WEIR_PRIVATE void weiri_ack_timeout(weir_conn *c);
/* weir_init with a configuration that has been checked. */
WEIR_PRIVATE void weiri_conn_init(weir_conn *c, const weir_config *config, const weir_buffers *buffers, weir_us now);
/* The same, where `blank` was begun with that configuration at time 0 and without buffers. */
#if WEIR_WITH_PREDICTION
WEIR_PRIVATE void weiri_conn_copy(weir_conn *c, const weir_conn *blank, const weir_buffers *buffers, weir_us now);
#endif
/* weir_connect or weir_listen of a connection just begun: there is nothing to be cleared. */
WEIR_PRIVATE weir_err weiri_conn_open(weir_conn *c, const weir_tuple *tuple, enum weiri_stage event, weir_us now);
/* Puts a connection back to before its OPEN, keeping configuration, buffers and time. */
WEIR_PRIVATE void weiri_conn_clear(weir_conn *c);
/* MSS from the path MTU and the peer's option (RFC 9293 3.7.1); after a change of either. */
WEIR_PRIVATE void weiri_conn_set_mss(weir_conn *c);

/* In LISTEN: the sockets had a connection before, which ended in TIME-WAIT with this SND.NXT; the new ISS will be larger (RFC 9293 3.6.1
 * MAY-2 (1), RFC 6191 2). */
WEIR_PRIVATE void weiri_conn_set_iss_floor(weir_conn *c, weir_seq floor);

/* In LISTEN: this SYN came some time ago and was answered from `iss`, by somebody who kept no connection (RFC 4987 3.6). */
WEIR_PRIVATE void weiri_conn_recall(weir_conn *c, const weir_view *syn, weir_seq iss, weir_us now);

/* half.c: a connection in SYN-RECEIVED that nobody knows of yet, as far as it does not follow from the configuration. */
#define WEIRI_HALF_RETRIES 15u
#define WEIRI_HALF_UNSCALED 15u
struct weiri_half {
    weir_seq irs, iss;
    uint32_t ts_value;
    uint16_t mss;
    uint8_t wscale, retries; /* WEIRI_HALF_UNSCALED: windows are not scaled; how often the SYN,ACK timed out */
    bool stamped, sack, ecn, suspect;
    weir_us at;              /* when its timer is due */
};
/* False: there is more to this one. `rx_size`: of the ring that it was given first. */
WEIR_PRIVATE bool weiri_half_tell(const weir_conn *c, struct weiri_half *h, uint32_t rx_size, weir_us now);
/* In LISTEN, with both sockets named: becomes what was told. */
WEIR_PRIVATE void weiri_half_resume(weir_conn *c, const struct weiri_half *h, weir_us now);

/* iss.c. Both sockets, of one family, as octets to be hashed, how many: of IPv4 addresses only what differs. The two lengths keep the
 * families apart. */
#define WEIRI_SOCKETS_TEXT 36
WEIR_PRIVATE size_t weiri_sockets_text(uint8_t text[WEIRI_SOCKETS_TEXT], const weir_tuple *tuple);
/* Numbers from the secret (RFC 6528 3, RFC 7323 7.1): for both of them one hash, of which the lower half is for the ISS and the upper
 * one is the timestamp offset. */
WEIR_PRIVATE uint64_t weiri_numbers(const weir_config *cfg, const weir_tuple *tuple);

static inline weir_seq conn_iss_of(uint64_t numbers, weir_us now)
{
    return seq_of((uint32_t)numbers + (uint32_t)(now >> 2));
}

static inline uint32_t conn_ts_offset_of(uint64_t numbers)
{
    return (uint32_t)(numbers >> 32);
}

static inline weir_seq weiri_iss(const weir_config *cfg, const weir_tuple *tuple, weir_us now)
{
    return conn_iss_of(weiri_numbers(cfg, tuple), now);
}

static inline uint32_t weiri_ts_offset(const weir_config *cfg, const weir_tuple *tuple)
{
    return conn_ts_offset_of(weiri_numbers(cfg, tuple));
}

/* Our timestamp clock: milliseconds, offset per connection (RFC 7323 5.4). */
WEIR_PRIVATE uint32_t weiri_ts_now(const weir_conn *c);

/* ring.c: the two rings and reassembly in place. */
struct weir_span {
    weir_seq from, to;
    uint32_t stamp; /* the larger, the more recently it grew (RFC 2018 4) */
};
struct weiri_text {
    weir_seq from;
    const uint8_t *octets;
    uint32_t len;
};
/* Stores what is new of text inside the window and moves rcv.nxt; what arrived first stays. True if there is or was a gap: an ACK is
 * due at once (RFC 5681 4.2). Text beyond a gap for which no span is free is as if it had not arrived. */
WEIR_PRIVATE bool weiri_ring_receive(weir_conn *c, const struct weiri_text *text);
/* Text at RCV.NXT where there are no gaps goes into the ring; then it has arrived. Between the two nobody sees it: so it may be summed on
 * its way, and judged then. Laid: the same from a number further on, what stands before it having been put there. */
WEIR_PRIVATE void weiri_ring_put(weir_conn *c, const uint8_t *octets, uint32_t len);
WEIR_PRIVATE uint64_t weiri_ring_put_sum(weir_conn *c, const uint8_t *octets, uint32_t len);
WEIR_PRIVATE void weiri_ring_lay(weir_conn *c, weir_seq from, const uint8_t *octets, uint32_t len);
WEIR_PRIVATE uint64_t weiri_ring_lay_sum(weir_conn *c, weir_seq from, const uint8_t *octets, uint32_t len);
WEIR_PRIVATE uint8_t *weiri_ring_piece(const weir_conn *c, weir_seq from, uint32_t len); /* where it will lie; NULL: in two pieces */
WEIR_PRIVATE bool weiri_ring_is(const weir_conn *c, weir_seq from, const uint8_t *octets, uint32_t len); /* the same, all of it readable */
WEIR_PRIVATE void weiri_ring_append(weir_conn *c, uint32_t len);
/* Notes the first run of [from, to) that we already hold, for D-SACK (RFC 2883 4); is there one to report; it was. */
#if WEIR_WITH_DSACK
WEIR_PRIVATE void weiri_ring_note_duplicate(weir_conn *c, weir_block run);
WEIR_PRIVATE bool weiri_ring_duplicate(const weir_conn *c);
WEIR_PRIVATE void weiri_ring_forget_duplicate(weir_conn *c);
#endif
/* SACK blocks to send, newest first, D-SACK before them; returns how many of at most `max`. */
WEIR_PRIVATE uint8_t weiri_ring_sack(const weir_conn *c, weir_block *blocks, unsigned max);
/* The octets of the send ring from `from`, in at most two slices. */
WEIR_PRIVATE void weiri_ring_slices(const weir_conn *c, weir_seq from, uint32_t len, weir_slice body[2]);
WEIR_PRIVATE uint32_t weiri_ring_readable(const weir_conn *c);
WEIR_PRIVATE uint32_t weiri_ring_room(const weir_conn *c);
/* The same as the user may have it in this state: octets to read, room to write. */
WEIR_PRIVATE uint32_t weiri_ring_to_read(const weir_conn *c);
WEIR_PRIVATE uint32_t weiri_ring_to_write(const weir_conn *c);
/* Octets from the first unread one to the last that is there, gaps counted. */
WEIR_PRIVATE uint32_t weiri_ring_held(const weir_conn *c);
/* One past the last octet that the receive ring has a place for: what was promised beyond it is not taken. */
WEIR_PRIVATE weir_seq weiri_ring_end(const weir_conn *c);

/* out.c, window.c */
/* The user has read, or lent a larger ring: is the window so much larger that the peer should hear of it at once (RFC 9293 3.8.6.2.2)? */
WEIR_PRIVATE bool weiri_window_update_due(const weir_conn *c);
/* The window field of the next segment; promises it. */
WEIR_PRIVATE uint16_t weiri_window_announce(weir_conn *c);
/* The shift that lets the largest receive ring be announced by one that begins with rx_size (RFC 7323 2.3). */
WEIR_PRIVATE uint8_t weiri_window_shift(const weir_config *cfg, uint32_t rx_size);

/* tune.c: how large the rings should be. The peer's SYN was taken; text arrived; the user reads; octets were acknowledged. */
#if WEIR_WITH_GROWTH
WEIR_PRIVATE void weiri_tune_begin(weir_conn *c);
WEIR_PRIVATE void weiri_tune_arrived(weir_conn *c, const weir_view *v);
/* So much may arrive at this time, with the same timestamps, before that does anything again. */
WEIR_PRIVATE uint32_t weiri_tune_quiet(const weir_conn *c);
WEIR_PRIVATE void weiri_tune_read(weir_conn *c);
WEIR_PRIVATE void weiri_tune_acked(weir_conn *c, uint32_t acked);
/* Other rings were lent. */
WEIR_PRIVATE void weiri_tune_moved(weir_conn *c, const weir_buffers *b);
#endif
/* Is more wanted than is lent? */
WEIR_PRIVATE bool weiri_tune_growing(const weir_conn *c);
/* The rings hold nothing and nothing on its way will need them: they could be taken away. */
WEIR_PRIVATE bool weiri_tune_idle(const weir_conn *c);

struct weiri_gist;
/* pack.c: an idle connection in fewer octets. It has no rings, nothing in flight and nothing to send. */
WEIR_PRIVATE bool weiri_packable(const weir_conn *c);
/* Every field but rings, sockets and what the gist has, as differences to `blank`, which weir_init has made of the same configuration
 * without buffers; how many octets that took, 0 if `cap`, 16 at least, is too small. */
WEIR_PRIVATE size_t weiri_pack(uint8_t *octets, size_t cap, const weir_conn *c, const weir_conn *blank);
/* What was packed with the same `blank`: a connection without rings, sockets and configuration. */
WEIR_PRIVATE void weiri_unpack(weir_conn *c, const uint8_t *octets, const weir_conn *blank, const struct weiri_gist *g);

/* gist.c: what of an idle connection stays in the open while it is packed, so that an acknowledgment that brings nothing new need not
 * unpack it. */
enum weiri_gist_bit {
    WEIRI_GIST_OPEN = 1 << 0,    /* such an acknowledgment may be taken here .. */
    WEIRI_GIST_STAMPED = 1 << 1, /* .. if it has timestamps */
    WEIRI_GIST_HEARD = 1 << 2    /* one was, and the connection does not know it yet */
};
struct weiri_gist {
    uint32_t at[2];              /* when the last one was taken, the upper half first */
    weir_seq una, nxt;           /* SND.UNA, RCV.NXT */
    uint32_t ts_recent, in;      /* TS.Recent; weir_conn.count */
    uint16_t window;             /* as segments say it */
    uint8_t bits, none;          /* enum weiri_gist_bit; 0 */
};
WEIR_PRIVATE void weiri_gist_take(struct weiri_gist *g, const weir_conn *c);
/* Is it an acknowledgment that brings nothing new? Then it was taken. */
WEIR_PRIVATE bool weiri_gist_hears(struct weiri_gist *g, const weir_view *v, weir_us now);
/* To the connection, as it was packed, what was taken meanwhile: it has its sockets again. */
WEIR_PRIVATE void weiri_gist_give(const struct weiri_gist *g, weir_conn *c);

/* Octets in flight as far as known. */
WEIR_PRIVATE uint32_t weiri_out_pipe(const weir_conn *c);
/* Is there anything new that the peer's window lets go? */
WEIR_PRIVATE bool weiri_out_may_new(const weir_conn *c);
/* Was it cwnd that this transmission went up to? */
WEIR_PRIVATE bool weiri_out_fills_cwnd(const weir_conn *c);
/* Is there a full segment of new text that both windows let go? */
WEIR_PRIVATE bool weiri_out_has_new(const weir_conn *c);

/* Nothing is to be sent, nor will be before something happens or a timer fires; then that is noted. */
WEIR_PRIVATE bool weiri_out_hush(weir_conn *c);
/* weir_poll with the checksum left open: its field holds the pseudo-header's part. A super-segment has `most` octets at most; 0: none. */
WEIR_PRIVATE size_t weiri_out_open(weir_conn *c, weir_out *out, uint32_t most, weir_us now);
/* Octets of text that would go next in segments like the one that has just gone out, but for their numbers: as long as nothing happens and
 * no time passes. weiri_out_repeat makes `out` the next of them; its text, 0 if it has to wait for its time. */
WEIR_PRIVATE uint32_t weiri_out_ahead(const weir_conn *c, const weir_out *out);
WEIR_PRIVATE uint32_t weiri_out_repeat(weir_conn *c, weir_out *out);
/* Closes it in place; before an IP header is put in front. */
WEIR_PRIVATE void weiri_out_close(weir_out *out);
/* Copies such a packet, with or without an IP header in front, and closes the checksum on the way; returns out->len. */
WEIR_PRIVATE size_t weiri_out_copy_closed(const weir_out *out, uint8_t *octets);

/* The pseudo-header's part of the checksum stands in the field until the octets are summed, in place or while they are copied. */
WEIR_PRIVATE void weiri_out_open_checksum(const weir_conn *c, weir_out *out);
/* All that has come is acknowledged by the segment that goes. */
WEIR_PRIVATE void weiri_out_acked(weir_conn *c);

/* cut.c: weir_out_cut of one segment after another, but for the first, which has been cut, and the last, which may have flags of its own
 * and be shorter: they have the header of the first, but for the number. Of each the length; 0: what is left is the last. */
struct weiri_cut {
    const weir_out *out;
    const uint8_t *first;
    uint64_t same;       /* the sum of the TCP header without the number, the pseudo-header included */
    uint32_t ip_len, seq, at;
};
WEIR_PRIVATE void weiri_cut_begin(struct weiri_cut *k, const weir_out *out, const uint8_t *first);
WEIR_PRIVATE size_t weiri_cut_next(struct weiri_cut *k, uint8_t *octets);

/* Is there text that goes only when its time has come? */
WEIR_PRIVATE bool weiri_out_waits(const weir_conn *c);

/* pace.c */
enum weiri_hold { WEIRI_HOLD_IDLE, WEIRI_HOLD_BUSY, WEIRI_HOLD_RWND, WEIRI_HOLD_SNDBUF };
#if WEIR_WITH_PACING
/* How this connection is paced. */
WEIR_PRIVATE enum weir_pacing weiri_pace_mode(const weir_conn *c);
/* The pace that text leaves at, octets a second. */
WEIR_PRIVATE uint32_t weiri_pace_rate(const weir_conn *c);
/* Text is held back for the time being. */
WEIR_PRIVATE bool weiri_pace_blocks(const weir_conn *c);
#endif
#if WEIR_WITH_PACING
/* A segment with so much text goes: when it may leave, 0 for at once. */
WEIR_PRIVATE weir_us weiri_pace_depart(weir_conn *c, uint32_t len);
/* Of so many segments with so much text each, which cwnd lets go, those that go now: the pace of all is the same. */
WEIR_PRIVATE uint32_t weiri_pace_ahead(weir_conn *c, uint32_t len, uint32_t count);
/* Does text wait for its time? */
WEIR_PRIVATE void weiri_pace_update(weir_conn *c, bool waits);
WEIR_PRIVATE weir_us weiri_pace_deadline(const weir_conn *c);
/* Nothing more goes. */
WEIR_PRIVATE void weiri_pace_quiet(weir_conn *c);
#endif
#if WEIR_WITH_RATE
/* From now on this is what holds the sender back. */
WEIR_PRIVATE void weiri_pace_limited(weir_conn *c, enum weiri_hold why);
#endif
#if WEIR_WITH_PACING
WEIR_PRIVATE const char *weiri_pace_check(const weir_conn *c);
#endif

/* timer.c */
#define WEIRI_KEEPALIVE_IDLE_US ((weir_us)7200 * 1000000) /* MUST-28 */
/* The last two are RACK-TLP's (weir_conn.rack); weir_conn.timer is never one of them. */
enum weiri_timer {
    WEIRI_TIMER_NONE, WEIRI_TIMER_RESEND, WEIRI_TIMER_PERSIST, WEIRI_TIMER_SWS, WEIRI_TIMER_REORDER, WEIRI_TIMER_PROBE
};
/* Brings the one retransmission timer in line with what is in flight and what the window allows. */
WEIR_PRIVATE void weiri_timer_update(weir_conn *c);
/* RFC 6298 5.3, new data was acknowledged: at once, or when the call that is going on ends. */
WEIR_PRIVATE void weiri_timer_restart(weir_conn *c);
WEIR_PRIVATE void weiri_timer_stop(weir_conn *c);
WEIR_PRIVATE void weiri_timer_stop_all(weir_conn *c);
WEIR_PRIVATE void weiri_timer_heard(weir_conn *c);
WEIR_PRIVATE struct weiri_rto_bounds weiri_timer_bounds(const weir_conn *c);

/* icmp.c */
WEIR_PRIVATE void weiri_icmp_set_pmtu(weir_conn *c, uint32_t mtu);
/* Octets were acknowledged; the retransmission timer fired, of text. */
#if WEIR_WITH_PMTU_CHECK
WEIR_PRIVATE void weiri_icmp_acked(weir_conn *c, uint32_t octets);
WEIR_PRIVATE void weiri_icmp_timeout(weir_conn *c);
#endif

/* How a RST carries timestamps: not; with a value of 0 (RFC 7323 5.2, an answer); with our clock (an abort). */
enum weiri_reply { WEIRI_REPLY_PLAIN, WEIRI_REPLY_ECHO, WEIRI_REPLY_STAMPED };

/* Begins and ends every public call that changes a connection. */
WEIR_PRIVATE void weiri_conn_begin(weir_conn *c, weir_us now);
WEIR_PRIVATE void weiri_conn_finish(weir_conn *c);
WEIR_PRIVATE void weiri_user_read(weir_conn *c, uint32_t count, weir_us now); /* user.c: so many octets that are readable */

/* One of weir_conn.count has happened n times more; how often it has so far. */
#if WEIR_WITH_COUNTERS
#define WEIRI_COUNT(c, what, n) ((void)((c)->count.what += (n)))
#define WEIRI_COUNTED(c, what) ((c)->count.what)
#else
#define WEIRI_COUNT(c, what, n) ((void)(c), (void)(n))
#define WEIRI_COUNTED(c, what) ((void)(c), 0u)
#endif

/* What can never be: who asks for it is answered by the compiler (weir/features.h). */
#define WEIRI_FLAGS_LEFT_OUT                                                                                             \
    ((WEIR_WITH_TIMESTAMPS ? 0u : (uint32_t)WEIRI_TS_OK) |                                                              \
     (WEIR_WITH_WINDOW_SCALE ? 0u : (uint32_t)WEIRI_WS_OK) |                                                            \
     (WEIR_WITH_KEEPALIVE ? 0u : (uint32_t)(WEIRI_KEEPALIVE | WEIRI_KEEP_DUE)))

static inline bool conn_has(const weir_conn *c, uint32_t flag)
{
    return (c->flags & flag & ~WEIRI_FLAGS_LEFT_OUT) != 0;
}

static inline void conn_set(weir_conn *c, uint32_t flag, bool on)
{
    c->flags = on ? c->flags | flag : c->flags & ~flag;
}

static inline uint32_t conn_rcv_wnd(const weir_conn *c)
{
    return seq_diff(c->rcv.nxt, c->rcv.adv);
}

/* When the next keepalive probe is due. */
static inline weir_us conn_keep_at(const weir_conn *c)
{
#if WEIR_WITH_KEEPALIVE
    return c->keep_at;
#else
    (void)c;
    return WEIR_FOREVER;
#endif
}

static inline void conn_set_keep_at(weir_conn *c, weir_us at)
{
#if WEIR_WITH_KEEPALIVE
    c->keep_at = at;
#else
    (void)c;
    (void)at;
#endif
}

/* How far windows are shifted: the peer's, ours (RFC 7323 2.3). */
static inline unsigned conn_shift_snd(const weir_conn *c)
{
    return WEIR_WITH_WINDOW_SCALE ? c->shift_snd : 0u;
}

static inline unsigned conn_shift_rcv(const weir_conn *c)
{
    return WEIR_WITH_WINDOW_SCALE ? c->shift_rcv : 0u;
}

/* How long ago the timestamp that a segment echoes went out, in ms; false: none, or so old, 17 minutes, that it is none of ours. */
static inline bool conn_echo_age(const weir_conn *c, const weir_view *v, uint32_t *ms)
{
    const uint32_t max_ms = 1u << 20;
    *ms = weiri_ts_now(c) - v->ts_echo;
    return conn_has(c, WEIRI_TS_OK) && (v->options & WEIR_OPT_TIMESTAMPS) && *ms < max_ms;
}

/* An echo came at a window of one segment: nothing new goes before the timer (RFC 3168 6.1.2). */
static inline bool conn_marked_wait(const weir_conn *c)
{
    return WEIR_WITH_ECN && (c->ecn & WEIRI_ECN_WAIT) != 0;
}

/* A probe for a lost tail is to go (RFC 8985 7.3). */
static inline bool conn_tail_due(const weir_conn *c)
{
    return WEIR_WITH_RACK && c->rack.due;
}

/* Rings that there are satisfy it, or all that it may have (tune.c). */
static inline bool conn_content(const weir_conn *c)
{
#if WEIR_WITH_GROWTH
    bool rx = c->tune.rx_want <= c->rx_size || c->cfg->rx_max <= c->rx_size;
    return rx && (c->tune.tx_want <= c->tx_size || c->cfg->tx_max <= c->tx_size);
#else
    (void)c;
    return true;
#endif
}

/* Its timer begins anew; none is to go any more; none is out. */
static inline void conn_restart_probe(weir_conn *c)
{
    if (WEIR_WITH_RACK) {
        c->rack.restart = 1;
    }
}

static inline void conn_forget_probe(weir_conn *c)
{
    if (WEIR_WITH_RACK) {
        c->rack.due = 0;
    }
}

static inline void conn_end_probe(weir_conn *c)
{
    if (WEIR_WITH_RACK) {
        c->rack.tlp = WEIRI_TLP_NONE;
    }
}

/* As how many segments it was sent, as far as known. */
static inline uint32_t conn_segments(const weir_view *v)
{
    bool one = !WEIR_WITH_GSO || v->gso_size == 0 || v->payload_len <= v->gso_size;
    return one ? 1 : v->payload_len / v->gso_size + (v->payload_len % v->gso_size > 0);
}

/* The most text in a segment, beside the options that all carry. */
static inline uint32_t conn_full_text(const weir_conn *c)
{
    return c->mss_snd - (conn_has(c, WEIRI_TS_OK) ? 12u : 0);
}

/* SND.NXT - SND.UNA: FlightSize (RFC 5681 2). */
static inline uint32_t conn_flight(const weir_conn *c)
{
    return seq_diff(c->snd.una, c->snd.nxt);
}

/* Our SYN has been chosen and is not acknowledged. SND.UNA comes by the ISS again each 4 GiB: that is not opening. */
static inline bool conn_opening(const weir_conn *c)
{
    return seq_eq(c->snd.una, c->snd.iss) && c->octets_acked == 0;
}

/* The first octet of text not acknowledged. Only while opening may it be compared with the ISS: text goes on beyond 2 GiB. */
static inline weir_seq conn_first(const weir_conn *c)
{
    return conn_opening(c) ? seq_add(c->snd.iss, 1) : c->snd.una;
}

static inline bool conn_fin_sent(const weir_conn *c)
{
    return conn_has(c, WEIRI_FIN_QUEUED) && seq_lt(c->snd.end, c->snd.nxt);
}

/* Text committed and not yet sent once. */
static inline uint32_t conn_unsent(const weir_conn *c)
{
    return conn_fin_sent(c) ? 0 : seq_diff(seq_max(c->snd.nxt, conn_first(c)), c->snd.end);
}

static inline uint32_t conn_ip_header(const weir_conn *c)
{
    return weir_addr_is_v4(&c->tuple.local) ? WEIRI_IP4_HEADER : WEIRI_IP6_HEADER;
}

#include "conn/left_out.h"

#endif /* WEIRI_CONN_H */
