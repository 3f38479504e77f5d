import Testing

@testable import SuperviseCore

/// Slots whose workers exit too early (Pool+Backoff.swift).
struct BackoffTests {
    @Test func theFirstCrashIsReplacedAtOnce() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        bench.wait(.seconds(20))
        #expect(
            bench.tell(id(1), .exited(.signal(.abort), leavesTree: false)) == [
                start(id(1, 2)), .note(.exited(id(1), .signal(.abort), .crashed, facts(20))),
            ])
    }

    @Test func thenTheDelayDoublesWithinItsBounds() throws {
        let bench = Bench { $0.backoffMax = .seconds(2) }
        bench.bringUp()
        bench.exit(id(0), 1)
        var expected = TimeSpan.milliseconds(100)
        for incarnation in 2...9 {
            bench.makeReady(id(0, incarnation))
            let actions = bench.exit(id(0, incarnation), 1)
            let delay = try #require(actions.backoffDelay)
            #expect(
                actions
                    == [
                        .note(.exited(id(0, incarnation), .code(1), .crashed, facts())),
                        .note(.backoff(pool: 0, slot: 0, failures: incarnation, delay: delay)),
                    ].aged(bench, id(0, incarnation)))
            let quarter = TimeSpan(nanoseconds: expected.nanoseconds / 4)
            #expect(expected <= delay && delay <= expected + quarter)
            let due = bench.now + delay
            #expect(bench.wake() == [start(id(0, incarnation + 1))])
            #expect(bench.now == due)
            expected = min(expected + expected, .seconds(2))
        }
    }

    /// A worker that requests its replacement as soon as it is ready is treated like one that
    /// exits.
    @Test(arguments: [WorkerEvent.recycleRequested, .requests(.max)])
    func whoHasItselfReplacedAtOnceBacksOff(news: WorkerEvent) {
        let bench = Bench { $0.maxRequests = 10 }
        bench.bringUp()
        var delays: [TimeSpan] = []
        for incarnation in 1...8 {
            bench.tell(id(0, incarnation), news)
            while bench.pool.worker(id(0, incarnation + 1)) == nil { bench.wake() }
            let actions =
                bench.tell(id(0, incarnation + 1), .running)
                + bench.tell(id(0, incarnation + 1), .ready)
            #expect(actions.retired == [id(0, incarnation)])
            if let delay = actions.backoffDelay { delays.append(delay) }
            bench.exit(id(0, incarnation))
        }
        #expect(delays.count > 3 && delays.last ?? .zero >= .milliseconds(800), "\(delays)")
    }

    @Test func aWorkerThatServedBeforeItsRequestIsReplacedImmediately() {
        let bench = Bench()
        bench.bringUp()
        for incarnation in 1...8 {
            bench.wait(.seconds(1))
            let actions = bench.tell(id(0, incarnation), .recycleRequested)
            #expect(actions.started == [id(0, incarnation + 1)])
            bench.makeReady(id(0, incarnation + 1))
            bench.exit(id(0, incarnation))
        }
    }

    /// It asked early and then served for long: only the starts that failed since then count.
    @Test func aHeldRecycleIsNoFailureAndResetsNone() throws {
        let bench = Bench()
        bench.bringUp()
        bench.tell(id(0), .hold(.seconds(20)))
        bench.tell(id(0), .recycleRequested)
        while bench.pool.worker(id(0, 2)) == nil { bench.wake() }
        bench.exit(id(0, 2), 1)
        bench.exit(id(0, 3), 1)
        while bench.pool.worker(id(0, 4)) == nil { bench.wake() }
        bench.makeReady(id(0, 4))
        let delay = try #require(bench.exit(id(0, 4), 1).backoffDelay)
        #expect(delay >= .milliseconds(200))
    }

    /// A small limit of a fast program is not a failure.
    @Test func aWorkerThatServedQuicklyIsReplacedImmediately() {
        let bench = Bench { $0.maxRequests = 10 }
        bench.bringUp()
        for incarnation in 1...8 {
            bench.wait(.milliseconds(100))
            let actions = bench.tell(id(0, incarnation), .requests(10))
            #expect(actions.started == [id(0, incarnation + 1)])
            bench.makeReady(id(0, incarnation + 1))
            bench.exit(id(0, incarnation))
        }
    }

    @Test func stabilityIsForgiveness() {
        let bench = Bench()
        bench.bringUp()
        bench.exit(id(0), 1)
        bench.exit(id(0, 2), 1)
        bench.wake()
        bench.makeReady(id(0, 3))
        bench.wait(.seconds(10))
        #expect(bench.exit(id(0, 3), 1).started == [id(0, 4)])
    }

    @Test func readinessShortOfStableIsNot() {
        let bench = Bench()
        bench.bringUp()
        bench.exit(id(0), 1)
        bench.exit(id(0, 2), 1)
        bench.wake()
        bench.makeReady(id(0, 3))
        bench.wait(.milliseconds(9_999))
        #expect(bench.exit(id(0, 3), 1).started == [])
    }

    @Test func aLongBootIsNoStability() {
        let bench = Bench()
        bench.bringUp()
        bench.exit(id(0), 1)
        bench.tell(id(0, 2), .running)
        bench.wait(.seconds(50))
        #expect(bench.exit(id(0, 2), 1).started == [])
    }

    @Test func aSlotBacksOffAlone() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        bench.exit(id(0), 1)
        #expect(bench.exit(id(0, 2), 1).started == [])
        #expect(bench.exit(id(1), 1).started == [id(1, 2)])
    }

    @Test func slotsThatFailTogetherPart() {
        let bench = Bench(workers: 10)
        bench.tell(.start)
        var delays: Set<TimeSpan> = []
        for incarnation in 1...2 {
            for slot in 0..<10 {
                if let delay = bench.exit(id(slot, incarnation), 1).backoffDelay {
                    delays.insert(delay)
                }
            }
        }
        #expect(delays.count == 10)
    }

    @Test func noBackoffMeansNoDelay() {
        let bench = Bench { $0.backoff = .zero }
        bench.bringUp()
        for incarnation in 1...5 {
            #expect(bench.exit(id(0, incarnation), 1).started == [id(0, incarnation + 1)])
        }
    }

    @Test func aStartThatTheSystemRefusedIsTriedAgain() throws {
        let refused = StartFailure(step: "fork", message: "EAGAIN", isTransient: true)
        let bench = Bench()
        bench.tell(.start)
        #expect(
            bench.tell(id(0), .startFailed(refused))
                == [start(id(0, 2)), .note(.startFailed(id(0), refused))])
        let actions = bench.tell(id(0, 2), .startFailed(refused))
        let delay = try #require(actions.backoffDelay)
        #expect(
            actions == [
                .note(.startFailed(id(0, 2), refused)),
                .note(.backoff(pool: 0, slot: 0, failures: 2, delay: delay)),
            ])
        #expect(bench.pool.startImpossible == nil)
        #expect(bench.wake() == [start(id(0, 3))])
    }

    @Test func withoutBackoffARefusedStartWaitsAMomentAllTheSame() {
        let refused = StartFailure(step: "fork", message: "EAGAIN", isTransient: true)
        let bench = Bench { $0.backoff = .zero }
        bench.tell(.start)
        bench.tell(id(0), .startFailed(refused))
        #expect(bench.tell(id(0, 2), .startFailed(refused)).backoffDelay == .milliseconds(10))
    }

    @Test func aStartThatCannotSucceedIsRemembered() {
        let missing = StartFailure(step: "exec", message: "ENOENT", isTransient: false)
        let bench = Bench()
        bench.tell(.start)
        bench.tell(id(0), .startFailed(missing))
        #expect(bench.pool.startImpossible == missing)
    }

    @Test func aProgramThatRanOnceIsNotImpossible() {
        let missing = StartFailure(step: "exec", message: "ENOENT", isTransient: false)
        let bench = Bench()
        bench.tell(.start)
        bench.tell(id(0), .running)
        bench.exit(id(0), 1)
        bench.tell(id(0, 2), .startFailed(missing))
        #expect(bench.pool.startImpossible == nil)
    }
}

extension [Action] {
    /// The same facts with the current age of the worker.
    fileprivate func aged(_ bench: Bench, _ id: WorkerID) -> [Action] {
        map { action in
            guard case .note(.exited(id, let status, let ending, _)) = action else {
                return action
            }
            return .note(.exited(id, status, ending, facts()))
        }
    }
}
