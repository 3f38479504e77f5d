"""A file system whose only file, /page, never responds to a read: mounts it on the folder of the first
argument and prints `ready`. What waits for the file gets an error when this ends. Needs root and
/dev/fuse (fuse(4)).

The protocol is that of linux/fuse.h, as little of it as a program needs to open and map the file.
"""
import ctypes, os, struct, sys, threading

LOOKUP, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, OPENDIR = 1, 3, 14, 15, 17, 18, 25, 26, 27
FORGET, INTERRUPT, BATCH_FORGET, DESTROY = 2, 36, 42, 38
folder = os.path.realpath(sys.argv[1])
device = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
if libc.mount(b"stuck", folder.encode(), b"fuse", 0, options.encode()) != 0:
    sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")


def attributes(node):
    mode = 0o40755 if node == 1 else 0o100666
    return struct.pack("=QQQQQQIIIIIIIIII", node, 1 << 20, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(opcode, node, body):
    """The error and the bytes; None means no response."""
    if opcode == INIT:
        return 0, struct.pack("=IIIIHHIIHHIIHH", 7, 31, 65536, 0, 12, 9, 65536, 1, 1, 0, 0, 0, 0, 0) + bytes(20)
    if opcode == LOOKUP:
        if node == 1 and body.rstrip(b"\0") == b"page":
            return 0, struct.pack("=QQQQII", 2, 0, 3600, 3600, 0, 0) + attributes(2)
        return -2, b""
    if opcode == GETATTR:
        return 0, struct.pack("=QII", 3600, 0, 0) + attributes(node)
    if opcode in (OPEN, OPENDIR):
        return 0, struct.pack("=QII", 1, 0, 0)
    if opcode == STATFS:
        return 0, struct.pack("=QQQQQIIII24s", 1, 1, 1, 1, 1, 4096, 255, 4096, 0, b"")
    if opcode in (READ, FORGET, BATCH_FORGET, INTERRUPT):
        return None
    if opcode in (RELEASE, FLUSH, DESTROY):
        return 0, b""
    return -38, b""


def serve():
    while True:
        try:
            request = os.read(device, 1 << 17)
        except OSError:
            return
        length, opcode, unique, node = struct.unpack_from("=IIQQ", request)
        reply = answer(opcode, node, request[40:])
        if reply:
            error, data = reply
            os.write(device, struct.pack("=IiQ", 16 + len(data), error, unique) + data)


server = threading.Thread(target=serve)
server.start()
os.stat(folder + "/page")
print("ready", flush=True)
server.join()
