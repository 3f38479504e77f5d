#ifndef SUPERVISE_PRELOAD_NOTIFY_H
#define SUPERVISE_PRELOAD_NOTIFY_H

/* Datagrams of one line to the master, `KEY=NUMBER` or `KEY=TEXT`, over $NOTIFY_SOCKET
 * (sd_notify(3)). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { notify_key_limit = 24, notify_text_limit = 128 };

/* Copies the address, because programs remove the variable from their environment. With
 * `keeps_socket` a connected socket stays open. */
void notify_prepare(bool keeps_socket);

/* Returns the master's address, or NULL if there is none. */
const struct sockaddr *notify_address(socklen_t *length);

/* Writes a key, which ends with `=`, and a number. Returns the length. It needs room for
 * notify_key_limit and digits_limit bytes. */
size_t notify_write(char *message, const char *key, uint64_t number);

/* Sends one line. Returns false if the master's socket is full, and true also if there is no
 * address. Never blocks and preserves errno. */
bool notify_send(const char *key, uint64_t number);
bool notify_send_text(const char *key, const char *text);

#endif
