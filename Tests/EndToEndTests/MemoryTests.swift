import Glibc
import Testing

/// Evidence, history and causes of death.
@Suite(.takesTurn) struct MemoryTests {
    private static let capped = [
        "--max-rss", "80M", "--min-lifetime", "0s", "--memory-interval", "50ms",
    ]

    @Test func aCommandInspectsTheRunningWorker() async throws {
        let folder = try Folder()
        let script = """
            kill -0 $SUPERVISE_WORKER_PID && sleep 1 && kill -0 $SUPERVISE_WORKER_PID && \
            echo $SUPERVISE_WORKER_PID $SUPERVISE_WORKER_POOL $SUPERVISE_WORKER_SLOT \
            $SUPERVISE_WORKER_RSS $SUPERVISE_WORKER_REQUESTS $SUPERVISE_WORKER_CAUSE \
            > \(folder["evidence"])
            """
        let master = try Supervise.hello(
            Self.capped + ["--before-recycle", "sh -c '\(script)'"])
        let before = try await master.waitForWorkers(1)
        _ = try await get("/leak?kb=100000", from: try await master.address())
        try await master.waitForWorkers(1, without: before)
        let words = try #require(folder.lines("evidence").first).split(separator: " ")
        try #require(words.count == 6)
        #expect(words[0] == "\(before[0].pid)" && words[1] == "default" && words[2] == "0")
        #expect(Int(words[3]) ?? 0 > 80 << 20 && Int(words[4]) != nil && words[5] == "max-rss")
        #expect(master.lines("before-recycle").isEmpty)
    }

    @Test func aFailingCommandDelaysNoWorker() async throws {
        for (command, field) in [("sh -c 'exit 3'", "status"), ("/no/such/program", "error")] {
            let master = try Supervise.hello(Self.capped + ["--before-recycle", command])
            let before = try await master.waitForWorkers(1)
            _ = try await get("/leak?kb=100000", from: try await master.address())
            try await master.waitForWorkers(1, without: before)
            #expect(master.lines("before-recycle").first?[field] != nil, "\(master.tail)")
        }
    }

    @Test func theSignalComesBeforeTheStop() async throws {
        // Each USR2 makes this worker allocate 100 MB.
        let master = try Supervise.web(Self.capped + ["--evidence-signal", "USR2"])
        let before = try await master.waitForWorkers(1)
        _ = try await get("/leak?kb=100000", from: try await master.address())
        try await master.waitForWorkers(1, without: before)
        let due = try await master.waitForEvent(Event.recycleScheduled)
        let exit = try await master.waitForEvent(Event.exit)
        let grown = (exit["rss"].flatMap { Int($0) } ?? 0) - (due["rss"].flatMap { Int($0) } ?? 0)
        #expect(grown > 90_000_000, "\(master.tail)")
    }

    /// The worker itself remains far below the cap.
    @Test func aChildsMemoryCountsAtTheNextSample() async throws {
        let folder = try Folder()
        let script = """
            import os, subprocess, sys, time
            while not os.path.exists("\(folder["grow"])"): time.sleep(0.01)
            subprocess.run([sys.executable, "-c", "import time; x = bytearray(200 << 20); time.sleep(60)"])
            """
        let master = try Supervise([
            "--kill-rss", "150M", "--memory-interval", "50ms", "--", "python3", "-c", script,
        ])
        try await master.waitForWorkers(1)
        try folder.write("grow", "")
        let line = try await master.waitForEvent(Event.exit, deadline: .seconds(8))
        #expect(line["cause"] == "kill-rss")
    }

    @Test func theMemoryLogIsReopened() async throws {
        let folder = try Folder()
        let master = try Supervise.hello([
            "--workers", "2", "--memory-log", folder["memory"], "--memory-log-interval", "100ms",
        ])
        let workers = try await master.waitForWorkers(2)
        _ = try await load(try await master.address(), requests: 20, rate: 100)
        try await master.wait("lines with requests") {
            folder.lines("memory").suffix(2).reduce(0) {
                $0 + (Int($1.split(separator: " ").dropLast().last ?? "") ?? 0)
            } == 20
        }
        let words = folder.lines("memory").suffix(2).map { $0.split(separator: " ") }
        #expect(Set(words.map { "\($0[3])" }) == Set(workers.map { "\($0.pid)" }))
        for line in words {
            #expect(line.count == 7 && line[0].hasSuffix("Z") && line[1] == "default")
            #expect(line[6] == "requests")
            #expect(Int(line[4]) ?? 0 > 1 << 20)
        }
        try #require(rename(folder["memory"], folder["old"]) == 0)
        try await master.signal(SIGUSR1)
        try await master.wait("a new file") { !folder.lines("memory").isEmpty }
    }

    @Test func aFullDiskIsReportedOnce() async throws {
        let master = try Supervise.hello([
            "--memory-log", "/dev/full", "--memory-log-interval", "100ms",
        ])
        try await master.waitForWorkers(1)
        try await master.waitForEvent("memory-log")
        try await Task.sleep(for: .milliseconds(500))
        #expect(master.lines("memory-log").count == 1)
        #expect(try await master.stop() == .exited(0))
    }

    @Test func aWarningIsLogged() async throws {
        let master = try Supervise.hello([
            "--warn-rss", "80M", "--memory-interval", "50ms",
        ])
        let before = try await master.waitForWorkers(1)
        _ = try await get("/leak?kb=100000", from: try await master.address())
        let line = try await master.waitForEvent("memory-warning")
        #expect(line.pid == before[0].pid && line["limit"] == "\(80 << 20)")
        try await Task.sleep(for: .milliseconds(300))
        #expect(master.lines("memory-warning").count == 1)
        #expect(master.lines(Event.retiring).isEmpty)
    }

    /// Between the worker's private memory and its resident set, which includes shared libraries.
    @Test(arguments: ["rss", "uss"]) func exactFiguresCountPastTheCap(metric: String) async throws {
        let options = ["--workers", "2", "--memory-scope", "process", "--memory-interval", "50ms"]
        let model = try Supervise.hello(options)
        let worker = try await model.waitForWorkers(2)[0]
        func kilobytes(_ field: String) throws -> Int {
            let lines = try #require(readFile("/proc/\(worker.pid)/smaps_rollup"))
            return lines.split(separator: "\n").filter { $0.hasPrefix(field) }.reduce(0) {
                $0 + (Int($1.split(separator: " ")[1]) ?? 0)
            }
        }
        let resident = try kilobytes("Rss:")
        let unique = try kilobytes("Private_")
        try #require(resident > unique + 1000, "\(resident) and \(unique) KB")
        let folder = try Folder()
        let master = try Supervise.hello(
            options + [
                "--max-rss", "\((resident + unique) / 2)K", "--memory-metric", metric,
                "--memory-log", folder["memory"], "--memory-log-interval", "100ms",
            ])
        try await master.waitForWorkers(2)
        try await master.wait("some looks") { folder.lines("memory").count >= 10 }
        let sizes = folder.lines("memory").suffix(2).compactMap { Int($0.split(separator: " ")[4]) }
        let isOver = metric == "rss"
        #expect(sizes.allSatisfy { ($0 > (resident + unique) * 512) == isOver }, "\(sizes)")
        #expect(master.lines("memory-alarm").isEmpty != isOver)
    }

    @Test(.needsControlGroup) func aKillByTheKernelIsDistinguished() async throws {
        let group = try #require(ControlGroup(limitBytes: 96 << 20))
        let master = try Supervise(
            ["--bind", "127.0.0.1:0", "--", Place.helloWorker], wrapper: group.wrapper)
        let first = try await master.waitForWorkers(1)
        try #require(kill(first[0].pid, SIGKILL) == 0)
        let other = try await master.waitForEvent(Event.exit)
        #expect(other["cause"] == "crashed" && other["killed_by"] == "other")
        let second = try await master.waitForWorkers(1, without: first)
        _ = try? await get("/leak?kb=200000", from: try await master.address())
        let line = try await master.waitForLog("the second exit") {
            $0.event == Event.exit && $0.pid == second[0].pid
        }
        #expect(line["cause"] == "out-of-memory" && line["killed_by"] == "kernel", "\(line)")
        #expect(group.kills == 1)
        try await master.waitForWorkers(1, without: second)
    }

    /// 200 MB in the only pool, with 60 % of 128 MB: `check` and the log report the bytes.
    @Test(.needsControlGroup) func percentagesAreOfTheGroupsLimit() async throws {
        let group = try #require(ControlGroup(limitBytes: 128 << 20))
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:0", "--workers", "3", "--max-rss", "60%", "--",
                Place.helloWorker,
            ],
            wrapper: group.wrapper)
        let line = try await master.waitForEvent("memory-caps")
        #expect(line["max_rss"] == "\((128 << 20) * 60 / 100 / 4)")
        try await master.signal(SIGTTIN)
        try await master.waitForLog("the share of four") {
            $0.event == "memory-caps" && $0["max_rss"] == "\((128 << 20) * 60 / 100 / 5)"
        }
    }
}
