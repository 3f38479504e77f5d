"""Compares the schedules of supervise with croniter on random expressions.

Every expression is drawn from the grammar of crontab(5): values, names, ranges, steps and lists. Each
pair of an expression and a start time must have the same next five runs in both programs, or be an
error in both. croniter is called with implement_cron_bug=True, which is crontab(5)'s rule for the two
day fields, and in UTC.

Where the two differ, and why:

* A step that exceeds the range of its field, such as */90 for minutes: an error here, because it
  would apply once per period. croniter accepts some of them.
* A step after a single value, such as 5/15: an error here, as in crontab(5). croniter reads 5-59/15.
* A range that ends before it begins, such as 22-2 or sat-mon: an error here, as in crontab(5).
  croniter continues at the start of the field.
* A day field that allows every day without beginning with *, such as 0-6: here it does not count as *
  in the rule for the two day fields, as in crontab(5). croniter replaces it by *. Such pairs are left
  out of the comparison.
* Six or seven fields, and the characters L, #, ?, H, R: extensions of croniter, errors here.
* A date that never occurs, such as 30 2: an error when it is parsed here, and when the next run is
  computed in croniter.

These are drawn too, and must be errors here.
"""

import argparse
import random
import subprocess
import sys
import warnings
from datetime import datetime, timezone

import croniter as library

warnings.simplefilter("ignore")

RANGES = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
NAMES = [
    None,
    None,
    None,
    "jan feb mar apr may jun jul aug sep oct nov dec".split(),
    "sun mon tue wed thu fri sat".split(),
]


def value(draw, field, number):
    """A number, or its name."""
    names = NAMES[field]
    if names is None or draw.random() < 0.6:
        return ("%02d" if draw.random() < 0.1 else "%d") % number
    name = names[number % 7 if field == 4 else number - 1]
    return draw.choice([name, name.upper(), name.capitalize()])


def item(draw, field):
    first, last = RANGES[field]
    kind = draw.random()
    if kind < 0.25:
        return "*/%d" % draw.randint(1, min(last - first, 59))
    if kind < 0.6:
        return value(draw, field, draw.randint(first, last))
    low, high = sorted((draw.randint(first, last), draw.randint(first, last)))
    if low == high:
        return value(draw, field, low)
    # Numbers only for a range with Sunday: its name has two numbers.
    plain = field == 4 and (low == 0 or high == 7)
    text = "%d-%d" % (low, high)
    if not plain:
        text = value(draw, field, low) + "-" + value(draw, field, high)
    if draw.random() < 0.4:
        text += "/%d" % draw.randint(1, last - first)
    return text


def field_text(draw, field):
    if draw.random() < 0.35:
        return "*"
    return ",".join(item(draw, field) for _ in range(draw.choice([1, 1, 1, 2, 3])))


def values(text, field):
    """The set of values of a valid field."""
    found = set()
    for part in text.lower().split(","):
        ends, _, step = part.partition("/")
        first, last = RANGES[field]
        if ends != "*":
            words = [
                NAMES[field].index(word) + (field == 3) if word.isalpha() else int(word)
                for word in ends.split("-")
            ]
            first, last = words[0], words[-1]
        found.update(range(first, last + 1, int(step or 1)))
    return {value % 7 for value in found} if field == 4 else found


def is_full_without_star(text, field):
    first, last = RANGES[field]
    count = 7 if field == 4 else last - first + 1
    return not text.startswith("*") and len(values(text, field)) == count


def expression(draw):
    while True:
        fields = [field_text(draw, field) for field in range(5)]
        if not any(is_full_without_star(fields[field], field) for field in (2, 4)):
            return " ".join(fields)


def outside(draw):
    """An expression that must be an error here."""
    fields = [field_text(draw, field) for field in range(5)]
    place = draw.randrange(5)
    first, last = RANGES[place]
    kind = draw.randrange(7)
    if kind == 0:
        fields[place] = "*/%d" % draw.randint(last - first + 1, 200)
    elif kind == 1:
        fields[place] = "%d/%d" % (draw.randint(first, last), draw.randint(1, 9))
    elif kind == 2:
        fields[place] = "%d-%d" % (last, first)
    elif kind == 3:
        fields.append("0")
    elif kind == 4:
        fields[place] = draw.choice(["L", "?", "5#2", "H", "R", "1W", "x", "", "-", "1-", "*-5"]) or ","
    elif kind == 5:
        fields[place] = str(draw.choice([last + 1, first - 1 if first else 99, 60, 1000]))
    else:
        fields[2:5] = [draw.choice(["30", "31", "30,31"]), "2", "*"]
    return " ".join(fields)


def expected(start, text):
    """The next five runs by croniter; None for an error."""
    times = []
    try:
        iterator = library.croniter(
            text, datetime.fromtimestamp(start, timezone.utc), implement_cron_bug=True
        )
        for _ in range(5):
            times.append(int(iterator.get_next(float)))
    except (library.CroniterBadCronError, library.CroniterBadDateError):
        return None
    return times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    cases = []
    for number in range(options.count):
        start = draw.randint(0, 4_102_444_800)
        if draw.random() < 0.2:
            start -= start % 60
        is_outside = number % 20 == 19
        cases.append((start, outside(draw) if is_outside else expression(draw), is_outside))
    lines = "".join("%d %s\n" % (start, text) for start, text, _ in cases)
    answers = subprocess.run(
        [options.program], input=lines, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(answers) == len(cases), (len(answers), len(cases))
    differences = errors = 0
    for (start, text, is_outside), answer in zip(cases, answers):
        own = None if answer.startswith("error") else [int(word) for word in answer.split()]
        other = None if is_outside else expected(start, text)
        errors += own is None
        if own != other:
            differences += 1
            if differences <= 20:
                print("%d %r: %s, croniter %s" % (start, text, answer, other))
    print("%d pairs, %d errors in both, %d differences" % (len(cases), errors, differences))
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
