"""A substitute for the master in the tests of the harness: it gives a command listeners, a
page and a notify socket, logs like the master, and passes TERM on. It replaces and recycles nobody.

    stand_in.py [--workers N] [--max-requests N] -- COMMAND [ARG...]
"""
import argparse, fcntl, json, os, secrets, selectors, signal, socket, struct, sys, time

parser = argparse.ArgumentParser()
parser.add_argument("--workers", type=int, default=1)
parser.add_argument("--max-requests", type=int, default=0)
parser.add_argument("command", nargs="+")
options = parser.parse_args()


def log(event, **fields):
    line = {"time": time.time(), "level": "info", "event": event, **fields}
    os.write(2, (json.dumps(line) + "\n").encode())


def start(slot, folder):
    nonce = secrets.token_hex(16)
    page = os.memfd_create("page", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    head = struct.pack("=8sII32s", b"SUPERVIS", 1, 0, nonce.encode())
    os.pwrite(page, head.ljust(128, b"\0") + struct.pack("=Q", options.max_requests), 0)
    os.ftruncate(page, 4096)
    fcntl.fcntl(page, fcntl.F_ADD_SEALS,
                fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(f"{folder}/notify-{slot}")
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        # Via a high number, because dup2 of a descriptor to itself leaves close-on-exec set.
        os.dup2(page, 100)
        os.dup2(listener.fileno(), 101)
        os.dup2(101, 3)
        os.close(101)
        os.environ.update({
            "LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "web",
            "NOTIFY_SOCKET": f"{folder}/notify-{slot}", "SUPERVISE_WORKER_POOL": "default",
            "SUPERVISE_WORKER_SLOT": str(slot), "SUPERVISE_WORKER_GENERATION": "1",
            "SUPERVISE_WORKER_MAX_REQUESTS": str(options.max_requests),
            "SUPERVISE_WORKER_ID": nonce, "SUPERVISE_WORKER_PAGE": "100"})
        os.execvp(options.command[0], options.command)
    return {"slot": slot, "pid": pid, "page": page, "notify": notify}


folder = os.path.dirname(os.environ["STAND_IN_FOLDER"] + "/")
listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
log("listening", address="%s:%d" % listener.getsockname())
selector = selectors.DefaultSelector()
wake_read, wake_write = socket.socketpair()
wake_write.setblocking(False)
signal.set_wakeup_fd(wake_write.fileno())
for number in (signal.SIGTERM, signal.SIGCHLD):
    signal.signal(number, lambda *_: None)
selector.register(wake_read, selectors.EVENT_READ)
workers = [start(slot, folder) for slot in range(options.workers)]
for worker in workers:
    selector.register(worker["notify"], selectors.EVENT_READ, worker)
while workers:
    for key, _ in selector.select():
        if key.data:
            worker = key.data
            for line in key.fileobj.recv(4096).decode().split("\n"):
                name, _, value = line.partition("=")
                event = {"READY": "ready", "STOPPING": "stopping"}.get(name, name.lower())
                log(event, slot=worker["slot"], pid=worker["pid"], value=value)
        elif signal.SIGTERM in wake_read.recv(100):
            for worker in workers:
                os.kill(worker["pid"], signal.SIGTERM)
    for worker in list(workers):
        pid, status = os.waitpid(worker["pid"], os.WNOHANG)
        if pid:
            workers.remove(worker)
            requests = struct.unpack("=Q", os.pread(worker["page"], 8, 64))[0]
            log("exited", slot=worker["slot"], pid=pid, requests=requests,
                status=os.waitstatus_to_exitcode(status))
