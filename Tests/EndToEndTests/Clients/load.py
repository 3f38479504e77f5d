"""An open-loop HTTP load client; prints "sending" on standard error when it starts, and one line
of JSON at the end, which is after so many requests or at SIGTERM.

Requests are due at a fixed rate whatever the answers do, and latency counts from the time at which
a request was due: a client that waits for the last answer before it sends the next one would hide
every pause of the server.
"""
import argparse, asyncio, itertools, json, re, signal, sys, time

options = None
idle = []  # kept-alive connections, the freshest last


class Failure(Exception):
    """The kind of a failure; `is_stale` if a keep-alive connection had just been closed."""
    def __init__(self, reason, is_stale=False):
        super().__init__(reason)
        self.is_stale = is_stale


async def connect():
    try:
        if options.connect.startswith("unix:"):
            return await asyncio.open_unix_connection(options.connect[5:])
        host, _, port = options.connect.rpartition(":")
        return await asyncio.open_connection(host.strip("[]"), int(port))
    except ConnectionRefusedError:
        raise Failure("refused")
    except ConnectionResetError:
        raise Failure("reset-at-connect")
    except OSError as error:
        raise Failure(f"connect-{error.errno}")


async def exchange(connection, is_reused):
    """Sends one request; returns the pid that responded and whether the connection is reusable."""
    reader, writer = connection
    mode = "keep-alive" if options.keep_alive else "close"
    writer.write(f"GET {options.path} HTTP/1.1\r\nHost: x\r\nConnection: {mode}\r\n\r\n".encode())
    head = b""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        body = await reader.readexactly(int(fields["content-length"]))
    except ConnectionError:
        raise Failure("reset", is_stale=is_reused and not head)
    except asyncio.IncompleteReadError as error:
        if head or error.partial:
            raise Failure("short")
        raise Failure("closed", is_stale=is_reused)
    except (KeyError, ValueError):
        raise Failure("malformed")
    if not lines[0].startswith("HTTP/1.1 200 "):
        raise Failure("status-" + lines[0][9:12])
    pid = re.search(rb"pid\D{1,4}(\d+)", body)
    return pid.group(1).decode() if pid else "-", fields.get("connection") != "close"


async def ask(result):
    """One request. Like every HTTP client, it retries on a new connection if a keep-alive connection
    was closed before any part of a response arrived (RFC 9110, 9.2.2)."""
    while True:
        is_reused = bool(idle)
        connection = idle.pop() if idle else await connect()
        try:
            pid, may_keep = await exchange(connection, is_reused)
        except Failure as failure:
            connection[1].transport.abort()
            if failure.is_stale:
                result["retried"] += 1
                continue
            raise
        except BaseException:
            connection[1].transport.abort()
            raise
        if options.keep_alive and may_keep:
            idle.append(connection)
        else:
            connection[1].close()
        return pid


async def request(due, result, latencies, answers):
    try:
        pid = await asyncio.wait_for(ask(result), options.timeout)
        now = time.monotonic()
        latencies.append(now - due)
        answers.append(now)
        result["ok"] += 1
        result["pids"][pid] = result["pids"].get(pid, 0) + 1
    except (Failure, asyncio.TimeoutError) as failure:
        reason = str(failure) or "timeout"
        result["failed"] += 1
        result["reasons"][reason] = result["reasons"].get(reason, 0) + 1
        result["failed_at"].append(round(due - result["start"], 3))


async def run():
    began = start = time.monotonic()
    print("sending", file=sys.stderr)
    result = {"start": began, "ok": 0, "failed": 0, "reasons": {}, "retried": 0, "pids": {},
              "failed_at": []}
    latencies, answers, tasks = [], [start], set()
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    for number in range(options.requests) if options.requests else itertools.count():
        due = start + number / options.rate
        pause = due - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        if told.is_set():
            break
        if options.in_turn:
            await request(time.monotonic(), result, latencies, answers)
            start += max(0, time.monotonic() - due)  # the next one is as far away as ever
            continue
        task = asyncio.ensure_future(request(due, result, latencies, answers))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    while tasks:
        await asyncio.wait(tasks)
    latencies.sort()
    result["seconds"] = time.monotonic() - began
    result["longest_gap_seconds"] = max(
        (later - earlier for earlier, later in zip(answers, answers[1:])), default=0.0)
    for name, share in ("p50", 0.5), ("p99", 0.99), ("max", 1.0):
        place = min(len(latencies) - 1, int(share * len(latencies)))
        result[name + "_seconds"] = latencies[place] if latencies else 0.0
    del result["start"], result["failed_at"][100:]
    print(json.dumps(result))


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--connect", required=True, help="HOST:PORT or unix:PATH")
parser.add_argument("--path", default="/")
parser.add_argument("--requests", type=int, default=100, help="0: until SIGTERM")
parser.add_argument("--rate", type=float, default=100, help="requests a second")
parser.add_argument("--timeout", type=float, default=10, help="seconds for one request")
parser.add_argument("--in-turn", action="store_true",
                    help="one after the other, with the gaps of the rate between them")
parser.add_argument("--keep-alive", action="store_true")
options = parser.parse_args()
asyncio.run(run())
