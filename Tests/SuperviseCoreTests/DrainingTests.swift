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

    @Test func theStopSignalComesWhenTheRequestsAreServed() {
        let (bench, actions) = leaving()
        #expect(
            actions == [.note(.due(id(0), .requested, facts())), retiring(id(0)), .drain(id(0))])
        #expect(bench.pool.worker(id(0))?.isDraining == true)
        bench.wait(.seconds(3))
        #expect(
            bench.tell(id(0), .drained)
                == [.note(.drained(id(0), .idle, after: .seconds(3))), .signal(id(0), .stop)])
        #expect(bench.pool.worker(id(0))?.isDraining == false)
        // The time counts from the start of the drain.
        #expect(bench.pool.nextDeadline == second(30))
        #expect(bench.tell(id(0), .drained) == [])
    }

    @Test func whoCannotBeWatchedGetsItAtOnce() {
        let (bench, _) = leaving()
        #expect(
            bench.tell(id(0), .undrainable)
                == [.note(.drained(id(0), .unwatchable, after: .zero)), .signal(id(0), .stop)])
    }

    @Test func requestsWithoutEndLeaveTheProgramItsShare() {
        let (bench, _) = leaving()
        #expect(bench.wake() == [.relaxDrain(id(0))])
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
        #expect(bench.wake() == [.relaxDrain(id(0))])
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

    /// A lull ends a relaxed wait, and is named in the notice.
    @Test func lateInTheWaitALullWillDo() {
        let (bench, _) = leaving()
        bench.wake()
        #expect(bench.pool.worker(id(0))?.isDrainRelaxed == true)
        #expect(
            bench.tell(id(0), .drained)
                == [.note(.drained(id(0), .lull, after: .seconds(24))), .signal(id(0), .stop)])
    }

    /// The program may close a connection that is reused repeatedly, and gets half of the time.
    @Test func reuseGivesTheProgramHalfOfTheTime() {
        let (bench, _) = leaving()
        bench.wait(.seconds(3))
        #expect(bench.tell(id(0), .reusesConnections) == [])
        #expect(bench.pool.nextDeadline == Instant(nanoseconds: 11_250_000_000))
        #expect(bench.tell(id(0), .reusesConnections) == [])
        bench.wake()
        #expect(
            bench.wake()
                == [
                    .note(.drained(id(0), .timeout, after: .seconds(15))), .signal(id(0), .stop),
                ])
        #expect(bench.pool.nextDeadline == second(30))
    }

    /// A program known to drop its requests gets no further time.
    @Test func reuseChangesNothingForWhoDrops() {
        let (bench, _) = leaving()
        #expect(
            bench.tell(id(0), .droppedRequests)
                == [.note(.stopHabit(id(0), finishesRequests: false))])
        #expect(bench.tell(id(0), .droppedRequests) == [])
        bench.tell(id(0), .reusesConnections)
        #expect(bench.pool.nextDeadline == second(24))
    }

    /// systemd's protocol reports readiness, but not how a program stops.
    @Test func whoSaysReadyIsDrained() {
        let bench = Bench { $0.drain = .auto }
        bench.bringUp()
        #expect(bench.tell(.stop(.graceful)).last == .drain(id(0)))
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
        #expect(actions.contains(.signal(id(0), .stop)) && !actions.contains(.drain(id(0))))
    }

    /// The behaviour observed in one worker applies to the others.
    @Test func whoFinishesItsRequestsGetsTheSignalAtReuse() {
        let bench = Bench {
            $0.drain = .auto
            $0.maxSurge = .count(0)
            $0.maxUnavailable = .count(1)
        }
        bench.bringUp()
        #expect(bench.tell(.recycle(slot: 0)).last == .drain(id(0)))
        bench.tell(id(0), .drained)
        #expect(
            bench.tell(id(0), .finishedRequests)
                == [.note(.stopHabit(id(0), finishesRequests: true))])
        bench.exit(id(0), 0)
        bench.tell(id(0, 2), .running)
        bench.tell(id(0, 2), .ready)
        #expect(bench.pool.finishesRequests)
        #expect(bench.tell(.recycle(slot: 0)).last == .drain(id(0, 2)))
        #expect(
            bench.tell(id(0, 2), .reusesConnections)
                == [
                    .note(.drained(id(0, 2), .reused, after: .zero)), .signal(id(0, 2), .stop),
                ])
        bench.tell(id(0, 2), .droppedRequests)
        #expect(!bench.pool.finishesRequests)
    }

    @Test func autoEmptiesWhoWasOnlySeen() {
        let bench = Bench {
            $0.drain = .auto
            $0.readiness = .auto
            $0.maxSurge = .count(0)
            $0.maxUnavailable = .count(1)
        }
        bench.tell(.start)
        bench.tell(id(0), .running)
        bench.tell(id(0), .listening)
        #expect(bench.tell(.recycle(slot: 0)).last == .drain(id(0)))
    }

    @Test func nobodyIsEmptiedWithoutListenersOrTime() {
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

    @Test func aQuickStopWaitsForNobody() {
        let (bench, _) = leaving()
        #expect(
            bench.tell(.stop(.quick))
                == [.note(.stopping(pool: 0, .quick)), .signal(id(0), .quick)])
        #expect(bench.pool.worker(id(0))?.isDraining == false)
        #expect(bench.pool.nextDeadline == second(2))
        #expect(bench.tell(id(0), .drained) == [])
        #expect(bench.tell(.stop(.immediate)).last == .kill(id(0)))
    }

    @Test func whoEndsMeanwhileIsGone() {
        let (bench, _) = leaving()
        bench.exit(id(0), 1)
        #expect(bench.tell(id(0), .drained) == [])
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
            bench.tell(id(0), .drained)
                == [.note(.drained(id(0), .idle, after: .seconds(2))), .signalTree(id(0))])
        #expect(bench.tell(id(0), .treeGone).contains(.drain(id(0))) == false)
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
