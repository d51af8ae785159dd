/* lwip_differences.h - where lwIP 2.1.3 and weir do not do the same with the same, each with its clause: data of fuzz_lwip.c.
 *
 *     DIFFERENCE(name, where it shows, when it may, "clause: which of the two does what")
 *
 * `b` is what was before the event (struct duo_before), `s` the segment; SEG(x): the event is a segment and x. What shows and is not named
 * by a line whose condition holds stops the target. A line that nothing in the corpus needs is an error too
 * (tests/fuzz/lwip_differences.sh). Not given to either, for it would compare sizes and not behaviour: text across right edges, or an
 * acknowledgment between values of SND.NXT, that the two have in different places. */

/* ---- SYN-SENT ---- */
DIFFERENCE(crossed_syn, STATE | ANSWER | RESET, SEG(IN(SYN_SENT) && (s->flags & (WEIR_SYN | WEIR_ACK | WEIR_RST)) == WEIR_SYN),
           "RFC 9293 3.10.7.3 fourth, MUST-10: weir opens with the peer whose SYN crossed its own; lwIP sends its SYN again")
DIFFERENCE(bare_ack_of_syn, RESET, SEG(IN(SYN_SENT) && (s->flags & (WEIR_SYN | WEIR_ACK | WEIR_RST)) == WEIR_ACK && s->ack_kind == ACK_NEW),
           "RFC 9293 3.10.7.3 fifth: weir drops an acknowledgment of its SYN that is neither SYN nor RST; lwIP resets")
DIFFERENCE(text_on_syn_ack, RCV, SEG(IN(SYN_SENT) && (s->flags & WEIR_SYN) && s->len > 0),
           "RFC 9293 3.10.7.3 fourth: weir takes text that comes on a SYN,ACK; lwIP waits for it to come again")
DIFFERENCE(rst_without_ack, STATE | END, SEG(IN(SYN_SENT) && (s->flags & (WEIR_RST | WEIR_ACK)) == WEIR_RST),
           "RFC 9293 3.10.7.3 second: weir heeds a RST only if it acknowledges the SYN; lwIP looks at the field without the bit")
DIFFERENCE(refused_with_text, STATE | END,
           SEG(IN(SYN_SENT) && (s->flags & WEIR_RST) && s->ack_kind == ACK_NEW && b->c.snd.end.v - b->c.snd.iss.v > 1),
           "RFC 9293 3.10.7.3 second: a RST that acknowledges the SYN ends weir; lwIP sends text before, and wants that acknowledged too")

/* ---- SYN-RECEIVED ---- */
DIFFERENCE(half_open_unacceptable, ANSWER | RESET, SEG(IN(SYN_RECEIVED) && !s->acceptable),
           "RFC 9293 3.10.7.4 first: weir answers by an ACK what is not acceptable; lwIP looks at the acknowledgment alone")
DIFFERENCE(half_open_syn, STATE | RCV | ANSWER | RESET, SEG(IN(SYN_RECEIVED) && (s->flags & WEIR_SYN)),
           "RFC 9293 3.10.7.4 fourth: in SYN-RECEIVED a SYN in the window takes weir back to LISTEN; lwIP stays")

/* ---- synchronized states ---- */
DIFFERENCE(unacceptable_ack, UNA | STATE | ANSWER | RCV, SEG(!s->acceptable && s->ack_kind == ACK_NEW),
           "RFC 9293 3.10.7.4 first: weir drops a segment that is not acceptable; lwIP takes the acknowledgment on it")
DIFFERENCE(no_ack_bit, STATE | RCV | UNA | ANSWER, SEG(b->c.state >= WEIR_SYN_RECEIVED && !(s->flags & (WEIR_ACK | WEIR_RST | WEIR_SYN))),
           "RFC 9293 3.10.7.4 fifth: weir drops what has no ACK bit; lwIP takes its text and FIN")
DIFFERENCE(ack_too_old, STATE | RCV | ANSWER, SEG(s->ack_kind == ACK_OLD),
           "RFC 5961 5.2: weir answers an acknowledgment below SND.UNA - MAX.SND.WND and drops the segment; lwIP takes text and FIN")
DIFFERENCE(ack_of_the_future, STATE | RCV | ANSWER, SEG(s->ack_kind == ACK_FUTURE),
           "RFC 9293 3.10.7.4 fifth: weir answers an acknowledgment of what was not sent and drops the segment; lwIP takes text and FIN")

DIFFERENCE(rst_at_edge, ANSWER, SEG((s->flags & WEIR_RST) && s->seq == duo_edge(&b->c)),
           "RFC 9293 3.10.7.4 second: a RST at RCV.NXT + RCV.WND is outside of the window for weir; lwIP answers it by an ACK")
DIFFERENCE(text_after_fin, ANSWER, SEG(b->c.state >= WEIR_CLOSE_WAIT && (s->len > 0 || (s->flags & WEIR_FIN))),
           "RFC 9293 3.10.7.4 seventh: weir ignores acceptable text after the FIN; lwIP answers it")
DIFFERENCE(overlaps_out_of_order, RCV | STATE | ANSWER, SEG(s->overlaps),
           "RFC 9293 3.10.7.4 seventh: weir keeps all text out of order that is in the window; lwIP drops some that overlaps")
DIFFERENCE(empty_at_a_closed_window, ANSWER, SEG(s->acceptable && s->last == s->seq && duo_edge(&b->c) == s->seq),
           "RFC 9293 table 6: an empty segment at RCV.NXT is acceptable to a window of 0, so weir is silent; lwIP answers")
DIFFERENCE(covers_the_window, RCV | STATE | ANSWER, SEG(!s->acceptable && s->len > 0 && BEFORE(s->seq, b->c.rcv.nxt.v)),
           "RFC 9293 table 6: weir drops what begins before the window and ends behind it; lwIP takes the part within")

/* ---- windows, MSS, timestamps ---- */
DIFFERENCE(window_rule, WINDOW, SEG(duo_windows_part(b, s)),
           "RFC 9293 3.10.7.4 fifth: weir takes the window of the newest segment, smaller or larger, unless its acknowledgment is old; lwIP "
           "lets a larger one of an older segment count, and no smaller one of the same numbers")
DIFFERENCE(window_unacceptable, WINDOW, SEG(!s->acceptable),
           "RFC 9293 3.10.7.4 first: weir drops a segment that is not acceptable; lwIP takes the window on it")
DIFFERENCE(small_mss, SIZE, SEG((s->flags & WEIR_SYN) && (s->options & WEIR_OPT_MSS) && s->mss < 88),
           "RFC 9293 3.7.1: nobody says how small an MSS may be; weir takes 88 for less (mss_min), lwIP anything but 0")
DIFFERENCE(late_mss, SIZE, SEG(b->c.state >= WEIR_SYN_RECEIVED && (s->options & WEIR_OPT_MSS)),
           "RFC 9293 3.2: an MSS stands in a SYN only, and weir takes it from the one that opens; lwIP from any segment")
DIFFERENCE(stale_stamp, STATE | RCV | UNA | ANSWER | RESET | WINDOW, SEG(s->stale),
           "RFC 7323 5.3 (R1): weir answers a segment whose timestamp is older than TS.Recent and drops it; lwIP has no timestamps")
DIFFERENCE(no_stamp, STATE | RCV | UNA | ANSWER | RESET | WINDOW, SEG(s->unstamped),
           "RFC 7323 3.2: weir, as RFCs have it, drops a segment without the timestamps that were agreed on; lwIP has none")

/* ---- TIME-WAIT ---- */
DIFFERENCE(time_wait_rst, STATE | END | ANSWER, SEG(IN(TIME_WAIT) && (s->flags & WEIR_RST)),
           "RFC 9293 3.10.7.4 second: weir closes by a RST at RCV.NXT in TIME-WAIT; lwIP ignores all, which RFC 1337 3 (F1) allows")
DIFFERENCE(time_wait_syn, STATE | ANSWER | RESET, SEG(IN(TIME_WAIT) && (s->flags & WEIR_SYN)),
           "RFC 9293 3.10.7.4 fourth, MAY-2, RFC 6191 2: weir reopens or drops; lwIP resets in the window and acknowledges beyond")
DIFFERENCE(time_wait_answer, ANSWER, SEG(IN(TIME_WAIT)),
           "RFC 9293 3.10.7.4 first: weir answers what is not acceptable and lets the rest be; lwIP answers whatever has text or FIN")

/* ---- the end ---- */
DIFFERENCE(late_reset, END, SEG((IN(CLOSING) || IN(LAST_ACK)) && (s->flags & WEIR_RST)),
           "RFC 9293 3.10.7.4 second: in CLOSING and LAST-ACK weir tells of a RST only if octets of ours were lost; lwIP always")
DIFFERENCE(syn_given_up, STATE | END, b->event == DUO_TIME && IN(SYN_SENT),
           "RFC 9293 3.8.3 (MUST-23): lwIP counts the SYN that it sends for each bad acknowledgment, and gives up sooner")

/* ---- calls ---- */
DIFFERENCE(abort_tells, RESET, b->event == DUO_ABORT && (IN(SYN_SENT) || IN(CLOSING) || IN(LAST_ACK)),
           "RFC 9293 3.10.5: in SYN-SENT, CLOSING and LAST-ACK ABORT sends nothing; lwIP sends a RST")
