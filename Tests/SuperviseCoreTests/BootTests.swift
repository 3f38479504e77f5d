import Testing

@testable import SuperviseCore

/// From the start action until ready (Pool+Boot.swift).
struct BootTests {
    @Test func startOrdersEveryWorker() {
        let bench = Bench(workers: 3)
        #expect(bench.tell(.start) == [start(id(0)), start(id(1)), start(id(2))])
        #expect(bench.tell(.start) == [])
    }

    @Test func firstWorkersBootInTurns() {
        let bench = Bench(workers: 4) { $0.bootParallel = 2 }
        #expect(bench.tell(.start) == [start(id(0)), start(id(1))])
        bench.tell(id(0), .running)
        #expect(bench.tell(id(0), .ready).contains(start(id(2))))
        // A failed boot ends the turn of its slot.
        bench.tell(id(1), .running)
        let actions = bench.tell(id(1), .exited(.code(1), leavesTree: false))
        #expect(actions.contains(start(id(1, 2))) && actions.contains(start(id(3))))
        // Two slots boot, and the replacement of a worker that crashed does not wait for them.
        let crash = bench.tell(id(0), .exited(.code(1), leavesTree: false))
        #expect(crash.contains(start(id(0, 2))))
    }

    @Test func readyByNotification() {
        let bench = Bench()
        bench.tell(.start)
        #expect(
            bench.tell(id(0), .running)
                == [.note(.started(id(0), generation: 1, requestLimit: nil))])
        bench.wait(.seconds(3))
        #expect(
            bench.tell(id(0), .ready) == [.note(.ready(id(0), by: .notify, after: .seconds(3)))])
        #expect(bench.tell(id(0), .ready) == [])
        #expect(bench.pool.servingCount == 1)
        #expect(bench.pool.nextDeadline == nil)
    }

    @Test func readyByExec() {
        let bench = Bench { $0.readiness = .exec }
        bench.tell(.start)
        #expect(
            bench.tell(id(0), .running) == [
                .note(.started(id(0), generation: 1, requestLimit: nil)),
                .note(.ready(id(0), by: .exec, after: .zero)),
            ])
    }

    @Test func readyByTime() {
        let bench = Bench { $0.readiness = .after(.seconds(2)) }
        bench.tell(.start)
        bench.tell(id(0), .running)
        #expect(bench.wake() == [.note(.ready(id(0), by: .time, after: .seconds(2)))])
    }

    @Test func timeDoesNotCountBeforeTheProgramRuns() {
        let bench = Bench { $0.readiness = .after(.seconds(2)) }
        bench.tell(.start)
        #expect(bench.pool.nextDeadline == second(60))
        bench.wait(.seconds(4))
        bench.tell(id(0), .running)
        #expect(bench.wake() == [.note(.ready(id(0), by: .time, after: .seconds(4)))])
    }

    @Test func withoutListenersAliveForASecondIsReady() {
        let bench = Bench {
            $0.readiness = .auto
            $0.hasListeners = false
        }
        bench.tell(.start)
        bench.tell(id(0), .running)
        #expect(bench.wake() == [.note(.ready(id(0), by: .time, after: .seconds(1)))])
    }

    @Test func autoPollsForEvidenceAtIncreasingIntervals() {
        let bench = Bench { $0.readiness = .auto }
        bench.tell(.start)
        bench.tell(id(0), .running)
        var times: [Instant] = []
        for _ in 0..<8 {
            #expect(bench.wake() == [.observe(id(0))])
            times.append(bench.now)
        }
        let milliseconds = times.map { $0.nanoseconds / 1_000_000 }
        #expect(milliseconds == [5, 15, 35, 75, 155, 255, 355, 455])
        #expect(
            bench.tell(id(0), .listening)
                == [.note(.ready(id(0), by: .listening, after: bench.now - second(0)))])
        #expect(bench.pool.nextDeadline == nil)
    }

    /// Missing evidence so far does not mean that evidence is unavailable.
    @Test func autoWaitsForEvidenceUntilReadyTimeout() {
        let bench = Bench { $0.readiness = .auto }
        bench.tell(.start)
        bench.tell(id(0), .running)
        while bench.now < second(59) { #expect(bench.wake() == [.observe(id(0))]) }
        while bench.pool.liveCount == 1, bench.now < second(60) { bench.wake() }
        #expect(bench.pool.worker(id(0))?.killAt == second(62))
    }

    /// For example, one takes 12 s to boot, and one exits after 6 s, which is a failed boot.
    @Test(arguments: [12, 59])
    func aSlowBootIsReadyWhenItIs(_ age: Int64) {
        let bench = Bench { $0.readiness = .auto }
        bench.tell(.start)
        bench.tell(id(0), .running)
        while bench.now < second(age) { #expect(bench.wake() == [.observe(id(0))]) }
        #expect(bench.tell(id(0), .listening).count == 1)
        #expect(bench.pool.servingCount == 1 && bench.pool.nextDeadline == nil)
    }

    @Test func aWorkerThatCannotBeSeenIsAssumedReadyAfterFiveSeconds() {
        let bench = Bench { $0.readiness = .auto }
        bench.tell(.start)
        bench.tell(id(0), .running)
        bench.tell(id(0), .unobservable(mayReport: false))
        while bench.now < second(5) {
            let actions = bench.wake()
            guard bench.now >= second(5) else { continue }
            #expect(actions.contains(.note(.ready(id(0), by: .assumed, after: .seconds(5)))))
        }
        #expect(bench.pool.worker(id(0))?.isUnproven == true)
        // Sampling has stopped, so that the master can sleep.
        #expect(bench.pool.nextDeadline == nil)
        bench.tell(id(0), .listening)
        #expect(bench.pool.worker(id(0))?.isUnproven == false)
    }

    @Test func aWorkerThatMayReportHasUntilReadyTimeout() {
        let bench = Bench { $0.readiness = .auto }
        bench.tell(.start)
        bench.tell(id(0), .running)
        // The library is loaded shortly after the program runs.
        bench.tell(id(0), .unobservable(mayReport: false))
        bench.tell(id(0), .unobservable(mayReport: true))
        while bench.now < second(59) { #expect(bench.wake() == [.observe(id(0))]) }
        while bench.pool.servingCount == 0 { bench.wake() }
        #expect(bench.now == second(60))
        #expect(bench.pool.worker(id(0))?.isUnproven == true)
    }

    @Test func evidenceIsNoReadinessWhereNotificationWasAskedFor() {
        let bench = Bench()
        bench.tell(.start)
        bench.tell(id(0), .running)
        #expect(bench.tell(id(0), .listening) == [])
        #expect(bench.pool.servingCount == 0)
    }

    @Test func readyTimeoutIsAFailedBoot() {
        let bench = Bench { $0.restart = .always }
        bench.tell(.start)
        bench.tell(id(0), .running)
        #expect(
            bench.wake()
                == [.note(.bootTimedOut(id(0), after: .seconds(60)))]
                + told(id(0), .bootTimeout, facts(60)) + [start(id(0, 2))])
        #expect(bench.now == second(60))
        #expect(bench.wake() == [.note(.killed(id(0), .bootTimeout)), .kill(id(0))])
        #expect(bench.now == second(62))
        #expect(
            bench.tell(id(0), .exited(.signal(.kill), leavesTree: false)) == [
                .note(.exited(id(0), .signal(.kill), .retired(.bootTimeout), facts(62)))
            ])
    }

    @Test func withoutSurgeAFailedBootKeepsItsPlaceUntilItIsGone() {
        let bench = Bench { $0.maxSurge = .count(0) }
        bench.tell(.start)
        bench.tell(id(0), .running)
        #expect(bench.wake().started == [])
        #expect(bench.exit(id(0), 1).started == [id(0, 2)])
    }

    @Test func limitsAreDrawnOncePerWorker() {
        let bench = Bench(workers: 20) {
            $0.maxRequests = 1000
            $0.maxRequestsJitter = 100
        }
        let orders = bench.tell(.start).compactMap { action -> UInt64? in
            if case .start(_, let order) = action { order.requestLimit } else { nil }
        }
        #expect(orders.count == 20)
        #expect(orders.allSatisfy { (1000...1100).contains($0) })
        #expect(Set(orders).count > 5)
        #expect(bench.pool.worker(id(7))?.requestLimit == orders[7])
    }

    @Test func aLimitBeyondAllNumbersStaysThere() {
        let bench = Bench {
            $0.maxRequests = .max
            $0.maxRequestsJitter = 100
        }
        #expect(bench.tell(.start) == [start(id(0), limit: .max)])
    }

    @Test func newsOfAGoneWorkerIsNothing() {
        let bench = Bench()
        bench.bringUp()
        bench.exit(id(0), 1)
        let before = bench.pool
        let news: [WorkerEvent] = [
            .running, .ready, .listening, .unobservable(mayReport: true), .requests(5),
            .moreRequests(5), .memory(bytes: 5), .stopping, .recycleRequested,
            .hold(.seconds(5)), .exited(.code(0), leavesTree: true), .treeGone,
        ]
        for news in news { #expect(bench.tell(id(0), news) == []) }
        #expect(bench.tell(id(77), .ready) == [])
        #expect(bench.tell(WorkerID(pool: 9, slot: 0, incarnation: 2), .ready) == [])
        #expect(bench.pool == before)
    }
}

/// `READY=1` under rules that require evidence or ignore it.
struct ReadyWordTests {
    private func booting(_ readiness: Readiness) -> Bench {
        let bench = Bench { $0.readiness = readiness }
        bench.tell(.start)
        bench.tell(id(0), .running)
        return bench
    }

    @Test func withAutoTheKernelHasToBearItOut() {
        let bench = booting(.auto)
        #expect(bench.tell(id(0), .ready) == [.observe(id(0))])
        #expect(bench.tell(id(0), .ready) == [])
        #expect(
            bench.tell(id(0), .listening) == [
                .note(.ready(id(0), by: .notify, after: .zero))
            ])
    }

    @Test func whereTheKernelCannotBeAskedItIsBelieved() {
        let bench = booting(.auto)
        bench.tell(id(0), .ready)
        #expect(
            bench.tell(id(0), .unobservable(mayReport: false)) == [
                .note(.ready(id(0), by: .notify, after: .zero))
            ])
    }

    /// A program whose wait cannot be observed has not failed to boot.
    @Test(arguments: [true, false])
    func whereNothingIsSeenItIsBelievedAtReadyTimeout(_ isReadable: Bool) {
        let bench = booting(.auto)
        if !isReadable { bench.tell(id(0), .unobservable(mayReport: true)) }
        bench.tell(id(0), .ready)
        while bench.pool.servingCount == 0 { bench.wake() }
        #expect(bench.now == second(60))
    }

    @Test func aRuleOfTimeIsNotShortened() {
        let bench = booting(.after(.seconds(4)))
        #expect(bench.tell(id(0), .ready) == [])
        #expect(bench.wake() == [.note(.ready(id(0), by: .time, after: .seconds(4)))])
    }
}
