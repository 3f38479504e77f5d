import Testing

@testable import SuperviseCore

/// Evidence before a recycle, and the memory log (Pool+Evidence.swift, Pool+Sampling.swift).
struct EvidenceTests {
    private func watched(
        command: Bool = false, signal: Bool = false, _ adjust: (inout PoolPolicy) -> Void = { _ in }
    ) -> Bench {
        let bench = Bench(workers: 1) {
            $0.maxRSSBytes = 1000
            $0.runsBeforeRecycle = command
            $0.sendsEvidenceSignal = signal
            adjust(&$0)
        }
        bench.bringUp()
        bench.wait(.seconds(20))
        return bench
    }

    private let over = facts(20, memory: 2000)

    @Test func theReplacementBootsMeanwhileAndTheOldOneWaits() {
        let bench = watched(command: true)
        #expect(
            bench.tell(id(0), .memory(bytes: 2000)) == [
                .note(.due(id(0), .memory, over)), .gatherEvidence(id(0), .memory, over),
                start(id(0, 2)),
            ])
        bench.tell(id(0, 2), .running)
        #expect(bench.tell(id(0, 2), .ready).retired == [])
        #expect(bench.tell(id(0), .evidenceGathered) == told(id(0), .recycle(.memory), over))
    }

    @Test func aCommandThatNeverEndsIsWaitedForThirtySeconds() {
        let bench = watched(command: true)
        bench.tell(id(0), .memory(bytes: 2000))
        bench.makeReady(id(0, 2))
        let due = bench.now
        var retired: [WorkerID] = []
        while retired.isEmpty { retired = bench.wake().retired }
        #expect(retired == [id(0)] && bench.now - due == .seconds(30))
        #expect(bench.tell(id(0), .evidenceGathered) == [])
    }

    @Test func aSignalGivesTwoSeconds() {
        let bench = watched(command: true, signal: true)
        bench.tell(id(0), .memory(bytes: 2000))
        bench.makeReady(id(0, 2))
        let due = bench.now
        #expect(bench.tell(id(0), .evidenceGathered).retired == [])
        var retired: [WorkerID] = []
        while retired.isEmpty { retired = bench.wake().retired }
        #expect(bench.now - due == .seconds(2))
    }

    @Test func whatStopsFirstWaitsToo() {
        let bench = watched(command: true) {
            $0.maxSurge = .count(0)
            $0.maxUnavailable = .count(1)
        }
        let due = bench.tell(id(0), .memory(bytes: 2000))
        #expect(due.retired == [] && due.started == [])
        #expect(bench.tell(id(0), .evidenceGathered).retired == [id(0)])
    }

    @Test func otherCausesLeaveNoEvidence() {
        let bench = watched(command: true, signal: true)
        #expect(bench.tell(id(0), .recycleRequested).count == 2)
    }

    @Test func theHardCapDoesNotWait() {
        let bench = watched(command: true) { $0.killRSSBytes = 3000 }
        bench.tell(id(0), .memory(bytes: 2000))
        #expect(bench.tell(id(0), .memory(bytes: 3001)).contains(.kill(id(0))))
    }

    @Test func theMemoryLogIsWrittenAtItsInterval() {
        let bench = Bench { $0.memoryLogInterval = .seconds(60) }
        bench.bringUp()
        for minute in 1...3 {
            #expect(bench.wake() == [.sample(pool: 0, [.memory, .memoryLog])])
            #expect(bench.now == second(Int64(minute) * 60))
            bench.sampled([1])
        }
        bench.tell(.stop(.graceful))
        #expect(bench.pool.sampler.deadline == nil)
    }

    @Test func theMemoryLogGoesAlongWithTheCaps() {
        let bench = Bench {
            $0.memoryLogInterval = .seconds(2)
            $0.maxRSSBytes = 1000
        }
        bench.bringUp()
        #expect(bench.wake() == [.sample(pool: 0, .memory)])
        #expect(bench.wake() == [.sample(pool: 0, [.memory, .memoryLog])])
        #expect(bench.wake() == [.sample(pool: 0, .memory)])
    }

    @Test func aKillByTheKernelIsACrash() {
        let bench = Bench()
        bench.bringUp()
        #expect(
            bench.tell(id(0), .exited(.outOfMemory, leavesTree: false)) == [
                start(id(0, 2)), .note(.exited(id(0), .outOfMemory, .crashed, facts())),
            ])
    }
}
