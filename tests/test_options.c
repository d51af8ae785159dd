/* test_options.c - weir-tun's command line: what each form means, what is refused, and that the refusal helps. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tun/programs/options.c"

#define WORDS_MAX 24

/* Reads a line of words parted by blanks. The words stay in *room. */
static bool read_line(struct options *o, const char *line, char room[512], char why[512])
{
    static char *argv[WORDS_MAX + 2];
    int argc = 1;
    char *rest = NULL;
    argv[0] = room + 511;
    room[511] = '\0';
    assert_true(strlen(line) < 500);
    memcpy(room, line, strlen(line) + 1);
    for (char *word = strtok_r(room, " ", &rest); word != NULL && argc <= WORDS_MAX; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    argv[argc] = NULL;
    why[0] = '\0';
    return options_read(o, argc, argv, why, 512);
}

static struct options right(const char *line)
{
    static char room[512];
    struct options o;
    char why[512];
    if (!read_line(&o, line, room, why))
        fail_msg("\"%s\" was refused: %s", line, why);
    return o;
}

static void defaults(void **state)
{
    char text[WEIR_ADDR_TEXT];
    struct options o = right("echo");
    (void)state;
    assert_int_equal(o.command, CMD_ECHO);
    assert_string_equal(o.device.name, "weir0");
    assert_int_equal(o.device.fd, -1);
    assert_int_equal(o.device.mtu, 1500);
    assert_int_equal(o.device.offload, WEIR_OFFLOAD_AUTO);
    assert_int_equal(right("echo --offload auto").device.offload, WEIR_OFFLOAD_AUTO);
    assert_int_equal(right("echo --offload off").device.offload, WEIR_OFFLOAD_OFF);
    assert_string_equal(weir_format_addr(text, &o.device.addr4.addr), "10.77.0.2");
    assert_string_equal(weir_format_addr(text, &o.device.addr6.addr), "fd77::2");
    assert_int_equal(o.device.addr4.len, 24);
    assert_int_equal(o.rcvbuf, 262144);
    assert_int_equal(o.rcvbuf_max, 4194304);
    assert_int_equal(o.sndbuf_max, 4194304);
    assert_int_equal(o.ring_memory, 0);
    assert_int_equal(o.msl_us, 30000000);
    assert_int_equal(o.ready_fd, -1);
    assert_true(!o.seed_given && !o.idle_given && o.exec == NULL && o.arg_count == 0);
    assert_true(weir_link_config_idle(&o.device.in) && weir_link_config_idle(&o.device.out));
}

static void every_form_of_a_value(void **state)
{
    static const char *const forms[] = {"echo --port 8080", "echo --port=8080", "echo -p 8080", "echo -p8080", "echo -vp8080",
                                        "--port 8080 echo", "echo --port 7 --port 8080"};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        assert_int_equal(right(forms[i]).port, 8080);
}

static void the_link(void **state)
{
    struct options o = right("echo --loss 2% --dup in:1% --reorder out:0.5% --corrupt 50ppm --delay 20ms --jitter in:1ms --rate 10mbit");
    (void)state;
    assert_int_equal(o.device.in.loss_ppm, 20000);
    assert_int_equal(o.device.out.loss_ppm, 20000);
    assert_int_equal(o.device.in.dup_ppm, 10000);
    assert_int_equal(o.device.out.dup_ppm, 0);
    assert_int_equal(o.device.in.reorder_ppm, 0);
    assert_int_equal(o.device.out.reorder_ppm, 5000);
    assert_int_equal(o.device.out.corrupt_ppm, 50);
    assert_int_equal(o.device.in.delay_us, 20000);
    assert_int_equal(o.device.in.jitter_us, 1000);
    assert_int_equal(o.device.out.jitter_us, 0);
    assert_int_equal(o.device.out.rate_bps, 10000000);
    /* Of weir-tun link a way is named by the end it leads to, and the left end has weir's addresses. */
    o = right("link --loss left:1% --delay right:5ms --rate 1mbit --drop right:5/2@3s");
    assert_true(o.device.in.loss_ppm == 10000 && o.device.out.loss_ppm == 0);
    assert_true(o.device.in.delay_us == 0 && o.device.out.delay_us == 5000);
    assert_true(o.device.in.rate_bps == 1000000 && o.device.out.rate_bps == 1000000);
    assert_true(o.device.in.drop_count == 0 && o.device.out.drop_count == 1);
}

static void words_of_subcommands(void **state)
{
    struct options o = right("http site -- curl --fail x");
    char text[WEIR_ADDR_TEXT];
    (void)state;
    assert_string_equal(o.args[0], "site");
    assert_string_equal(o.exec[0], "curl");
    assert_string_equal(o.exec[1], "--fail");
    assert_null(o.exec[3]);
    o = right("http --synthetic 1.5G --seed 0x10");
    assert_true(o.synthetic_given && o.seed_given);
    assert_int_equal(o.synthetic_len, 1610612736);
    assert_int_equal(o.device.seed, 16);
    o = right("nc fd00::1 70");
    assert_true(o.remote_given);
    assert_string_equal(weir_format_addr(text, &o.remote), "fd00::1");
    assert_int_equal(o.port, 70);
    o = right("nc -l 70");
    assert_true(o.listen && !o.remote_given);
    assert_int_equal(o.port, 70);
    o = right("perf --send -P 4 -t 5 10.0.0.1 5201");
    assert_true(o.send && o.remote_given);
    assert_int_equal(o.parallel, 4);
    assert_int_equal(o.duration_us, 5000000);
    o = right("discard --addr off --idle 0 -qq");
    assert_int_equal(o.device.addr4.len, 0);
    assert_true(o.idle_given && o.idle_us == 0);
    assert_int_equal(o.quiet, 2);
}

/* Help and version need no more words, whatever else is wrong with the line. */
static void help_first(void **state)
{
    (void)state;
    assert_true(right("--help").help);
    assert_true(right("http --help").help);
    assert_true(right("-V").version);
}

static void limits(void **state)
{
    static const struct {
        const char *line;
        bool fine;
    } rows[] = {
        {"echo --port 1", true}, {"echo --port 65535", true}, {"echo --port 0", false}, {"echo --port 65536", false},
        {"echo --mtu 68", true}, {"echo --mtu 67", false}, {"echo --mtu 65535", true}, {"echo --mtu 65536", false},
        {"echo --rcvbuf 256", true}, {"echo --rcvbuf 128", false}, {"echo --rcvbuf 1G", true}, {"echo --rcvbuf 2G", false},
        {"echo --rcvbuf 300", false}, {"echo --loss 100%", true}, {"echo --loss 101%", false}, {"echo --seed 0", false},
        {"echo --seed 18446744073709551615", true}, {"echo --seed 18446744073709551616", false},
        {"perf --parallel 1024", true}, {"perf --parallel 1025", false}, {"echo --msl 1ms", true}, {"echo --msl 1us", false},
        {"nc 10.0.0.1 0", false}, {"nc -l 65536", false}, {"stats a b", false}, {"echo --fd 0", true},
        {"perf --kernel-peer -- true", false}, {"perf --kernel-peer 10.0.0.1 5", false}, {"echo --control= x", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct options o;
        char room[512], why[512];
        if (read_line(&o, rows[i].line, room, why) != rows[i].fine)
            fail_msg("\"%s\": %s", rows[i].line, rows[i].fine ? why : "was taken");
    }
}

/* Every option that takes a value: without one, and with nonsense, it is refused by its own name and with an example that is taken. */
static void examples_are_right(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &option_rows[i];
        enum command command = CMD_DEMO;
        char line[256], room[512], why[512];
        struct options o;
        while ((row->commands & BIT(command)) == 0)
            command = (enum command)(command + 1);
        const char *words = command == CMD_HTTP && row->at != AT(synthetic_len) ? "dir" : command == CMD_NC ? "10.0.0.1 70" : "";
        if (row->at == AT(listen))
            words = "70";
        if (command == CMD_STATS)
            words = "path";
        if (row->at == AT(left.socket) || row->at == AT(right.socket))
            words = row->at == AT(left.socket) ? "--left x" : "--right x";
        (void)snprintf(line, sizeof line, "%s %s --%s %s", options_command_name(command), words, row->name,
                       row->example != NULL ? row->example : "");
        if (!read_line(&o, line, room, why))
            fail_msg("\"%s\" was refused: %s", line, why);
        if (!options_takes_value(row))
            continue;
        (void)snprintf(line, sizeof line, "%s %s --%s", options_command_name(command), words, row->name);
        assert_false(read_line(&o, line, room, why));
        assert_non_null(strstr(why, row->name));
        assert_non_null(strstr(why, "for instance"));
        if (row->kind == KIND_TEXT)
            continue;
        (void)snprintf(line, sizeof line, "%s %s --%s =nonsense", options_command_name(command), words, row->name);
        assert_false(read_line(&o, line, room, why));
        assert_non_null(strstr(why, row->name));
        assert_non_null(strstr(why, row->example));
        assert_null(strchr(why, '\n'));
    }
}

static void guesses(void **state)
{
    static const char *const rows[][2] = {{"echo --los 1", "--loss"}, {"echo --prot 1", "--port"}, {"echo --adr6 x", "--addr6"},
                                          {"echo --unshared", "--unshare"}};
    char room[512], why[512];
    struct options o;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_false(read_line(&o, rows[i][0], room, why));
        if (strstr(why, rows[i][1]) == NULL)
            fail_msg("\"%s\": %s", rows[i][0], why);
    }
    assert_false(read_line(&o, "echo --frobnicate", room, why));
    assert_null(strstr(why, "perhaps"));
}

static void names_are_unique(void **state)
{
    (void)state;
    for (unsigned i = 0; options_name(i) != NULL; i++) {
        for (unsigned k = i + 1; options_name(k) != NULL; k++) {
            assert_string_not_equal(options_name(i), options_name(k));
            assert_true(option_rows[i].letter == 0 || option_rows[i].letter != option_rows[k].letter);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults), cmocka_unit_test(every_form_of_a_value), cmocka_unit_test(the_link),
        cmocka_unit_test(words_of_subcommands), cmocka_unit_test(help_first), cmocka_unit_test(limits),
        cmocka_unit_test(examples_are_right), cmocka_unit_test(guesses), cmocka_unit_test(names_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
