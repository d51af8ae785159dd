/* options.h - the command line of weir-tun: one table from which it is read, checked and explained.
 *
 * Knows no open device and prints nothing but help. */
#ifndef WEIR_TUN_OPTIONS_H
#define WEIR_TUN_OPTIONS_H

#include <stdio.h>

#include "weir/tun.h"

enum command {
    CMD_NONE = 0,
    CMD_DEMO,
    CMD_HTTP,
    CMD_ECHO,
    CMD_DISCARD,
    CMD_NC,
    CMD_PERF,
    CMD_LINK,
    CMD_STATS,
    CMD_DOCTOR,
    CMD_COUNT
};

/* What the program ends with: the values of enum weir_fault_kind. */
enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CANNOT = 77 };

#define OPTIONS_ARGS_MAX 3

struct options {
    enum command command;
    weir_tun_config device;
    /* TCP */
    uint8_t cc; /* enum weir_cc_kind */
    uint8_t ecn; /* enum weir_ecn_use */
    uint8_t pacing; /* enum weir_pacing; WEIR_PACING_COUNT: as the profile has it */
    bool no_delay, seed_given;
    uint64_t port; /* to listen on, or of the remote; 0: the subcommand's own */
    weir_addr remote;
    bool remote_given;
    uint64_t rcvbuf, sndbuf, rcvbuf_max, sndbuf_max, ring_memory, connections, backlog, time_wait;
    weir_us msl_us, idle_us, grace_us;
    bool idle_given;
    /* how it runs */
    bool json, one_off, help, version;
    uint64_t quiet, verbose; /* times given */
    weir_us interval_us, duration_us;
    int ready_fd; /* -1: none */
    const char *control;
    /* subcommands */
    uint64_t synthetic_len; /* http */
    bool synthetic_given;
    bool listen;                        /* nc */
    bool send, kernel_peer;             /* perf */
    uint64_t parallel;                  /* perf */
    bool quick;                         /* demo */
    struct options_side {               /* link */
        const char *run, *netns, *pcapng;
        bool socket;
    } left, right;
    bool realtime;                      /* link */
    const char *args[OPTIONS_ARGS_MAX]; /* what is left, in order */
    unsigned arg_count;
    char **exec; /* after "--": a command to run; NULL: none */
};

/* Fills *options from the command line; false with one line in `why` (what, why, how to mend) if it is wrong. */
bool options_read(struct options *options, int argc, char **argv, char *why, size_t why_len);
/* The help of the program (CMD_NONE) or of one subcommand. */
void options_help(FILE *to, enum command command);
const char *options_command_name(enum command command);
/* The long options one by one; NULL after the last. */
const char *options_name(unsigned idx);

#endif
