#include "http_route.h"

#include <string.h>

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_hexadecimal(char byte) {
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

/* Matches digits with an optional sign and an optional fraction. */
static bool is_number(const char *text, unsigned length) {
    unsigned digits = 0, points = 0;
    for (unsigned index = 0; index < length; index++) {
        if (is_digit(text[index]))
            digits++;
        else if (text[index] == '.' && digits > 0 && points == 0)
            points++;
        else if (index > 0 || (text[index] != '-' && text[index] != '+'))
            return false;
    }
    return digits > 0;
}

/* Matches `v1` to `v99`. */
static bool is_version(const char *text, unsigned length) {
    return (length == 2 || length == 3) && text[0] == 'v' && text[1] >= '1' && text[1] <= '9'
        && (length == 2 || is_digit(text[2]));
}

/* A UUID is longer than any segment that is kept. */
static bool identifies(const char *text, unsigned length) {
    if (is_version(text, length))
        return false;
    bool is_all_hexadecimal = length >= 8;
    for (unsigned index = 0; index < length; index++) {
        char byte = text[index], before = index > 0 ? text[index - 1] : '\0';
        if (byte == '@' || (is_letter(byte) && is_digit(before))
            || (is_digit(byte) && is_letter(before)))
            return true;
        is_all_hexadecimal &= is_hexadecimal(byte);
    }
    return is_all_hexadecimal || is_number(text, length);
}

static void append(struct http_route *route, const char *text, unsigned length) {
    memcpy(route->text + route->length, text, length);
    route->length = (uint8_t)(route->length + length);
}

static void begin_segment(struct http_route *route) {
    route->segment_length = 0;
    route->is_foreign = false;
}

static void end_segment(struct http_route *route) {
    unsigned length = route->segment_length;
    if (route->is_full)
        return;
    bool is_replaced = length > route_segment_limit || route->is_foreign
        || identifies(route->segment, length);
    const char *text = is_replaced ? "*" : route->segment;
    if (is_replaced)
        length = 1;
    /* Two bytes are reserved for the end of a truncated route. */
    if (route->length + 1 + length + 2 > route_limit) {
        append(route, "/*", 2);
        route->is_full = true;
        return;
    }
    append(route, "/", 1);
    append(route, text, length);
}

void route_begin(struct http_route *route) {
    route->length = 0;
    route->is_full = false;
    begin_segment(route);
}

void route_add_method(struct http_route *route, uint8_t byte) {
    if (route->length < route_method_limit)
        route->text[route->length++] = (char)byte;
}

void route_begin_path(struct http_route *route) {
    append(route, " ", 1);
    begin_segment(route);
}

void route_add(struct http_route *route, uint8_t byte) {
    if (byte == '/') {
        end_segment(route);
        begin_segment(route);
        return;
    }
    route->is_foreign |= byte <= ' ' || byte > '~';
    if (route->segment_length < route_segment_limit)
        route->segment[route->segment_length] = (char)byte;
    if (route->segment_length <= route_segment_limit)
        route->segment_length++;
}

void route_end(struct http_route *route) {
    end_segment(route);
}

void route_end_without_path(struct http_route *route) {
    append(route, " *", 2);
}
