import Testing

@testable import SuperviseCore

/// Memory caps (Pool+Memory.swift).
struct MemoryTests {
    private func capped(
        workers: Int = 1, _ adjust: @escaping (inout PoolPolicy) -> Void = { _ in }
    ) -> Bench {
        let bench = Bench(workers: workers) {
            $0.maxRSSBytes = 1000
            adjust(&$0)
        }
        bench.bringUp()
        return bench
    }

    @Test func samplesAreTakenAtTheirInterval() {
        let bench = capped { $0.memoryInterval = .seconds(5) }
        #expect(bench.wake() == [.sampleMemory(pool: 0)])
        #expect(bench.now == second(5))
        #expect(bench.wake() == [.sampleMemory(pool: 0)])
        #expect(bench.now == second(10))
    }

    @Test func withoutCapsThereAreNone() {
        let bench = Bench()
        bench.bringUp()
        #expect(bench.pool.nextDeadline == nil)
    }

    @Test func overTheCapIsRecycledGracefully() {
        let bench = capped()
        bench.wait(.seconds(10))
        #expect(bench.tell(id(0), .memory(bytes: 1000)) == [])
        #expect(
            bench.tell(id(0), .memory(bytes: 1001)) == [
                .note(.due(id(0), .memory, facts(10, memory: 1001))), start(id(0, 2)),
            ])
    }

    @Test func severalSamplesInARowMustBeOver() {
        let bench = capped { $0.memorySamples = 3 }
        bench.wait(.seconds(10))
        for bytes: UInt64 in [2000, 2000, 1000, 2000, 2000] {
            #expect(bench.tell(id(0), .memory(bytes: bytes)) == [])
        }
        #expect(bench.tell(id(0), .memory(bytes: 2000)).started == [id(0, 2)])
    }

    @Test func aYoungWorkerRaisesAnAlarmInstead() {
        let bench = capped()
        bench.wait(.seconds(9))
        #expect(
            bench.tell(id(0), .memory(bytes: 2000)) == [
                .note(.memoryAlarm(id(0), facts(9, memory: 2000), limitBytes: 1000))
            ])
        bench.wait(.seconds(29))
        #expect(bench.tell(id(0), .memory(bytes: 2000)) == [])
        bench.wait(.seconds(1))
        #expect(bench.tell(id(0), .memory(bytes: 2000)).started == [id(0, 2)])
    }

    /// A cap below the program's own size: one recycling per backoff-max at the most.
    @Test func aCapThatIsTooLowMakesNoStorm() {
        let bench = capped()
        var starts = 0
        var current = id(0)
        while bench.now < second(3600) {
            bench.wake()
            let started = bench.tell(current, .memory(bytes: 2000)).started
            guard let next = started.first else { continue }
            starts += 1
            bench.makeReady(next)
            bench.exit(current)
            current = next
        }
        #expect(starts <= 3600 / 30)
        #expect(starts >= 3600 / 45)
    }

    @Test func theHardCapKillsAtOnce() {
        let bench = capped { $0.killRSSBytes = 5000 }
        bench.wait(.seconds(1))
        #expect(
            bench.tell(id(0), .memory(bytes: 5001)) == [
                .note(.retiring(id(0), .killMemory, facts(1, memory: 5001))),
                .note(.killed(id(0), .killMemory)), .kill(id(0)), start(id(0, 2)),
            ])
    }

    @Test func theHardCapKillsWhatIsLeaving() {
        let bench = capped { $0.killRSSBytes = 5000 }
        bench.tell(id(0), .recycleRequested)
        bench.makeReady(id(0, 2))
        #expect(
            bench.tell(id(0), .memory(bytes: 5001)) == [
                .note(.killed(id(0), .killMemory)), .kill(id(0)),
            ])
        #expect(bench.tell(id(0), .memory(bytes: 5001)) == [])
    }

    @Test func theHardCapCountsAsACrash() {
        let bench = capped(workers: 1) { $0.killRSSBytes = 5000 }
        bench.tell(id(0), .memory(bytes: 6000))
        bench.makeReady(id(0, 2))
        #expect(bench.tell(id(0, 2), .memory(bytes: 6000)).backoffDelay != nil)
    }

    @Test func aBootingWorkerHasNoSoftCap() {
        let bench = Bench { $0.maxRSSBytes = 1000 }
        bench.tell(.start)
        bench.tell(id(0), .running)
        bench.wait(.seconds(20))
        #expect(bench.tell(id(0), .memory(bytes: 2000)) == [])
    }

    @Test func twoOverTheCapGoOneAtATime() {
        let bench = capped(workers: 2)
        bench.wait(.seconds(20))
        #expect(bench.tell(id(0), .memory(bytes: 2000)).started == [id(0, 2)])
        #expect(bench.tell(id(1), .memory(bytes: 2000)).started == [])
        bench.makeReady(id(0, 2))
        #expect(bench.exit(id(0)).started == [id(1, 2)])
    }
}
