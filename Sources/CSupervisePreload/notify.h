#ifndef SUPERVISE_PRELOAD_NOTIFY_H
#define SUPERVISE_PRELOAD_NOTIFY_H

/* Datagrams of one line to the master, `KEY=NUMBER` or `KEY=TEXT`, over $NOTIFY_SOCKET
 * (sd_notify(3)). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { notify_key_limit = 24, notify_text_limit = 128 };

/* Remembers the address, since programs remove the variable from their environment. */
void notify_prepare(void);

/* The master's address; NULL when there is none. */
const struct sockaddr *notify_address(socklen_t *length);

/* Writes a key, which ends with `=`, and a number; the length. The room is notify_key_limit and
 * digits_limit. */
size_t notify_write(char *message, const char *key, uint64_t number);

/* Sends one line; false when the master cannot take it now, true also when there is nobody to send
 * to. Never blocks, leaves errno alone. */
bool notify_send(const char *key, uint64_t number);
bool notify_send_text(const char *key, const char *text);

#endif
