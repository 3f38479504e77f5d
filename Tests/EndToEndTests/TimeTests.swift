import Glibc
import Testing

/// Clocks that jump, and a suspended master.
@Suite(.takesTurn) struct TimeTests {
    private static let heart = ["--timeout", "1s", "--", "python3", Place.worker("heart")]

    /// A day back while workers run: visible in the times of the log, and nowhere else.
    @Test(.needs("cc")) func theTimeOfDayDoesNotMatter() async throws {
        let folder = try Folder()
        let library = try await library(
            named: "jump",
            """
            #define _GNU_SOURCE
            #include <stdlib.h>
            #include <sys/syscall.h>
            #include <time.h>
            #include <unistd.h>
            int clock_gettime(clockid_t clock, struct timespec *time) {
                int result = (int)syscall(SYS_clock_gettime, clock, time);
                const char *file = getenv("JUMP");
                if (result == 0 && clock == CLOCK_REALTIME && file && access(file, F_OK) == 0)
                    time->tv_sec -= 86400;
                return result;
            }
            """, in: folder)
        let master = try Supervise(
            ["--bind", "127.0.0.1:0", "--max-lifetime", "6s", "--backoff", "500ms"] + Self.heart,
            wrapper: ["env", "LD_PRELOAD=\(library)", "JUMP=\(folder["yesterday"])"],
            folder: folder)
        let worker = try await master.waitForWorkers(1)[0]
        try folder.write("yesterday", "")
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit.pid == worker.pid && exit["cause"] == "max-lifetime")
        let age = try #require(exit.seconds("age"))
        #expect(age >= 6 && age < 16)
        // The clock did jump.
        let day = try #require(master.log.first?["time"]?.prefix(10))
        #expect(exit["time"]?.hasPrefix(day) == false)
        try await master.waitForWorkers(1, without: [worker])
        #expect(try await master.stop() == .exited(0))
    }

    /// Messages that a worker sent meanwhile are still queued.
    @Test func aSuspendedMasterAbortsNoWorker() async throws {
        let master = try Supervise(["--bind", "127.0.0.1:0"] + Self.heart)
        let worker = try await master.waitForWorkers(1)[0]
        try await master.signal(SIGSTOP)
        // This sleep is the subject of the test, not a wait for a condition.
        try await Task.sleep(for: .seconds(3))
        try await master.signal(SIGCONT)
        try await Task.sleep(for: .seconds(2))
        #expect(try await master.workers() == [worker])
        #expect(master.lines(Event.retiring).isEmpty)
        // The watchdog works again.
        kill(worker.pid, SIGSTOP)
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit.pid == worker.pid && exit["cause"] == "timeout")
    }
}
