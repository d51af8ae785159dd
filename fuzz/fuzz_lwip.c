/* fuzz_lwip.c - one connection beside one of lwIP 2.1 (liblwip-dev), which see the same segments and calls in virtual time.
 *
 * Input: an octet of configuration, then events: segments of any flags with numbers beside those that matter, relative to each end's own
 * ISS, with any options, window and urgent pointer; SEND, RECEIVE, CLOSE, ABORT; a little time, or the end of 2MSL. After every event:
 * the same state, the same text for the user, octet for octet, the same RCV.NXT, SND.UNA, SND.WND and MSS, an answer or none, a RST or
 * none, the same end. Every difference is a line of lwip_differences.h or stops the target. An input whose difference is in the state
 * ends there; half of all inputs are kept from such.
 *
 * lwIP is not instrumented, and is never at fault here: a signal raised inside it ends the input and is told as lwIP's. Its globals are put
 * back between inputs: every pcb freed, its clock at 0, its next ISS chosen. */
#include "fuzz.h"

#include <setjmp.h>
#include <signal.h>

#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

enum { DUO_RING = 2048, DUO_STEPS = 200, DUO_TEXT = 4096, DUO_TICKS = 16, DUO_PORT = 80, DUO_PEER_PORT = 40000 };

/* Where the two can differ. */
enum {
    STATE = 1,   /* RFC 9293 3.3.2 */
    RCV = 2,     /* RCV.NXT, and with it the text for the user */
    UNA = 4,     /* SND.UNA */
    ANSWER = 8,  /* an acknowledgment of RCV.NXT was sent */
    RESET = 16,  /* a RST was sent, or its number */
    END = 32,    /* how it ended: by a RST or not */
    CALL = 64,   /* a call was taken or refused */
    WINDOW = 128, /* SND.WND */
    SIZE = 256   /* the effective send MSS, options left out of account */
};

enum duo_ack { ACK_NONE, ACK_OLD, ACK_SEEN, ACK_NEW, ACK_FUTURE };
enum duo_event { DUO_SEGMENT, DUO_SEND, DUO_RECEIVE, DUO_CLOSE, DUO_ABORT, DUO_TIME, DUO_EVENTS };

struct duo_segment {
    unsigned flags;
    uint32_t seq, ack, len; /* SEG.ACK counts from the ISS of whoever gets it; len: of the text */
    uint32_t last;          /* SEG.SEQ + SEG.LEN */
    bool acceptable;        /* by table 6 of RFC 9293 */
    bool asked;             /* not given yet: would it do harm? */
    bool overlaps;          /* some of its text is here already, out of order */
    enum duo_ack ack_kind;
    unsigned options;       /* WEIR_OPT_.., of those that come with them */
    uint16_t mss, window, urgent;
    uint8_t wscale;
    uint32_t ts_value, hole, held; /* the SACK block: so far behind SEG.ACK, so long */
    bool stale, unstamped;  /* by RFC 7323 5.3 and 3.2, if it is for weir to say so */
};

struct duo_before {
    enum duo_event event;
    weir_conn c;
    uint32_t una, nxt;      /* from the ISS */
    uint32_t wl1, wl2;      /* lwIP's, which sets them otherwise; SND.WL2 from the ISS */
    unsigned shift;         /* of the window in segments of the peer */
};

/* What one side said in this step. */
struct duo_said {
    bool ack, bare, syn, rst; /* ACK of RCV.NXT, and one without text that would have gone anyway */
    uint32_t rst_seq;       /* from the ISS */
};

struct duo_lwip {
    uint32_t iss, next_iss; /* of this connection; of the next that it opens */
    uint32_t received;      /* octets of text that its user got */
    bool garbled, narrowed; /* not the octets that were sent; its window is that of weir */
    int error;              /* err_t of the end, 0: none told */
    struct duo_said said;
};

struct duo_world {
    struct fuzz_bytes in;
    weir_conn c;
    weir_config cfg;
    weir_tuple tuple;
    weir_us now;
    uint32_t peer_iss;
    uint32_t read;          /* octets weir's user took */
    unsigned ticks;         /* of time in this input */
    bool tame, over;
    uint64_t latent;        /* lines of the list that may show from now on */
    struct duo_said said;
    struct duo_lwip l;
    struct duo_before before;
};

static uint64_t duo_memory[(2 * DUO_RING + 4096) / 8];
static struct duo_world duo;
static uint32_t duo_lwip_iss = 6510; /* the last that lwIP chose: it counts on from there */

static uint8_t duo_their_octet(uint32_t seq)
{
    return (uint8_t)(seq * 31 + (seq >> 8) * 7);
}

/* ---- lwIP ---------------------------------------------------------------------------------------------------------------------------- */

static sigjmp_buf duo_back;
static volatile sig_atomic_t duo_inside; /* lwIP runs */

static const int duo_stops[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
enum { DUO_STOPS = sizeof duo_stops / sizeof duo_stops[0] };
static struct sigaction duo_engine[DUO_STOPS]; /* what whoever runs the target does about them */

static void duo_stopped(int number)
{
    if (duo_inside) {
        siglongjmp(duo_back, number);
    }
    for (int i = 0; i < DUO_STOPS; i++) {
        sigaction(duo_stops[i], &duo_engine[i], NULL);
    }
    raise(number);
}

/* What it sends, IPv4 header and all. */
static err_t duo_lwip_out(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    static uint8_t packet[2048];
    struct duo_lwip *l = &duo.l;
    weir_view v;
    size_t len = pbuf_copy_partial(p, packet, sizeof packet, 0);
    (void)netif, (void)to;
    if (len < 40 || packet[9] != 6 || weir_view_segment(&v, packet + 20, len - 20, NULL) != WEIR_OK) {
        return ERR_OK; /* of other protocols it may say what it likes */
    }
    fuzz_packet("out", duo.now, NULL, packet, len);
    if (v.flags & WEIR_SYN) {
        l->iss = duo_lwip_iss = v.seq.v;
        l->said.syn = true;
    }
    if (v.flags & WEIR_RST) {
        l->said.rst = true;
        l->said.rst_seq = v.seq.v;
    } else if (v.flags & WEIR_ACK) {
        l->said.ack = true;
        l->said.bare = l->said.bare || weir_view_len(&v) == 0;
    }
    return ERR_OK;
}

static err_t duo_lwip_device(struct netif *netif)
{
    netif->mtu = 1500;
    netif->output = duo_lwip_out;
    return ERR_OK;
}

static err_t duo_on_recv(void *argument, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct duo_lwip *l = &duo.l;
    (void)argument, (void)pcb, (void)err;
    if (p == NULL) {
        return ERR_OK; /* its FIN counts in RCV.NXT */
    }
    for (const struct pbuf *q = p; q != NULL; q = q->next) {
        for (uint16_t i = 0; i < q->len; i++, l->received++) {
            l->garbled = l->garbled || ((const uint8_t *)q->payload)[i] != duo_their_octet(duo.peer_iss + 1 + l->received);
        }
    }
    (void)pbuf_free(p);
    return ERR_OK;
}

static void duo_on_error(void *argument, err_t err)
{
    (void)argument;
    duo.l.error = err;
}

static err_t duo_on_connected(void *argument, struct tcp_pcb *pcb, err_t err)
{
    (void)argument, (void)pcb;
    return err;
}

static err_t duo_on_accept(void *argument, struct tcp_pcb *pcb, err_t err)
{
    (void)argument;
    if (err == ERR_OK && pcb != NULL) {
        tcp_recv(pcb, duo_on_recv);
        tcp_err(pcb, duo_on_error);
        tcp_nagle_disable(pcb);
    }
    return err;
}

/* The one that there is, LISTEN aside. */
static struct tcp_pcb *duo_pcb(void)
{
    return tcp_active_pcbs != NULL ? tcp_active_pcbs : tcp_tw_pcbs;
}

static unsigned duo_lwip_state(void)
{
    return duo_pcb() != NULL ? (unsigned)duo_pcb()->state : tcp_listen_pcbs.pcbs != NULL ? LISTEN : CLOSED;
}

/* Its window is as large as weir's ring (duo_level). */
static void duo_lwip_settle(void)
{
    struct tcp_pcb *pcb = duo_pcb();
    tcp_fasttmr(); /* an ACK that is held */
    if (pcb != NULL && (!duo.l.narrowed || pcb->rcv_wnd > DUO_RING)) {
        pcb->rcv_wnd = pcb->rcv_ann_wnd = DUO_RING;
        pcb->tmr = 0;
        duo.l.narrowed = true;
    }
    duo.l.narrowed = duo_pcb() != NULL && duo.l.narrowed;
    if (pcb != NULL && pcb->state >= ESTABLISHED && tcp_listen_pcbs.pcbs != NULL) {
        (void)tcp_close(tcp_listen_pcbs.pcbs); /* one connection, as there */
    }
}

static void duo_lwip_reset(void)
{
    while (duo_pcb() != NULL) {
        tcp_abort(duo_pcb());
    }
    while (tcp_listen_pcbs.pcbs != NULL) {
        (void)tcp_close(tcp_listen_pcbs.pcbs);
    }
    tcp_ticks = 0;
}

/* lwIP was stopped in the middle of something: what it had is kept, and left alone. */
static void duo_lost(void)
{
    static void *kept[3];
    void **last[3] = {(void **)&tcp_active_pcbs, (void **)&tcp_tw_pcbs, (void **)&tcp_listen_pcbs.pcbs};
    duo_inside = 0;
    for (unsigned i = 0; i < 3; i++) {
        struct tcp_pcb *pcb = (struct tcp_pcb *)*last[i];
        if (pcb != NULL) {
            pcb->callback_arg = kept[i];
            kept[i] = pcb;
        }
        *last[i] = NULL;
    }
    tcp_ticks = 0;
    if (fuzz_diary() != NULL) {
        fprintf(fuzz_diary(), "lwip stopped\n");
    }
}

static void duo_lwip_begin(void)
{
    static struct netif device;
    static bool begun;
    ip4_addr_t own, mask, gateway;
    if (begun) {
        return;
    }
    begun = true;
    struct sigaction ours;
    memset(&ours, 0, sizeof ours);
    ours.sa_handler = duo_stopped;
    ours.sa_flags = SA_NODEFER;
    for (int i = 0; i < DUO_STOPS; i++) {
        sigaction(duo_stops[i], &ours, &duo_engine[i]);
    }
    lwip_init();
    IP4_ADDR(&own, 192, 0, 2, 1);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 192, 0, 2, 2);
    FUZZ_CHECK(netif_add(&device, &own, &mask, &gateway, NULL, duo_lwip_device, ip_input) != NULL, "lwIP has no device");
    netif_set_default(&device);
    netif_set_link_up(&device);
    netif_set_up(&device);
}

static void duo_lwip_open(bool active, uint32_t iss)
{
    struct tcp_pcb *pcb = tcp_new();
    ip_addr_t remote;
    IP_ADDR4(&remote, 198, 51, 100, 2);
    FUZZ_CHECK(pcb != NULL && tcp_bind(pcb, IP_ADDR_ANY, DUO_PORT) == ERR_OK, "lwIP has no room");
    tcp_ticks = iss - duo_lwip_iss; /* which it adds */
    if (active) {
        tcp_recv(pcb, duo_on_recv);
        tcp_err(pcb, duo_on_error);
        tcp_nagle_disable(pcb);
        (void)tcp_connect(pcb, &remote, DUO_PEER_PORT, duo_on_connected);
    } else {
        tcp_accept(tcp_listen(pcb), duo_on_accept);
    }
}

static void duo_lwip_input(uint8_t *packet, size_t len)
{
    struct tcp_pcb *pcb = duo_pcb();
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_RAM);
    if (pcb != NULL && pcb->state <= SYN_RCVD && (packet[33] & WEIR_SYN)) { /* which it insists on where it reads WS */
        pcb->rcv_wnd = pcb->rcv_ann_wnd = TCPWND_MIN16(TCP_WND);
    }
    if (p != NULL) {
        uint32_t ticks = tcp_ticks;
        (void)pbuf_take(p, packet, (u16_t)len);
        tcp_ticks = duo_lwip_state() == LISTEN ? duo.l.next_iss - duo_lwip_iss : ticks;
        (void)netif_default->input(p, netif_default);
        tcp_ticks = ticks;
    }
}

/* ---- weir ---------------------------------------------------------------------------------------------------------------------------- */

static void duo_sent(struct duo_world *w, const weir_view *v)
{
    w->said.syn = w->said.syn || (v->flags & WEIR_SYN);
    if (v->flags & WEIR_RST) {
        w->said.rst = true;
        w->said.rst_seq = v->seq.v;
    } else if (v->flags & WEIR_ACK) {
        w->said.ack = true;
        w->said.bare = w->said.bare || weir_view_len(v) == 0;
    }
}

static void duo_drain(struct duo_world *w)
{
    static uint8_t octets[2048];
    weir_pseudo pseudo = {w->tuple.local, w->tuple.remote};
    weir_out out;
    weir_view v;
    weir_expire(&w->c, w->now); /* an ACK that is held for no time */
    for (unsigned i = 0; weir_poll(&w->c, &out, w->now) > 0; i++) {
        size_t len = weir_out_copy(&out, octets, sizeof octets);
        FUZZ_CHECK(i < 64 && len > 0, "polling does not end");
        fuzz_packet("out", w->now, &pseudo, octets, len);
        FUZZ_CHECK(weir_view_segment(&v, octets, len, &pseudo) == WEIR_OK, "sent a segment that is malformed");
        duo_sent(w, &v);
    }
    FUZZ_HOLDS(weir_check(&w->c));
}

/* ---- side by side -------------------------------------------------------------------------------------------------------------------- */

/* The right edge that was promised. */
static uint32_t duo_edge(const weir_conn *c)
{
    return seq_max(c->rcv.adv, c->rcv.nxt).v;
}

/* Numbers of ours count from the ISS, if there is one. */
static uint32_t duo_base(const struct duo_before *b)
{
    return b->c.state >= WEIR_SYN_SENT ? b->c.snd.iss.v : 0;
}

static uint32_t duo_lwip_base(const struct duo_before *b)
{
    return b->c.state >= WEIR_SYN_SENT ? duo.l.iss : 0;
}

static bool duo_ended_by_reset(const weir_conn *c)
{
    return weir_error(c) == WEIR_ERR_RESET || weir_error(c) == WEIR_ERR_REFUSED;
}

/* Does a window count by one rule and not by the other? RFC 9293 3.10.7.4 fifth; lwIP's tcp_receive. Each has marks of its own. */
static bool duo_windows_part(const struct duo_before *b, const struct duo_segment *s)
{
    uint32_t ack = s->ack + duo_base(b), wnd = (uint32_t)s->window << b->shift;
    int32_t seq_ours = (int32_t)(s->seq - b->c.snd.wl1.v), ack_ours = (int32_t)(ack - b->c.snd.wl2.v);
    int32_t seq_theirs = (int32_t)(s->seq - b->wl1), ack_theirs = (int32_t)(s->ack - b->wl2);
    bool ours = s->ack_kind != ACK_FUTURE && (int32_t)(s->ack - b->una) >= 0 && (seq_ours > 0 || (seq_ours == 0 && ack_ours >= 0));
    bool theirs = seq_theirs > 0 || (seq_theirs == 0 && ack_theirs > 0) || (ack_theirs == 0 && wnd > b->c.snd.wnd);
    return ours != theirs;
}

/* Where they differ now. What is said after SEND or RECEIVE, or because time has passed, is each one's own affair: windows and timers. */
static unsigned duo_shown(struct duo_world *w, const struct duo_segment *s)
{
    const struct duo_before *b = &w->before;
    const struct tcp_pcb *pcb = duo_pcb();
    const weir_conn *c = &w->c;
    unsigned state = weir_state(c), shown = state != duo_lwip_state() ? STATE : 0;
    bool synchronized = state >= WEIR_ESTABLISHED && pcb != NULL && pcb->state >= ESTABLISHED;
    shown |= w->read + weiri_ring_readable(c) != w->l.received || w->l.garbled ? RCV : 0;
    shown |= synchronized && c->rcv.nxt.v != pcb->rcv_nxt ? RCV : 0;
    shown |= synchronized && c->snd.una.v - c->snd.iss.v != pcb->lastack - w->l.iss ? UNA : 0;
    shown |= synchronized && state != WEIR_TIME_WAIT && c->snd.wnd != pcb->snd_wnd ? WINDOW : 0;
    shown |= state >= WEIR_SYN_RECEIVED && pcb != NULL && pcb->state >= SYN_RCVD && c->mss_snd != pcb->mss ? SIZE : 0;
    shown |= state == WEIR_CLOSED && pcb == NULL && duo_ended_by_reset(c) != (w->l.error == ERR_RST) ? END : 0;
    if (b->event == DUO_SEGMENT || b->event == DUO_CLOSE || b->event == DUO_ABORT) {
        bool numbered = w->said.rst && w->l.said.rst && b->event == DUO_SEGMENT && (s->flags & WEIR_ACK);
        shown |= (w->said.bare && !w->l.said.ack) || (w->l.said.bare && !w->said.ack) ? ANSWER : 0;
        shown |= w->said.rst != w->l.said.rst ? RESET : 0;
        shown |= numbered && w->said.rst_seq - duo_base(b) != w->l.said.rst_seq - duo_lwip_base(b) ? RESET : 0;
    }
    return shown;
}

/* ---- the list ------------------------------------------------------------------------------------------------------------------------ */

/* Where the lines of the list let them differ; those that are needed for `shown` are told. What one of the two has kept of a segment may
 * show later, and anywhere: its line stands for the rest of the input. */
static unsigned duo_listed(struct duo_world *w, const struct duo_segment *s, unsigned shown)
{
    const struct duo_before *b = &w->before;
    bool keeps = s != NULL && s->last != s->seq && !s->asked;
    unsigned listed = 0, left = shown, line = 0;
#define SEG(condition) (b->event == DUO_SEGMENT && (condition))
#define BEFORE(x, y) ((int32_t)((x) - (y)) < 0)
#define IN(name) (b->c.state == WEIR_##name)
#define DIFFERENCE(name, where, when, clause)                                                                                              \
    if ((when) || (w->latent >> line & 1) != 0) {                                                                                          \
        unsigned may = (w->latent >> line & 1) != 0 ? ~0u : (unsigned)(where);                                                             \
        listed |= may;                                                                                                                     \
        if ((left & may) != 0 && fuzz_diary() != NULL) {                                                                                   \
            fprintf(fuzz_diary(), "difference " #name "\n");                                                                               \
        }                                                                                                                                  \
        left &= ~may;                                                                                                                      \
        w->latent |= keeps && (may & RCV) != 0 ? (uint64_t)1 << line : 0;                                                                 \
    }                                                                                                                                      \
    line++;
#include "lwip_differences.h"
#undef DIFFERENCE
#undef SEG
#undef IN
#undef BEFORE
    return listed;
}

static void duo_tell(const struct duo_world *w, const struct duo_segment *s, unsigned shown)
{
    static const char *const where[] = {"state", "rcv.nxt", "snd.una", "answer", "reset", "end", "call", "window", "mss"};
    static const char *const events[] = {"segment", "send", "receive", "close", "abort", "time"};
    static const char *const acks[] = {"none", "old", "seen", "new", "future"};
    const struct duo_before *b = &w->before;
    fprintf(stderr, "differ in:");
    for (unsigned i = 0; i < sizeof where / sizeof where[0]; i++) {
        fprintf(stderr, "%s%s", shown >> i & 1 ? " " : "", shown >> i & 1 ? where[i] : "");
    }
    fprintf(stderr, "; by %s in %s: weir %s, lwIP %s", events[b->event], weir_state_name((enum weir_state)b->c.state),
            weir_state_name(weir_state(&w->c)), weir_state_name((enum weir_state)duo_lwip_state()));
    if (b->event == DUO_SEGMENT) {
        fprintf(stderr, "; flags %02x, RCV.NXT %+d, %u octets, RCV.WND %d, %u spans, SND.UNA %+d, ack %s, %sacceptable", s->flags,
                (int)(s->seq - b->c.rcv.nxt.v), s->len, (int)(duo_edge(&b->c) - b->c.rcv.nxt.v), b->c.span_count, (int)(s->ack - b->una),
                acks[s->ack_kind], s->acceptable ? "" : "not ");
    }
    fprintf(stderr, "\nweir%s%s%s, lwIP%s%s%s\n", w->said.ack ? " ACK" : "", w->said.rst ? " RST" : "", w->said.syn ? " SYN" : "",
            w->l.said.ack ? " ACK" : "", w->l.said.rst ? " RST" : "", w->l.said.syn ? " SYN" : "");
}

/* lwIP's user has read so much that the right edges are the same again: what weir promises, lwIP has room for, and no more. */
static void duo_level(const weir_conn *c)
{
    struct tcp_pcb *pcb = duo_pcb();
    uint32_t more = pcb != NULL ? duo_edge(c) - pcb->rcv_nxt - pcb->rcv_wnd : 0;
    if (c->state >= WEIR_ESTABLISHED && more > 0 && more <= DUO_RING) {
        duo_inside = 1;
        tcp_recved(pcb, (u16_t)more);
        duo_inside = 0;
    }
}

/* After each event. */
static void duo_compare(struct duo_world *w, const struct duo_segment *s, unsigned more)
{
    duo_drain(w);
    unsigned shown = duo_shown(w, s) | more;
    unsigned listed = shown != 0 || s != NULL ? duo_listed(w, s, shown) : 0;
    if (shown & ~listed) {
        duo_tell(w, s, shown & ~listed);
        fuzz_fail("lwIP does otherwise, and lwip_differences.h does not say why", __FILE__, __LINE__);
    }
    duo_level(&w->c);
    w->over = (shown & ~(unsigned)(ANSWER | RESET)) != 0;
}

static void duo_before(struct duo_world *w, enum duo_event event)
{
    struct duo_before *b = &w->before;
    b->event = event;
    b->c = w->c;
    b->una = w->c.snd.una.v - w->c.snd.iss.v;
    b->nxt = w->c.snd.nxt.v - w->c.snd.iss.v;
    b->shift = w->c.shift_snd;
    b->wl1 = duo_pcb() != NULL ? duo_pcb()->snd_wl1 : 0;
    b->wl2 = duo_pcb() != NULL ? duo_pcb()->snd_wl2 - w->l.iss : 0;
    memset(&w->said, 0, sizeof w->said);
    memset(&w->l.said, 0, sizeof w->l.said);
}

/* ---- segments ------------------------------------------------------------------------------------------------------------------------ */

/* Table 6; a RST is judged by where it stands (3.5.3), and a bare ACK may stand at the edge. */
static bool duo_acceptable(const weir_conn *c, const struct duo_segment *s)
{
    uint32_t len = s->flags & WEIR_RST ? 0 : s->last - s->seq, wnd = duo_edge(c) - c->rcv.nxt.v;
    if (len == 0 || wnd == 0) {
        return len == 0 && (s->seq - c->rcv.nxt.v < wnd || (s->seq == duo_edge(c) && (wnd == 0 || (s->flags & (WEIR_ACK | WEIR_RST)) == WEIR_ACK)));
    }
    return s->seq - c->rcv.nxt.v < wnd || s->last - 1 - c->rcv.nxt.v < wnd;
}

static bool duo_overlaps(const weir_conn *c, const struct duo_segment *s)
{
    bool any = false;
    for (unsigned i = 0; i < c->span_count; i++) {
        any = any || (seq_lt(seq_of(s->seq), c->spans[i].to) && seq_lt(c->spans[i].from, seq_of(s->seq + s->len)));
    }
    return any;
}

static enum duo_ack duo_ack_kind(const struct duo_before *b, const struct duo_segment *s)
{
    uint32_t behind = b->una - s->ack, most = (uint32_t)base_min_us(b->c.octets_acked, b->c.snd.max_wnd);
    if (!(s->flags & WEIR_ACK)) {
        return ACK_NONE;
    }
    if ((int32_t)(s->ack - b->nxt) > 0) {
        return ACK_FUTURE;
    }
    return (int32_t)behind < 0 ? ACK_NEW : behind > most ? ACK_OLD : ACK_SEEN;
}

/* Where the peer's FIN stands is the same for all its segments: no text beyond it, and none was taken that lies there. */
static void duo_tame_fin(const weir_conn *c, struct duo_segment *s)
{
    uint32_t last = s->seq + s->len, kept = c->span_count > 0 ? c->spans[c->span_count - 1].to.v : c->rcv.nxt.v;
    if (c->state < WEIR_ESTABLISHED || (s->flags & (WEIR_SYN | WEIR_RST))) {
        return;
    }
    if (conn_has(c, WEIRI_FIN_KNOWN)) {
        s->len = (int32_t)(last - c->rcv.fin.v) > 0 ? 0 : s->len;
        s->flags &= s->seq + s->len == c->rcv.fin.v ? ~0u : ~(unsigned)WEIR_FIN;
    } else if ((int32_t)(last - kept) < 0) {
        s->flags &= ~(unsigned)WEIR_FIN;
    }
}

/* No segment compares sizes: of two right edges, text ends before the nearer or begins behind the farther; of two SND.NXT likewise. */
static bool duo_fair(const struct duo_world *w, struct duo_segment *s)
{
    const struct tcp_pcb *pcb = duo_pcb();
    const weir_conn *c = &w->c;
    if (s->ack - w->before.una == UINT32_C(1) << 31 || s->ack - w->before.nxt == UINT32_C(1) << 31) {
        return false; /* neither before nor after */
    }
    if (c->state < WEIR_ESTABLISHED || pcb == NULL) {
        return true;
    }
    uint32_t theirs = pcb->rcv_nxt + pcb->rcv_wnd, ours = duo_edge(c), near = (int32_t)(theirs - ours) < 0 ? theirs : ours;
    uint32_t far = near == ours ? theirs : ours, nxt = pcb->snd_nxt - w->l.iss, mine = c->snd.nxt.v - c->snd.iss.v;
    if (nxt != mine && (s->flags & WEIR_ACK) && s->ack - (nxt < mine ? nxt : mine) - 1 < (nxt < mine ? mine - nxt : nxt - mine)) {
        return false;
    }
    if (near == far) {
        return true;
    }
    uint32_t last = s->seq + s->len + (s->flags & WEIR_FIN ? 1 : 0);
    return (int32_t)(last - near) < 0 || (int32_t)(s->seq - far) > 0;
}

static size_t duo_emit(const struct duo_world *w, uint8_t *packet, const struct duo_segment *s, uint32_t base)
{
    static const uint8_t ip[20] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 198, 51, 100, 2, 192, 0, 2, 1};
    weir_pseudo pseudo = {w->tuple.remote, w->tuple.local};
    weir_fields f;
    uint32_t sum = 0;
    memset(&f, 0, sizeof f);
    f.source_port = DUO_PEER_PORT;
    f.destination_port = DUO_PORT;
    f.flags = (uint16_t)s->flags;
    f.seq = seq_of(s->seq);
    f.ack = seq_of(s->ack + base);
    f.window = s->window;
    f.urgent = s->urgent;
    f.options = (uint16_t)s->options;
    f.mss = s->mss;
    f.wscale = s->wscale;
    f.ts_value = s->ts_value;
    f.ts_echo = weiri_ts_now(&w->c);
    f.sack_count = 1;
    f.sack[0].from = seq_add(f.ack, s->hole);
    f.sack[0].to = seq_add(f.sack[0].from, s->held);
    size_t header = weir_emit_header(packet + 20, &f), len = header + s->len;
    uint32_t first = s->seq + (s->flags & WEIR_SYN ? 1 : 0);
    for (uint32_t i = 0; i < s->len; i++) {
        packet[20 + header + i] = duo_their_octet(first + i);
    }
    weir_emit_checksum(packet + 20, len, &pseudo);
    memcpy(packet, ip, sizeof ip);
    packet[2] = (uint8_t)((20 + len) >> 8);
    packet[3] = (uint8_t)(20 + len);
    for (unsigned i = 0; i < 20; i += 2) {
        sum += (uint32_t)packet[i] << 8 | packet[i + 1];
    }
    sum = ~((sum & 0xffff) + (sum >> 16));
    packet[10] = (uint8_t)(sum >> 8);
    packet[11] = (uint8_t)sum;
    return 20 + len;
}

/* What a segment has beside its numbers: unless the input says so, a large window, and timestamps where they were agreed on. */
static void duo_choose_rest(struct duo_world *w, struct duo_segment *s, unsigned kinds)
{
    const weir_conn *c = &w->c;
    bool agreed = c->state >= WEIR_SYN_RECEIVED && conn_has(c, WEIRI_TS_OK), stamped = kinds & 64 ? !agreed : agreed;
    static const unsigned bits[4] = {WEIR_OPT_MSS, WEIR_OPT_WSCALE, WEIR_OPT_SACK_OK, WEIR_OPT_SACK};
    for (unsigned i = 0; i < 4; i++) {
        s->options |= kinds >> i & 1 ? bits[i] : 0;
    }
    s->options |= stamped ? (unsigned)WEIR_OPT_TIMESTAMPS : 0;
    s->mss = kinds & 1 ? (uint16_t)fuzz_len(&w->in, 65535) : 0;
    s->wscale = kinds & 2 ? fuzz_u8(&w->in) & 15 : 0;
    s->hole = kinds & 8 ? fuzz_u8(&w->in) : 0;
    s->held = kinds & 8 ? 1u + fuzz_u8(&w->in) : 0;
    s->window = (uint16_t)(kinds & 16 ? fuzz_len(&w->in, 65535) : 65535);
    s->flags |= kinds & 32 ? (unsigned)WEIR_URG : 0;
    s->urgent = kinds & 32 ? fuzz_u8(&w->in) : 0;
    s->ts_value = c->ts.recent + (kinds & 128 ? fuzz_delta(&w->in) : 0);
    s->stale = agreed && stamped && (int32_t)(s->ts_value - c->ts.recent) < 0 && !(s->flags & WEIR_RST);
    s->unstamped = agreed && !stamped && !(s->flags & WEIR_RST);
}

static struct duo_segment duo_choose(struct duo_world *w)
{
    const weir_conn *c = &w->c;
    unsigned flags = fuzz_u8(&w->in), where = fuzz_u8(&w->in), more = fuzz_u8(&w->in);
    uint32_t nxt = c->rcv.nxt.v, edge = duo_edge(c), iss = c->snd.iss.v, una = c->snd.una.v - iss, sent = c->snd.nxt.v - iss;
    uint32_t end = c->snd.end.v - iss;
    const uint32_t seqs[8] = {nxt, edge, c->rcv.irs.v, c->rcv.fin.v, nxt - 1, edge - 1, nxt + 10, w->peer_iss};
    const uint32_t acks[8] = {sent, una, end, end + 1, 0, sent + 1, una - (uint32_t)c->octets_acked, una + 1};
    struct duo_segment s;
    memset(&s, 0, sizeof s);
    s.flags = (flags & 0x17) ^ WEIR_ACK;
    s.seq = c->state <= WEIR_SYN_SENT ? w->peer_iss : seqs[where & 7];
    s.ack = acks[where >> 3 & 7];
    s.seq += more & 1 ? fuzz_delta(&w->in) : 0;
    s.ack += more & 2 ? fuzz_delta(&w->in) : 0;
    s.ack += more & 16 ? fuzz_u32(&w->in) : 0;
    s.seq += more & 32 ? fuzz_u32(&w->in) : 0;
    s.len = more & 4 ? fuzz_u8(&w->in) * (more & 8 ? 5u : 1u) : 0;
    duo_choose_rest(w, &s, more & 64 ? fuzz_u8(&w->in) : 0);
    duo_tame_fin(c, &s);
    s.last = s.seq + s.len + (s.flags & WEIR_SYN ? 1 : 0) + (s.flags & WEIR_FIN ? 1 : 0);
    return s;
}

static void duo_segment(struct duo_world *w)
{
    static uint8_t packet[DUO_TEXT];
    struct duo_segment s = duo_choose(w);
    weir_view v;
    duo_before(w, DUO_SEGMENT);
    s.acceptable = duo_acceptable(&w->c, &s);
    s.overlaps = duo_overlaps(&w->c, &s);
    s.ack_kind = duo_ack_kind(&w->before, &s);
    s.asked = true;
    if (!duo_fair(w, &s) || (w->tame && (duo_listed(w, &s, 0) & ~(unsigned)(ANSWER | RESET)) != 0)) {
        return;
    }
    s.asked = false;
    if (w->c.state == WEIR_LISTEN || w->c.state == WEIR_SYN_SENT) {
        w->peer_iss = s.seq; /* if it is taken */
    }
    size_t len = duo_emit(w, packet, &s, duo_base(&w->before));
    fuzz_packet("in", w->now, NULL, packet, len);
    FUZZ_CHECK(weir_view_segment(&v, packet + 20, len - 20, NULL) == WEIR_OK, "refused what was emitted");
    (void)weir_input(&w->c, &v, w->now);
    len = duo_emit(w, packet, &s, duo_lwip_base(&w->before));
    duo_inside = 1;
    duo_lwip_input(packet, len);
    duo_lwip_settle();
    duo_inside = 0;
    duo_compare(w, &s, 0);
}

/* ---- the user ------------------------------------------------------------------------------------------------------------------------ */

/* lwIP gives a passive opener nothing to call before the handshake is over. */
static bool duo_callable(const struct duo_world *w)
{
    return w->c.state >= WEIR_ESTABLISHED || (w->c.state == WEIR_SYN_SENT && tcp_active_pcbs != NULL);
}

static void duo_send(struct duo_world *w)
{
    static const uint8_t text[64];
    weir_slice slice = {text, 1u + (fuzz_u8(&w->in) & 63u) % 63u};
    size_t sent = 0;
    if (!duo_callable(w) || w->c.snd.end.v - w->c.snd.una.v > 400) {
        return; /* or congestion control would have a say */
    }
    duo_before(w, DUO_SEND);
    weir_err err = weir_send(&w->c, slice, WEIR_SEND_PUSH, &sent, w->now);
    duo_inside = 1;
    err_t theirs = tcp_write(duo_pcb(), text, (u16_t)slice.len, TCP_WRITE_FLAG_COPY);
    if (theirs == ERR_OK) {
        (void)tcp_output(duo_pcb());
    }
    duo_lwip_settle();
    duo_inside = 0;
    duo_compare(w, NULL, (err == WEIR_ERR_NONE) != (theirs == ERR_OK) ? CALL : 0);
}

/* What weir's user reads is what the peer sent. */
static uint32_t duo_take(struct duo_world *w, size_t most)
{
    static uint8_t text[DUO_RING];
    size_t got = 0;
    (void)weir_recv(&w->c, text, most < sizeof text ? most : sizeof text, &got, w->now);
    for (size_t i = 0; i < got; i++) {
        FUZZ_CHECK(text[i] == duo_their_octet(w->peer_iss + 1 + w->read + (uint32_t)i), "read another octet than was sent");
    }
    w->read += (uint32_t)got;
    return (uint32_t)got;
}

static void duo_receive(struct duo_world *w)
{
    size_t most = (size_t)fuzz_u8(&w->in) * 16;
    duo_before(w, DUO_RECEIVE);
    (void)duo_take(w, most);
    duo_compare(w, NULL, 0);
}

static void duo_close(struct duo_world *w)
{
    bool listening = w->c.state == WEIR_LISTEN;
    if (!listening && !duo_callable(w)) {
        return;
    }
    duo_before(w, DUO_CLOSE);
    weir_err err = weir_close(&w->c, w->now);
    duo_inside = 1;
    err_t theirs = listening ? tcp_close(tcp_listen_pcbs.pcbs)
                 : duo_pcb()->state == SYN_SENT ? tcp_close(duo_pcb()) : tcp_shutdown(duo_pcb(), 0, 1);
    duo_lwip_settle();
    duo_inside = 0;
    duo_compare(w, NULL, (err == WEIR_ERR_NONE) != (theirs == ERR_OK) ? CALL : 0);
}

static void duo_abort(struct duo_world *w)
{
    if (!duo_callable(w)) {
        return;
    }
    duo_before(w, DUO_ABORT);
    (void)weir_abort(&w->c, w->now);
    duo_inside = 1;
    tcp_abort(duo_pcb());
    duo_inside = 0;
    duo_compare(w, NULL, 0);
}

/* A quarter of a second; in TIME-WAIT the rest of 2MSL. Nobody is given up in so little time. */
static void duo_time(struct duo_world *w)
{
    bool waits = w->c.state == WEIR_TIME_WAIT && duo_lwip_state() == TIME_WAIT;
    if (!waits && w->ticks++ >= DUO_TICKS) {
        return;
    }
    duo_before(w, DUO_TIME);
    w->now += waits ? 2 * w->cfg.msl_us : TCP_TMR_INTERVAL * 1000;
    duo_inside = 1;
    tcp_ticks += waits ? (u32_t)(2 * TCP_MSL / TCP_SLOW_INTERVAL) : 0;
    tcp_tmr();
    if (waits) {
        tcp_slowtmr();
    }
    duo_lwip_settle();
    duo_inside = 0;
    duo_compare(w, NULL, 0);
}

/* ---- one run ------------------------------------------------------------------------------------------------------------------------- */

static void duo_start(struct duo_world *w)
{
    static const uint32_t iss[4] = {6510, 0xfffffff0u, 0x7ffffff0u, 0};
    static const uint32_t peers[4] = {70000, 0xfffffff0u, 0x7ffffff0u, 0};
    unsigned how = fuzz_u8(&w->in);
    bool active = (how & 1) != 0;
    weir_config *g = &w->cfg;
    weir_buffers b;
    weir_sizes sizes = {DUO_RING, DUO_RING};
    fuzz_config_plain(g);
    g->window_scale = true;
    g->timestamps = g->sack = (how & 64) != 0;
    g->msl_us = (weir_us)TCP_MSL * 1000;
    w->tame = (how & 2) != 0;
    w->peer_iss = peers[how >> 2 & 3];
    w->l.next_iss = iss[how >> 4 & 3];
    w->now = 1000000;
    w->tuple.local_port = DUO_PORT;
    w->tuple.remote_port = DUO_PEER_PORT;
    w->tuple.local = weir_addr_v4(192, 0, 2, 1);
    w->tuple.remote = weir_addr_v4(198, 51, 100, 2);
    FUZZ_CHECK(weir_buffers_carve(&b, duo_memory, sizeof duo_memory, sizes), "rings of these sizes are refused");
    FUZZ_CHECK(weir_init(&w->c, g, &b, w->now) == WEIR_ERR_NONE, "this configuration is refused");
    weir_err err = active ? weir_connect(&w->c, &w->tuple, w->now) : weir_listen(&w->c, &w->tuple, w->now);
    FUZZ_CHECK(err == WEIR_ERR_NONE, "cannot open");
    duo_inside = 1;
    duo_lwip_open(active, w->l.next_iss);
    tcp_ticks = 0;
    duo_lwip_settle();
    duo_inside = 0;
    duo_before(w, DUO_TIME);
    duo_compare(w, NULL, 0);
}

static void duo_step(struct duo_world *w)
{
    unsigned op = fuzz_u8(&w->in);
    w->now += 2;
    switch (op & 15) {
    case 8: case 9: duo_send(w); break;
    case 10: duo_receive(w); break;
    case 11: duo_close(w); break;
    case 12: duo_abort(w); break;
    case 13: duo_time(w); break;
    default: duo_segment(w); break;
    }
}

static void duo_run(struct duo_world *w)
{
    duo_start(w);
    for (unsigned i = 0; i < DUO_STEPS && w->in.left > 0 && !w->over; i++) {
        fuzz_event(&w->in);
        duo_step(w);
    }
    while (duo_take(w, DUO_RING) > 0) {
    }
}

/* For the sanitizer: what lwIP had allocated when it was stopped in the middle of something stays so. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:liblwip";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(&duo, 0, sizeof duo);
    duo.in = fuzz_begin(data, size);
    duo_lwip_begin();
    if (sigsetjmp(duo_back, 0) == 0) {
        duo_run(&duo);
        duo_lwip_reset();
    } else {
        duo_lost();
    }
    return 0;
}

#if defined(WEIR_FUZZ_UNIT) && !defined(WEIR_FUZZ_PLAIN)
static const struct fuzz_phrase fuzz_phrases[] = {
    FUZZ_PHRASE("\x00\x12\x00\x00"), FUZZ_PHRASE("\x00\x02\x00\x00"), FUZZ_PHRASE("\x00\x00\x00\x00"),          /* SYN; SYN,ACK; ACK */
    FUZZ_PHRASE("\x00\x12\x00\x00\x00\x00\x00\x00"),                                                            /* a passive open */
    FUZZ_PHRASE("\x00\x00\x00\x04\x20"), FUZZ_PHRASE("\x00\x00\x06\x04\x10"), FUZZ_PHRASE("\x00\x00\x05\x04\x02"), /* text */
    FUZZ_PHRASE("\x00\x00\x00\x0c\xf0"), FUZZ_PHRASE("\x00\x00\x04\x04\x10"),
    FUZZ_PHRASE("\x00\x01\x00\x00"), FUZZ_PHRASE("\x00\x01\x00\x04\x05"), FUZZ_PHRASE("\x00\x01\x06\x04\x02"),
    FUZZ_PHRASE("\x00\x01\x04\x00"),
    FUZZ_PHRASE("\x00\x14\x00\x00"), FUZZ_PHRASE("\x00\x14\x05\x00"), FUZZ_PHRASE("\x00\x14\x01\x00"), FUZZ_PHRASE("\x00\x04\x00\x00"),
    FUZZ_PHRASE("\x00\x12\x02\x00"), FUZZ_PHRASE("\x00\x12\x01\x00"), FUZZ_PHRASE("\x00\x12\x00\x01\x40"),
    FUZZ_PHRASE("\x00\x00\x08\x00"), FUZZ_PHRASE("\x00\x00\x18\x00"), FUZZ_PHRASE("\x00\x00\x20\x00"), FUZZ_PHRASE("\x00\x00\x28\x00"),
    FUZZ_PHRASE("\x00\x00\x30\x02\xff"), FUZZ_PHRASE("\x00\x00\x00\x10\x80\x00\x00\x00"),
    FUZZ_PHRASE("\x00\x12\x00\x40\x03\xb0\x05"), FUZZ_PHRASE("\x00\x12\x00\x40\x47\x60\x02"), /* SYN with options */
    FUZZ_PHRASE("\x00\x02\x00\x40\x13\x70\x09\x20"), FUZZ_PHRASE("\x00\x02\x00\x40\x47\xc0\x02"),                       /* SYN,ACK */
    FUZZ_PHRASE("\x00\x00\x00\x40\x10\x20"), FUZZ_PHRASE("\x00\x00\x00\x40\x10\x00"),                               /* windows */
    FUZZ_PHRASE("\x00\x00\x00\x44\x20\x10\x05"),
    FUZZ_PHRASE("\x00\x00\x00\x44\x10\x20\x08"), FUZZ_PHRASE("\x00\x00\x08\x40\x08\x10\x10"), /* urgent text; a SACK block */
    FUZZ_PHRASE("\x00\x00\x00\x40\x80\x05"), FUZZ_PHRASE("\x00\x00\x00\x40\x80\xf0"), FUZZ_PHRASE("\x00\x00\x00\x40\x40"), /* stamps */
    FUZZ_PHRASE("\x08\x20"), FUZZ_PHRASE("\x0a\x20"), FUZZ_PHRASE("\x0b"), FUZZ_PHRASE("\x0c"), FUZZ_PHRASE("\x0d"),
};
#include "mutate.h"
#endif
