"""Runs one command so that nothing of it outlives the test.

The test holds the other end of the socket that is this program's standard input. Reports go there
as lines (`pid N`, then `exit N` or `signal N`). When the test lets go of it, or dies, everything
that the command ever started is killed: as a subreaper this process is the parent of whatever lost
its own. Arguments: the file for standard output, the one for standard error, the command.
"""
import ctypes, os, select, signal, socket, sys, time

# A session of its own: whatever ends the tests' process group, as Ctrl-C and timeout(1) do, must
# leave the one alive that cleans up.
os.setsid()
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
control = socket.socket(fileno=os.dup(0))


def children():
    """The children of this process, including zombies."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit():
                with open(f"/proc/{name}/stat") as file:
                    if int(file.read().rsplit(")", 1)[1].split()[1]) == os.getpid():
                        found.append(int(name))
        except OSError:
            pass  # it has ended meanwhile
    return found


def kill_all():
    """Kills children repeatedly: their orphans become children, until none is left."""
    while pids := children():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for _ in pids:
            os.waitpid(-1, 0)


def report(line):
    try:
        control.send(line.encode() + b"\n")
    except OSError:
        pass


wake_read, wake_write = socket.socketpair()
wake_write.setblocking(False)
signal.set_wakeup_fd(wake_write.fileno(), warn_on_full_buffer=False)
signal.signal(signal.SIGCHLD, lambda *_: None)

main = os.fork()
if main == 0:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    os.dup2(os.open(sys.argv[1], flags, 0o644), 1)
    os.dup2(os.open(sys.argv[2], flags, 0o644), 2)
    # The command must not inherit descriptors of the tests' process.
    os.closerange(3, 256)
    try:
        os.execvp(sys.argv[3], sys.argv[3:])
    finally:
        os._exit(127)
report(f"pid {main}")


def is_released():
    """Whether the test has closed its end; closing with unread reports appears as a reset."""
    try:
        return not control.recv(100)
    except OSError:
        return True


try:
    while True:
        readable = select.select([control, wake_read], [], [])[0]
        if control in readable and is_released():
            break
        if wake_read in readable:
            wake_read.recv(100)
            try:
                while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                    if ended[0] == main:
                        code = os.waitstatus_to_exitcode(ended[1])
                        report(f"exit {code}" if code >= 0 else f"signal {-code}")
            except ChildProcessError:
                pass  # no child is left
finally:
    kill_all()
