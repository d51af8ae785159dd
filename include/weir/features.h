/* features.h - what is compiled in: a choice each, 1 or 0. Part of weir/weir.h.
 *
 * All are 1 unless somebody says otherwise: with WEIR_TINY, a selection for devices with kilobytes, all are 0; and each can be defined by
 * itself, beside WEIR_TINY or without it. Define them for the compiler's command line, so that weir and all who include its headers see
 * the same: the layout of weir_conn depends on them.
 *
 * What stays whatever is left out: all that RFC 9293 demands, SACK both ways with the recovery of RFC 6675, NewReno, the retransmission
 * timer, urgent data, PMTUD, challenge ACKs and their bounds, and every check of the segments that a peer sends. A configuration that asks
 * for what was left out is refused (WEIR_ERR_LEFT_OUT); the profiles ask for what there is. What was left out and is met on the wire is
 * treated as by a TCP that does not know it. */
#ifndef WEIR_FEATURES_H
#define WEIR_FEATURES_H

#ifdef WEIR_TINY
#define WEIR_WITH_ALL 0
#else
#define WEIR_WITH_ALL 1
#endif

#ifndef WEIR_WITH_CUBIC /* config.cc WEIR_CC_CUBIC (RFC 9438) */
#define WEIR_WITH_CUBIC WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_BBR /* config.cc WEIR_CC_BBR; needs PACING and RATE */
#define WEIR_WITH_BBR WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_HYSTART /* config.hystart (RFC 9406) */
#define WEIR_WITH_HYSTART WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_HALVE_CWND /* config.halve_cwnd */
#define WEIR_WITH_HALVE_CWND WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_CWV /* config.cwv (RFC 7661), and that a window grows only while it is what holds the sender back (4.3) */
#define WEIR_WITH_CWV WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_PACING /* config.pacing */
#define WEIR_WITH_PACING WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_RATE /* samples of the delivery rate, and what held the sender back: weir_info */
#define WEIR_WITH_RATE WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_RACK /* config.rack (RFC 8985) */
#define WEIR_WITH_RACK WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_LARGE_BOARD /* a scoreboard for thousands of segments in flight, and of runs that arrived out of order; without it one in
                                 little code, for some dozens: no more than 16 are told apart with rings of 16 KiB */
#define WEIR_WITH_LARGE_BOARD WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_LAST_RESORT /* in recovery something goes again before it is known to be lost, rather than nothing (RFC 6675 4, NextSeg
                                 rules 3 and 4, its "last resort"); without, the timer is */
#define WEIR_WITH_LAST_RESORT WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_PRR /* config.prr (RFC 9937) */
#define WEIR_WITH_PRR WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_UNDO /* config.undo (RFC 3522, RFC 5682, RFC 4015) */
#define WEIR_WITH_UNDO WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_ECN /* config.ecn (RFC 3168, RFC 8511) */
#define WEIR_WITH_ECN WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_TIMESTAMPS /* config.timestamps (RFC 7323) */
#define WEIR_WITH_TIMESTAMPS WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_WINDOW_SCALE /* config.window_scale (RFC 7323): rings of more than 64 KiB */
#define WEIR_WITH_WINDOW_SCALE WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_DSACK /* duplicates that arrive are reported (RFC 2883) */
#define WEIR_WITH_DSACK WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_KEEPALIVE /* config.keepalive_idle_us (RFC 9293 3.8.4, which leaves it to whoever writes a TCP: MAY-5); weir_set_keepalive
                               does nothing without */
#define WEIR_WITH_KEEPALIVE WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_PMTU_CHECK /* a packet too big that claims less than has arrived waits for a timeout (RFC 5927 7.2); without, it is
                                believed at once where it quotes octets in flight (RFC 1191) */
#define WEIR_WITH_PMTU_CHECK WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_ODD /* weir_view.odd, and in weir_view.options those that weir recognises and does not act on, WEIR_OPT_MD5 and all below
                         it; without, they are skipped like any unknown kind, and nothing tells of them */
#define WEIR_WITH_ODD WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_COUNTERS /* how often what has happened on a connection, and by which rows: without, weir_info and
                              weir_stack_stats.retransmitted tell 0, weir_last_path no row */
#define WEIR_WITH_COUNTERS WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_GROWTH /* rings that ask to be larger: config.rx_max, config.tx_max, WEIR_EV_GROW */
#define WEIR_WITH_GROWTH WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_GSO /* super-segments and checksums that the device completes: config.gso_max, config.partial_checksum */
#define WEIR_WITH_GSO WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_PREDICTION /* the usual segments by a shorter way; the same effect without */
#define WEIR_WITH_PREDICTION WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_FAST_CHECKSUM /* wide words and vectors; without, 16 bits at a time */
#define WEIR_WITH_FAST_CHECKSUM WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_FAST_TABLE /* the state table as straight-line code; without, as data that is walked */
#define WEIR_WITH_FAST_TABLE WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_RANGES /* weir_config_check, and so weir_init, looks at the range of each field; without, at the secret and at what was
                            left out: for a configuration that never changes, and that a whole build has found to be good */
#define WEIR_WITH_RANGES WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_SYN_RECORDS /* half-open connections in small records: weir_stack_config.syn_records_max */
#define WEIR_WITH_SYN_RECORDS WEIR_WITH_ALL
#endif
#ifndef WEIR_WITH_NAMES /* weir_config_check names the field; without, all are called "configuration" */
#define WEIR_WITH_NAMES WEIR_WITH_ALL
#endif

#if WEIR_WITH_BBR && !(WEIR_WITH_PACING && WEIR_WITH_RATE && WEIR_WITH_COUNTERS)
#error "WEIR_WITH_BBR needs WEIR_WITH_PACING and WEIR_WITH_RATE and WEIR_WITH_COUNTERS"
#endif

#if WEIR_WITH_PACING && !WEIR_WITH_COUNTERS
#error "WEIR_WITH_PACING needs WEIR_WITH_COUNTERS"
#endif

#if WEIR_WITH_RACK && !WEIR_WITH_LARGE_BOARD
#error "WEIR_WITH_RACK needs WEIR_WITH_LARGE_BOARD"
#endif

#define WEIR_WITH_EVERYTHING                                                                                             \
    (WEIR_WITH_CUBIC && WEIR_WITH_BBR && WEIR_WITH_HYSTART && WEIR_WITH_CWV && WEIR_WITH_HALVE_CWND && WEIR_WITH_PACING && \
     WEIR_WITH_RATE && WEIR_WITH_RACK && WEIR_WITH_LAST_RESORT && WEIR_WITH_PRR && WEIR_WITH_UNDO && WEIR_WITH_ECN &&        \
     WEIR_WITH_TIMESTAMPS && WEIR_WITH_WINDOW_SCALE &&                                                                       \
     WEIR_WITH_LARGE_BOARD && WEIR_WITH_DSACK && WEIR_WITH_KEEPALIVE && WEIR_WITH_PMTU_CHECK && WEIR_WITH_ODD &&             \
     WEIR_WITH_COUNTERS && WEIR_WITH_GROWTH && WEIR_WITH_GSO && WEIR_WITH_PREDICTION && WEIR_WITH_FAST_CHECKSUM &&           \
     WEIR_WITH_FAST_TABLE && WEIR_WITH_RANGES && WEIR_WITH_SYN_RECORDS && WEIR_WITH_NAMES)

#endif /* WEIR_FEATURES_H */
