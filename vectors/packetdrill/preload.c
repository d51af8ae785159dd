/* preload.c - for LD_PRELOAD: getsockopt of descriptors that are sockets of the stack in the shared object.
 *
 * packetdrill takes the values of its code blocks from the C library's getsockopt and not from the interface. The plug-in finds the
 * variable below by its name and puts its own function there. */
#include <dlfcn.h>
#include <stddef.h>

#include "interface.h"

extern packetdrill_getsockopt_hook weir_packetdrill_getsockopt;
packetdrill_getsockopt_hook weir_packetdrill_getsockopt = NULL;

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
    static int (*real)(int, int, int, void *, socklen_t *);
    int result;

    if (weir_packetdrill_getsockopt != NULL && weir_packetdrill_getsockopt(fd, level, name, value, len, &result))
        return result;
    if (real == NULL)
        *(void **)(&real) = dlsym(RTLD_NEXT, "getsockopt");
    return real(fd, level, name, value, len);
}
