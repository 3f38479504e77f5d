import Testing

@testable import SuperviseCore

/// Planned replacement (Pool+Recycling.swift).
struct RecyclingTests {
    @Test func theReplacementIsReadyBeforeTheOldOneGoes() {
        let bench = Bench { $0.maxRequests = 10 }
        bench.bringUp()
        bench.wait(.seconds(20))
        #expect(bench.tell(id(0), .requests(9)) == [])
        #expect(
            bench.tell(id(0), .requests(10)) == [
                .note(.due(id(0), .requests, facts(20, requests: 10, limit: 10))),
                start(id(0, 2), limit: 10),
            ])
        bench.tell(id(0, 2), .running)
        bench.wait(.seconds(5))
        #expect(
            bench.tell(id(0, 2), .ready)
                == [.note(.ready(id(0, 2), by: .notify, after: .seconds(5)))]
                + told(id(0), .recycle(.requests), facts(25, requests: 10, limit: 10)))
        #expect(
            bench.exit(id(0)) == [
                .note(
                    .exited(
                        id(0), .code(0), .retired(.recycle(.requests)),
                        facts(25, requests: 10, limit: 10)))
            ])
        #expect(bench.pool.servingCount == 1)
        #expect(bench.pool.liveCount == 1)
    }

    @Test func withoutSurgeTheOldOneGoesFirst() {
        let bench = Bench {
            $0.maxRequests = 10
            $0.maxSurge = .count(0)
        }
        bench.bringUp()
        #expect(
            bench.tell(id(0), .moreRequests(10))
                == [.note(.due(id(0), .requests, facts(requests: 10, limit: 10)))]
                + told(id(0), .recycle(.requests), facts(requests: 10, limit: 10)))
        #expect(bench.exit(id(0)).started == [id(0, 2)])
    }

    @Test func ageCountsFromTheStart() {
        let bench = Bench { $0.maxLifetime = .seconds(3600) }
        bench.bringUp()
        #expect(
            bench.wake() == [
                .note(.due(id(0), .lifetime, facts(3600))), start(id(0, 2)),
            ])
        #expect(bench.now == second(3600))
    }

    @Test func agesAreDrawnWithinTheirJitter() {
        let bench = Bench(workers: 10) {
            $0.maxLifetime = .seconds(100)
            $0.maxLifetimeJitter = .seconds(10)
        }
        bench.bringUp()
        let ends = (0..<10).compactMap { bench.pool.worker(id($0))?.lifetimeEnd }
        #expect(ends.count == 10)
        #expect(ends.allSatisfy { second(100) <= $0 && $0 <= second(110) })
        #expect(Set(ends).count == 10)
    }

    @Test func severalDueWorkersStopOneAtATime() {
        let bench = Bench(workers: 4) { $0.maxLifetime = .seconds(100) }
        bench.bringUp()
        #expect(bench.wake().started == [id(0, 2)])
        for slot in 0..<4 {
            bench.makeReady(id(slot, 2))
            #expect(bench.pool.liveCount == 5)
            #expect(bench.pool.servingCount == 4)
            #expect(bench.exit(id(slot)).started == (slot < 3 ? [id(slot + 1, 2)] : []))
        }
        #expect(bench.pool.liveCount == 4)
    }

    @Test func aLargerBudgetReplacesMoreAtOnce() {
        let bench = Bench(workers: 10) {
            $0.maxLifetime = .seconds(100)
            $0.maxSurge = .percent(25)
        }
        bench.bringUp()
        #expect(bench.wake().started == [id(0, 2), id(1, 2), id(2, 2)])
    }

    @Test func surgeAndUnavailabilityAreUsedTogether() {
        let bench = Bench(workers: 4) {
            $0.maxLifetime = .seconds(100)
            $0.maxUnavailable = .count(1)
        }
        bench.bringUp()
        let actions = bench.wake()
        #expect(actions.started == [id(0, 2)])
        #expect(actions.retired == [id(1)])
    }

    @Test func memoryOvertakes() {
        let bench = Bench(workers: 3) {
            $0.maxLifetime = .seconds(100)
            $0.maxRSSBytes = 1000
        }
        bench.bringUp()
        while bench.now < second(100) { bench.wake() }
        #expect(bench.pool.worker(id(0, 2)) != nil)
        bench.tell(id(2), .memory(bytes: 2000))
        bench.makeReady(id(0, 2))
        #expect(bench.exit(id(0)).started == [id(2, 2)])
    }

    @Test func memoryOvertakesItsOwnEarlierCause() {
        let bench = Bench(workers: 2) {
            $0.maxRequests = 10
            $0.maxRSSBytes = 1000
        }
        bench.bringUp()
        bench.wait(.seconds(20))
        bench.tell(id(0), .requests(10))
        bench.tell(id(1), .requests(10))
        #expect(
            bench.tell(id(1), .memory(bytes: 2000)) == [
                .note(.due(id(1), .memory, facts(20, requests: 10, limit: 10, memory: 2000)))
            ])
        #expect(bench.tell(id(1), .recycleRequested) == [])
    }

    @Test func aWorkerMayAskToBeReplaced() {
        let bench = Bench()
        bench.bringUp()
        #expect(
            bench.tell(id(0), .recycleRequested)
                == [.note(.due(id(0), .requested, facts())), start(id(0, 2))])
        #expect(bench.tell(id(0), .recycleRequested) == [])
    }

    @Test func whatCameBeforeReadinessCountsOnceReady() {
        let bench = Bench { $0.maxRequests = 10 }
        bench.tell(.start)
        bench.tell(id(0), .running)
        #expect(bench.tell(id(0), .requests(12)) == [])
        #expect(
            bench.tell(id(0), .ready) == [
                .note(.ready(id(0), by: .notify, after: .zero)),
                .note(.due(id(0), .requests, facts(requests: 12, limit: 10))),
                start(id(0, 2), limit: 10),
            ])
        bench.tell(id(0, 2), .running)
        bench.tell(id(0, 2), .recycleRequested)
        #expect(
            bench.tell(id(0, 2), .ready).contains(
                .note(.due(id(0, 2), .requested, facts(limit: 10)))))
    }

    @Test func aFailedReplacementLeavesTheOldOneInPlace() throws {
        let bench = Bench { $0.maxRequests = 10 }
        bench.bringUp()
        bench.tell(id(0), .requests(10))
        bench.tell(id(0, 2), .running)
        #expect(bench.exit(id(0, 2), 1).started == [id(0, 3)])
        let second = bench.exit(id(0, 3), 1)
        #expect(second.started == [])
        #expect(try #require(second.backoffDelay) >= .milliseconds(100))
        #expect(bench.pool.servingCount == 1)
        #expect(bench.wake().started == [id(0, 4)])
    }

    @Test func aSlotForgetsItsFailedReplacementsOnceStable() {
        let bench = Bench { $0.maxRequests = 10 }
        bench.bringUp()
        bench.tell(id(0), .requests(10))
        for incarnation in 2...5 {
            bench.tell(id(0, incarnation), .running)
            bench.exit(id(0, incarnation), 1)
            if incarnation > 2 { bench.wake() }
        }
        bench.makeReady(id(0, 6))
        bench.exit(id(0))
        bench.wait(.seconds(60))
        #expect(bench.tell(id(0, 6), .requests(10)).started == [id(0, 7)])
        #expect(bench.exit(id(0, 7), 1).started == [id(0, 8)])
    }

    @Test func aStopFirstPoolThatCannotBootIsNotWeakenedFurther() {
        let bench = Bench(workers: 3) {
            $0.maxSurge = .count(0)
            $0.maxRequests = 10
        }
        bench.bringUp()
        bench.wait(.seconds(1))
        bench.tell(id(0), .requests(10))
        bench.exit(id(0))
        bench.exit(id(0, 2), 1)
        #expect(bench.tell(id(1), .requests(10)).retired == [])
        bench.tell(id(0, 3), .running)
        #expect(bench.tell(id(0, 3), .ready).retired == [id(1)])
    }

    @Test func aSlotThatIsDoneDoesNotHoldTheOthersUp() {
        let bench = Bench(workers: 2) {
            $0.hasListeners = false
            $0.restart = .onFailure
            $0.maxLifetime = .seconds(100)
        }
        bench.bringUp()
        bench.exit(id(0), 1)
        bench.exit(id(0, 2), 0)
        #expect(bench.wake().retired == [id(1)])
    }

    @Test func aHoldPutsRecyclingOff() {
        let bench = Bench { $0.maxRequests = 10 }
        bench.bringUp()
        #expect(bench.tell(id(0), .hold(.seconds(30))) == [])
        #expect(bench.tell(id(0), .requests(10)).started == [])
        #expect(bench.wake() == [start(id(0, 2), limit: 10)])
        #expect(bench.now == second(30))
    }

    @Test func aHoldKeepsTheOldOneBesideItsReadyReplacement() {
        let bench = Bench { $0.maxRequests = 10 }
        bench.bringUp()
        bench.tell(id(0), .requests(10))
        bench.tell(id(0), .hold(.seconds(30)))
        bench.tell(id(0, 2), .running)
        #expect(bench.tell(id(0, 2), .ready).retired == [])
        #expect(bench.wake().retired == [id(0)])
        #expect(bench.now == second(30))
    }

    @Test func newsThatComeWithALateDeadlineDoNotHideTheEndOfAHold() {
        let bench = Bench { $0.maxRequests = 10 }
        bench.bringUp()
        bench.tell(id(0), .requests(10))
        bench.tell(id(0), .hold(.seconds(30)))
        bench.makeReady(id(0, 2))
        bench.wait(.seconds(40))
        bench.tell(id(0), .requests(11))
        #expect(bench.wake().retired == [id(0)])
    }

    @Test func aHoldIsTakenBack() {
        let bench = Bench { $0.maxRequests = 10 }
        bench.bringUp()
        bench.tell(id(0), .requests(10))
        bench.tell(id(0), .hold(.seconds(30)))
        bench.makeReady(id(0, 2))
        #expect(
            bench.tell(id(0), .hold(.zero))
                == told(id(0), .recycle(.requests), facts(requests: 10, limit: 10)))
    }

    @Test func aHoldLastsNoLongerThanMaxHold() {
        let bench = Bench {
            $0.maxRequests = 10
            $0.maxHold = .seconds(40)
            $0.maxRSSBytes = 1000
            $0.memoryInterval = .seconds(3600)
        }
        bench.bringUp()
        bench.wait(.seconds(20))
        bench.tell(id(0), .hold(.seconds(30)))
        bench.tell(id(0), .requests(10))
        bench.wait(.seconds(20))
        bench.tell(id(0), .hold(.seconds(300)))
        // A second cause does not restart the time.
        bench.tell(id(0), .memory(bytes: 2000))
        #expect(bench.wake().started == [id(0, 2)])
        #expect(bench.now == second(60))
    }

    /// Two ready workers in one slot count as one: the old one is about to stop.
    @Test func aHeldPairCountsAsOneWorker() {
        let bench = Bench(workers: 4) {
            $0.maxRequests = 10
            $0.maxUnavailable = .count(1)
        }
        bench.bringUp()
        bench.tell(id(0), .requests(10))
        bench.tell(id(0), .hold(.seconds(30)))
        bench.makeReady(id(0, 2))
        #expect(bench.tell(id(1), .requests(10)).retired == [id(1)])
        #expect(bench.tell(id(2), .requests(10)).retired == [])
    }
}
