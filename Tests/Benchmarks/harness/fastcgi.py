"""A minimal FastCGI client, because php-fpm supports no other protocol."""
import os
import socket
import struct

BEGIN, PARAMETERS, INPUT = 1, 4, 5
RESPONDER = struct.pack("!HB5x", 1, 0)


def _record(kind, content=b""):
    return struct.pack("!BBHHBx", 1, kind, 1, len(content), 0) + content


def _parameter(name, value):
    # A length has four bytes if its first bit is set.
    return struct.pack("!II", 1 << 31 | len(name), 1 << 31 | len(value)) + name + value


def ask(path, script):
    """Makes the server at a unix socket run a script, and waits for the end of its response."""
    parameters = _parameter(b"REQUEST_METHOD", b"GET") \
        + _parameter(b"SCRIPT_FILENAME", os.fsencode(script))
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        client.sendall(_record(BEGIN, RESPONDER) + _record(PARAMETERS, parameters)
                       + _record(PARAMETERS) + _record(INPUT))
        while client.recv(4096):
            continue
