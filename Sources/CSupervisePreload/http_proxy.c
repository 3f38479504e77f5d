#include "http_proxy.h"

enum state {
    begins,
    text,
    line,
    binary,
    binary_version,
    binary_family,
    length_high,
    length_low,
    addresses,
};

const char proxy_word[] = "PROXY ";
static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

static void enter(struct http_message *message, enum state state) {
    message->state = (uint8_t)state;
    message->position = 0;
}

void proxy_begin(struct http_message *message) {
    enter(message, begins);
}

static enum proxy_step read_text(struct http_message *message, struct http_bytes *bytes) {
    if (*bytes->next != (uint8_t)proxy_word[message->position])
        return proxy_was_request;
    bytes->next++;
    if (proxy_word[++message->position] == '\0')
        enter(message, line);
    return proxy_needs_more;
}

/* A request may follow empty lines (RFC 9112, 2.2), and the signature begins with two. */
static enum proxy_step read_binary(struct http_message *message, struct http_bytes *bytes) {
    uint8_t count = message->position;
    if (*bytes->next != (uint8_t)signature[count])
        return count == 2 || count == 4 ? proxy_ends : proxy_fails;
    bytes->next++;
    message->position++;
    if (count + 1 == sizeof signature - 1)
        enter(message, binary_version);
    return proxy_needs_more;
}

static enum proxy_step begin(struct http_message *message, struct http_bytes *bytes) {
    if (*bytes->next == 'P')
        enter(message, text);
    else if (*bytes->next == '\r')
        enter(message, binary);
    else
        return proxy_ends;
    message->position = 1;
    bytes->next++;
    return proxy_needs_more;
}

static enum proxy_step read_byte(struct http_message *message, uint8_t byte) {
    switch (message->state) {
    case line:
        return byte == '\n' ? proxy_ends : proxy_needs_more;
    case binary_version:
        enter(message, binary_family);
        return proxy_needs_more;
    case binary_family:
        enter(message, length_high);
        return proxy_needs_more;
    case length_high:
        message->left = (uint64_t)byte << 8;
        enter(message, length_low);
        return proxy_needs_more;
    case length_low:
        message->left |= byte;
        enter(message, addresses);
        break;
    default:
        message->left--;
    }
    return message->left == 0 ? proxy_ends : proxy_needs_more;
}

enum proxy_step proxy_read(struct http_message *message, struct http_bytes *bytes) {
    enum proxy_step step = proxy_needs_more;
    while (bytes->next < bytes->end && step == proxy_needs_more) {
        if (message->state == begins)
            step = begin(message, bytes);
        else if (message->state == text)
            step = read_text(message, bytes);
        else if (message->state == binary)
            step = read_binary(message, bytes);
        else
            step = read_byte(message, *bytes->next++);
    }
    return step;
}
