"""A worker that attempts forbidden operations on its master (its parent) and on a sibling,
whose pid and notify socket are in the file VICTIM. What came of each attempt goes into the file REPORT as JSON: the name
of the errno, or "done". Then it serves nothing and waits.
"""
import ctypes, errno, glob, json, os, signal, socket, sys, time

master = os.getppid()
while not os.path.exists(os.environ["VICTIM"]):
    time.sleep(0.01)
time.sleep(0.1)
with open(os.environ["VICTIM"]) as file:
    victim, address = file.read().split()
    victim = int(victim)
report = {}


def attempt(name, what):
    try:
        what()
        report[name] = "done"
    except OSError as error:
        report[name] = errno.errorcode[error.errno]


def connect():
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(os.environ["CONTROL"])


def attach(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, pid, None, None) != 0:  # PTRACE_ATTACH
        raise OSError(ctypes.get_errno(), "ptrace")


def reopen_page():
    for link in glob.glob(f"/proc/{victim}/fd/*"):
        if "supervise" in os.readlink(link):
            os.close(os.open(link, os.O_RDWR))
            return
    raise PermissionError(errno.EACCES, "no descriptor can be seen")


def target(name):
    return "\0" + name[1:] if name[0] == "@" else name


def say(message):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
        teller.sendto(message, socket.MSG_DONTWAIT, target(address))


def name_is_known():
    """Every user may list the sockets."""
    with open("/proc/net/unix") as file:
        if address not in file.read():
            raise PermissionError(errno.EACCES, "not to be seen")


def say_and_be_gone(message):
    """As a process that has exited when its message is read."""
    if os.fork() == 0:
        if os.fork() == 0:
            say(message)
        os._exit(0)
    os.wait()


attempt("connect", connect)
for who, pid in ("master", master), ("sibling", victim):
    attempt(f"signal {who}", lambda: os.kill(pid, signal.SIGTERM))
    attempt(f"trace {who}", lambda: attach(pid))
    attempt(f"environment of {who}", lambda: open(f"/proc/{pid}/environ").read())
    attempt(f"memory of {who}", lambda: open(f"/proc/{pid}/mem", "rb+").close())
    attempt(f"descriptors of {who}", lambda: os.listdir(f"/proc/{pid}/fd"))
    attempt(f"limits of {who}", lambda: __import__("resource").prlimit(pid, 7, (8, 8)))
attempt("page of sibling", reopen_page)
attempt("name of the sibling's socket", name_is_known)
attempt("words to the sibling's socket", lambda: say(b"STOPPING=1"))
for _ in range(5 if address[0] == "@" else 0):
    say(b"STOPPING=1\nX_RECYCLE=1\nX_REQUESTS=1000000")
    say_and_be_gone(b"STOPPING=1\nX_RECYCLE=1\nX_REQUESTS=1000000")
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
    # Descriptors to exhaust the master; the kernel limits those in flight (ETOOMANYREFS).
    teller.connect(target(os.environ["NOTIFY_SOCKET"]))
    for _ in range(20):
        try:
            socket.send_fds(teller, [b"STATUS=mine"], [0] * 100)
        except OSError:
            time.sleep(0.05)
# From now on the sibling's own messages compete with these.
with open(os.environ["REPORT"] + ".part", "w") as file:
    json.dump(report, file)
os.rename(os.environ["REPORT"] + ".part", os.environ["REPORT"])
end = time.monotonic() + 3
while time.monotonic() < end:
    try:
        say(b"WATCHDOG=trigger")
    except BlockingIOError:
        pass  # it is full
    except PermissionError:
        break  # it is out of reach
time.sleep(600)
