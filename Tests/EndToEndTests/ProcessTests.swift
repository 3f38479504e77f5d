import Glibc
import Testing

/// The environment of a worker, and the processes that it leaves behind.
@Suite(.takesTurn) struct ProcessTests {
    @Test func surroundings() async throws {
        let folder = try Folder()
        try folder.write("env", "# a comment\nFROM_FILE=one\nBOTH=file\n")
        let master = try Supervise.web(
            [
                "--clear-env=yes", "--env-file", folder["env"], "--env", "BOTH=option", "--env",
                "PATH=/usr/bin:/bin", "--chdir", folder.path, "--umask", "027", "--limit-nofile",
                "512", "--limit-core", "0", "--nice", "5", "--oom-score-adjust", "100",
            ], environment: ["INHERITED": "yes"])
        let facts = try await master.facts()
        #expect(facts.env["INHERITED"] == nil && facts.env["FROM_FILE"] == "one")
        #expect(facts.env["BOTH"] == "option" && facts.cwd == folder.path)
        #expect(facts.umask == 0o027 && facts.nice == 5 && facts.oom == 100)
        #expect(facts.limits["nofile"] == 512 && facts.limits["core"] == 0)
        #expect(facts.group == facts.pid)
    }

    @Test func theEnvironmentIsInheritedButNotTheMastersOwn() async throws {
        let master = try Supervise.web(
            environment: [
                "INHERITED": "yes", "LISTEN_FDNAMES": "stray", "SUPERVISE_WORKER_ID": "stray",
                "EINHORN_FD_9": "9", "WATCHDOG_USEC": "1",
            ])
        let facts = try await master.facts()
        #expect(facts.env["INHERITED"] == "yes" && facts.env["LISTEN_FDNAMES"] != "stray")
        #expect(facts.env["SUPERVISE_WORKER_ID"]?.count == 32)
        #expect(facts.env["SUPERVISE_LOG_FORMAT"] == nil && facts.env["EINHORN_FD_9"] == nil)
        #expect(facts.env["WATCHDOG_USEC"] == nil && facts.env["LISTEN_PID"] == "\(facts.pid)")
    }

    /// Kernels before 5.9, and containers that forbid the call.
    @Test(.needs("cc"), arguments: ["ENOSYS", "EPERM"])
    func withoutCloseRangeWorkersStartAndGetNoMore(error: String) async throws {
        let folder = try Folder()
        let library = try await library(
            named: "old",
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <errno.h>
            #include <sys/syscall.h>
            long syscall(long number, long a, long b, long c, long d, long e, long f) {
                if (number == SYS_close_range) {
                    errno = \(error);
                    return -1;
                }
                long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
                return real(number, a, b, c, d, e, f);
            }
            """, in: folder)
        let master = try Supervise(
            ["--bind", "127.0.0.1:0", "--workers", "2", "--adopt", "off", "--count", "off"]
                + ["--ready", "exec", "--", "sh", "-c", "ls -l /proc/self/fd >&2; exec sleep 600"],
            wrapper: ["env", "LD_PRELOAD=\(library)"], folder: folder)
        try await master.waitForWorkers(2)
        try await eventually("what they have open") {
            master.folder.lines("stderr").count { $0.contains("/proc/") } >= 2
        }
        // Input, output, errors, the listener, and the directory that is being listed.
        let open = master.folder.lines("stderr").filter { $0.contains(" -> ") }
        #expect(open.count == 2 * 5, "\(open)")
        #expect(open.count { $0.contains("socket:") } == 2)
        #expect(try await master.stop() == .exited(0))
    }

    @Test(.needsRoot) func anotherUser() async throws {
        // A program that every user may read: the checkout may be in a private directory.
        let script = """
            import os, time
            os.write(1, f"{os.getuid()} {os.getgid()} {os.getgroups()}\\n".encode())
            time.sleep(600)
            """
        let master = try Supervise([
            "--user", "65534", "--group", "65534", "--", "python3", "-c", script,
        ])
        try await master.waitForWorkers(1)
        let line = try #require(master.folder.lines("stdout").first)
        #expect(line.hasPrefix("65534 65534 "))
        #expect(!line.contains("[0") && !line.contains(", 0"))
        #expect(try await master.stop() == .exited(0))
    }

    @Test func theFamilyOfADeadWorkerIsEnded() async throws {
        let folder = try Folder()
        let master = try Supervise(
            [
                "--graceful-timeout", "1s", "--", "python3", Place.worker("family"), "child",
                "deaf",
                "daemon",
            ], environment: ["PIDS": folder["pids"]])
        let worker = try await master.waitForWorkers(1)[0]
        try await master.wait("the family") { folder.lines("pids").count == 4 }
        let family = folder.lines("pids").compactMap { pid_t($0.prefix { $0 != " " }) }
        kill(worker.pid, SIGKILL)
        try await master.wait("the family's end") {
            !family.contains(where: ProcessTable.isAlive)
        }
        try await master.waitForWorkers(1, without: [worker])
        #expect(master.log.contains { $0.event == "orphans-found" && $0["level"] == "info" })
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test func aStopEndsTheFamilies() async throws {
        let folder = try Folder()
        let master = try Supervise(
            [
                "--graceful-timeout", "1s", "--", "python3", Place.worker("family"), "child",
                "daemon",
            ],
            environment: ["PIDS": folder["pids"]])
        try await master.wait("the family") { folder.lines("pids").count == 3 }
        #expect(try await master.stop() == .exited(0))
        let family = folder.lines("pids").compactMap { pid_t($0.prefix { $0 != " " }) }
        #expect(family.count >= 3 && !family.contains(where: ProcessTable.isAlive))
    }

    /// A daemon that overwrites its environment, as nginx does, is identified by its descriptors.
    @Test(arguments: ["", "exec 4<&-;"])
    func aDaemonWithoutItsEnvironmentEndsToo(closing: String) async throws {
        let master = try Supervise([
            "--bind", "127.0.0.1:0", "--graceful-timeout", "1s", "--restart", "never", "--", "sh",
            "-c", "\(closing) setsid env -i sleep 1000 & exit 0",
        ])
        _ = try await master.waitForExit()
        #expect(master.log.contains { $0.event == "orphans-found" })
        #expect(master.leftBehind.isEmpty)
    }

    /// Its state is Z, but it cannot be reaped, and its environment is not in the usual file. If it
    /// has none, its worker is unknown, and the stop must not wait for it.
    @Test(arguments: [true, false])
    func aProcessWhoseMainThreadHasExitedDelaysNoStop(hasEnvironment: Bool) async throws {
        let folder = try Folder()
        let script = try folder.write(
            "leaderless.py",
            """
            import ctypes, os, platform, sys, threading, time
            os.closerange(0, 64)
            threading.Thread(target=time.sleep, args=(600,)).start()
            with open(sys.argv[1] + ".new", "w") as file:
                file.write(str(os.getpid()))
            os.rename(sys.argv[1] + ".new", sys.argv[1])
            # exit(2) of this thread only.
            number = 60 if platform.machine() == "x86_64" else 93
            ctypes.CDLL(None).syscall(number, 0)
            """)
        let prefix = hasEnvironment ? "" : "env -i "
        let master = try Supervise([
            "--graceful-timeout", "1s", "--", "sh", "-c",
            "setsid \(prefix)$(command -v python3) \(script) \(folder["pid"]) & "
                + "setsid sleep 600 & wait",
        ])
        let pid = try await eventually("the process", context: { master.tail }) {
            readFile(folder["pid"]).flatMap { pid_t($0) }
        }
        try await master.wait("the end of its main thread") {
            ProcessTable.entry(pid)?.isZombie == true
        }
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
        if hasEnvironment { #expect(ProcessTable.entry(pid) == nil) }
    }

    @Test(.needsRoot) func asProcessOneItReapsUnrelatedChildren() async throws {
        let master = try Supervise(
            ["--bind", "127.0.0.1:0", "--workers", "2", "--", Place.helloWorker],
            wrapper: ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
        let pid = try await master.pid()
        try await master.wait("two workers") { master.workers(of: pid).count == 2 }
        try await master.waitForLog("ready") { $0.event == Event.ready }
        // The master may have a helper of its own besides.
        func strangers() -> [pid_t] {
            ProcessTable.entries().filter { $0.parent == pid }.map(\.pid).filter {
                ["sh", "sleep"].contains(readFile("/proc/\($0)/comm")?.dropLast() ?? "")
            }
        }
        let folder = try Folder()
        let stranger = try Cage(
            [
                "nsenter", "--target", "\(pid)", "--pid", "sh", "-c",
                "(sleep 2; exit 7) & (sleep 2; exit 0) &",
            ],
            environment: baseEnvironment, output: folder["out"], errors: folder["err"])
        try await eventually("two strangers", context: { readFile(folder["err"]) ?? "" }) {
            strangers().count == 2
        }
        try await master.wait("their end") {
            strangers().isEmpty
        }
        #expect(stranger.status == .exited(0) && master.isRunning)
        #expect(!master.log.contains { $0["level"] == "error" })
        kill(pid, SIGTERM)
        #expect(try await master.waitForExit() == .exited(0))
    }

    @Test func anIdleMasterSleeps() async throws {
        let master = try Supervise.hello(["--workers", "2", "--stable-after", "500ms"])
        try await master.waitForWorkers(2)
        // The last deadlines of the start expire.
        try await Task.sleep(for: .seconds(4))
        let before = try await master.contextSwitches()
        try await Task.sleep(for: .seconds(5))
        #expect(try await master.contextSwitches() == before)
    }
}
