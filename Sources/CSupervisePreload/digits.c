#include "digits.h"

bool digits_read(const char **text, uint64_t *number) {
    const char *next = *text;
    uint64_t value = 0;
    while (*next >= '0' && *next <= '9') {
        if (__builtin_mul_overflow(value, 10, &value)
            || __builtin_add_overflow(value, (uint64_t)(*next - '0'), &value))
            return false;
        next++;
    }
    if (next == *text)
        return false;
    *text = next;
    *number = value;
    return true;
}

size_t digits_write(char *text, uint64_t number) {
    char reversed[digits_limit];
    size_t count = 0;
    do {
        reversed[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    for (size_t index = 0; index < count; index++)
        text[index] = reversed[count - 1 - index];
    return count;
}
