/* interface.h - the table through which packetdrill drives a stack in a shared object (its --so_filename), written from a description of
 * it, not from its header. One table, filled in by packetdrill_interface_init; each function gets `userdata` first and else is the
 * system call of its name: -1 and errno. */
#ifndef WEIR_PACKETDRILL_INTERFACE_H
#define WEIR_PACKETDRILL_INTERFACE_H

#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

struct packetdrill_interface {
    void *userdata;
    void (*free)(void *userdata);
    /* sockets */
    int (*socket)(void *userdata, int domain, int type, int protocol);
    int (*bind)(void *userdata, int fd, const struct sockaddr *addr, socklen_t len);
    int (*listen)(void *userdata, int fd, int backlog);
    int (*accept)(void *userdata, int fd, struct sockaddr *addr, socklen_t *len);
    int (*connect)(void *userdata, int fd, const struct sockaddr *addr, socklen_t len);
    ssize_t (*read)(void *userdata, int fd, void *buf, size_t count);
    ssize_t (*readv)(void *userdata, int fd, const struct iovec *iov, int count);
    ssize_t (*recv)(void *userdata, int fd, void *buf, size_t len, int flags);
    ssize_t (*recvfrom)(void *userdata, int fd, void *buf, size_t len, int flags, struct sockaddr *addr, socklen_t *addr_len);
    ssize_t (*recvmsg)(void *userdata, int fd, struct msghdr *msg, int flags);
    ssize_t (*write)(void *userdata, int fd, const void *buf, size_t count);
    ssize_t (*writev)(void *userdata, int fd, const struct iovec *iov, int count);
    ssize_t (*send)(void *userdata, int fd, const void *buf, size_t len, int flags);
    ssize_t (*sendto)(void *userdata, int fd, const void *buf, size_t len, int flags, const struct sockaddr *addr, socklen_t addr_len);
    ssize_t (*sendmsg)(void *userdata, int fd, const struct msghdr *msg, int flags);
    int (*fcntl)(void *userdata, int fd, int command, ...);
    int (*ioctl)(void *userdata, int fd, unsigned long request, ...);
    int (*close)(void *userdata, int fd);
    int (*shutdown)(void *userdata, int fd, int how);
    int (*getsockopt)(void *userdata, int fd, int level, int name, void *value, socklen_t *len);
    int (*setsockopt)(void *userdata, int fd, int level, int name, const void *value, socklen_t len);
    int (*poll)(void *userdata, struct pollfd *fds, nfds_t count, int timeout);
    int (*epoll_create)(void *userdata, int size);
    int (*epoll_ctl)(void *userdata, int epfd, int op, int fd, struct epoll_event *event);
    int (*epoll_wait)(void *userdata, int epfd, struct epoll_event *events, int max, int timeout);
    int (*pipe)(void *userdata, int fds[2]);
    ssize_t (*splice)(void *userdata, int fd_in, loff_t *off_in, int fd_out, loff_t *off_out, size_t len, unsigned flags);
    /* the wire: whole IP packets */
    int (*netdev_send)(void *userdata, const void *buf, size_t count);                       /* into the stack */
    int (*netdev_receive)(void *userdata, void *buf, size_t *count, long long *time_usecs);  /* out of it; waits for one */
    /* the clock */
    int (*usleep)(void *userdata, useconds_t usec);
    int (*gettimeofday)(void *userdata, struct timeval *tv, struct timezone *tz);
};

/* What packetdrill looks for; `flags` is what --so_flags= said, or NULL. */
void packetdrill_interface_init(const char *flags, struct packetdrill_interface *interface);

/* The hook of preload.c: packetdrill asks the C library, not the table, for TCP_INFO. True: answered, the result is *result. */
typedef _Bool (*packetdrill_getsockopt_hook)(int fd, int level, int name, void *value, socklen_t *len, int *result);

#endif
