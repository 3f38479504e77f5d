"""Receives the notifications of a service in place of systemd, and records them.

    notified.py ADDRESS     a path, or `@name` for a name that is no file (unix(7))

Each datagram becomes a JSON line: when it came (CLOCK_MONOTONIC), who sent it, what it says.
"""
import json, socket, struct, sys, time

address = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
receiver.bind("\0" + address[1:] if address.startswith("@") else address)
print(json.dumps({"time": time.monotonic(), "pid": 0, "text": ""}), flush=True)
while True:
    data, control, _, _ = receiver.recvmsg(4096, socket.CMSG_SPACE(12))
    pid, _, _ = struct.unpack("iII", control[0][2])
    print(json.dumps({"time": time.monotonic(), "pid": pid, "text": data.decode()}), flush=True)
