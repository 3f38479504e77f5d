"""The mold of supervise for Python 3.8 and later: loads a program once and forks its workers.

supervise runs this file for `mold = auto`; `supervise help molds` describes the protocol. It imports
the modules of mold-import and those that the command's script imports, and then waits for orders on
the socket in $SUPERVISE_MOLD. Each order becomes a forked process that runs the command as if the
interpreter had been started for it.

A module finds this file as sys.modules["supervise_mold"], and may call its at_start.
"""

import array
import atexit
import ctypes
import errno
import fcntl
import gc
import importlib
import os
import signal
import socket
import sys
import time

VERSION = b"1"
FIRST_DESCRIPTOR = 3
# SCM_MAX_FD of unix(7).
MOST_DESCRIPTORS = 253
ZEROS = b"0" * 32
PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
# Options of python that take a value.
VALUED = ("-X", "-W", "--check-hash-based-pycs")

# Modules that a server imports by name only when it runs.
IMPORTED_LATE = {
    "uvicorn": [
        "uvicorn.config", "uvicorn.server", "uvicorn.lifespan.on", "uvicorn.loops.auto",
        "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto",
    ],
    "gunicorn": ["gunicorn.arbiter", "gunicorn.workers.sync", "gunicorn.glogging"],
    "hypercorn": ["hypercorn.asyncio", "hypercorn.asyncio.run", "hypercorn.protocol"],
    "waitress": ["waitress.server", "waitress.channel"],
}


# What to call in each worker before its program.
start_functions = []


def at_start(function):
    """For modules that depend on the environment or the descriptors of a worker. Calls the function in
    each worker before its program; in a worker, at once."""
    if Mold.is_worker:
        function()
    else:
        start_functions.append(function)


class Order:
    """One worker to fork: see `supervise help molds`."""

    def __init__(self, content, channel, output, descriptors):
        fields = content.split(b"\0")
        if fields.pop() != b"" or fields[0] != VERSION:
            raise ValueError("the order has an unknown version")
        self.parent = int(fields[2])
        self.death_signal = int(fields[3])
        count = int(fields[4])
        self.arguments = fields[5:5 + count]
        self.environment = fields[5 + count:]
        self.channel = channel
        self.output = output
        self.descriptors = descriptors


class Command:
    """What the command line of a worker runs."""

    def __init__(self, arguments, path):
        self.words = [os.fsdecode(word) for word in arguments]
        program = self.words[0]
        self.module = self.code = None
        if is_python(program):
            index = self._skip_options()
            option = self.words[index] if index < len(self.words) else "-"
            if option.startswith("-m") or option.startswith("-c"):
                value = option[2:]
                if not value:
                    index += 1
                    value = self.words[index]
                if option.startswith("-m"):
                    self.module = value
                else:
                    self.code = value
                self.argv = [option[:2]] + self.words[index + 1:]
            elif option == "-":
                raise ValueError("the command reads its program from the standard input")
            else:
                self.script = option
                self.argv = self.words[index:]
        else:
            self.script = find(program, path)
            self.argv = [self.script] + self.words[1:]

    def _skip_options(self):
        index = 1
        while index < len(self.words):
            word = self.words[index]
            if word == "--":
                return index + 1
            if not word.startswith("-") or word == "-" or word[:2] in ("-m", "-c"):
                return index
            # -um and -uc: flags without values in front of the last letter.
            if not word.startswith("--") and word[-1] in "mc" and word[:2] not in VALUED:
                self.words[index:index + 1] = [word[:-1], "-" + word[-1]]
                return index + 1
            index += 2 if word in VALUED else 1
        return index

    def search_folder(self):
        """What python puts first in sys.path."""
        if self.module is not None:
            return os.getcwd()
        if self.code is not None:
            return ""
        return os.path.dirname(os.path.realpath(self.script))

    def set_arguments(self):
        """In place: a module may have kept the list when it was imported."""
        sys.argv[:] = self.argv
        if hasattr(sys, "orig_argv"):
            sys.orig_argv = self.words

    def run(self):
        if self.module is not None:
            import runpy
            make_main()
            runpy._run_module_as_main(self.module)
        elif self.code is not None:
            exec(compile(self.code, "<string>", "exec"), make_main().__dict__)
        elif os.path.isdir(self.script) or is_archive(self.script):
            import runpy
            sys.path.insert(0, self.script)
            runpy.run_path(self.script, run_name="__main__")
        else:
            with open(self.script, "rb") as file:
                text = file.read()
            import importlib.machinery
            main = make_main()
            main.__file__ = self.script
            main.__cached__ = None
            main.__loader__ = importlib.machinery.SourceFileLoader("__main__", self.script)
            exec(compile(text, self.script, "exec"), main.__dict__)


def is_python(program):
    return os.path.basename(program).startswith("python")


def is_archive(path):
    import zipfile
    return zipfile.is_zipfile(path)


def make_main():
    main = type(sys)("__main__")
    main.__builtins__ = __builtins__
    sys.modules["__main__"] = main
    return main


def find(program, path):
    if "/" in program:
        return program
    for folder in path.split(":"):
        candidate = os.path.join(folder, program)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise FileNotFoundError(errno.ENOENT, "no such program in PATH", program)


def is_safe_path():
    return bool(getattr(sys.flags, "safe_path", False) or sys.flags.isolated)


def set_first_path(folder):
    """Replaces the folder of this file, which python has put first, if it has."""
    if is_safe_path():
        return
    if sys.path and sys.path[0] in Mold.own_folders:
        del sys.path[0]
    sys.path.insert(0, folder)


def imports_of(command):
    """The modules that the script imports at its top level: those of a console script are all that
    it has."""
    if command.module is not None:
        return [command.module.split(".")[0]]
    if command.code is not None:
        return []
    import ast
    try:
        with open(command.script, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return []
    names = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module != "__future__":
            names.append(node.module)
    return names


def warm_up(command):
    """Imports what the workers will need. A module of mold-import must be there; what the command
    imports by itself may depend on what it does before."""
    set_first_path(command.search_folder())
    working_folder = os.getcwd()
    # As -m and uvicorn do: modules beside the command are found in the working directory.
    sys.path.insert(0, working_folder)
    try:
        for name in os.environ.pop("SUPERVISE_MOLD_IMPORT", "").split():
            importlib.import_module(name)
        for name in imports_of(command):
            import_if_possible(name)
        for server, names in IMPORTED_LATE.items():
            if server in sys.modules:
                for name in names:
                    import_if_possible(name)
    finally:
        if working_folder in sys.path:
            sys.path.remove(working_folder)


def import_if_possible(name):
    try:
        importlib.import_module(name)
    except Exception:
        pass


class Mold:
    own_folders = ()
    is_worker = False

    def __init__(self):
        number = int(os.environ.pop("SUPERVISE_MOLD"))
        self.socket = socket.socket(fileno=number)
        os.set_inheritable(number, False)
        self.limit = number
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.block = Block()
        Mold.own_folders = (os.path.dirname(__file__), os.path.dirname(os.path.realpath(__file__)))
        if __file__.startswith("/proc/self/fd/"):
            os.close(int(os.path.basename(__file__)))
        self.environment = dict(os.environb)

    def load(self):
        words = [os.fsencode(word) for word in sys.argv[1:]]
        if words:
            command = Command(words, os.environ.get("PATH", "/bin:/usr/bin"))
            command.set_arguments()
            warm_up(command)
        gc.collect()
        gc.freeze()
        # Its own end is orderly, whatever a module installed: temporary files are removed.
        self.terminate = signal.signal(signal.SIGTERM, self.end)

    @staticmethod
    def end(number, frame):
        sys.exit(0)

    def serve(self):
        """Forks for each order. Returns in the workers alone; the end of the socket is the mold's."""
        self.socket.send(b"READY=1")
        while True:
            order = self.receive()
            if order is None:
                sys.exit(0)
            # What is buffered would be written by the worker too.
            flush()
            if self.fork(order):
                return order
            order.channel.close()
            close_all(order.output + order.descriptors)

    def receive(self):
        room = socket.CMSG_SPACE(MOST_DESCRIPTORS * array.array("i").itemsize)
        while True:
            message, parts, flags, _ = self.socket.recvmsg(4096, room, socket.MSG_CMSG_CLOEXEC)
            if not message and not parts:
                return None
            numbers = array.array("i")
            for level, kind, data in parts:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    numbers.frombytes(data)
            if len(numbers) < 2:
                # The master sees the end of the channel.
                close_all(numbers)
                continue
            channel = socket.socket(fileno=numbers[1])
            rest = numbers[2:]
            try:
                if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
                    raise ValueError("the mold lacks descriptors for the order (limit-nofile)")
                content = os.pread(numbers[0], os.fstat(numbers[0]).st_size, 0)
                count = 1 if message.endswith(b" OUTPUT") else 0
                return Order(content, channel, list(rest[:count]), list(rest[count:]))
            except (OSError, ValueError, IndexError) as error:
                send(channel, "FAILED=order: %s" % error)
                channel.close()
                close_all(rest)
            finally:
                os.close(numbers[0])

    def fork(self, order):
        """Forks twice: the worker's parent is to be supervise. True in the worker."""
        try:
            import warnings
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
        except OSError as error:
            send(order.channel, "FAILED=fork: %s" % error.strerror)
            return False
        if child > 0:
            os.waitpid(child, 0)
            return False
        try:
            # Until it is known who it is, a signal ends it.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            middle = os.getpid()
            try:
                child = os.fork()
            except OSError as error:
                send(order.channel, "FAILED=fork: %s" % error.strerror)
                os._exit(1)
            if child > 0:
                os._exit(0)
            while os.getppid() == middle:
                time.sleep(0.0002)
            self.introduce(order)
            return True
        except BaseException:
            os._exit(1)

    def introduce(self, order):
        if os.getppid() != order.parent:
            send(
                order.channel,
                "FAILED=parent: process %d has adopted the worker instead of supervise (%d): a "
                "wrapper of the mold is a subreaper" % (os.getppid(), order.parent))
            os._exit(1)
        os.setpgid(0, 0)
        self.libc.prctl(PR_SET_PDEATHSIG, order.death_signal, 0, 0, 0)
        if os.getppid() != order.parent:
            os._exit(1)
        order.channel.send(b"HERE")
        if order.channel.recv(16) != b"GO":
            os._exit(1)

    def become_worker(self, order):
        """Everything that execve(2) would have done. Returns the command."""
        signal.signal(signal.SIGTERM, self.terminate or signal.SIG_DFL)
        forget_exit_handlers()
        identity = [entry for entry in order.environment if entry.startswith(IDENTITY)]
        self.block.set_identity(identity[0] if identity else b"")
        self.block.set_arguments(order.arguments)
        name = os.path.basename(order.arguments[0])[:15]
        self.libc.prctl(PR_SET_NAME, name, 0, 0, 0)
        self.place(order)
        self.set_environment(order.environment)
        begin = getattr(self.libc, "supervise_worker_begin", None)
        if begin is not None:
            begin()
        reseed()
        command = Command(order.arguments, os.environ.get("PATH", "/bin:/usr/bin"))
        set_first_path(command.search_folder())
        command.set_arguments()
        Mold.is_worker = True
        for function in start_functions:
            function()
        order.channel.close()
        return command

    def place(self, order):
        """The worker's descriptors become 3, 4, 5 and so on. The numbers were kept free for them."""
        self.socket.close()
        past = max(self.limit, FIRST_DESCRIPTOR + len(order.descriptors)) + 1
        high = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, past) for number in order.descriptors]
        if order.channel.fileno() < past:
            moved = fcntl.fcntl(order.channel.fileno(), fcntl.F_DUPFD_CLOEXEC, past)
            order.channel.close()
            order.channel = socket.socket(fileno=moved)
        for number in order.output:
            os.dup2(number, 1)
            os.dup2(number, 2)
        close_all(order.output + order.descriptors)
        for index, number in enumerate(high):
            os.dup2(number, FIRST_DESCRIPTOR + index, inheritable=True)
            os.close(number)
        for number in range(FIRST_DESCRIPTOR + len(high), self.limit):
            if is_null(number):
                os.close(number)

    def set_environment(self, entries):
        """The worker's own, and on top of it what the imported modules changed, as if they had been
        imported now."""
        wanted = {}
        for entry in entries:
            name, _, value = entry.partition(b"=")
            if name in (b"LISTEN_PID", b"SUPERVISE_WORKER_PID") and not value:
                value = b"%d" % os.getpid()
            wanted[name] = value
        for name, value in os.environb.items():
            if self.environment.get(name) != value:
                wanted[name] = value
        for name in self.environment:
            if name not in os.environb:
                wanted.pop(name, None)
        for name in list(os.environb):
            if name not in wanted:
                del os.environb[name]
        for name, value in wanted.items():
            os.environb[name] = value


IDENTITY = b"SUPERVISE_WORKER_ID="


def close_all(numbers):
    for number in numbers:
        os.close(number)


def is_null(number):
    try:
        return os.fstat(number).st_rdev == os.stat("/dev/null").st_rdev
    except OSError:
        return False


class Block:
    """The memory in which execve(2) stored the arguments and the environment (proc_pid_stat(5)): what
    /proc/PID/cmdline and environ show."""

    def __init__(self):
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        self.arguments, self.arguments_end, start, end = (int(field) for field in fields[45:49])
        environment = ctypes.string_at(start, end - start) if start else b""
        place = environment.find(IDENTITY + ZEROS)
        self.identity = start + place if place >= 0 else None

    def set_identity(self, entry):
        if self.identity is not None and len(entry) == len(IDENTITY) + len(ZEROS):
            ctypes.memmove(self.identity, entry, len(entry))

    def set_arguments(self, words):
        room = self.arguments_end - self.arguments
        if self.arguments == 0 or room <= 0:
            return
        # Its last byte stays 0, or the kernel would take the environment for more of it.
        text = b"".join(word + b"\0" for word in words)[:room - 1]
        ctypes.memmove(self.arguments, text.ljust(room, b"\0"), room)


def forget_exit_handlers():
    """What ran in the mold belongs to the mold: a worker that ends must not remove its files. What the
    standard library has registered there is registered anew."""
    atexit._clear()
    weakref = sys.modules.get("weakref")
    if weakref is not None:
        weakref.finalize._registry.clear()
        weakref.finalize._registered_with_atexit = False
    for name, function in (("logging", "shutdown"), ("multiprocessing.util", "_exit_function")):
        module = sys.modules.get(name)
        if module is not None:
            atexit.register(getattr(module, function))


def reseed():
    """random reseeds itself after a fork, numpy does not."""
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()


def send(channel, text):
    try:
        channel.send(os.fsencode(text)[:1024])
    except OSError:
        pass


def flush():
    """False if output is lost. Python ignores streams that the program has closed."""
    is_complete = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except Exception:
            is_complete = False
    return is_complete


def run(command):
    """Ends as the interpreter would: threads, exit handlers, output, exit status."""
    code = 0
    interrupted = False
    try:
        command.run()
    except SystemExit as end:
        code = exit_status(end.code)
    except BaseException as error:
        code = 1
        interrupted = isinstance(error, KeyboardInterrupt)
        # Without the frames of this file.
        traceback = error.__traceback__
        while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
            traceback = traceback.tb_next
        sys.excepthook(type(error), error.with_traceback(traceback), traceback)
    try:
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()
        atexit._run_exitfuncs()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    if not flush():
        code = code or 120
    if interrupted:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code)


def exit_status(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def main():
    sys.modules["supervise_mold"] = sys.modules["__main__"]
    mold = Mold()
    mold.load()
    order = mold.serve()
    try:
        command = mold.become_worker(order)
    except BaseException as error:
        send(order.channel, "FAILED=start: %s: %s" % (type(error).__name__, error))
        os._exit(1)
    run(command)


if __name__ == "__main__":
    main()
