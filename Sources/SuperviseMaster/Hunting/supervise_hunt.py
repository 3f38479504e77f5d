"""Measures the requests of a hunted worker (supervise help hunt).

The master writes this file as sitecustomize.py to a directory of its own and puts that on PYTHONPATH. It runs
the program's own sitecustomize, removes what the hunt added to the environment, and registers a function with
the preload library, which calls it at the head of each request.
"""

import os
import sys

_prefix = "SUPERVISE_HUNT_"


def _restore_environment():
    """Returns whether requests are traced."""
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != folder]
    trace = os.environ.pop(_prefix + "TRACE", None) == "1"
    for name in os.environ.pop(_prefix + "NAMES", "").split(","):
        own = os.environ.pop(_prefix + "OWN_" + name, None)
        if own is not None:
            os.environ[name] = own
        elif name:
            os.environ.pop(name, None)
    return trace


def _run_own_sitecustomize():
    this = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        # The import that runs this file expects to find a module.
        sys.modules.setdefault("sitecustomize", this)


class _Trace:
    """The lines whose objects are alive.

    The trace itself takes memory, so it begins after half of the requests or of the time, and nothing is
    measured from then on. The first lines are stored after a further tenth, the last ones after each tenth
    that follows.
    """

    def __init__(self, library, record):
        import ctypes

        head = ctypes.cast(record, ctypes.POINTER(ctypes.c_uint64 * 4)).contents
        self.requests, self.nanoseconds, self.begun = head[1], head[2], head[3]
        self.store = library.supervise_hunt_trace
        self.store.argtypes = [
            ctypes.c_int, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t]
        self.store.restype = None
        self.tenths = 0

    def reach(self, requests):
        """Returns whether the trace has begun."""
        import time
        import tracemalloc

        age = time.clock_gettime_ns(time.CLOCK_MONOTONIC) - self.begun
        tenths = max(
            10 * requests // max(1, self.requests), 10 * age // max(1, self.nanoseconds))
        if tenths < 5:
            return False
        if self.tenths < 5:
            tracemalloc.start(1)
            self.tenths = 5
        elif tenths > self.tenths:
            self.write(0 if self.tenths == 5 else 1, requests)
            self.tenths = max(6, tenths)
        return True

    def write(self, number, requests):
        import _tracemalloc

        lines = {}
        for trace in _tracemalloc._get_traces():
            line = trace[2][0]
            lines[line] = lines.get(line, 0) + trace[1]
        order = sorted(lines.items(), key=lambda entry: -entry[1])
        text = "".join("%d %s:%d\n" % (size, line[0], line[1]) for line, size in order)
        text = text.encode("utf-8", "replace")
        self.store(number, requests, text, len(text))


class _Objects:
    """The bytes of Python's small objects, which malloc does not count. Their memory comes from larger pieces,
    so only Python's own statistics show how much of it is in use."""

    # The mean size of a block, for an interpreter without these statistics.
    block = 72

    def __init__(self):
        import ctypes

        libc = ctypes.CDLL(None)
        self.text, self.size = ctypes.c_char_p(), ctypes.c_size_t()
        self.string_at = ctypes.string_at
        try:
            self.write = ctypes.pythonapi._PyObject_DebugMallocStats
            self.write.argtypes = [ctypes.c_void_p]
        except AttributeError:
            self.write = None
            return
        libc.open_memstream.restype = ctypes.c_void_p
        self.stream = ctypes.c_void_p(
            libc.open_memstream(ctypes.byref(self.text), ctypes.byref(self.size)))
        self.rewind, self.flush = libc.rewind, libc.fflush

    def bytes(self):
        if self.write is None or not self.stream:
            return self.block * sys.getallocatedblocks()
        self.rewind(self.stream)
        self.write(self.stream)
        self.flush(self.stream)
        text = self.string_at(self.text, self.size.value)
        # There is no such line if all objects come from malloc.
        start = text.rfind(b"# bytes in allocated blocks")
        if start < 0:
            return 0
        line = text[start:text.find(b"\n", start)]
        return int(line.split(b"=")[1].replace(b",", b""))


def _begin(trace):
    import ctypes
    import gc

    library = ctypes.CDLL(None)
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint32)
    begin = library.supervise_hunt_begin
    begin.argtypes = [ctypes.c_void_p]
    begin.restype = ctypes.c_void_p
    record = begin(None)
    if not record:
        return
    tracing = _Trace(library, record) if trace else None
    objects = _Objects()

    def measure(requests):
        try:
            gc.collect()
            if tracing and tracing.reach(requests):
                return -1
            return objects.bytes()
        except BaseException:
            return -1

    function = kind(measure)
    begin(ctypes.cast(function, ctypes.c_void_p))
    import atexit

    atexit.register(begin, None)
    # The library calls the function as long as the process lives.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(function))


def _main():
    trace = False
    try:
        trace = _restore_environment()
    finally:
        _run_own_sitecustomize()
    if sys.implementation.name == "cpython":
        try:
            _begin(trace)
        except (AttributeError, ImportError, OSError):
            # The library is not loaded, or there is no ctypes: the requests are measured otherwise.
            pass


_main()
