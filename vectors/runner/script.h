/* script.h - a packetdrill script as data. lex.c and parse.c make it from text, nothing else does; FORMAT.md describes the language.
 *
 * All memory of a script comes from its own arena and goes with script_free. Text points into the arena and ends with 0.
 * Times are microseconds; sequence numbers are as written (relative to the ISN unless `literal`). */
#ifndef WEIR_VECTORS_SCRIPT_H
#define WEIR_VECTORS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct script_pos {
    int line, column; /* from 1 */
};

/* When an event happens. */
enum script_when {
    SCRIPT_AT,    /* T: since the script began */
    SCRIPT_AFTER, /* +T: since the event before */
    SCRIPT_ANY    /* *: whenever it comes */
};
struct script_time {
    enum script_when when;
    bool range;       /* T~U or +T~+U: any time from `from` to `to`, both counted as `when` says */
    int64_t from, to; /* to == from without a range */
};

enum script_ecn { SCRIPT_ECN_UNSAID, SCRIPT_NOECN, SCRIPT_ECT0, SCRIPT_ECT1, SCRIPT_CE, SCRIPT_ECT01 };

enum script_option_kind {
    SCRIPT_OPT_NOP,
    SCRIPT_OPT_EOL,
    SCRIPT_OPT_MSS,     /* value */
    SCRIPT_OPT_WSCALE,  /* value */
    SCRIPT_OPT_SACK_OK,
    SCRIPT_OPT_SACK,    /* blocks */
    SCRIPT_OPT_TS,      /* value, echo */
    SCRIPT_OPT_MD5,     /* octets; valid: "md5 valid", "md5 invalid" of the nplab dialect leave octets empty */
    SCRIPT_OPT_FO,      /* octets: Fast Open, kind 34 */
    SCRIPT_OPT_FOEXP,   /* octets: kind 254, magic F989 */
    SCRIPT_OPT_ACCECN,  /* counters e0b, ceb, e1b in the order written: kind 172 (e0b first) or 174 */
    SCRIPT_OPT_RAW      /* weir's own: `kind K hex...` any kind with these octets after the length octet */
};
#define SCRIPT_SACK_MAX 4
struct script_option {
    enum script_option_kind kind;
    uint32_t value, echo;
    uint32_t sack[SCRIPT_SACK_MAX][2]; /* left, right; absolute with sack_literal */
    int sack_count;
    uint8_t octets[40];
    int octet_count;
    uint8_t raw_kind;
    struct script_pos pos;
};
#define SCRIPT_OPTIONS_MAX 20

enum script_proto { SCRIPT_TCP, SCRIPT_ICMP, SCRIPT_UDP };

struct script_packet {
    bool outbound;          /* ">": the stack under test sends it; "<": it is sent to the stack */
    enum script_proto proto;
    /* IP fields that were written; unsaid: -1 */
    enum script_ecn ecn;
    int tos, ttl;           /* class and hlim for IPv6 */
    int64_t flowlabel;
    bool bad_checksum;      /* nplab "bad": a wrong TCP checksum */
    /* TCP */
    uint16_t flags;         /* enum weir_flag, AE included; "-" is 0 */
    bool ace;               /* written as ".N": AE CWR ECE hold N */
    uint32_t seq, seq_end, len;
    bool seq_literal, ack_literal;
    bool has_ack, has_win, has_urg;
    uint32_t ack;
    uint32_t win;           /* as it stands in the header: not scaled */
    uint32_t urg;
    bool options_any;       /* <...>: do not look */
    bool has_options;       /* <> was written */
    struct script_option options[SCRIPT_OPTIONS_MAX];
    int option_count;
    int udp_source, udp_destination; /* of an encapsulation /udp(s > d); -1 none */
    /* ICMP */
    int icmp_type, icmp_code;   /* numbers of ICMP for `ip_version` 4 words and of ICMPv6 for 6, chosen when it is built */
    const char *icmp_type_name, *icmp_code_name; /* as written */
    int64_t icmp_mtu;           /* -1 unsaid */
    bool icmp_quotes;           /* [seq:seq(len)] */
    uint32_t quote_seq, quote_seq_end, quote_len;
};

/* A value in a call: what stands between the parentheses, and after "=". */
enum script_value_kind {
    SCRIPT_INT,      /* number */
    SCRIPT_SYMBOL,   /* text: EAGAIN, SOL_SOCKET; not yet resolved */
    SCRIPT_OR,       /* items: SYM | SYM */
    SCRIPT_STRING,   /* text, octet_count */
    SCRIPT_LIST,     /* items: [a, b] */
    SCRIPT_STRUCT,   /* items with names: {a=1, b=2}; a plain {a, b} has no names */
    SCRIPT_CALLED,   /* text(items): htons(8080), inet_addr("1.2.3.4") */
    SCRIPT_ELLIPSIS  /* ... */
};
struct script_value {
    enum script_value_kind kind;
    int64_t number;
    const char *text;
    int octet_count;
    const char *name; /* of a member; NULL */
    struct script_value *items;
    int item_count;
    struct script_pos pos;
};

struct script_call {
    const char *name;
    struct script_value *args;
    int arg_count;
    struct script_value result; /* SCRIPT_ELLIPSIS: any */
    const char *error;          /* "EAGAIN", NULL */
    const char *note;           /* "(Resource temporarily unavailable)", NULL */
    bool blocking;              /* "..." and a time: it blocks until then */
    struct script_time end;
};

enum script_event_kind { SCRIPT_PACKET, SCRIPT_CALL, SCRIPT_SHELL, SCRIPT_CODE };
struct script_event {
    enum script_event_kind kind;
    struct script_time time;
    struct script_pos pos;
    struct script_packet *packet;
    struct script_call *call;
    const char *text; /* of shell and code, without their quotes */
};

struct script_setting { /* --name=value before the first event; value NULL without "=" */
    const char *name, *value;
    struct script_pos pos;
};

/* The head of a vector: the lines "// key: value" that stand before anything else; NULL or empty if there is none. */
struct script_head {
    bool present;          /* it has an id */
    const char *id;        /* rfc9293/3.10.7.4/ack-of-unsent-data */
    const char *title;     /* one sentence */
    const char *level;     /* MUST SHOULD MAY practice */
    const char *section;   /* RFC 9293 3.10.7.4 */
    const char *family;    /* generated together with others; NULL: by itself */
    const char *api;       /* "connection": a bare connection; "sockets" (default) */
    const char **covers;   /* ids of requirements, words; the list ends with NULL */
    const char **rows;     /* rows that must fire: "A6", or "A6@FIN-WAIT-1" with the state it fires in */
    const char **needs;    /* features a stack must have, of FORMAT.md's list */
    const char **settings; /* "name=value", of FORMAT.md's list */
    const char **why;      /* further lines of prose: "note:" */
};

struct script {
    const char *file;
    struct script_head head;
    struct script_setting *settings;
    int setting_count;
    const char *init, *cleanup; /* shell, NULL */
    struct script_event *events;
    int event_count;
    void *arena;
};

/* What went wrong: `text` is the whole message, with file, line, column, the line itself and a caret under the place. */
struct script_error {
    struct script_pos pos;
    char text[1024];
};

/* -D NAME or -D NAME=VALUE: for #ifdef, and a symbol to be replaced. */
struct script_define {
    const char *name, *value; /* value NULL: defined and nothing else */
};

/* Reads a whole script of `len` octets; NULL and *error if it is not one. `file` is only for messages. */
struct script *script_parse(const char *file, const char *text, size_t len, const struct script_define *defines,
                            int define_count, struct script_error *error);
/* The head alone, cheap: for lists. */
struct script *script_parse_head(const char *file, const char *text, size_t len, struct script_error *error);
void script_free(struct script *script);

/* ---- %{ code }%: expr.c. A small part of Python: names, integers, floats, strings, comparison, and or not, arithmetic,
 * assignment, assert, print; one statement a line or after ";". ---- */
struct expr;                    /* variables, kept from one block to the next */
struct expr *expr_new(void);
void expr_free(struct expr *e);
void expr_set_int(struct expr *e, const char *name, int64_t value);
void expr_set_text(struct expr *e, const char *name, const char *value);
enum expr_result { EXPR_OK, EXPR_ASSERTION, EXPR_UNSUPPORTED, EXPR_BROKEN };
/* Runs a block. Not EXPR_OK: `why` says what, with the values that were compared ("assert tcpi_snd_cwnd == 10: 10 expected, 4 seen"). */
enum expr_result expr_run(struct expr *e, const char *code, char *why, size_t cap);

#endif
