"""Records that a program runs and, after BOOT_SECONDS, that it is ready."""
import os
import struct
import time

_file = os.open(os.environ["STAMP_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)


def stamp(kind):
    os.write(_file, struct.pack("=QQQ", os.getpid(), time.monotonic_ns(), kind))


def boot():
    stamp(0)
    time.sleep(float(os.environ.get("BOOT_SECONDS", 0)))
    stamp(1)
