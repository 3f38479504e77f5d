"""Many clients, each of which opens a connection, sends a request, reads to the end, and repeats, until
SIGTERM. Writes `pid N` for each process that it sees answering first, and one line of JSON at the end.
"""
import argparse, json, re, signal, socket, sys, threading

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--connect", required=True, help="HOST:PORT")
parser.add_argument("--path", default="/")
parser.add_argument("--clients", type=int, default=16)
parser.add_argument("--pause", type=float, default=0.02, help="seconds after each answer")
options = parser.parse_args()
host, _, port = options.connect.rpartition(":")
request = f"GET {options.path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
is_over = threading.Event()
lock = threading.Lock()
result = {"connected": 0, "ok": 0, "failed": 0, "reasons": {}}
seen = set()


def ask():
    """One connection: the response or the error, and whether it was connected."""
    try:
        connection = socket.create_connection((host, int(port)), 10)
    except OSError as error:
        return None, f"connect: {error}", False
    with connection:
        try:
            connection.settimeout(10)
            connection.sendall(request)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        except OSError as error:
            return None, str(error), True
    pid = re.search(rb"[Pp]id\W{1,3}(\d+)", answer)
    if not re.match(rb"HTTP/1\.[01] 200 ", answer) or not pid:
        return None, f"answer: {answer[:60]!r}", True
    return pid.group(1).decode(), None, True


def client():
    while not is_over.is_set():
        pid, reason, is_connected = ask()
        with lock:
            result["connected"] += is_connected
            if pid:
                result["ok"] += 1
                if pid not in seen:
                    seen.add(pid)
                    print("pid", pid, flush=True)
            else:
                result["failed"] += 1
                result["reasons"][reason] = result["reasons"].get(reason, 0) + 1
        is_over.wait(options.pause)


signal.signal(signal.SIGTERM, lambda *_: is_over.set())
threads = [threading.Thread(target=client) for _ in range(options.clients)]
for thread in threads:
    thread.start()
is_over.wait()
for thread in threads:
    thread.join()
print(json.dumps(result), flush=True)
