"""A job that has children, as its arguments say: `child` (stays in the group), `deaf` (ignores
TERM), `daemon` (forked twice, a session of its own). Each pid is appended to the file PIDS. The
job itself then waits, or ends with JOB_STATUS after JOB_SECONDS."""
import os, signal, sys, time


def note(kind):
    with open(os.environ["PIDS"], "a") as file:
        file.write(f"{os.getpid()} {kind}\n")


def linger(kind):
    if kind == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(kind)
    time.sleep(600)
    os._exit(0)


for kind in sys.argv[1:]:
    if os.fork() == 0:
        if kind == "daemon":
            os.setsid()
            if os.fork() != 0:
                os._exit(0)
        linger(kind)
    elif kind == "daemon":
        os.wait()
note("job")
time.sleep(float(os.environ.get("JOB_SECONDS", 600)))
os._exit(int(os.environ.get("JOB_STATUS", 0)))
