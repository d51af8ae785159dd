/* left_out.h - what calls come to whose feature was left out (weir/features.h). Included by conn.h. */
#ifndef WEIRI_CONN_LEFT_OUT_H
#define WEIRI_CONN_LEFT_OUT_H

#if !WEIR_WITH_PREDICTION
static inline bool weiri_predict(const weir_conn *c, const weir_view *v)
{
    (void)c;
    (void)v;
    return false;
}

static inline void weiri_predicted(struct weiri_step *s)
{
    (void)s;
}

static inline bool weiri_predict_listening(const weir_conn *c, const weir_view *v)
{
    (void)c;
    (void)v;
    return false;
}

static inline void weiri_predict_heard(weir_conn *c, const weir_view *v, weir_us now)
{
    (void)c;
    (void)v;
    (void)now;
}

static inline bool weiri_predict_ack(weir_conn *c, weir_out *out)
{
    (void)c;
    (void)out;
    return false;
}
#endif

#if !WEIR_WITH_PREDICTION
static inline void weiri_conn_copy(weir_conn *c, const weir_conn *blank, const weir_buffers *buffers, weir_us now)
{
    weiri_conn_init(c, blank->cfg, buffers, now);
}
#endif

#if !WEIRI_WITH_CALM
static inline bool weiri_calm_speaks(weir_conn *c, weir_out *out)
{
    (void)c;
    (void)out;
    return false;
}

static inline bool weiri_calm_starts(const weir_conn *c)
{
    (void)c;
    return false;
}
#endif

#if !WEIR_WITH_DSACK
static inline void weiri_ring_note_duplicate(weir_conn *c, weir_block run)
{
    (void)c;
    (void)run;
}

static inline bool weiri_ring_duplicate(const weir_conn *c)
{
    (void)c;
    return false;
}

static inline void weiri_ring_forget_duplicate(weir_conn *c)
{
    (void)c;
}
#endif

#if !WEIR_WITH_PMTU_CHECK
static inline void weiri_icmp_acked(weir_conn *c, uint32_t octets)
{
    (void)c;
    (void)octets;
}

static inline void weiri_icmp_timeout(weir_conn *c)
{
    (void)c;
}
#endif

#if !WEIR_WITH_ECN
static inline void weiri_ecn_take_syn(weir_conn *c, const weir_view *v)
{
    (void)c;
    (void)v;
}

static inline unsigned weiri_ecn_syn_flags(weir_conn *c)
{
    (void)c;
    return 0;
}

static inline bool weiri_ecn_ok(const weir_conn *c)
{
    (void)c;
    return false;
}

static inline void weiri_ecn_take_text(weir_conn *c, const weir_view *v)
{
    (void)c;
    (void)v;
}

static inline bool weiri_ecn_is_echo(const weir_conn *c, const weir_view *v)
{
    (void)c;
    (void)v;
    return false;
}

static inline void weiri_ecn_reduced(weir_conn *c)
{
    (void)c;
}

static inline void weiri_ecn_restored(weir_conn *c)
{
    (void)c;
}

static inline void weiri_ecn_advanced(weir_conn *c)
{
    (void)c;
}

static inline bool weiri_ecn_answered(const weir_conn *c)
{
    (void)c;
    return false;
}

static inline uint8_t weiri_ecn_codepoint(const weir_conn *c, bool fresh)
{
    (void)c;
    (void)fresh;
    return 0;
}

static inline unsigned weiri_ecn_flags(weir_conn *c, bool fresh)
{
    (void)c;
    (void)fresh;
    return 0;
}
#endif

#if !WEIR_WITH_UNDO
static inline void weiri_undo_begin(weir_conn *c, enum weiri_undo kind)
{
    (void)c;
    (void)kind;
}

static inline void weiri_undo_sent(weir_conn *c, uint32_t octets)
{
    (void)c;
    (void)octets;
}

static inline bool weiri_undo_acked(weir_conn *c, const struct weiri_news *n)
{
    (void)c;
    (void)n;
    return false;
}

static inline void weiri_undo_sample(weir_conn *c, uint32_t rtt_us)
{
    (void)c;
    (void)rtt_us;
    struct weiri_rto_bounds bounds = weiri_timer_bounds(c);
    weiri_rtt_sample(&c->rtt, rtt_us, &bounds);
}

static inline void weiri_undo_leave(weir_conn *c)
{
    (void)c;
}

static inline void weiri_undo_forget(weir_conn *c)
{
    (void)c;
}

static inline bool weiri_undo_asks_new(const weir_conn *c)
{
    (void)c;
    return false;
}
#endif

#if !WEIR_WITH_GROWTH
static inline void weiri_tune_begin(weir_conn *c)
{
    (void)c;
}

static inline void weiri_tune_arrived(weir_conn *c, const weir_view *v)
{
    (void)c;
    (void)v;
}

static inline uint32_t weiri_tune_quiet(const weir_conn *c)
{
    (void)c;
    return UINT32_MAX;
}

static inline void weiri_tune_read(weir_conn *c)
{
    (void)c;
}

static inline void weiri_tune_acked(weir_conn *c, uint32_t acked)
{
    (void)c;
    (void)acked;
}

static inline void weiri_tune_moved(weir_conn *c, const weir_buffers *b)
{
    (void)c;
    (void)b;
}
#endif

#if !WEIR_WITH_PACING
static inline enum weir_pacing weiri_pace_mode(const weir_conn *c)
{
    (void)c;
    return WEIR_PACING_OFF;
}

static inline uint32_t weiri_pace_rate(const weir_conn *c)
{
    (void)c;
    return UINT32_MAX;
}

static inline bool weiri_pace_blocks(const weir_conn *c)
{
    (void)c;
    return false;
}
#endif

#if !WEIR_WITH_PACING
static inline weir_us weiri_pace_depart(weir_conn *c, uint32_t len)
{
    (void)c;
    (void)len;
    return 0;
}

static inline uint32_t weiri_pace_ahead(weir_conn *c, uint32_t len, uint32_t count)
{
    (void)c;
    (void)len;
    return count;
}

static inline void weiri_pace_update(weir_conn *c, bool waits)
{
    (void)c;
    (void)waits;
}

static inline weir_us weiri_pace_deadline(const weir_conn *c)
{
    (void)c;
    return WEIR_FOREVER;
}

static inline void weiri_pace_quiet(weir_conn *c)
{
    (void)c;
}
#endif

#if !WEIR_WITH_PACING
static inline const char * weiri_pace_check(const weir_conn *c)
{
    (void)c;
    return NULL;
}
#endif

#if !WEIR_WITH_RATE
static inline void weiri_pace_limited(weir_conn *c, enum weiri_hold why)
{
    (void)c;
    (void)why;
}
#endif

#endif /* WEIRI_CONN_LEFT_OUT_H */
