"""A web worker that attacks its master in the first slot; the others serve.

HOSTILE chooses how: `flood` says things without end, `rubbish` writes noise all over its page and
tries to cut it short, `silent` throws its notify socket and its page away, `stopped` stops itself
(SIGSTOP), `litter` leaves children behind that hear no stop-signal, again and again, `greedy` opens
as many descriptors as it may.
"""
import http.server, os, random, signal, socket, subprocess, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../conf/examples"))
import supervise_worker as worker


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = f"pid {os.getpid()}, slot {slot}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def flood():
    tellers = [socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(4)]
    address = os.environ["NOTIFY_SOCKET"]
    address = "\0" + address[1:] if address.startswith("@") else address
    words = [b"WATCHDOG=1", b"STATUS=" + b"x" * 4000, b"\xff" * 60_000, b"", b"X_REQUESTS=-1",
             b"MAINPID=1\nREADY=1\nX_HOLD=9e99", b"EXTEND_TIMEOUT_USEC=1\n" * 2000]
    while True:
        for teller in tellers:
            try:
                teller.sendto(random.choice(words), socket.MSG_DONTWAIT, address)
            except OSError:
                time.sleep(0.0005)


def rubbish():
    page = int(os.environ["SUPERVISE_WORKER_PAGE"])
    for size in 0, 1, 1 << 40:
        try:
            os.ftruncate(page, size)
            print(f"the page has {size} bytes now", file=sys.stderr, flush=True)
        except OSError:
            pass
    while True:
        # It may corrupt its own limit and counter: this only recycles it.
        os.pwrite(page, os.urandom(4096 - 256), 256)
        time.sleep(0.001)


def silent():
    os.close(int(os.environ["SUPERVISE_WORKER_PAGE"]))
    worker._socket.close()


def stopped():
    os.kill(os.getpid(), signal.SIGSTOP)


def litter():
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    for _ in range(5):
        subprocess.Popen([sys.executable, "-c", deaf])
    time.sleep(0.5)
    os._exit(1)


def greedy():
    kept = []
    while True:
        try:
            kept.append(os.dup(0))
        except OSError:
            time.sleep(0.01)


slot = int(os.environ["SUPERVISE_WORKER_SLOT"])
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server = http.server.ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
server.socket = worker.listeners()[0]
server.server_name, server.server_port = "x", 0
worker.ready()
if slot == 0:
    threading.Thread(target=globals()[os.environ["HOSTILE"]], daemon=True).start()
server.serve_forever(poll_interval=0.05)
