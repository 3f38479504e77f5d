import Glibc
import Testing

@testable import SuperviseLinux

struct SpareDescriptorsTests {
    /// In its own process, which has used up its descriptors.
    @Test func samplesSucceedWithoutAFreeDescriptor() async {
        await #expect(processExitsWith: .success) {
            let child = try TestChild(["sh", "-c", "sleep 60; exit 1"])
            try #require(eventually { ProcessTree.descendants(of: child.pid).count == 1 })
            let below = ProcessTree.descendants(of: child.pid)[0]
            _ = MonotonicClock.nanoseconds()

            SpareDescriptors.keep()
            var limit = rlimit()
            try #require(getrlimit(__rlimit_resource_t(ResourceLimit.openFiles), &limit) == 0)
            limit.rlim_cur = 100
            try #require(setrlimit(__rlimit_resource_t(ResourceLimit.openFiles), &limit) == 0)
            while dup(0) >= 0 {}
            try #require(errno == EMFILE)

            for _ in 0..<3 {
                try #require(ProcessStatus.read(child.pid)?.group == child.pid)
                try #require(ProcessTree.descendants(of: child.pid) == [below])
                try #require(try ProcessMemory.residentBytes(of: child.pid) ?? 0 > 0)
                try #require(try ProcessMemory.shares(of: child.pid) != nil)
                try #require(
                    AcceptEvidence.observe(
                        from: child.pid, listeners: [], depth: .cautious, within: .onLoop())
                        == .notYet)
                try #require(ExecutableFormat.ofFile("/proc/self/exe") != .unknown)
                try #require(try ProcessDescriptor.signal(pid: below, 0))
            }
            // The reserve is restored afterwards.
            try #require(throws: SystemCallError(call: "open", code: EMFILE)) {
                try ProcessMemory(pid: child.pid)
            }
            try #require(dup(0) == -1)
        }
    }

    @Test func withoutAnyNothingIsKnown() async {
        await #expect(processExitsWith: .success) {
            let child = try TestChild(["sleep", "60"])
            while dup(0) >= 0 {}
            try #require(
                AcceptEvidence.observe(
                    from: child.pid, listeners: [], depth: .cautious, within: .onLoop())
                    == .unreadable)
            try #require(HeldListeners.inspect([child.pid], known: []) == nil)
            try #require(throws: SystemCallError(call: "open", code: EMFILE)) {
                try ProcessMemory.shares(of: child.pid)
            }
        }
    }

    @Test func shortagesAreDistinguished() {
        let shortages: [(Int32, SystemCallError.Shortage?)] = [
            (EAGAIN, .processes), (EMFILE, .descriptors), (ENFILE, .files), (ENOMEM, .memory),
            (EPERM, nil),
        ]
        for (code, shortage) in shortages {
            #expect(SystemCallError(call: "clone", code: code).shortage == shortage)
            #expect(SpawnFailure(step: .fork, code: code).isTransient)
            #expect(SpawnFailure(step: .exec, code: code).isTransient == (shortage != nil))
        }
    }
}
