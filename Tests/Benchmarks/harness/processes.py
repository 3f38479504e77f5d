"""Programs under measurement: starts them, reads their /proc, and ends them with all their
processes."""
import os
import re
import signal
import subprocess
import time

PAGE = os.sysconf("SC_PAGESIZE")


class Trouble(Exception):
    """A program did not do what the measurement requires."""


def read(path):
    """Returns the text of a file, or "" if the process has exited."""
    try:
        with open(path) as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def tasks(pid):
    try:
        return os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return []


def children(pid):
    return [int(child) for task in tasks(pid)
            for child in read(f"/proc/{pid}/task/{task}/children").split()]


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def is_alive(pid):
    state = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return bool(state) and state[0] not in "ZX"


def started_at(pid):
    """Returns the start time of a process in ticks. Together with the pid it identifies the
    process."""
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[19] if fields else None


def resident_bytes(pid):
    fields = read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * PAGE if fields else 0


def private_bytes(pid):
    """Returns the memory that the process shares neither with another process nor with a file. In a
    mapping of a file, a second such process would not need another copy of a page."""
    total, mapping = 0, {}
    for name, value in re.findall(r"^(Size|Private_Clean|Private_Dirty|Anonymous):\s+(\d+)",
                                  read(f"/proc/{pid}/smaps") + "Size: 0\n", re.M):
        if name == "Size" and mapping:
            total += min(mapping["Anonymous"], mapping["Private_Clean"] + mapping["Private_Dirty"])
            mapping = {}
        mapping[name] = int(value)
    return 1024 * total


def wakeups(pid):
    """Returns how often the process has slept so far, which equals the number of its wakeups."""
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M)[1])
               for task in tasks(pid) if (text := read(f"/proc/{pid}/task/{task}/status")))


def processor_seconds(pid):
    """Returns the processor time of all threads, which other load does not affect."""
    texts = [read(f"/proc/{pid}/task/{task}/schedstat") for task in tasks(pid)]
    return sum(int(text.split()[0]) for text in texts if text) / 1e9


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def wait_until(condition, what, seconds=30, pause=0.002):
    """Polls until the condition holds, and returns its result."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Trouble(f"not within {seconds} s: {what}")
        time.sleep(pause)


class Program:
    """A program that runs inside a `with` and leaves no process behind."""

    def __init__(self, command, folder, environment=None, stop=signal.SIGTERM, stop_seconds=10):
        self.folder = folder
        self.stop_signal, self.stop_seconds = stop, stop_seconds
        self.log_path = os.path.join(folder, "log")
        # Settings of the harness in the environment would change the master under measurement.
        variables = {name: value for name, value in os.environ.items()
                     if not name.startswith(("SUPERVISE_", "LISTEN_", "NOTIFY_"))}
        variables |= {"XDG_RUNTIME_DIR": folder, **(environment or {})}
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], cwd=folder, env=variables, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self.process.pid

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def signal(self, number):
        self.process.send_signal(number)

    def wait_until(self, condition, what, seconds=30, pause=0.002):
        """Does the same as the function, but stops waiting if the program has ended."""
        def look():
            if self.process.poll() is not None:
                raise Trouble(f"ended with {self.process.returncode} before {what}: "
                              + self.log()[-600:])
            return condition()
        return wait_until(look, what, seconds, pause)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        tree = {pid: started_at(pid) for pid in descendants(self.pid)}
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            tree |= {pid: started_at(pid) for pid in descendants(self.pid)}
            self.process.kill()
            self.process.wait()
        left = [pid for pid, start in tree.items() if start and started_at(pid) == start]
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        wait_until(lambda: not any(started_at(pid) == tree[pid] and is_alive(pid) for pid in left),
                   "the end of a program's processes", pause=0.01)
