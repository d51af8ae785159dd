/* device.h - what a small device's program has besides weir: a link that carries TCP segments, and a clock. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stddef.h>
#include <stdint.h>

/* One segment that has arrived, at most `cap` octets; its length, 0: none. */
size_t device_receive(uint8_t *segment, size_t cap);
void device_send(const uint8_t *segment, size_t len);
uint64_t device_now(void); /* microseconds */
void device_sleep(uint64_t until);
void device_random(uint8_t octets[16]);

/* Connects, and sends back what comes until the other end closes. 0: it ended well. */
int device_echo(void);
/* The same for who connects to it; over IP packets, through a stack. */
int device_serve(void);

#endif /* DEVICE_H */
