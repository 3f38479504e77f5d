#include "http_message.h"

#include <string.h>

enum state {
    line_begins,
    line_is_empty,
    name_of_length,
    name_of_coding,
    value_of_length,
    value_of_length_ends,
    value_of_coding,
    line_is_skipped,

    body_has_length,
    body_is_rest,
    size_begins,
    size_continues,
    extension,
    chunk,
    chunk_ends,
    chunk_ends_with_newline,
    trailer_begins,
    trailer_is_empty,
    trailer_is_skipped,
};

enum { token_is_other = 255 };

static const char length_name[] = "content-length:";
static const char coding_name[] = "transfer-encoding:";
static const char chunked[] = "chunked";

static uint8_t lower(uint8_t byte) {
    return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

static void enter(struct http_message *message, enum state state) {
    message->state = (uint8_t)state;
    message->position = 0;
}

/* Skips to the end of the line with memchr(3), which is fast. Returns false if the line
 * continues. */
static bool skip_line(struct http_bytes *bytes) {
    const uint8_t *newline = memchr(bytes->next, '\n', (size_t)(bytes->end - bytes->next));
    bytes->next = newline != NULL ? newline + 1 : bytes->end;
    return newline != NULL;
}

void message_begin_headers(struct http_message *message) {
    enter(message, line_begins);
    message->left = 0;
    message->framing = 0;
}

static bool add_digit(uint64_t *number, unsigned base, unsigned digit) {
    return !__builtin_mul_overflow(*number, base, number)
        && !__builtin_add_overflow(*number, digit, number);
}

/* The bytes before this one matched the name; otherwise this is a longer or different name. */
static void read_name(
    struct http_message *message, uint8_t byte, const char *name, enum state value) {
    if (byte == '\n') {
        enter(message, line_begins);
    } else if (lower(byte) != (uint8_t)name[message->position]) {
        enter(message, line_is_skipped);
    } else if (name[++message->position] == '\0') {
        enter(message, value);
        if (value == value_of_length) {
            message->left = 0;
            message->framing &= (uint8_t)~http_has_length;
        } else {
            message->framing &= (uint8_t)~http_is_chunked;
            message->framing |= http_has_coding;
        }
    }
}

static void begin_line(struct http_message *message, uint8_t byte) {
    switch (lower(byte)) {
    case '\r':
        enter(message, line_is_empty);
        return;
    case 'c':
        enter(message, name_of_length);
        break;
    case 't':
        enter(message, name_of_coding);
        break;
    default:
        enter(message, line_is_skipped);
        return;
    }
    message->position = 1;
}

static enum http_step read_length(struct http_message *message, uint8_t byte) {
    bool is_space = byte == ' ' || byte == '\t';
    if (byte == '\n') {
        enter(message, line_begins);
        return (message->framing & http_has_length) != 0 ? http_needs_more : http_invalid;
    }
    if (message->state == value_of_length_ends)
        return is_space || byte == '\r' ? http_needs_more : http_invalid;
    if (byte >= '0' && byte <= '9') {
        message->framing |= http_has_length;
        return add_digit(&message->left, 10, byte - '0') ? http_needs_more : http_invalid;
    }
    if (!is_space && byte != '\r')
        return http_invalid;
    if ((message->framing & http_has_length) != 0)
        enter(message, value_of_length_ends);
    return http_needs_more;
}

/* Only the last coding decides the framing. */
static void read_coding(struct http_message *message, uint8_t byte) {
    bool is_whole = message->position == sizeof chunked - 1;
    if (byte == '\n') {
        if (is_whole)
            message->framing |= http_is_chunked;
        enter(message, line_begins);
    } else if (byte == ',') {
        message->position = 0;
    } else if (byte == ' ' || byte == '\t' || byte == '\r') {
        if (message->position != 0 && !is_whole)
            message->position = token_is_other;
    } else if (message->position != token_is_other && !is_whole
               && lower(byte) == (uint8_t)chunked[message->position]) {
        message->position++;
    } else {
        message->position = token_is_other;
    }
}

static enum http_step read_header_byte(struct http_message *message, uint8_t byte) {
    switch (message->state) {
    case line_begins:
        if (byte == '\n')
            return http_complete;
        begin_line(message, byte);
        return http_needs_more;
    case line_is_empty:
        return byte == '\n' ? http_complete : http_invalid;
    case name_of_length:
        read_name(message, byte, length_name, value_of_length);
        return http_needs_more;
    case name_of_coding:
        read_name(message, byte, coding_name, value_of_coding);
        return http_needs_more;
    case value_of_length:
    case value_of_length_ends:
        return read_length(message, byte);
    case value_of_coding:
        read_coding(message, byte);
        return http_needs_more;
    default:
        return http_invalid;
    }
}

enum http_step message_read_headers(struct http_message *message, struct http_bytes *bytes) {
    while (bytes->next < bytes->end) {
        if (message->state == line_is_skipped) {
            if (skip_line(bytes))
                enter(message, line_begins);
            continue;
        }
        enum http_step step = read_header_byte(message, *bytes->next++);
        if (step != http_needs_more)
            return step;
    }
    return http_needs_more;
}

enum http_step message_begin_length(struct http_message *message) {
    enter(message, body_has_length);
    return message->left == 0 ? http_complete : http_needs_more;
}

void message_begin_chunks(struct http_message *message) {
    enter(message, size_begins);
    message->left = 0;
}

void message_begin_rest(struct http_message *message) {
    enter(message, body_is_rest);
}

static int hexadecimal(uint8_t byte) {
    byte = lower(byte);
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static void end_size_line(struct http_message *message) {
    enter(message, message->left > 0 ? chunk : trailer_begins);
}

static enum http_step read_size(struct http_message *message, uint8_t byte) {
    int digit = hexadecimal(byte);
    if (digit >= 0) {
        enter(message, size_continues);
        return add_digit(&message->left, 16, (unsigned)digit) ? http_needs_more : http_invalid;
    }
    if (message->state == size_begins)
        return http_invalid;
    if (byte == '\n')
        end_size_line(message);
    else if (byte == ';' || byte == ' ' || byte == '\t' || byte == '\r')
        enter(message, extension);
    else
        return http_invalid;
    return http_needs_more;
}

static enum http_step read_chunk_end(struct http_message *message, uint8_t byte) {
    if (byte == '\n') {
        message_begin_chunks(message);
        return http_needs_more;
    }
    if (byte != '\r' || message->state == chunk_ends_with_newline)
        return http_invalid;
    enter(message, chunk_ends_with_newline);
    return http_needs_more;
}

static enum http_step read_trailer(struct http_message *message, uint8_t byte) {
    if (byte == '\n')
        return http_complete;
    if (message->state == trailer_is_empty)
        return http_invalid;
    enter(message, byte == '\r' ? trailer_is_empty : trailer_is_skipped);
    return http_needs_more;
}

static enum http_step read_body_byte(struct http_message *message, uint8_t byte) {
    switch (message->state) {
    case size_begins:
    case size_continues:
        return read_size(message, byte);
    case chunk_ends:
    case chunk_ends_with_newline:
        return read_chunk_end(message, byte);
    case trailer_begins:
    case trailer_is_empty:
        return read_trailer(message, byte);
    default:
        return http_invalid;
    }
}

enum http_step message_skip_body(struct http_message *message, uint64_t count) {
    if (count == 0 || message->state == body_is_rest)
        return http_needs_more;
    if ((message->state != body_has_length && message->state != chunk) || count > message->left)
        return http_invalid;
    message->left -= count;
    if (message->left > 0)
        return http_needs_more;
    if (message->state == body_has_length)
        return http_complete;
    enter(message, chunk_ends);
    return http_needs_more;
}

enum http_step message_read_body(struct http_message *message, struct http_bytes *bytes) {
    enum http_step step = http_needs_more;
    while (bytes->next < bytes->end && step == http_needs_more) {
        uint64_t count = (uint64_t)(bytes->end - bytes->next);
        switch (message->state) {
        case body_is_rest:
            bytes->next = bytes->end;
            break;
        case body_has_length:
        case chunk:
            if (count > message->left)
                count = message->left;
            bytes->next += count;
            step = message_skip_body(message, count);
            break;
        case extension:
            if (skip_line(bytes))
                end_size_line(message);
            break;
        case trailer_is_skipped:
            if (skip_line(bytes))
                enter(message, trailer_begins);
            break;
        default:
            step = read_body_byte(message, *bytes->next++);
        }
    }
    return step;
}
