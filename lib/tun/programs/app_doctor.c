/* app_doctor.c - says what this machine allows, and the remedy where it does not. */
#define _GNU_SOURCE
#include "tun/programs/demo_tools.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct doctor_finding {
    const char *name, *says;
    bool fine;
    char text[320]; /* why not, and what would help; or a detail */
};

static void doctor_print(const struct doctor_finding *finding, bool json)
{
    if (!json) {
        (void)printf("%-3s %-14s %s%s%s\n", finding->fine ? "ok" : "no", finding->name, finding->says,
                     finding->text[0] != '\0' ? ": " : "", finding->text);
        return;
    }
    (void)printf("{\"type\":\"check\",\"name\":\"%s\",\"ok\":%s,\"says\":\"%s\",\"text\":\"", finding->name,
                 finding->fine ? "true" : "false", finding->says);
    for (const char *p = finding->text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            (void)putchar('\\');
        (void)putchar(*p);
    }
    (void)puts("\"}");
}

static void doctor_device(struct doctor_finding *finding)
{
    struct stat status;
    finding->name = "device-mode";
    finding->says = "/dev/net/tun is a device, open to whom";
    finding->fine = stat("/dev/net/tun", &status) == 0 && S_ISCHR(status.st_mode);
    if (!finding->fine)
        (void)snprintf(finding->text, sizeof finding->text,
                       "it is not there; modprobe tun, or in a container --device /dev/net/tun");
    else
        (void)snprintf(finding->text, sizeof finding->text, "mode %04o, owner %u%s", (unsigned)status.st_mode & 07777u,
                       (unsigned)status.st_uid,
                       (status.st_mode & 06) == 06 ? "" : "; for ordinary users: chmod 0666 /dev/net/tun");
}

static void doctor_ipv6(struct doctor_finding *finding)
{
    char octet = '1';
    FILE *file = fopen("/proc/sys/net/ipv6/conf/default/disable_ipv6", "re");
    finding->name = "ipv6";
    finding->says = "the kernel speaks IPv6 on new interfaces";
    if (file != NULL) {
        octet = (char)fgetc(file);
        (void)fclose(file);
    }
    finding->fine = file != NULL && octet == '0';
    if (!finding->fine)
        (void)snprintf(finding->text, sizeof finding->text,
                       "%s; sysctl net.ipv6.conf.default.disable_ipv6=0, or use --addr6 off",
                       file == NULL ? "there is no IPv6 in this kernel" : "it is switched off");
}

static void doctor_curl(struct doctor_finding *finding)
{
    finding->name = "curl";
    finding->says = "the demo's client is installed";
    finding->fine = demo_found("curl");
    if (!finding->fine)
        (void)snprintf(finding->text, sizeof finding->text, "it is not in PATH; apt-get install curl");
}

int doctor_main(const struct options *options)
{
    static void (*const own[])(struct doctor_finding *) = {doctor_device, doctor_ipv6, doctor_curl};
    bool usable = false;
    for (unsigned i = 0; i < sizeof own / sizeof *own; i++) {
        struct doctor_finding finding = {.text = ""};
        own[i](&finding);
        doctor_print(&finding, options->json);
    }
    for (unsigned check = 0; check < WEIR_CHECK_COUNT; check++) {
        weir_fault fault = {.kind = WEIR_FAULT_NONE};
        struct doctor_finding finding = {.name = weir_tun_check_name((enum weir_tun_check)check),
                                         .says = weir_tun_check_says((enum weir_tun_check)check),
                                         .text = ""};
        finding.fine = weir_tun_check((enum weir_tun_check)check, &fault);
        if (!finding.fine)
            (void)snprintf(finding.text, sizeof finding.text, "%s", fault.text);
        doctor_print(&finding, options->json);
        usable = usable || (finding.fine && (check == WEIR_CHECK_CREATE || check == WEIR_CHECK_UNSHARE));
    }
    if (!options->json)
        (void)puts(usable ? "weir-tun can run here" : "weir-tun cannot run here");
    return usable ? EXIT_FINE : EXIT_CANNOT;
}
