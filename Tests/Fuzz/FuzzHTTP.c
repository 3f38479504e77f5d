/* Arbitrary bytes that a connection receives or sends: the parser reads only these, and returns
 * the same result however they are split. The first byte selects the direction, the second the
 * splits. */

#include "http_trace.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

static void require_route(const struct http_route *route) {
    require(route->length <= route_limit && route->segment_length <= route_segment_limit + 1);
    unsigned spaces = 0;
    for (unsigned index = 0; index < route->length; index++) {
        char byte = route->text[index];
        require(byte >= ' ' && byte <= '~' && byte != '@' && byte != '?');
        spaces += byte == ' ';
    }
    require(spaces <= 1);
}

struct reader {
    bool is_for_responses;
    struct traced_requests requests;
    struct traced_responses responses;
};

static void begin(struct reader *reader, uint8_t choice) {
    memset(reader, 0, sizeof *reader);
    reader->is_for_responses = (choice & 1) != 0;
    reader->responses.to = (enum http_response_to)((choice >> 1) % 3);
    requests_begin(&reader->requests.requests);
    responses_begin(&reader->responses.responses);
}

static const struct trace *trace(const struct reader *reader) {
    return reader->is_for_responses ? &reader->responses.trace : &reader->requests.trace;
}

/* A separate allocation, so that AddressSanitizer finds a read past the end. */
static void give(struct reader *reader, const uint8_t *bytes, size_t size) {
    uint8_t *copy = malloc(size);
    require(copy != NULL);
    memcpy(copy, bytes, size);
    if (!reader->is_for_responses) {
        trace_requests(&reader->requests, copy, size);
        require_route(&reader->requests.request.route);
    } else if (strchr(reader->responses.trace.text, '^') == NULL) {
        trace_responses(&reader->responses, copy, size);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct reader whole, pieces;
    if (size < 3)
        return 0;
    uint8_t choice = data[0];
    uint32_t cuts = data[1] + 1;
    data += 2;
    size -= 2;
    begin(&whole, choice);
    give(&whole, data, size);
    begin(&pieces, choice);
    for (size_t at = 0; at < size;) {
        cuts = cuts * 1103515245 + 12345;
        size_t count = 1 + (cuts >> 16) % (choice >= 128 ? 2 : 40);
        if (count > size - at)
            count = size - at;
        give(&pieces, data + at, count);
        at += count;
    }
    const struct trace *one = trace(&whole), *other = trace(&pieces);
    require(one->length == other->length && memcmp(one->text, other->text, one->length) == 0);
    require(responses_are_within(&whole.responses.responses)
            == responses_are_within(&pieces.responses.responses));
    return 0;
}
