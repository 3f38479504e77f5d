import Testing

@testable import SuperviseCore

/// Replacements that are started ahead of a limit (Pool+Ahead.swift).
struct AheadTests {
    /// A pool whose second worker took 5 s to boot after a first one that served 10 requests a second.
    private func learned(limit: UInt64 = 1000, _ adjust: (inout PoolPolicy) -> Void = { _ in })
        -> Bench
    {
        let bench = Bench {
            $0.maxRequests = limit
            adjust(&$0)
        }
        bench.tell(.start)
        bench.tell(id(0), .running)
        bench.wait(.seconds(5))
        bench.tell(id(0), .ready)
        bench.wait(TimeSpan.seconds(Int64(limit) / 10))
        bench.tell(id(0), .requests(limit))
        return bench
    }

    private func bell(of actions: [Action]) -> UInt64? {
        for case .start(_, let order) in actions { return order.bell }
        return nil
    }

    @Test func theFirstWorkerSpeaksUpAtItsLimit() {
        let bench = Bench { $0.maxRequests = 1000 }
        #expect(bell(of: bench.tell(.start)) == 1000)
    }

    /// 10 requests a second for 5 s, and a fifth more.
    @Test func laterOnesSpeakUpABootEarlier() {
        let bench = learned()
        bench.tell(id(0, 2), .running)
        bench.wait(.seconds(5))
        bench.tell(id(0, 2), .ready)
        bench.exit(id(0))
        // The successor of a crash draws its bell anew.
        #expect(bell(of: bench.exit(id(0, 2), 1)) == 940)
    }

    @Test func neverBeforeHalfOfTheLimit() {
        let bench = learned(limit: 40)
        bench.makeReady(id(0, 2))
        #expect(bell(of: bench.exit(id(0, 2), 1)) == 20)
    }

    @Test func aPoolWithoutSurgeIsNotWeakenedEarly() {
        let bench = learned { $0.maxSurge = .count(0) }
        #expect(bell(of: bench.exit(id(0))) == 1000)
    }

    /// Up to the third worker, which speaks up at 940 of 1000.
    private func ringing() -> Bench {
        let bench = learned()
        bench.makeReady(id(0, 2))
        bench.exit(id(0))
        bench.exit(id(0, 2), 1)
        bench.tell(id(0, 3), .running)
        bench.wait(.seconds(5))
        bench.tell(id(0, 3), .ready)
        return bench
    }

    @Test func theIncumbentServesOnUntilItsLimit() {
        let bench = ringing()
        guard let bell = bench.pool.worker(id(0, 3))?.bell else {
            Issue.record("no bell")
            return
        }
        #expect(bell < 1000)
        let rung = bench.tell(id(0, 3), .requests(bell))
        #expect(rung.started == [id(0, 4)])
        #expect(rung.contains(.setBell(id(0, 3), requests: 1000)))
        bench.tell(id(0, 4), .running)
        // Ready early: both serve.
        #expect(bench.tell(id(0, 4), .ready).retired == [])
        #expect(bench.tell(id(0, 3), .requests(999)) == [])
        #expect(bench.tell(id(0, 3), .requests(1000)).retired == [id(0, 3)])
    }

    @Test func aLimitThatDoesNotComeIsNotWaitedForLong() {
        let bench = ringing()
        bench.tell(id(0, 3), .requests(999))
        bench.makeReady(id(0, 4))
        #expect(bench.wake().retired == [id(0, 3)])
    }

    @Test func memoryDoesNotWaitForTheLimit() {
        let bench = learned { $0.maxRSSBytes = 100 }
        bench.makeReady(id(0, 2))
        bench.exit(id(0))
        bench.exit(id(0, 2), 1)
        bench.makeReady(id(0, 3))
        bench.wait(.seconds(20))
        bench.tell(id(0, 3), .requests(999))
        bench.makeReady(id(0, 4))
        let actions = bench.tell(id(0, 3), .memory(bytes: 101))
        let figures = facts(20, requests: 999, limit: 1000, memory: 101)
        #expect(
            actions == [.note(.due(id(0, 3), .memory, figures))]
                + told(id(0, 3), .recycle(.memory), figures))
    }
}
