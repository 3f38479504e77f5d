"""Runs a command with a listening unix socket as descriptor 3, as systemd's socket activation does.

    activate.py PATH PID COMMAND [ARG...]     PID is what LISTEN_PID says; `self` is the right one
"""
import os, socket, sys

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(128)
# Via a high number: dup2 of a descriptor to itself leaves close-on-exec set.
os.dup2(os.dup2(listener.fileno(), 100), 3)
os.close(100)
os.environ["LISTEN_FDS"] = "1"
os.environ["LISTEN_PID"] = str(os.getpid()) if sys.argv[2] == "self" else sys.argv[2]
os.execvp(sys.argv[3], sys.argv[3:])
