"""Runs test modules of CPython's own test suite and writes the result of each test to FILE.

    results.py FILE MODULE... [--only TEST...]

Each line is `TEST RESULT`, in any order: ok, failed, error, skipped, or unexpected.
"""

import sys
import unittest
from test import support

# Not the network: nothing may connect beyond this machine.
support.use_resources = []


class Result(unittest.TextTestResult):
    def write(self, test, result):
        print(test.id(), result, file=out, flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.write(test, "ok")

    def addError(self, test, error):
        super().addError(test, error)
        self.write(test, "error")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.write(test, "failed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.write(test, "skipped")

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        self.write(test, "ok")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.write(test, "unexpected")

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.write(test, "failed")


# It waits for ever where the machine cannot connect to itself by vsock(7).
LEFT_OUT = ["ThreadedVSOCKSocketStreamTest"]


def without(suite):
    """The tests of a suite but for those that are left out."""
    kept = unittest.TestSuite()
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            kept.addTest(without(test))
        elif type(test).__name__ not in LEFT_OUT:
            kept.addTest(test)
    return kept


def main():
    file, names = sys.argv[1], sys.argv[2:]
    only = []
    if "--only" in names:
        at = names.index("--only")
        names, only = names[:at], names[at + 1:]
    global out
    with open(file, "w") as out:
        suite = unittest.defaultTestLoader.loadTestsFromNames(only or names)
        unittest.TextTestRunner(resultclass=Result, verbosity=0).run(without(suite))
    # Threads and processes that a failed test has left must not keep it.
    sys.stdout.flush()


if __name__ == "__main__":
    main()
