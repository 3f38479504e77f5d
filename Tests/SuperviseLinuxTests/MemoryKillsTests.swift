import Glibc
import Testing

@testable import SuperviseLinux

/// Processes killed by the kernel (MemoryKills.swift).
struct MemoryKillsTests {
    /// A group that reports its kills.
    private final class Group: MemoryKillCount {
        var kills: UInt64? = 5
        var hasEvent = false
        var signalsBeforeCounting = false
        var watch: (descriptor: Int32, interest: Interest)? { nil }
        var seconds: Double = 100

        func count() -> UInt64? { kills }

        func takeEvent() -> Bool {
            defer { hasEvent = false }
            return hasEvent
        }

        func kill() {
            kills? += 1
            hasEvent = true
        }

        func observed() -> MemoryKills {
            MemoryKills(log: nil, group: self) { Int64(self.seconds * 1e9) }
        }
    }

    @Test func aKillIsClaimedOnce() {
        let group = Group()
        let kills = group.observed()
        #expect(!kills.claim(10))
        group.kill()
        #expect(kills.claim(11))
        #expect(!kills.claim(12))
        group.kill()
        group.kill()
        #expect(kills.claim(13) && kills.claim(below: 14) && !kills.claim(15))
    }

    /// The death by an operator's `kill -9` that follows is unrelated.
    @Test(arguments: [1.1, 20, 7200])
    func aKillIsClaimedWithinASecond(_ later: Double) {
        let group = Group()
        let kills = group.observed()
        group.kill()
        kills.acknowledge()
        group.seconds += later
        #expect(!kills.claim(10) && !kills.claim(below: 10))
        group.kill()
        group.seconds += 0.9
        // The event is found when the death is claimed, and the old kill explains nothing.
        #expect(kills.claim(11) && !kills.claim(12))
    }

    @Test func anOldKillIsNotAddedToANewOne() {
        let group = Group()
        let kills = group.observed()
        group.kill()
        kills.acknowledge()
        group.seconds += 60
        group.kill()
        kills.acknowledge()
        #expect(kills.claim(11) && !kills.claim(12))
    }

    /// Version 1 signals before it counts.
    @Test func aKillMayBeCountedAfterItsEvent() {
        let group = Group()
        group.signalsBeforeCounting = true
        let kills = group.observed()
        group.hasEvent = true
        kills.acknowledge()
        group.kills = 6
        group.seconds += 0.5
        #expect(kills.claim(10))
        group.seconds += 60
        #expect(!kills.claim(11))
        group.kills = 7
        group.seconds += 60
        group.hasEvent = true
        kills.acknowledge()
        #expect(!kills.claim(12))
    }

    /// The time of the count is unknown.
    @Test func aCountAloneAbortsNoWorker() {
        let group = Group()
        let kills = group.observed()
        group.kills = 6
        #expect(!kills.claim(10) && !kills.claim(below: 10))
    }

    @Test func withoutACountNoWorkerIsAborted() {
        let kills = MemoryKills(log: nil, group: nil) { 0 }
        #expect(!kills.claim(10) && !kills.claim(below: 10) && kills.watch == nil)
    }

    @Test func theKernelsWordsAreRead() {
        let record =
            "3,1234,56789,-;Memory cgroup out of memory: Killed process 4242 (python3) "
            + "total-vm:123kB, anon-rss:12kB\n"
        #expect(KernelLog.killed(in: record) == 4242)
        #expect(KernelLog.killed(in: "6,1,1,-;Killed processes: none") == nil)
        #expect(KernelLog.killed(in: "") == nil)
    }

    @Test func theFilesOfBothVersionsAreKnown() {
        let old = Cgroup(
            membership: "4:memory:/a/b\n",
            mounts: "30 20 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n")
        #expect(old.memoryKillFiles?.paths == ["/sys/fs/cgroup/memory/a/b/memory.oom_control"])
        #expect(
            old.memoryKillFiles?.eventControl == "/sys/fs/cgroup/memory/a/b/cgroup.event_control")
        let new = Cgroup(
            membership: "0::/a\n", mounts: "30 20 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
        #expect(
            new.memoryKillFiles?.paths
                == ["/sys/fs/cgroup/a/memory.events.local", "/sys/fs/cgroup/a/memory.events"])
    }

    @Test func theMachinesRoomIsRead() throws {
        let room = MachineMemory.room()
        #expect(room?.limitBytes ?? 0 > room?.workingSetBytes ?? 0)
    }
}
