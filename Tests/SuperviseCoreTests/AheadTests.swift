import Testing

@testable import SuperviseCore

/// Replacements that start ahead of a request limit (Pool+Ahead.swift).
struct AheadTests {
    /// A pool whose second worker took 5 s to boot, after a first one that served 10 requests per
    /// second.
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

    private func notifyThreshold(of actions: [Action]) -> UInt64? {
        for case .start(_, let order) in actions { return order.notifyThreshold }
        return nil
    }

    @Test func theFirstWorkerSpeaksUpAtItsLimit() {
        let bench = Bench { $0.maxRequests = 1000 }
        #expect(notifyThreshold(of: bench.tell(.start)) == 1000)
    }

    /// 10 requests per second for 5 s, and a fifth more.
    @Test func laterOnesSpeakUpABootEarlier() {
        let bench = learned()
        bench.tell(id(0, 2), .running)
        bench.wait(.seconds(5))
        bench.tell(id(0, 2), .ready)
        bench.exit(id(0))
        // The replacement of a crashed worker draws its notification point anew.
        #expect(notifyThreshold(of: bench.exit(id(0, 2), 1)) == 940)
    }

    @Test func neverBeforeHalfOfTheLimit() {
        let bench = learned(limit: 40)
        bench.makeReady(id(0, 2))
        #expect(notifyThreshold(of: bench.exit(id(0, 2), 1)) == 20)
    }

    @Test func aPoolWithoutSurgeIsNotWeakenedEarly() {
        let bench = learned { $0.maxSurge = .count(0) }
        #expect(notifyThreshold(of: bench.exit(id(0))) == 1000)
    }

    /// Up to the third worker, which sends a notification at 940 of 1000.
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
        guard let notifyThreshold = bench.pool.worker(id(0, 3))?.claims?.notifyThreshold else {
            Issue.record("no threshold")
            return
        }
        #expect(notifyThreshold < 1000)
        let notified = bench.tell(id(0, 3), .requests(notifyThreshold))
        #expect(notified.started == [id(0, 4)])
        #expect(notified.contains(.setNotifyThreshold(id(0, 3), requests: 1000)))
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

/// Replacements that start ahead of a memory cap (Pool+Ahead.swift).
struct AheadOfCapTests {
    /// The worker has 100 bytes when it is ready, after a boot of 5 s, and is sampled each second.
    private func booted(_ adjust: (inout PoolPolicy) -> Void = { _ in }) -> Bench {
        let bench = Bench {
            $0.maxRSSBytes = 1000
            $0.minLifetime = .zero
            adjust(&$0)
        }
        bench.tell(.start)
        bench.tell(id(0), .running)
        bench.wait(.seconds(5))
        bench.tell(id(0), .ready)
        return bench
    }

    /// Lets a worker grow by this much per second, up to `end`. Returns its size when a replacement
    /// started.
    private func grow(
        _ bench: Bench, _ grown: WorkerID, by step: UInt64 = 20, through end: UInt64
    ) -> UInt64? {
        for bytes in stride(from: 100, through: end, by: UInt64.Stride(step)) {
            bench.wait(.seconds(1))
            if !bench.tell(grown, .memory(bytes: bytes)).started.isEmpty { return bytes }
        }
        return nil
    }

    /// 20 bytes per second for a boot of 5 s, a fifth more, and the second until the next sample.
    @Test func theReplacementIsStartedABootBeforeTheCap() {
        let bench = booted()
        #expect(grow(bench, id(0), through: 1000) == 860)
    }

    @Test func theIncumbentServesOnUntilItsCap() {
        let bench = booted()
        _ = grow(bench, id(0), through: 1000)
        bench.tell(id(0, 2), .running)
        #expect(bench.tell(id(0, 2), .ready).retired == [])
        #expect(bench.tell(id(0), .memory(bytes: 1000)).retired == [])
        #expect(bench.tell(id(0), .memory(bytes: 1001)).retired == [id(0)])
    }

    @Test func growthThatStopsIsBelievedOnce() {
        let bench = booted()
        _ = grow(bench, id(0), through: 1000)
        bench.makeReady(id(0, 2))
        bench.wait(.seconds(20))
        #expect(bench.tell(.deadline).retired == [id(0)])
        bench.exit(id(0))
        #expect(grow(bench, id(0, 2), through: 1000) == nil)
    }

    @Test func growthIsBelievedAgainOfAPoolThatReachesItsCap() {
        let bench = booted()
        _ = grow(bench, id(0), through: 1000)
        bench.makeReady(id(0, 2))
        bench.wait(.seconds(20))
        bench.tell(.deadline)
        bench.exit(id(0))
        #expect(grow(bench, id(0, 2), through: 1020) == 1020)
        bench.makeReady(id(0, 3))
        bench.exit(id(0, 2))
        #expect(grow(bench, id(0, 3), through: 1000) != nil)
    }

    @Test func aPoolWithoutSurgeWaitsForTheCap() {
        let bench = booted { $0.maxSurge = .count(0) }
        #expect(grow(bench, id(0), through: 1000) == nil)
    }

    @Test func aWorkerThatIsTooYoungWaitsForTheCap() {
        let bench = booted { $0.minLifetime = .seconds(3600) }
        #expect(grow(bench, id(0), through: 1000) == nil)
    }

    /// However fast it grows.
    @Test func neverBeforeHalfOfTheWay() {
        let bench = booted()
        for _ in 0..<8 {
            bench.wait(.milliseconds(1))
            bench.tell(id(0), .memory(bytes: 100))
        }
        #expect(grow(bench, id(0), by: 90, through: 1000).map { $0 >= 550 } == true)
    }

    @Test func evidenceIsGatheredAtTheCap() {
        let bench = booted { $0.runsBeforeRecycle = true }
        _ = grow(bench, id(0), through: 1000)
        bench.makeReady(id(0, 2))
        let atCap = bench.tell(id(0), .memory(bytes: 1001))
        #expect(atCap.retired == [])
        #expect(
            atCap.contains {
                if case .gatherEvidence(id(0), .memory, _) = $0 { true } else { false }
            })
        #expect(bench.tell(id(0), .evidenceGathered).retired == [id(0)])
    }
}
