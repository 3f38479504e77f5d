"""A listener and a page, as the master holds them, for programs that load the preload library."""
import os
import socket
import struct

NONCE = "0123456789abcdef" * 2


class Held:
    """A listener and a page, as the master holds them."""

    def __init__(self, observes=False):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.page = os.memfd_create("page")
        os.ftruncate(self.page, 7 * 4096)
        os.pwrite(self.page, b"SUPERVIS" + struct.pack("=II", 1, 0) + NONCE.encode(), 0)
        os.pwrite(self.page, struct.pack("=Q", 1 << 60), 128)
        if observes:
            os.pwrite(self.page, struct.pack("=II", 1, 1), 4096)
        self.descriptors = (self.listener.fileno(), self.page)
        inode = os.fstat(self.listener.fileno()).st_ino
        self.environment = os.environ | {
            "SUPERVISE_WORKER_LISTENERS": f"{self.listener.fileno()}:{inode}",
            "SUPERVISE_WORKER_ADOPT": "1",
            "SUPERVISE_WORKER_COUNT": "1",
            "SUPERVISE_WORKER_PAGE": str(self.page),
            "SUPERVISE_WORKER_ID": NONCE,
        }

    def counted(self):
        return struct.unpack("=Q", os.pread(self.page, 8, 192))[0]

    def close(self):
        self.listener.close()
        os.close(self.page)
