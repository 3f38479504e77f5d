import Glibc
import Testing

/// Logs and a pid file that cannot be written, and a log without a reader.
@Suite(.takesTurn) struct DiskTests {
    private static let words = [
        "--bind", "127.0.0.1:0", "--backoff", "1ms", "--stable-after", "1ms", "--",
        Place.helloWorker,
    ]

    /// Exceeding a file size limit also raises SIGXFSZ.
    @Test func aLogAtItsLimitCountsWhatItLoses() async throws {
        let folder = try Folder()
        let master = try Supervise(
            ["--log-file", folder["log"]] + Self.words, wrapper: ["prlimit", "--fsize=4096:"],
            folder: folder)
        try await master.replaceWorkers(12)
        let size = try #require(readFile(folder["log"])).utf8.count
        #expect(size == 4096)
        try await master.limit(.fileSize, to: nil)
        try await master.replaceWorkers(1)
        let lines = try await eventually("the count of lost lines") {
            let lines = folder.lines("log").map { LogLine($0) }
            return lines.contains { $0.event == "log-dropped" } ? lines : nil
        }
        let lost = try #require(lines.first { $0.event == "log-dropped" })
        #expect(lost["level"] == "warning")
        // No line is torn, and the log counts the dropped lines of each crash.
        #expect(lines.allSatisfy { $0.event != nil }, "\(lines)")
        let exits = lines.count { $0.event == Event.exit }
        #expect(exits < 13)
        #expect(try #require(lost["lines"].flatMap { Int($0) }) >= 2 * (13 - exits))
        #expect(try await master.stop() == .exited(0))
    }

    @Test func aFullLogBlocksNothing() async throws {
        let master = try Supervise(["--log-file", "/dev/full"] + Self.words)
        try await master.replaceWorkers(3)
        #expect(try await master.stop() == .exited(0))
    }

    @Test func aMemoryLogAtItsLimitCountsWhatItLoses() async throws {
        let folder = try Folder()
        try folder.write("memory", String(repeating: "x", count: 32_000) + "\n")
        let master = try Supervise(
            [
                "--memory-log", folder["memory"], "--memory-log-interval", "100ms",
                "--memory-interval", "100ms",
            ] + Self.words, wrapper: ["prlimit", "--fsize=32768:"], folder: folder)
        let full = try await master.waitForEvent("memory-log")
        #expect(full["level"] == "error" && full.mentions("are dropped"))
        try await Task.sleep(for: .milliseconds(300))
        #expect(master.lines("memory-log").count == 1)
        try await master.limit(.fileSize, to: nil)
        let over = try await master.waitForLog("the count of lost lines") {
            $0.event == "memory-log" && $0["dropped"] != nil
        }
        #expect(try #require(over["dropped"].flatMap { Int($0) }) > 1)
        let lines = folder.lines("memory").dropFirst()
        #expect(lines.allSatisfy { $0.split(separator: " ").count == 7 })
        #expect(try await master.stop() == .exited(0))
    }

    /// All three on a file system of 16 KiB that is full at first and has room later.
    @Test(.needsRoot) func aFullDisk() async throws {
        let folder = try Folder()
        let small = folder["small"]
        mkdir(small, 0o755)
        let wrapper = [
            "env", "unshare", "--mount", "sh", "-c",
            "mount -t tmpfs -o size=16k none \(small) && { head -c 64k /dev/zero > \(small)/filler; "
                + "exec \"$@\"; }", "sh",
        ]
        let refused = try Supervise(
            ["--pidfile", "\(small)/pid"] + Self.words, wrapper: wrapper, folder: folder)
        #expect(try await refused.waitForExit() == .exited(1))
        #expect(refused.tail.contains("pidfile: \(small)/pid: No space left on device"))

        let master = try Supervise(
            [
                "--log-file", "\(small)/log", "--memory-log", "\(small)/memory",
                "--memory-log-interval", "100ms", "--memory-interval", "100ms",
            ] + Self.words, wrapper: wrapper)
        try await master.replaceWorkers(3)
        let inside = "/proc/\(try await master.pid())/root\(small)"
        #expect(readFile("\(inside)/log") == "")
        unlink("\(inside)/filler")
        try await master.replaceWorkers(1)
        try await eventually("the count of lost lines") {
            let lines = (readFile("\(inside)/log") ?? "").split(separator: "\n").map { LogLine($0) }
            return lines.first?.event == "log-dropped"
                && lines.contains { $0.event == "memory-log" && $0["dropped"] != nil }
        }
        #expect(try await master.stop() == .exited(0))
    }

    /// A full pipe as standard error, which the workers share; its mode is not changed.
    @Test func anUnreadLogBlocksNothing() async throws {
        let folder = try Folder()
        try #require(mkfifo(folder["pipe"], 0o666) == 0)
        let reader = open(folder["pipe"], O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { close(reader) }
        // F_SETPIPE_SZ.
        try #require(fcntl(reader, 1031, 4096) == 4096)
        let master = try Supervise(
            Self.words, wrapper: ["sh", "-c", "exec 2<>\"$0\"; exec \"$@\"", folder["pipe"]],
            folder: folder)
        try await master.replaceWorkers(15)
        #expect(try await master.command("status").status == .exited(0))
        let worker = try #require(try await master.workers().first)
        let flags = readFile("/proc/\(worker.pid)/fdinfo/2")?.split(separator: "\n")
            .first { $0.hasPrefix("flags:") }?.split(whereSeparator: \.isWhitespace).last
        let mode = try #require(flags.flatMap { Int32($0, radix: 8) })
        #expect(mode & O_NONBLOCK == 0)

        var text = drain(reader)
        try await master.replaceWorkers(1)
        try await eventually("the count of lost lines") {
            text += drain(reader)
            return text.contains("log-dropped")
        }
        let lines = text.split(separator: "\n").map { LogLine($0) }
        #expect(lines.allSatisfy { $0.event != nil }, "\(text)")
        let lost = try #require(lines.first { $0.event == "log-dropped" })
        let exits = lines.count { $0.event == Event.exit }
        #expect(try #require(lost["lines"].flatMap { Int($0) }) >= 2 * (15 - exits))
        #expect(try await master.stop() == .exited(0))
    }

    private func drain(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &piece, piece.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece.prefix(count)
        }
    }
}

extension Supervise {
    /// Kills the only worker this many times, each time when the next one is ready. Readiness is
    /// read from the status, because the log may be broken.
    fileprivate func replaceWorkers(_ times: Int) async throws {
        var last: Int?
        for round in 0...times {
            let gone = last
            let limit = ContinuousClock.now + .seconds(20)
            while last == gone {
                guard ContinuousClock.now < limit else {
                    throw Late(description: "no worker after \(round) kills\n\(tail)")
                }
                try await Task.sleep(for: .milliseconds(20))
                let result = try await command("status", "--json")
                guard result.status == .exited(0) else { continue }
                let pools = try #require(try result.json["pools"] as? [[String: Any]])
                let slot = try #require(pools[0]["slots"] as? [[String: Any]]).first
                guard slot?["state"] as? String == "ready" else { continue }
                last = slot?["pid"] as? Int ?? gone
            }
            if round < times { kill(pid_t(try #require(last)), SIGKILL) }
        }
    }
}
