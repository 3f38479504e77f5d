import Testing

@testable import SuperviseCore

/// A stuck request beside other causes to replace the worker, and its evidence (StuckRequests.swift).
struct StuckCauseTests {
    @Test func aWorkerThatRecoversStays() {
        let bench = stuckBench {
            $0.maxSurge = .count(0)
            $0.maxUnavailable = .count(1)
        }
        // Another worker takes the budget.
        bench.tell(.recycle(slot: 1))
        bench.see([(id(0), [request(since: 92)])])
        #expect(bench.pool.slots[0].due?.cause == .requestTimeout)
        bench.see([])
        #expect(bench.pool.slots[0].due == nil)
        #expect(bench.pool.worker(id(0))?.facts(at: bench.now).during == nil)
    }

    @Test func anEarlierCauseAppliesAgain() {
        let bench = stuckBench {
            $0.maxSurge = .count(0)
            $0.maxUnavailable = .count(1)
        }
        bench.tell(.recycle(slot: 1))
        bench.tell(.recycle(slot: 0))
        bench.see([(id(0), [request(since: 92)])])
        #expect(bench.pool.slots[0].due?.cause == .requestTimeout)
        bench.see([])
        #expect(bench.pool.slots[0].due?.cause == .operator)
    }

    /// Requested while the request is stuck.
    @Test func aLaterCauseRemains() {
        let bench = stuckBench {
            $0.maxSurge = .count(0)
            $0.maxUnavailable = .count(1)
        }
        bench.tell(.recycle(slot: 1))
        bench.see([(id(0), [request(since: 92)])])
        let now = stuckFacts(100, waited: 8)
        #expect(bench.tell(.recycle(slot: 0)) == [.note(.due(id(0), .operator, now))])
        // Once.
        #expect(bench.tell(.recycle(slot: 0)) == [])
        bench.see([])
        #expect(bench.pool.slots[0].due?.cause == .operator)
    }

    /// All old workers must be replaced, also one whose request was stuck at the commit.
    @Test func aReloadReplacesAWorkerThatRecovers() {
        let bench = stuckBench()
        bench.tell(.recycle(slot: 1))
        bench.see([(id(0), [request(since: 92)])])
        bench.makeReady(id(1, 2))
        bench.tell(.prepare(generation: 2, bench.pool.policy))
        bench.tell(.commit())
        #expect(bench.pool.slots[0].due?.cause == .requestTimeout)
        bench.see([])
        #expect(bench.pool.slots[0].due?.cause == .reload)
    }

    /// Its replacement would start ahead of the limit, but there was no room for one.
    @Test func aForeseenLimitAppliesAgain() {
        let bench = stuckBench(workers: 2) { $0.maxRequests = 1000 }
        // A boot of 5 s and 10 requests per second are usual.
        bench.tell(id(0), .requests(1000))
        bench.tell(id(0, 2), .running)
        bench.wait(.seconds(5))
        bench.tell(id(0, 2), .ready)
        bench.exit(id(0))
        bench.exit(id(0, 2), 1)
        bench.makeReady(id(0, 3))
        bench.tell(.recycle(slot: 1))
        #expect(bench.tell(id(0, 3), .requests(999)).started == [])
        #expect(bench.pool.slots[0].due?.isForeseen == true)
        let foreseen = bench.pool.slots[0].due
        bench.wait(.seconds(8))
        bench.see([(id(0, 3), [request(since: 105)])])
        #expect(bench.pool.slots[0].due?.cause == .requestTimeout)
        bench.see([])
        #expect(bench.pool.slots[0].due == foreseen)
    }

    /// The canary is no replacement, because it may fail.
    @Test func aWorkerBesideACanaryRecovers() {
        let bench = stuckBench()
        bench.tell(.prepare(generation: 2, bench.pool.policy))
        bench.makeReady(id(0, 2))
        bench.see([(id(0), [request(since: 92)])])
        #expect(bench.pool.slots[0].due?.cause == .requestTimeout)
        bench.see([])
        #expect(bench.pool.slots[0].due == nil)
    }

    /// The command still inspects it.
    @Test func evidenceIsAwaitedAlsoIfTheRequestEnds() {
        let bench = stuckBench {
            $0.maxSurge = .count(0)
            $0.maxUnavailable = .count(1)
            $0.runsBeforeRecycle = true
        }
        bench.see([(id(0), [request(since: 92)])])
        bench.see([])
        #expect(bench.pool.slots[0].due == nil)
        #expect(bench.tell(.recycle(slot: 0)).retired == [])
        #expect(bench.tell(id(0), .evidenceGathered).retired == [id(0)])
    }

    @Test func evidenceIsNotGatheredTwiceAtTheSameTime() {
        let bench = stuckBench {
            $0.maxRSSBytes = 1000
            $0.runsBeforeRecycle = true
        }
        bench.see([(id(0), [request(since: 92)])])
        let exceeds = bench.tell(id(0), .memory(bytes: 2000))
        #expect(exceeds.count == 1)
        #expect(bench.pool.slots[0].due?.cause == .memory)
        bench.makeReady(id(0, 2))
        #expect(bench.tell(id(0), .evidenceGathered).retired == [id(0)])
    }
}
