import Foundation
import Testing

/// Molds and forked workers that misbehave, or run under unusual circumstances.
@Suite(.takesTurn) struct MoldFaultTests {
    private let server: ForkedServer

    init() throws { server = try ForkedServer() }

    private var folder: Folder { server.folder }

    /// The mold's descriptors must not get numbers that workers need for their own.
    @Test func aDatabaseAndALogThatAModuleOpensKeepWorking() async throws {
        let master = try server.start(
            shop: """
                import logging, os, sqlite3
                database = sqlite3.connect("\(folder["database"])")
                database.execute("create table requests (pid)")
                database.commit()
                logging.basicConfig(filename="\(folder["requests"])", level=logging.INFO)
                def answer(data):
                    logging.info("request")
                    database.execute("insert into requests values (?)", (os.getpid(),))
                    database.commit()
                    return database.execute("select count(*) from requests").fetchone()[0]

                """)
        try await master.waitForWorkers(2)
        for count in 1...20 {
            let text = try await get("/", from: server.address)
            #expect(text?.hasSuffix("\n\(count)\n") == true, "\(text ?? "")")
        }
        #expect(folder.lines("requests").count == 20)
        #expect(master.lines("mold-failed").isEmpty)
    }

    @Test func aLockThatAThreadOfTheMoldHoldsIsNotFatal() async throws {
        let master = try server.start(
            ["--ready-timeout", "3s"],
            shop: """
                import sys, threading
                lock, taken = threading.Lock(), threading.Event()
                def hold():
                    with lock:
                        taken.set()
                        # For ever in the mold, and not at all in a worker that was executed.
                        if "supervise_mold" in sys.modules:
                            threading.Event().wait()
                threading.Thread(target=hold, daemon=True).start()
                taken.wait()
                start = lock.acquire

                """ + ForkedServer.plain)
        try await master.waitForWorkers(2, deadline: .seconds(40))
        #expect(master.lines("mold-threads").first?["threads"] == "2")
        #expect(master.lines("mold-doubted").count == 1)
        #expect(master.lines("exec-instead").count >= 1)
    }

    @Test(.takesLongTurn) func aForkThatBlocksIsCancelled() async throws {
        let master = try server.start(
            shop: "import os, signal\nos.register_at_fork(before=signal.pause)\n"
                + ForkedServer.plain)
        try await master.waitForWorkers(2, deadline: .seconds(60))
        #expect(master.lines("start-failed").first?.mentions("did not report in time") == true)
        #expect(master.lines("mold-failed").first?["cause"] == "forks-fail")
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test func anOrderInProgressSurvivesAnUpgrade() async throws {
        let master = try server.start()
        let first = try await master.waitForWorkers(2)
        kill(try master.mold, SIGSTOP)
        kill(first[0].pid, SIGKILL)
        try await master.waitForEvent(Event.exit)
        #expect(try await master.command("upgrade").status == .exited(0))
        kill(try master.mold, SIGCONT)
        try await master.waitForWorkers(2, without: [first[0]])
        #expect(master.lines("start-failed").isEmpty && master.lines("exec-instead").isEmpty)
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test func aStopCancelsAnOrderInProgress() async throws {
        let master = try server.start()
        let first = try await master.waitForWorkers(2)
        let mold = try master.mold
        kill(mold, SIGSTOP)
        kill(first[0].pid, SIGKILL)
        try await master.waitForEvent(Event.exit)
        try await master.signal(SIGTERM)
        try await master.waitForEvent("stopping")
        kill(mold, SIGCONT)
        #expect(try await master.waitForExit() == .exited(0))
        #expect(master.lines(Event.started).count == 2)
        #expect(master.leftBehind.isEmpty)
    }

    @Test func aWrapperThatIsASubreaperIsNamed() async throws {
        // PR_SET_CHILD_SUBREAPER.
        try folder.write(
            "wrapper.py",
            """
            import ctypes, subprocess, sys
            ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
            subprocess.run(sys.argv[1:], close_fds=False)

            """)
        let adapter = "\(Place.package)/conf/molds/supervise_mold.py"
        let words = ["python3", folder["wrapper.py"], "python3", adapter] + server.command
        let master = try server.start(mold: words.joined(separator: " "))
        try await master.waitForWorkers(2, deadline: .seconds(40))
        let line = try #require(master.lines("start-failed").first)
        #expect(line["step"] == "parent")
        #expect(line.mentions("a wrapper of the mold is a subreaper"), "\(line)")
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    /// The kernel names the sender of a report, and the sender must be a new child.
    @Test func aMoldThatReportsItselfIsNoWorker() async throws {
        try folder.write(
            "mold.py",
            """
            import array, os, socket
            orders = socket.socket(fileno=int(os.environ["SUPERVISE_MOLD"]))
            orders.send(b"READY=1")
            while True:
                message, parts, _, _ = orders.recvmsg(4096, 4096)
                if not message:
                    break
                numbers = array.array("i", parts[0][2])
                socket.socket(fileno=numbers[1]).send(b"HERE")

            """)
        let master = try server.start(mold: "python3 \(folder["mold.py"])")
        try await master.waitForWorkers(2, deadline: .seconds(40))
        let line = try #require(master.lines("start-failed").first)
        #expect(line.mentions("reported as the worker but is another child"), "\(line)")
        #expect(master.lines("mold-failed").first?["cause"] == "forks-fail")
        #expect(try await master.stop() == .exited(0))
    }

    @Test func orphansOfAForkedWorkerAreFoundByTheirNonce() async throws {
        let master = try server.start(
            shop: """
                import os, signal, subprocess
                def answer(data):
                    # One daemon is forked, the other executed.
                    if os.fork() == 0:
                        os.setsid()
                        if os.fork() == 0:
                            signal.pause()
                        os._exit(0)
                    os.wait()
                    subprocess.run(["sh", "-c", "setsid sleep 1000 &"], stdin=subprocess.DEVNULL)
                    return "forked"

                """)
        let workers = try await master.waitForWorkers(2)
        let text = try #require(try await get("/", from: server.address))
        let pid = try #require(text.split { !$0.isNumber }.first.flatMap { pid_t($0) })
        #expect(workers.contains { $0.pid == pid })
        kill(pid, SIGKILL)
        try await master.waitForEvent("orphans-found")
        try await master.waitForWorkers(2, without: workers.filter { $0.pid == pid })
        let masterPID = try await master.pid()
        try await master.wait("the daemons end") {
            ProcessTable.children(of: masterPID).count <= 4
                && !ProcessTable.entries().contains {
                    $0.parent == masterPID && readFile("/proc/\($0.pid)/comm") == "sleep\n"
                }
        }
    }

    @Test(.needsRoot) func asProcessOneTheMasterForksWorkers() async throws {
        let master = try server.start(
            wrapper: ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
        try await master.wait("two workers") { master.lines(Event.ready).count == 2 }
        #expect(try await get("/", from: server.address) != nil)
        #expect(master.lines("mold-failed").isEmpty)
        #expect(try await master.stop() == .exited(0))
    }

    @Test func aMoldCountsOnceForItsPool() async throws {
        let master = try server.start(
            ["--max-pool-rss", "120M", "--memory-interval", "100ms"],
            shop: "held = bytearray(100 << 20)\n" + ForkedServer.plain)
        let line = try await master.waitForEvent("memory-shortage")
        // The workers' own memory is small.
        let bytes = try #require(line.seconds("rss"))
        #expect((100e6...200e6).contains(bytes), "\(line)")
    }
}

/// Molds for Ruby.
@Suite(.takesTurn, .enabled(if: Place.program("ruby") != nil, "needs ruby"))
struct RubyMoldTests {
    @Test(arguments: [
        ("exit 3", "3"), ("exit! 4", "4"), ("raise 'x'", "1"), ("abort 'text'", "1"),
        ("at_exit { exit 6 }", "6"), ("Thread.new { exit 5 }.join", "5"),
        ("Process.kill('TERM', $$); sleep", "TERM"),
        ("exit(ARGV == ['a'] && $0 == __FILE__)", "0"),
        ("exit(DATA.read == \"data\\n\")\n__END__\ndata", "0"),
    ])
    func aWorkerExitsAsTheRubyWould(_ program: String, _ status: String) async throws {
        let folder = try Folder()
        let script = try folder.write("job.rb", program + "\n")
        let master = try Supervise(
            ["--mold", "auto", "--restart", "never", "--", "ruby", script, "a"], folder: folder)
        _ = try await master.waitForExit()
        let line = try #require(master.lines(Event.exit).first)
        #expect((line["status"] ?? line["signal"]) == status, "\(master.tail)")
        #expect(master.lines("mold-ready").count == 1)
        #expect(master.leftBehind.isEmpty)
    }

    @Test func handlersAndFilesOfTheMoldStayWithIt() async throws {
        let folder = try Folder()
        try folder.write(
            "shop.rb",
            """
            require "tempfile"
            PLACE = Tempfile.new("mold")
            at_exit { File.write("\(folder["handlers"])", "mold\\n", mode: "a") }

            """)
        let script = try folder.write(
            "job.rb",
            """
            require_relative "shop"
            abort unless File.exist?(PLACE.path)
            own = Tempfile.new("worker")
            File.write("\(folder["files"])", own.path + "\\n", mode: "a")
            at_exit { puts "own handler" }

            """)
        let master = try Supervise(
            ["--mold", "auto", "--backoff", "1ms", "--", "ruby", script], folder: folder)
        try await master.wait("three ends") { master.lines(Event.exit).count >= 3 }
        #expect(master.lines(Event.exit).allSatisfy { $0["status"] == "0" }, "\(master.tail)")
        #expect(folder.lines("stdout").contains("own handler"))
        #expect(folder.lines("handlers").isEmpty)
        #expect(try await master.stop() == .exited(0))
        // The mold ends in order.
        #expect(folder.lines("handlers") == ["mold"])
        #expect(!folder.lines("files").contains { access(String($0), F_OK) == 0 })
    }

    @Test func whatTheScriptRequiresIsLoadedOnce() async throws {
        let folder = try Folder()
        try folder.write("shop.rb", "File.write('\(folder["loads"])', \"x\\n\", mode: 'a')\n")
        let script = try folder.write("job.rb", "require_relative 'shop'\nsleep\n")
        let master = try Supervise(
            ["--mold", "auto", "--workers", "3", "--", "ruby", "-W0", script], folder: folder)
        try await master.waitForWorkers(3)
        #expect(folder.lines("loads") == ["x"])
        let worker = try await master.workers()[0]
        let command = try #require(readFile("/proc/\(worker.pid)/cmdline"))
        #expect(command.hasPrefix("ruby\u{0}-W0\u{0}\(script)\u{0}"), "\(command)")
        #expect(readFile("/proc/\(worker.pid)/comm") == "ruby\n")
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }
}
