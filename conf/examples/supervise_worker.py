"""The worker side of supervise in one file, standard library only. Copy it next to your program.

    import supervise_worker as worker
    worker.catch_stop()
    worker.ready()
    while not worker.stop_requested():
        ...                                   # accept on worker.listeners(), respond, then
        worker.count()

Outside supervise every call is a no-op. Python has no atomic add, so a thread lock protects
the request counter on the shared page. After the first os.fork(), a file lock also protects it
between processes (two system calls per request). The count is exact in both cases. If a mold loads
this file, it connects in each worker (supervise help molds).
"""
import fcntl, mmap, os, signal, socket, struct, sys, threading


def _open_page():
    """Opens the page if its header (magic, version, nonce) belongs to this worker."""
    try:
        number = int(_environ["SUPERVISE_WORKER_PAGE"])
        head = os.pread(number, 48, 0)
        expected = b"SUPERVIS" + struct.pack("=I", 1), _environ["SUPERVISE_WORKER_ID"].encode()
        if (head[:12], head[16:]) == expected and os.fstat(number).st_size >= 4096:
            return number, memoryview(mmap.mmap(number, 4096)).cast("Q")
    except (KeyError, ValueError, OverflowError, OSError):
        pass
    return -1, None


def _after_fork(is_child):
    global _lock, _is_shared, _owed
    _is_shared = True
    if is_child:
        _lock, _owed = threading.Lock(), 0


def _begin():
    """Connects with the master."""
    global _environ, _number, _page, _lock, _is_shared, _owed, _address, _socket
    global _wake_read, _wake_write, _stopping
    _environ = os.environ.copy()  # as set by the master, even if the program changes it later
    _number, _page = _open_page()  # _page[8] is the counter (offset 64), _page[16] the limit (128)
    _lock, _is_shared, _owed = threading.Lock(), False, 0
    os.register_at_fork(
        after_in_parent=lambda: _after_fork(False), after_in_child=lambda: _after_fork(True))
    _address = _environ.get("NOTIFY_SOCKET", "")
    is_known = _address[:1] in ("@", "/")
    _socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if is_known else None
    if _socket:  # the maximum wait for room in the master's queue: 0.25 s
        _socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", 0, 250_000))
    _wake_read, _wake_write = socket.socketpair()
    _wake_write.setblocking(False)
    _stopping = False


_mold = sys.modules.get("supervise_mold")
if _mold:
    _mold.at_start(_begin)
else:
    _begin()


def listeners():
    """Returns the inherited listening sockets; call it once. Behind a wrapper (sh, npm),
    LISTEN_PID is another process, and the page shows that the sockets belong to this worker."""
    if _page is None and _environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    numbers = range(3, 3 + int(_environ.get("LISTEN_FDS") or 0))
    found = [socket.socket(fileno=number) for number in numbers]
    for listener in found:
        listener.set_inheritable(False)  # programs that the worker starts do not need it
    return found


def tell(message, waits=True):
    """Sends one sd_notify message and returns whether it was sent. If the queue of the master is
    full, waits for a quarter of a second, unless waiting is disabled."""
    address = "\0" + _address[1:] if _address[:1] == "@" else _address
    for flags in (socket.MSG_DONTWAIT, 0) if waits else (socket.MSG_DONTWAIT,):
        try:
            return bool(_socket) and _socket.sendto(message.encode(), flags, address) > 0
        except BlockingIOError:
            pass
        except OSError:
            return False
    return False


def ready():
    return tell("READY=1")


def hold(seconds):
    """Defers recycling for this time. Repeat it during long work; 0 ends the deferral."""
    return tell(f"X_HOLD={int(seconds)}")


def recycle():
    """Requests a replacement."""
    return tell("X_RECYCLE=1")


def count(requests=1):
    """Counts completed requests. Reports to the master once when the limit is reached."""
    global _owed
    with _lock:
        if _page is None:  # count by messages; an unsent count is added to the next one
            _owed += requests
            if not _socket or tell(f"X_REQUESTS=+{_owed}", waits=False):
                _owed = 0
            return
        if _is_shared:
            fcntl.lockf(_number, fcntl.LOCK_EX, 8, 64)
        before, limit = _page[8], _page[16]
        after = _page[8] = before + requests
        if _is_shared:
            fcntl.lockf(_number, fcntl.LOCK_UN, 8, 64)
        if before < limit <= after or _owed:
            _owed = 0 if not _socket or tell(f"X_REQUESTS={after}", waits=False) else 1


def catch_stop(number=signal.SIGTERM):
    """From now on the stop signal requests a stop. Before, it terminates the booting process."""
    def handler(*_):
        global _stopping
        _stopping = True
        try:
            _wake_write.send(b"x")
        except BlockingIOError:
            pass  # already awake
    signal.signal(number, handler)


def stop_requested():
    return _stopping


def stop_socket():
    """A socket for select() that becomes and remains readable when the worker is asked to stop."""
    return _wake_read
