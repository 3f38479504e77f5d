"""A web worker whose environment selects its faults; built on conf/examples.

BOOT_SECONDS    how long the start takes
BOOT_TELL       a message that it repeats meanwhile
CRASH_FILE      dies at the start while this file exists, with status 1
HANG_FILE       never gets ready while this file exists
BRIEF_FILE      while this file exists, dies with status 7 a second after it was ready; what it has
                accepted by then is answered
LEAK_KB         memory kept per request
IGNORE_TERM=1   does not stop
IGNORE_ABRT=1   does not abort
SERIAL=1        serves one connection at a time, and a slow one keeps it from all others
ROSTER          a file to which `TIME PID boot|ready|stop` is appended (CLOCK_MONOTONIC seconds):
                what the worker itself knows, to be held against what the master says

Each USR2 makes it 100 MB larger. `/tell?message=WATCHDOG=1` lets it say that to its master, and
`/slow?seconds=3&tell=WATCHDOG=1` repeats it until the answer.
"""
import json, os, resource, signal, sys, threading, time, types
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../conf/examples"))
import app, supervise_worker as worker

leaked, in_flight, in_flight_lock = [], 0, threading.Lock()


def roster(word):
    if path := os.environ.get("ROSTER"):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.write(descriptor, f"{time.monotonic():.6f} {os.getpid()} {word}\n".encode())
        os.close(descriptor)


def exists(variable):
    return os.path.exists(os.environ.get(variable) or "/nonexistent")


def pause(seconds, message=None):
    """Sleeps, and repeats a message ten times per second meanwhile."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if message:
            worker.tell(message)
        time.sleep(min(left, 0.1) if message else left)


def end_soon():
    """Ends the main loop in a second, between two connections, as an error would."""
    is_over, stop_requested = threading.Event(), worker.stop_requested

    def stop_requested_or_over():
        if is_over.is_set() and threading.current_thread() is threading.main_thread():
            sys.exit(7)
        return stop_requested()

    def end():
        is_over.set()
        worker._wake_write.send(b"x")

    worker.stop_requested = stop_requested_or_over
    threading.Timer(1, end).start()


class ServedAtOnce:
    """Replaces a thread: runs its work in the calling thread."""
    def __init__(self, target, args):
        self.start = lambda: target(*args)


def facts():
    """The environment of a worker."""
    mask = os.umask(0)
    os.umask(mask)
    limits = {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name.upper()))[0]
              for name in ("as", "nofile", "core")}
    with open("/proc/self/oom_score_adj") as file:
        score = int(file.read())
    return {"pid": os.getpid(), "env": dict(os.environ), "cwd": os.getcwd(), "umask": mask,
            "uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(), "nice": os.nice(0),
            "limits": limits, "oom": score, "group": os.getpgid(0), "inflight": in_flight,
            "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd"))}


class Handler(app.Handler):
    def do_GET(self):
        global in_flight
        with in_flight_lock:
            in_flight += 1
        try:
            target = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(target.query).items()}
            leaked.append(b"x" * (1024 * int(os.environ.get("LEAK_KB", 0))))
            if target.path == "/slow":
                pause(float(query["seconds"]), query.get("tell"))
            elif target.path == "/tell":
                worker.tell(query["message"])
            elif target.path == "/die":
                os._exit(int(query.get("status", 1)))
            elif target.path == "/leak":
                leaked.append(b"x" * (1024 * int(query["kb"])))
            elif target.path == "/hold":
                worker.hold(float(query["seconds"]))
            elif target.path == "/facts":
                return self.answer(json.dumps(facts()))
            super().do_GET()
        finally:
            with in_flight_lock:
                in_flight -= 1

    def answer(self, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


roster("boot")
if exists("CRASH_FILE"):
    sys.exit("this worker cannot start")
while exists("HANG_FILE"):
    time.sleep(0.05)
pause(float(os.environ.get("BOOT_SECONDS", 0)), os.environ.get("BOOT_TELL"))
if os.environ.get("IGNORE_TERM") == "1":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    worker.catch_stop = lambda: None
if os.environ.get("IGNORE_ABRT") == "1":
    signal.signal(signal.SIGABRT, signal.SIG_IGN)
if os.environ.get("SERIAL") == "1":
    app.threading = types.SimpleNamespace(Thread=ServedAtOnce)
if exists("BRIEF_FILE"):
    end_soon()
signal.signal(signal.SIGUSR2, lambda *_: leaked.append(b"x" * 100_000_000))
app.Handler = Handler
# Written before READY=1, so that no stop by the master can precede this line.
roster("ready")
app.main()
roster("stop")
