"""load.py SECONDS [CLIENTS] [PATH]: one request per connection, on port 8000. Prints what became of the
requests as JSON: ok, refused (no connection was made), and lost (after it was made), with each reason.
Ends early by TERM."""

import collections
import json
import signal
import socket
import sys
import threading
import time

counts = collections.Counter()
versions = collections.Counter()
lock = threading.Lock()
end = time.monotonic() + float(sys.argv[1])
path = sys.argv[3] if len(sys.argv) > 3 else "/"


def count(what):
    with lock:
        counts[what] += 1


def request():
    client = socket.socket()
    client.settimeout(30)
    try:
        client.connect(("127.0.0.1", 8000))
    except OSError:
        count("refused")
        client.close()
        time.sleep(0.05)
        return
    try:
        client.sendall(b"GET %s HTTP/1.0\r\n\r\n" % path.encode())
        answer = b""
        while True:
            part = client.recv(4096)
            if not part:
                break
            answer += part
        if b" 200 " not in answer:
            count("lost")
            count("lost: closed")
            return
        count("ok")
        with lock:
            versions[answer.rsplit(b"\r\n", 1)[1].split()[0].decode()] += 1
    except OSError as error:
        count("lost")
        count("lost: " + type(error).__name__)
    finally:
        client.close()


def run():
    while time.monotonic() < end:
        request()


def stop(*_):
    global end
    end = 0


signal.signal(signal.SIGTERM, stop)
# Only the main thread may take TERM. systemd-shutdown sends it to a stopped process, where the kernel
# chooses any thread, and a join in the main thread would never notice.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
threads = [threading.Thread(target=run) for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 4)]
for thread in threads:
    thread.start()
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
for thread in threads:
    thread.join()
print("load", json.dumps({"ok": 0, "lost": 0, "refused": 0, **counts, "versions": versions}), flush=True)
