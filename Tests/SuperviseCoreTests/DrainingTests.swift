import Testing

@testable import SuperviseCore

/// Workers that are drained before they get the stop-signal.
struct DrainingTests {
    /// A pool whose worker is drained before it stops, from 0 s on.
    private func leaving(
        _ rule: DrainRule = .observe, grace: TimeSpan = .seconds(30)
    ) -> (bench: Bench, actions: [Action]) {
        let bench = Bench {
            $0.drain = rule
            $0.gracefulTimeout = grace
            $0.maxSurge = .count(0)
            $0.maxUnavailable = .count(1)
        }
        bench.bringUp()
        return (bench, bench.tell(id(0), .recycleRequested))
    }

    private func retiring(_ id: WorkerID) -> Action {
        .note(.retiring(id, .recycle(.requested), facts()))
    }

    private func sampled(_ id: WorkerID, endsIdle: Bool = false) -> Action {
        .sampleConnections(id, endsIdle: endsIdle)
    }

    @Test func theStopSignalComesWhenTheRequestsAreServed() {
        let (bench, actions) = leaving()
        #expect(
            actions
                == [
                    .note(.due(id(0), .requested, facts())), retiring(id(0)), .drain(id(0)),
                    sampled(id(0)),
                ])
        #expect(bench.pool.worker(id(0))?.isDraining == true)
        bench.wait(.seconds(3))
        #expect(
            bench.tell(id(0), .idleSample)
                == [.note(.drained(id(0), .idle, after: .seconds(3))), .signal(id(0), .stop)])
        #expect(bench.pool.worker(id(0))?.isDraining == false)
        // The time counts from the start of the drain.
        #expect(bench.pool.nextDeadline == second(30))
        #expect(bench.tell(id(0), .idleSample) == [])
    }

    /// The response may be complete, or pause: only the requests in flight show that.
    @Test func visibleRequestsDecideInPlaceOfSilence() {
        let (bench, _) = leaving()
        var sample = ConnectionSample([ConnectionSample.Connection(id: 1, use: .answered)])
        sample.inFlight = 1
        #expect(bench.tell(id(0), .connectionSample(sample)) == [])
        sample.inFlight = 0
        #expect(
            bench.tell(id(0), .connectionSample(sample))
                == [.note(.drained(id(0), .idle, after: .zero)), .signal(id(0), .stop)])
    }

    @Test func aRequestThatArrivesIsInFlight() {
        let (bench, _) = leaving()
        var sample = ConnectionSample([ConnectionSample.Connection(id: 1, use: .inFlight)])
        sample.inFlight = 0
        #expect(bench.tell(id(0), .connectionSample(sample)) == [])
    }

    /// It may accept a connection, because it found that the worker is not drained yet.
    @Test func aRunningThreadIsGivenTimeToAccept() {
        let (bench, _) = leaving()
        let sample = ConnectionSample(hasRunning: true)
        #expect(bench.tell(id(0), .connectionSample(sample)) == [])
        bench.wait(.milliseconds(99))
        #expect(bench.tell(id(0), .connectionSample(sample)) == [])
        bench.wait(.milliseconds(1))
        #expect(bench.tell(id(0), .connectionSample(sample)).contains(.signal(id(0), .stop)))
    }

    /// A request that the worker has not begun to receive shows nowhere.
    @Test func connectionsThatASampleDoesNotShowAreIdleForAWhile() {
        let (bench, _) = leaving()
        var sample = ConnectionSample()
        sample.isPartial = true
        #expect(bench.tell(id(0), .connectionSample(sample)) == [])
        sample.inFlight = 0
        #expect(bench.tell(id(0), .connectionSample(sample)) == [])
        bench.wait(.milliseconds(19))
        sample.inFlight = 1
        #expect(bench.tell(id(0), .connectionSample(sample)) == [])
        bench.wait(.milliseconds(1))
        sample.inFlight = 0
        #expect(bench.tell(id(0), .connectionSample(sample)) == [])
        bench.wait(.milliseconds(20))
        #expect(
            bench.tell(id(0), .connectionSample(sample))
                == [
                    .note(.drained(id(0), .idle, after: .milliseconds(40))),
                    .signal(id(0), .stop),
                ])
    }

    @Test func unobservableWorkersGetTheSignalImmediately() {
        let (bench, _) = leaving()
        #expect(
            bench.tell(id(0), .undrainable)
                == [.note(.drained(id(0), .unwatchable, after: .zero)), .signal(id(0), .stop)])
    }

    @Test func requestsWithoutEndLeaveTheProgramItsShare() {
        let (bench, _) = leaving()
        #expect(bench.wake() == [])
        #expect(bench.now == second(24))
        #expect(
            bench.wake()
                == [
                    .note(.drained(id(0), .timeout, after: .seconds(28))), .signal(id(0), .stop),
                ])
        #expect(bench.now == second(28))
        #expect(
            bench.wake() == [.note(.killed(id(0), .recycle(.requested))), .kill(id(0))])
        #expect(bench.now == second(30))
    }

    @Test func aShortTimeIsHalved() {
        let (bench, _) = leaving(grace: .seconds(1))
        #expect(bench.wake() == [])
        #expect(bench.now == Instant(nanoseconds: 375_000_000))
        bench.wake()
        #expect(bench.now == Instant(nanoseconds: 500_000_000))
    }

    /// A late request extends neither the time until the stop-signal nor the program's share of it.
    @Test func aLateTurnTakesNothingFromTheShare() {
        let (bench, _) = leaving(grace: .seconds(1))
        bench.wait(.milliseconds(1_200))
        #expect(
            bench.tell(.deadline)
                == [
                    .note(.drained(id(0), .timeout, after: .milliseconds(1_200))),
                    .signal(id(0), .stop),
                ])
        #expect(bench.pool.nextDeadline == Instant(nanoseconds: 1_700_000_000))
    }

    @Test func lostTimeIsGivenBack() {
        let (bench, _) = leaving()
        bench.tell(.late(by: .seconds(5)))
        #expect(bench.pool.nextDeadline == second(29))
        bench.wake()
        #expect(bench.pool.nextDeadline == second(33))
    }

    /// Late in the wait each connection is ended between two requests, and a moment without a known
    /// request will do.
    @Test func lateInTheWaitALullWillDo() {
        let (bench, _) = leaving()
        bench.wake()
        #expect(bench.tell(id(0), .sample(.answered)) == [])
        #expect(bench.wake() == [sampled(id(0), endsIdle: true)])
        #expect(bench.now == second(24) + .milliseconds(5))
        #expect(bench.tell(id(0), .sample(.inFlight, endedIdle: true)) == [])
        bench.wake()
        #expect(
            bench.tell(id(0), .sample(.quiet, endedIdle: true))
                == [
                    .note(.drained(id(0), .lull, after: .milliseconds(24_010))),
                    .signal(id(0), .stop),
                ])
    }

    /// The program may close a connection that is reused repeatedly, and gets half of the time.
    @Test func reuseGivesTheProgramHalfOfTheTime() {
        let (bench, _) = leaving()
        bench.wait(.seconds(3))
        #expect(bench.reuse(id(0)) == [])
        bench.wake()
        #expect(bench.pool.nextDeadline == Instant(nanoseconds: 11_250_000_000))
        #expect(bench.reuse(id(0)) == [])
        bench.wake()
        bench.wake()
        #expect(
            bench.wake()
                == [
                    .note(.drained(id(0), .timeout, after: .seconds(15))), .signal(id(0), .stop),
                ])
        #expect(bench.pool.nextDeadline == second(30))
    }

    /// A program that does not handle the stop-signal could do nothing with more time.
    @Test func reuseChangesNothingWithoutAHandler() {
        let (bench, _) = leaving()
        #expect(bench.reuse(id(0), handlesStopSignal: false) == [])
        bench.wake()
        #expect(bench.pool.nextDeadline == second(24))
    }

    @Test(
        arguments: [
            (ConnectionSample.Use.idle, false, true), (.quiet, false, false), (.quiet, true, true),
            (.unclear, true, true), (.unclear, false, false), (.answered, true, false),
            (.inFlight, true, false),
        ]) func onlyWhatIsKnownToBeIdleIsIdle(
            _ use: ConnectionSample.Use, _ hasReader: Bool, _ isIdle: Bool
        )
    {
        let (bench, _) = leaving()
        let actions = bench.tell(id(0), .sample(use, hasReader: hasReader))
        #expect(actions.contains(.signal(id(0), .stop)) == isIdle)
        if !isIdle { #expect(bench.pool.nextDeadline == Instant(nanoseconds: 50_000_000)) }
    }

    /// Where a sample is expensive, the next one comes later.
    @Test func samplesTakeASmallPartOfTheTime() {
        let (bench, _) = leaving()
        let busy = ConnectionSample.Connection(id: 1, use: .inFlight)
        bench.tell(id(0), .connectionSample(ConnectionSample([busy], cost: .milliseconds(10))))
        #expect(bench.wake() == [sampled(id(0))])
        #expect(bench.now == Instant(nanoseconds: 200_000_000))
        // One sample is awaited at a time, and one that does not come is asked for again.
        #expect(bench.pool.nextDeadline == second(24))
        #expect(bench.tell(id(0), .connectionSample(nil)) == [])
        #expect(bench.wake() == [sampled(id(0))])
        #expect(bench.now == Instant(nanoseconds: 450_000_000))
    }

    @Test func acceptingThreadsAreInterruptedFirst() {
        let (bench, _) = leaving()
        for _ in 0..<20 {
            #expect(
                bench.tell(id(0), .sample(.idle, acceptors: 2)) == [.interruptAcceptors(id(0))])
            #expect(bench.wake() == [sampled(id(0))])
        }
        #expect(bench.now == Instant(nanoseconds: 100_000_000))
        #expect(bench.tell(id(0), .sample(.idle, acceptors: 2)).last == .signal(id(0), .stop))
    }

    /// A program known to drop its requests gets no further time.
    @Test func reuseChangesNothingForProgramsThatDropRequests() {
        let (bench, _) = leaving()
        bench.wake()
        bench.tell(id(0), .sample(.inFlight, endedIdle: true))
        bench.wake()
        bench.tell(id(0), .sample(.inFlight, endedIdle: true))
        while bench.pool.worker(id(0))?.isDraining == true {
            bench.wake()
            bench.tell(id(0), .sample(.inFlight, endedIdle: true))
        }
        #expect(
            bench.exit(id(0)).contains(.note(.stopHabit(id(0), finishesRequests: false))))
        bench.makeReady(id(0, 2))
        let now = bench.now
        bench.tell(id(0, 2), .recycleRequested)
        bench.reuse(id(0, 2))
        bench.wake()
        // The program does not get half of the time.
        #expect(bench.pool.worker(id(0, 2))?.draining?.until == now + .seconds(28))
    }

    /// A worker that closes the last of them later than at once has finished them, and that holds for
    /// the others.
    @Test func programsThatFinishRequestsGetTheSignalAtReuse() {
        let bench = Bench {
            $0.drain = .auto
            $0.maxSurge = .count(0)
            $0.maxUnavailable = .count(1)
        }
        bench.bringUp()
        bench.tell(.recycle(slot: 0))
        #expect(bench.tell(id(0), .sample(.unclear)) == [])
        bench.tell(id(0), .undrainable)
        bench.exit(id(0), 0)
        bench.makeReady(id(0, 2))
        bench.tell(.recycle(slot: 0))
        while bench.pool.worker(id(0, 2))?.isDraining == true {
            bench.tell(id(0, 2), .sample(.inFlight, endedIdle: bench.now >= second(24)))
            bench.wake()
        }
        bench.wait(.milliseconds(100))
        #expect(bench.tell(id(0, 2), .sample(.inFlight)) == [])
        #expect(
            bench.tell(id(0, 2), .idleSample)
                == [.note(.stopHabit(id(0, 2), finishesRequests: true))])
        bench.exit(id(0, 2), 0)
        bench.makeReady(id(0, 3))
        #expect(bench.pool.finishesRequests)
        #expect(bench.tell(.recycle(slot: 0)).last == sampled(id(0, 3)))
        #expect(
            bench.reuse(id(0, 3))
                == [
                    .note(.drained(id(0, 3), .reused, after: .zero)), .signal(id(0, 3), .stop),
                ])
        #expect(
            bench.exit(id(0, 3)).contains(.note(.stopHabit(id(0, 3), finishesRequests: false))))
        #expect(!bench.pool.finishesRequests)
    }

    /// systemd's protocol reports readiness, but not how a program stops.
    @Test func workersThatReportReadyAreDrained() {
        let bench = Bench { $0.drain = .auto }
        bench.bringUp()
        #expect(bench.tell(.stop(.graceful)).last == sampled(id(0)))
        #expect(leaving(.signal).actions.last == .signal(id(0), .stop))
    }

    @Test(arguments: [
        WorkerEvent.requests(1), .moreRequests(1), .hold(.zero), .recycleRequested,
    ]) func whoUsesTheContractIsNot(_ message: WorkerEvent) {
        let bench = Bench {
            $0.drain = .auto
            $0.maxSurge = .count(0)
            $0.maxUnavailable = .count(1)
        }
        bench.bringUp()
        let actions = bench.tell(id(0), message) + bench.tell(.stop(.graceful))
        #expect(actions.contains(.signal(id(0), .stop)) && !actions.contains(sampled(id(0))))
    }

    @Test func autoDrainsWorkersWithoutReports() {
        let bench = Bench {
            $0.drain = .auto
            $0.readiness = .auto
            $0.maxSurge = .count(0)
            $0.maxUnavailable = .count(1)
        }
        bench.tell(.start)
        bench.tell(id(0), .running)
        bench.tell(id(0), .listening)
        #expect(bench.tell(.recycle(slot: 0)).last == sampled(id(0)))
    }

    @Test func noWorkerIsDrainedWithoutListenersOrTime() {
        let jobs = Bench {
            $0.hasListeners = false
            $0.drain = .observe
        }
        jobs.bringUp()
        #expect(jobs.tell(.stop(.graceful)).last == .signal(id(0), .stop))
        #expect(leaving(grace: .zero).actions.last == .kill(id(0)))
    }

    @Test func aGracefulStopEmptiesEverybodyOnce() {
        let (bench, _) = leaving()
        // A worker that is already stopping is not signalled again.
        #expect(bench.tell(.stop(.graceful)) == [.note(.stopping(pool: 0, .graceful))])
        #expect(bench.pool.worker(id(0))?.isDraining == true)
    }

    @Test func aQuickStopWaitsForNoWorker() {
        let (bench, _) = leaving()
        #expect(
            bench.tell(.stop(.quick))
                == [.note(.stopping(pool: 0, .quick)), .signal(id(0), .quick)])
        #expect(bench.pool.worker(id(0))?.isDraining == false)
        #expect(bench.pool.nextDeadline == second(2))
        #expect(bench.tell(id(0), .idleSample) == [])
        #expect(bench.tell(.stop(.immediate)).last == .kill(id(0)))
    }

    @Test func workersThatEndMeanwhileAreGone() {
        let (bench, _) = leaving()
        bench.exit(id(0), 1)
        #expect(bench.tell(id(0), .idleSample) == [])
        #expect(bench.pool.worker(id(0)) == nil)
    }

    /// A server may exit and leave its requests to its children.
    @Test func whatItLeavesBehindIsEmptiedOn() {
        let (bench, _) = leaving()
        let actions = bench.tell(id(0), .exited(.code(0), leavesTree: true))
        #expect(actions.contains(.note(.leftProcesses(id(0)))))
        #expect(!actions.contains(.signalTree(id(0))))
        bench.wait(.seconds(2))
        #expect(
            bench.tell(id(0), .idleSample)
                == [.note(.drained(id(0), .idle, after: .seconds(2))), .signalTree(id(0))])
        #expect(bench.tell(id(0), .treeGone).contains(sampled(id(0))) == false)
    }

    @Test func theHardCapDoesNotWait() {
        let bench = Bench {
            $0.drain = .observe
            $0.killRSSBytes = 100
            $0.maxSurge = .count(0)
            $0.maxUnavailable = .count(1)
        }
        bench.bringUp()
        bench.tell(id(0), .recycleRequested)
        #expect(bench.tell(id(0), .memory(bytes: 101)).last == .kill(id(0)))
        #expect(bench.pool.worker(id(0))?.isDraining == false)
    }
}
