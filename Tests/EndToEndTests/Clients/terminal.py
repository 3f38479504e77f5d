#!/usr/bin/env python3
"""Runs a command on a terminal of its own, sends it signals, and prints the terminal's mode.

    terminal.py SIGNAL[,SIGNAL...] COMMAND [ARG...]

Prints `raw` or `cooked` when the command has begun to read keys, and after each signal: once the
command has stopped (TSTP), reads keys again (CONT), or has ended (all others).
"""
import os, pty, select, signal, sys, termios, time

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])


def is_raw():
    return not termios.tcgetattr(terminal)[3] & termios.ICANON


def state():
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(") ")[2][0]


def wait(condition):
    """Reads the output meanwhile, or the command would block."""
    for _ in range(3000):
        if select.select([terminal], [], [], 0.01)[0]:
            try:
                os.read(terminal, 65536)
            except OSError:
                time.sleep(0.01)
        if condition():
            break
    print("raw" if is_raw() else "cooked", flush=True)


wait(is_raw)
for name in sys.argv[1].split(","):
    os.kill(pid, getattr(signal, "SIG" + name))
    wait({"TSTP": lambda: state() == "T", "CONT": is_raw}.get(name, lambda: state() == "Z"))
os.kill(pid, signal.SIGKILL)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
