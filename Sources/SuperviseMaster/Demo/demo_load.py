"""The client of `supervise demo`: sends requests to the server, one connection each, and prints
every second how they and the workers do, until it receives SIGTERM."""

import http.client
import json
import signal
import subprocess
import sys
import threading
import time

PROGRAM, OPTION, MASTER, BIND, STATUS_BIND = sys.argv[1:6]
PATHS = ["/", "/cart", "/about"]
CLIENTS, REQUESTS_PER_SECOND = 4, 120
MEGABYTE = 1 << 20
CAP = 60 * MEGABYTE

is_over = threading.Event()
lock = threading.Lock()
counts = {"requests": 0, "failed": 0}


def status():
    """The pool of the server, or None if the master does not respond."""
    command = [PROGRAM, "status", "--json", OPTION, MASTER]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if result.returncode != 0:
        return None
    pools = json.loads(result.stdout)["pools"]
    return next(pool for pool in pools if pool["name"] == "web")


def ask(path):
    connection = http.client.HTTPConnection(BIND, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def client(number):
    turn = number
    while not is_over.wait(CLIENTS / REQUESTS_PER_SECOND):
        succeeded = ask(PATHS[turn % len(PATHS)])
        turn += 1
        if is_over.is_set():
            return
        with lock:
            counts["requests"] += 1
            counts["failed"] += not succeeded


def cell(workers):
    """The memory of the workers of one slot: one, and at times its replacement."""
    memory = workers[0].get("memory_bytes", 0)
    filled = min(10, round(10 * memory / CAP))
    text = f"{memory // MEGABYTE:3d} MB {'#' * filled + '.' * (10 - filled)}"
    if len(workers) > 1:
        text += f" {workers[1].get('memory_bytes', 0) // MEGABYTE:3d} MB"
    return f"{text:25}"


def replaced(pool):
    return sum(pool["totals"]["exits"].values())


def line(pool, began):
    slots = {}
    for worker in pool["slots"]:
        slots.setdefault(worker["slot"], []).append(worker)
    cells = "".join(cell(slots[number]) for number in sorted(slots))
    seconds = time.monotonic() - began
    return f"{seconds:4.0f} s {counts['requests']:9} {counts['failed']:7}  {cells}{replaced(pool):8}"


def say(text=""):
    try:
        print(text, flush=True)
    except OSError:
        is_over.set()


def main():
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: is_over.set())
    while not is_over.wait(0.1):
        pool = status()
        if pool and pool["ready"]:
            break
    say(f"Two workers of a Python server serve http://{BIND}/. Each GET /cart leaks 200 KB.")
    say("A worker that reaches 60 MB is replaced: the new one is ready before the old one leaves.")
    say(f"The status page: http://{STATUS_BIND}/   Ctrl-C ends the demo.")
    say(f"Roll out new code meanwhile: supervise reload --wait {OPTION} {MASTER}\n")
    say(f"  TIME  REQUESTS  FAILED  {'WORKER 0 (AND ITS NEXT)':25}{'WORKER 1':24}REPLACED")
    began = time.monotonic()
    for number in range(CLIENTS):
        threading.Thread(target=client, args=(number,), daemon=True).start()
    last = None
    while not is_over.wait(1):
        pool = status()
        if pool:
            last = replaced(pool)
            say(line(pool, began))
    if last is not None:
        seconds = time.monotonic() - began
        say(
            f"\n{counts['requests']} requests in {seconds:.0f} s, {counts['failed']} failed; "
            f"{last} workers were replaced at 60 MB."
        )


main()
