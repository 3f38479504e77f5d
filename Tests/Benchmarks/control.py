#!/usr/bin/env python3
"""Measures the cost of monitoring a master: the processor time of the master for a scrape of many
workers, and its wakeups without requests.

    swift build -c release
    Tests/Benchmarks/control.py [--workers 1000] [--scrapes 40] [PROGRAM]

Processor time is that of /proc/PID/schedstat, so other load on the machine does not count. Exits
with status 1 if a scrape costs more than 5 ms or an idle master wakes.
"""

import argparse
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from harness.processes import processor_seconds, wakeups

parser = argparse.ArgumentParser()
parser.add_argument("program", nargs="?", default=".build/release/supervise")
parser.add_argument("--workers", type=int, default=1000)
parser.add_argument("--scrapes", type=int, default=40)
arguments = parser.parse_args()


def processor_ms(pid):
    return 1e3 * processor_seconds(pid)


def measure(pid, address, path):
    """Returns the median cost of a request in ms, and the size of its response."""
    costs = []
    for _ in range(arguments.scrapes):
        # The pause is long enough that the figures are sampled again, as with an interval of 15 s.
        time.sleep(0.6)
        before = processor_ms(pid)
        connection = http.client.HTTPConnection(address, timeout=30)
        connection.request("GET", path)
        size = len(connection.getresponse().read())
        connection.close()
        time.sleep(0.05)
        costs.append(processor_ms(pid) - before)
    return sorted(costs)[len(costs) // 2], size


with tempfile.TemporaryDirectory() as folder:
    log = open(f"{folder}/log", "w+")
    master = subprocess.Popen(
        [arguments.program, "--workers", str(arguments.workers), "--ready", "exec",
         "--max-requests", "1000000", "--stable-after", "0", "--status-bind", "127.0.0.1:0",
         "--log-format", "logfmt", "--", "sleep", "3600"],
        stderr=log, env={"XDG_RUNTIME_DIR": folder, "PATH": os.environ["PATH"]})
    failed = False
    try:
        deadline = time.monotonic() + 120
        while True:
            text = open(f"{folder}/log").read()
            if text.count("event=ready ") >= arguments.workers:
                break
            if time.monotonic() > deadline or master.poll() is not None:
                sys.exit("the workers did not start:\n" + text[-2000:])
            time.sleep(0.2)
        address = re.search(r"event=status-listening address=(\S+)", text)[1]
        for path in ["/metrics", "/status", "/readyz", "/healthz"]:
            cost, size = measure(master.pid, address, path)
            is_late = path == "/metrics" and cost > 5
            failed |= is_late
            print(f"{path:10} {cost:6.2f} ms of processor time, {size:8} bytes"
                  + (", more than 5 ms" if is_late else ""))
        time.sleep(1)
        before, cost = wakeups(master.pid), processor_ms(master.pid)
        time.sleep(10)
        woken = wakeups(master.pid) - before
        failed |= woken > 0
        print(f"idle       {woken} wakeups and {processor_ms(master.pid) - cost:.2f} ms in 10 s")
    finally:
        master.send_signal(signal.SIGQUIT)
        master.wait()
    sys.exit(1 if failed else 0)
