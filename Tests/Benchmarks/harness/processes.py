"""Programs under measurement: started, looked at in /proc, and ended with all that is theirs."""
import os
import re
import signal
import subprocess
import time

PAGE = os.sysconf("SC_PAGESIZE")


class Trouble(Exception):
    """A program did not do what the measurement is about."""


def read(path):
    """The text of a file, "" where the process is gone."""
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
    """When a process started, in ticks: with its number, who it is."""
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[19] if fields else None


def resident_bytes(pid):
    fields = read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * PAGE if fields else 0


def private_bytes(pid):
    """What the process shares neither with another process nor with a file: of a mapping, a page of
    the program's text is one that another such process would not take again."""
    total, mapping = 0, {}
    for name, value in re.findall(r"^(Size|Private_Clean|Private_Dirty|Anonymous):\s+(\d+)",
                                  read(f"/proc/{pid}/smaps") + "Size: 0\n", re.M):
        if name == "Size" and mapping:
            total += min(mapping["Anonymous"], mapping["Private_Clean"] + mapping["Private_Dirty"])
            mapping = {}
        mapping[name] = int(value)
    return 1024 * total


def wakeups(pid):
    """How often the process has gone to sleep so far, which is how often it woke."""
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M)[1])
               for task in tasks(pid) if (text := read(f"/proc/{pid}/task/{task}/status")))


def processor_seconds(pid):
    """The processor time of all threads, without the load of others."""
    texts = [read(f"/proc/{pid}/task/{task}/schedstat") for task in tasks(pid)]
    return sum(int(text.split()[0]) for text in texts if text) / 1e9


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def wait_until(condition, what, seconds=30, pause=0.002):
    """Polls until the condition holds, and gives what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Trouble(f"not within {seconds} s: {what}")
        time.sleep(pause)


class Program:
    """A program that runs inside a `with`, and nothing of which is left behind it."""

    def __init__(self, command, folder, environment=None, stop=signal.SIGTERM, stop_seconds=10):
        self.folder = folder
        self.stop_signal, self.stop_seconds = stop, stop_seconds
        self.log_path = os.path.join(folder, "log")
        # A master that hands on the harness's own settings would be another one than the user's.
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
        """As the function, but a program that ended is waited for no longer."""
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
                   "the end of what a program left behind", pause=0.01)
