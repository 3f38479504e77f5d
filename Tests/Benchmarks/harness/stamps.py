"""The records that workers append to a file (see programs/stamp.c)."""
import os
import struct
import threading

RUNS, READY, LAUNCHED = 0, 1, 2
RECORD = struct.Struct("=QQQ")


class Stamps:
    def __init__(self, folder):
        self.path = os.path.join(folder, "stamps")
        open(self.path, "wb").close()
        self._seen, self._read = [], 0
        self._lock = threading.Lock()

    def all(self):
        """Returns (pid, nanoseconds of the monotonic clock, kind) of all records so far, in
        order."""
        with self._lock, open(self.path, "rb") as file:
            file.seek(self._read)
            data = file.read()
            whole = len(data) - len(data) % RECORD.size
            self._seen += RECORD.iter_unpack(data[:whole])
            self._read += whole
            return self._seen

    def of_kind(self, kind):
        return [(pid, at) for pid, at, what in self.all() if what == kind]

    def count(self, kind=RUNS):
        return len(self.of_kind(kind))
