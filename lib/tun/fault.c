/* fault.c - one line that says what went wrong, why, and how to mend it. Knows nothing of devices. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tun/room.h"

bool weiri_fault(weir_fault *fault, enum weir_fault_kind kind, int error, const char *mend, const char *format, ...)
{
    va_list args;
    char what[192];

    if (fault == NULL)
        return false;
    fault->kind = kind;
    fault->error = error;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    (void)snprintf(fault->text, sizeof fault->text, "%s%s%s%s%s", what, error == 0 ? "" : ": ",
                   error == 0 ? "" : strerror(error), mend == NULL ? "" : "; ", mend == NULL ? "" : mend);
    return false;
}
