import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

struct ProcessTests {
    @Test func anExitIsSeenBeforeItIsReaped() throws {
        let plan = try SpawnPlan(arguments: ["sh", "-c", "exit 7"], searchPath: nil)
        let child = try plan.spawn(environment: [])
        var seen: ExitedChild?
        #expect(
            try eventually {
                seen = try ChildProcesses.exited(child.pid, keep: true)
                return seen != nil
            })
        #expect(seen == ExitedChild(pid: child.pid, status: .exited(7)))
        #expect(try ChildProcesses.exited(child.pid, keep: true) == seen)
        #expect(ProcessStatus.read(child.pid)?.state == "Z")
        // A zombie accepts a signal without effect.
        try child.process.signal(SIGTERM)
        #expect(try ChildProcesses.reap(child.pid) == seen)
        #expect(try ChildProcesses.reap(child.pid) == nil)
        #expect(throws: SystemCallError(call: "pidfd_send_signal", code: ESRCH)) {
            try child.process.signal(SIGTERM)
        }
        #expect(throws: SystemCallError(call: "pidfd_open", code: ESRCH)) {
            try ProcessDescriptor.open(pid: 999_999_999)
        }
    }

    @Test func aSignalIsTheCause() throws {
        let child = try TestChild(["sleep", "60"])
        #expect(try ChildProcesses.exited(child.pid, keep: true) == nil)
        try child.spawned.process.signal(SIGTERM)
        #expect(try child.exitStatus() == .signaled(SIGTERM, coreDumped: false))
    }

    @Test func aPidfdIsReadableAtTheEnd() throws {
        let child = try TestChild(["sleep", "60"])
        let poll = try EventPoll()
        try poll.add(child.spawned.process.rawValue, .readable, token: 1)
        #expect(try poll.wait(timeoutMilliseconds: 0).isEmpty)
        try ProcessGroup.signal(child.pid, SIGKILL)
        #expect(try poll.wait(timeoutMilliseconds: 20_000).first?.token == 1)
    }

    @Test func aTreeIsSeenParentsFirst() throws {
        let child = try TestChild(["sh", "-c", "sh -c 'sleep 60; exit 1'; exit 1"])
        #expect(eventually { ProcessTree.descendants(of: child.pid).count == 2 })
        let below = ProcessTree.descendants(of: child.pid)
        #expect(below.map { ProcessStatus.read($0)?.parent } == [child.pid, below.first])
        #expect(below.allSatisfy { ProcessStatus.read($0)?.group == child.pid })
        #expect(ChildList().numbers().contains(child.pid))
        #expect(ProcessTree.descendants(of: 999_999_999).isEmpty)
    }

    @Test func aNameWithBracketsAndBlanksIsSteppedOver() {
        let rest = (0..<30).map { "\($0 + 100)" }.joined(separator: " ")
        let status = ProcessStatus(line: "17 (a) b) R (c) S 2 3 4 \(rest)\n")
        #expect(status?.state == "S")
        #expect(status?.parent == 2)
        #expect(status?.group == 3)
        #expect(status?.session == 4)
        #expect(status?.startTime == 115)
        #expect(ProcessStatus(line: "17 (a) S 2 3") == nil)
        #expect(ProcessStatus.read(getpid())?.parent == getppid())
    }

    @Test func anEnvironmentIsSearchedByWholeEntries() throws {
        let child = try TestChild(
            ["sleep", "60"], environment: ["A=1", "SUPERVISE_WORKER_ID=abc", "B="])
        // A start returns when the child has released our memory, shortly before it has its own
        // environment.
        func value(_ name: String) -> ProcessEnvironment.Lookup {
            ProcessEnvironment.value(of: child.pid, name)
        }
        #expect(eventually { value("SUPERVISE_WORKER_ID") == .known("abc") })
        #expect(value("B") == .known(""))
        #expect(value("SUPERVISE_WORKER") == .known(nil))
        #expect(ProcessEnvironment.value(of: 999_999_999, "A") == .unknown)
    }

    @Test func memoryIsReadUntilTheEnd() throws {
        let child = try TestChild([
            "python3", "-c", "x = b'x' * 64000000; import os; os.read(0, 1)",
        ])
        #expect(child.spawned.errorPipe == nil)
        let memory = try ProcessMemory(pid: getpid())
        #expect((memory.residentBytes() ?? 0) > 1 << 20)
        let shares = try #require(try ProcessMemory.shares(of: getpid()))
        #expect(shares.proportionalBytes > 0)
        #expect(shares.uniqueBytes > 0)
        let childs = try ProcessMemory(pid: child.pid)
        // It reads /dev/null and exits soon.
        #expect(eventually { childs.residentBytes() == nil })
        #expect(throws: SystemCallError(call: "open", code: ENOENT)) {
            try ProcessMemory(pid: 999_999_999)
        }
    }

    @Test func growthIsSeen() throws {
        let child = try TestChild([
            "python3", "-c", "x = b'x' * 64000000; import time; time.sleep(60)",
        ])
        let memory = try ProcessMemory(pid: child.pid)
        #expect(eventually { (memory.residentBytes() ?? 0) > 64_000_000 })
        #expect(
            try eventually {
                (try ProcessMemory.shares(of: child.pid)?.uniqueBytes ?? 0) > 60_000_000
            })
    }
}
