"""An open-loop load: requests are sent at a fixed rate regardless of the responses, and latency
counts from the scheduled time of a request. A client that waits for a response before it sends the
next request would hide every pause of the server.

As a program: load.py PORT RATE SECONDS [PATH], which prints JSON.
"""
import asyncio
import collections
import json
import subprocess
import sys
import threading
import time

from . import stamps
from .processes import is_alive

PATIENCE = 10  # seconds until a request times out


class Load:
    """A load from another process, inside a `with`; afterwards `result` holds its measurements."""

    def __init__(self, port, rate, seconds, path="/"):
        self.seconds = seconds
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness.load", str(port), str(rate), str(seconds), path],
            cwd=__file__.rpartition("/harness/")[0], stdout=subprocess.PIPE)
        self.result = None

    def wait(self):
        output, _ = self.process.communicate(timeout=self.seconds + 3 * PATIENCE)
        self.result = json.loads(output)
        return self.result

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Watch(threading.Thread):
    """Polls every few milliseconds which workers are ready: they have reported it and are alive."""

    def __init__(self, of, pause=0.01):
        super().__init__(daemon=True)
        self.of, self.pause = of, pause
        self.looks = []  # (nanoseconds, set of processes)
        self._ended = threading.Event()

    def run(self):
        gone = set()
        while not self._ended.wait(self.pause):
            ready = {pid for pid, _ in self.of.of_kind(stamps.READY)} - gone
            gone |= {pid for pid in ready if not is_alive(pid)}
            self.looks.append((time.monotonic_ns(), ready - gone))

    def stop(self):
        self._ended.set()
        self.join()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def fewest(self, since=0):
        return min(len(ready) for at, ready in self.looks if at >= since)


async def _ask(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.split(b" ", 2)[1].startswith(b"200"):
            raise ConnectionError("status " + head.split(b" ", 2)[1].decode())
        if not await reader.read():
            raise ConnectionError("no body")
    finally:
        writer.transport.abort()


async def _request(port, path, due, times, failures):
    try:
        await asyncio.wait_for(_ask(port, path), PATIENCE)
        times.append((due, time.monotonic() - due))
    except (OSError, EOFError, asyncio.TimeoutError) as error:
        failures[str(error) or type(error).__name__] += 1


async def _run(port, rate, seconds, path):
    times, failures, tasks = [], collections.Counter(), set()
    start = time.monotonic()
    for number in range(int(rate * seconds)):
        due = start + number / rate
        pause = due - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        task = asyncio.ensure_future(_request(port, path, due, times, failures))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        await asyncio.wait(tasks)
    latencies = sorted(latency for _, latency in times) or [float("inf")]
    place = [latencies[min(len(latencies) - 1, int(share * len(latencies)))]
             for share in (0.5, 0.99, 0.999)]
    return {"answered": len(times), "failed": sum(failures.values()), "reasons": dict(failures),
            "p50_ms": 1e3 * place[0], "p99_ms": 1e3 * place[1], "p999_ms": 1e3 * place[2],
            "max_ms": 1e3 * latencies[-1]}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_run(
        int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), (sys.argv[4:] or ["/"])[0]))))
