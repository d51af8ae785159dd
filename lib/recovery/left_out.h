/* left_out.h - what calls come to whose feature was left out (weir/features.h). Included by recovery.h. */
#ifndef WEIRI_RECOVERY_LEFT_OUT_H
#define WEIRI_RECOVERY_LEFT_OUT_H

#if !WEIR_WITH_LARGE_BOARD
static inline uint32_t weiri_board_push_many(struct weir_board *b, weir_seq from, uint32_t size, uint32_t count, weir_us now)
{
    (void)b;
    (void)from;
    (void)size;
    (void)count;
    (void)now;
    return 0;
}

static inline uint32_t weiri_board_leave(struct weir_board *b, weir_seq ack, const struct weir_sent **first, const struct weir_sent **last)
{
    (void)b;
    (void)ack;
    (void)first;
    (void)last;
    return 0;
}
#endif

#if !WEIR_WITH_LAST_RESORT
static inline uint32_t weiri_board_guess(struct weir_board *b, uint32_t mss, bool rescue)
{
    (void)b;
    (void)mss;
    (void)rescue;
    return 0;
}
#endif

#if !WEIR_WITH_CUBIC
static inline void weiri_cubic_acked(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    (void)cc;
    (void)e;
}

static inline void weiri_cubic_loss(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    (void)cc;
    (void)e;
}

static inline void weiri_cubic_marked(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    (void)cc;
    (void)e;
}

static inline void weiri_cubic_timeout(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    (void)cc;
    (void)e;
}

static inline void weiri_cubic_unused(struct weir_cc *cc, weir_us now)
{
    (void)cc;
    (void)now;
}

static inline void weiri_cubic_restart(struct weir_cc *cc)
{
    (void)cc;
}
#endif

#if !WEIR_WITH_BBR
static inline void weiri_bbr_model(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    (void)cc;
    (void)e;
}

static inline void weiri_bbr_marked(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    (void)e;
    (void)cc;
}

static inline void weiri_bbr_timeout(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    (void)cc;
    (void)e;
}

static inline void weiri_bbr_undo(struct weir_cc *cc, const struct weir_cc *before)
{
    (void)cc;
    (void)before;
}

static inline uint32_t weiri_bbr_bandwidth(const struct weir_cc *cc)
{
    (void)cc;
    return 0;
}

static inline uint32_t weiri_bbr_rate(const struct weir_cc *cc)
{
    (void)cc;
    return 0;
}
#endif

#if !WEIR_WITH_RACK
static inline void weiri_rack_init(struct weir_rack *r, weir_seq una)
{
    (void)r;
    (void)una;
}

static inline void weiri_rack_sample(struct weir_rack *r, uint32_t rtt_us, weir_us now)
{
    (void)r;
    (void)rtt_us;
    (void)now;
}

static inline void weiri_rack_delivered(struct weir_rack *r, const struct weir_sent *record, struct weiri_rack_ack *a)
{
    (void)r;
    (void)record;
    (void)a;
}

static inline void weiri_rack_adapt(struct weir_rack *r, const struct weiri_rack_ack *a)
{
    (void)r;
    (void)a;
}

static inline void weiri_rack_recovered(struct weir_rack *r)
{
    (void)r;
}

static inline uint32_t weiri_rack_detect(struct weir_rack *r, struct weir_board *b, weir_us now, uint32_t *wait)
{
    (void)r;
    (void)b;
    (void)now;
    (void)wait;
    *wait = 0;
    return 0;
}

static inline void weiri_rack_timeout(const struct weir_rack *r, struct weir_board *b, weir_us now)
{
    (void)r;
    (void)b;
    (void)now;
}

static inline uint32_t weiri_rack_pto(uint32_t srtt_us, uint32_t ack_delay_us)
{
    (void)srtt_us;
    (void)ack_delay_us;
    return 0;
}
#endif

#if !WEIR_WITH_RATE
static inline void weiri_rate_sending(struct weir_board *b, bool idle, weir_us now)
{
    (void)b;
    (void)idle;
    (void)now;
}

static inline void weiri_rate_delivered(struct weir_board *b, struct weiri_rate_sample *s, const struct weir_sent *part, weir_us now)
{
    (void)b;
    (void)s;
    (void)part;
    (void)now;
}

static inline void weiri_rate_finish(struct weir_rate *r, struct weir_board *b, struct weiri_rate_sample *s, uint32_t min_rtt_us)
{
    (void)r;
    (void)b;
    (void)s;
    (void)min_rtt_us;
}

static inline void weiri_rate_limit(struct weir_rate *r, struct weir_board *b, enum weiri_limited why)
{
    (void)r;
    (void)b;
    (void)why;
}

static inline uint32_t weiri_rate_of(uint32_t delivered, uint32_t interval_us)
{
    (void)delivered;
    (void)interval_us;
    return 0;
}

static inline void weiri_rate_expire(const struct weir_rate *r, struct weir_board *b)
{
    (void)r;
    (void)b;
}
#endif

#if !WEIR_WITH_CWV
static inline void weiri_cwv_init(struct weir_cwv *v, weir_seq una, weir_us now)
{
    (void)v;
    (void)una;
    (void)now;
}

static inline void weiri_cwv_acked(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e)
{
    (void)v;
    (void)cc;
    (void)e;
}

static inline void weiri_cwv_idle(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e, weir_us quiet_at)
{
    (void)v;
    (void)cc;
    (void)e;
    (void)quiet_at;
}

static inline void weiri_cwv_congested(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e)
{
    (void)v;
    (void)cc;
    (void)e;
}

static inline void weiri_cwv_resent(struct weir_cwv *v, weir_block run)
{
    (void)v;
    (void)run;
}

static inline void weiri_cwv_recovered(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e)
{
    (void)v;
    (void)cc;
    (void)e;
}

static inline bool weiri_cwv_valid(const struct weir_cwv *v)
{
    (void)v;
    return true;
}
#endif

#if !WEIR_WITH_PRR
static inline void weiri_prr_begin(struct weir_prr *p, uint32_t recover_fs)
{
    (void)p;
    (void)recover_fs;
}
#endif

#if !WEIR_WITH_PRR
static inline uint32_t weiri_prr_acked(struct weir_prr *p, const struct weiri_prr_ack *a)
{
    (void)p;
    (void)a;
    return a->cwnd;
}

static inline void weiri_prr_sent(struct weir_prr *p, uint32_t octets)
{
    (void)p;
    (void)octets;
}
#endif

#endif /* WEIRI_RECOVERY_LEFT_OUT_H */
