import Glibc
import Testing

@testable import SuperviseLinux

/// Who was killed by the kernel (MemoryKills.swift).
struct MemoryKillsTests {
    private final class Counter {
        var kills: UInt64? = 5
    }

    @Test func aKillIsClaimedOnce() {
        let counter = Counter()
        let kills = MemoryKills(log: nil) { counter.kills }
        #expect(!kills.claim(10))
        counter.kills = 6
        #expect(kills.claim(11))
        #expect(!kills.claim(12))
        counter.kills = 8
        #expect(kills.claim(13) && kills.claim(below: 14) && !kills.claim(15))
    }

    @Test func whatNobodyClaimedIsForgotten() {
        let counter = Counter()
        let kills = MemoryKills(log: nil) { counter.kills }
        counter.kills = 6
        kills.forgetOld(atNanoseconds: 0)
        kills.forgetOld(atNanoseconds: 999_999_999)
        // It may be that of a worker whose end is not known yet.
        #expect(kills.claim(10))
        counter.kills = 7
        kills.forgetOld(atNanoseconds: 1_000_000_000)
        kills.forgetOld(atNanoseconds: 2_000_000_000)
        #expect(!kills.claim(11))
    }

    @Test func withoutACounterNobodyIsBlamed() {
        let kills = MemoryKills(log: nil) { nil }
        #expect(!kills.claim(10) && !kills.claim(below: 10))
    }

    @Test func theKernelsWordsAreRead() {
        let record =
            "3,1234,56789,-;Memory cgroup out of memory: Killed process 4242 (python3) "
            + "total-vm:123kB, anon-rss:12kB\n"
        #expect(KernelLog.killed(in: record) == 4242)
        #expect(KernelLog.killed(in: "6,1,1,-;Killed processes: none") == nil)
        #expect(KernelLog.killed(in: "") == nil)
    }

    @Test func theMachineCountsItsKills() throws {
        #expect(Cgroup.counter("oom_kill", in: try #require(Procfs.bytes("/proc/vmstat"))) != nil)
        let room = MachineMemory.room()
        #expect(room?.limitBytes ?? 0 > room?.workingSetBytes ?? 0)
    }
}
