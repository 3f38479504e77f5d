import Testing

@testable import SuperviseCore

/// Stop and park (Pool+Stopping.swift).
struct StoppingTests {
    @Test func gracefulStop() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        #expect(
            bench.tell(.stop(.graceful)) == [.note(.stopping(pool: 0, .graceful))]
                + told(id(0), .stop, facts()) + told(id(1), .stop, facts()))
        #expect(
            bench.exit(id(0))
                == [.note(.exited(id(0), .code(0), .retired(.stop), facts()))])
        #expect(
            bench.wake() == [.note(.killed(id(1), .stop)), .kill(id(1))])
        #expect(bench.now == second(30))
        #expect(
            bench.tell(id(1), .exited(.signal(.kill), leavesTree: false)) == [
                .note(.exited(id(1), .signal(.kill), .retired(.stop), facts(30))),
                .note(.ended(pool: 0)),
            ])
        #expect(bench.pool.stage == .ended)
        #expect(bench.pool.nextDeadline == nil)
    }

    @Test func aSecondStopDoesNotStartTheTimeAnew() {
        let bench = Bench()
        bench.bringUp()
        bench.tell(.stop(.graceful))
        bench.wait(.seconds(20))
        #expect(bench.tell(.stop(.graceful)) == [])
        #expect(bench.pool.nextDeadline == second(30))
    }

    @Test func quickStop() {
        let bench = Bench()
        bench.bringUp()
        #expect(
            bench.tell(.stop(.quick)) == [
                .note(.stopping(pool: 0, .quick)), .note(.retiring(id(0), .stop, facts())),
                .signal(id(0), .quick),
            ])
        #expect(bench.wake() == [.note(.killed(id(0), .stop)), .kill(id(0))])
        #expect(bench.now == second(2))
    }

    @Test func aQuickStopOvertakesAGracefulOne() {
        let bench = Bench()
        bench.bringUp()
        bench.tell(.stop(.graceful))
        bench.wait(.seconds(5))
        #expect(
            bench.tell(.stop(.quick))
                == [.note(.stopping(pool: 0, .quick)), .signal(id(0), .quick)])
        #expect(bench.pool.nextDeadline == second(7))
        #expect(bench.tell(.stop(.graceful)) == [])
        #expect(bench.pool.nextDeadline == second(7))
    }

    @Test func aQuickStopNeverGivesMoreTime() {
        let bench = Bench()
        bench.bringUp()
        bench.tell(.stop(.graceful))
        bench.wait(.seconds(29))
        bench.tell(.stop(.quick))
        #expect(bench.pool.nextDeadline == second(30))
    }

    @Test func anImmediateStopKills() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        bench.tell(id(1), .recycleRequested)
        bench.makeReady(id(1, 2))
        #expect(
            bench.tell(.stop(.immediate)) == [
                .note(.stopping(pool: 0, .immediate)),
                .note(.retiring(id(0), .stop, facts())),
                .note(.killed(id(0), .stop)), .kill(id(0)),
                .note(.retiring(id(1, 2), .stop, facts())),
                .note(.killed(id(1, 2), .stop)), .kill(id(1, 2)),
                .note(.killed(id(1), .recycle(.requested))), .kill(id(1)),
            ])
    }

    @Test func aQuickStopHurriesLeftTrees() {
        let bench = Bench()
        bench.bringUp()
        bench.tell(.stop(.graceful))
        bench.tell(id(0), .exited(.code(0), leavesTree: true))
        #expect(bench.tell(.stop(.quick)) == [.note(.stopping(pool: 0, .quick))])
        #expect(bench.wake() == [.note(.killedTree(id(0))), .kill(id(0))])
        #expect(bench.now == second(2))
        #expect(bench.tell(id(0), .treeGone) == [.note(.ended(pool: 0))])
    }

    @Test func nothingStartsOnceItStops() {
        let bench = Bench(workers: 3)
        bench.bringUp()
        bench.exit(id(0), 1)
        bench.exit(id(0, 2), 1)
        bench.tell(id(1), .recycleRequested)
        let stop = bench.tell(.stop(.graceful))
        #expect(stop.retired == [id(1), id(1, 2), id(2)])
        for worker in [id(1), id(1, 2), id(2)] {
            #expect(bench.exit(worker, 1).started == [])
        }
        #expect(bench.pool.stage == .ended)
        #expect(bench.tell(.unpark) == [])
        #expect(bench.tell(.start) == [])
        #expect(bench.tell(.stop(.immediate)) == [])
    }

    @Test func aWorkerThatIsBeingStartedIsSeenOff() {
        let bench = Bench()
        bench.tell(.start)
        #expect(bench.tell(.stop(.graceful)).contains(.signal(id(0), .stop)))
        #expect(bench.tell(id(0), .running) == [])
        #expect(bench.exit(id(0)).last == .note(.ended(pool: 0)))
    }

    @Test func aStartThatFailsDuringTheStopEndsIt() {
        let refused = StartFailure(step: "fork", message: "EAGAIN", isTransient: true)
        let bench = Bench()
        bench.tell(.start)
        bench.tell(.stop(.graceful))
        #expect(
            bench.tell(id(0), .startFailed(refused))
                == [.note(.startFailed(id(0), refused)), .note(.ended(pool: 0))])
    }

    @Test func aPoolThatNeverStartedEndsAtOnce() {
        let bench = Bench()
        #expect(
            bench.tell(.stop(.graceful))
                == [.note(.stopping(pool: 0, .graceful)), .note(.ended(pool: 0))])
    }

    @Test func parkAndUnpark() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        #expect(
            bench.tell(.park) == [.note(.parked(pool: 0))]
                + told(id(0), .parked, facts()) + told(id(1), .parked, facts()))
        #expect(bench.exit(id(0)).started == [])
        #expect(bench.exit(id(1)).started == [])
        #expect(bench.pool.nextDeadline == nil)
        #expect(
            bench.tell(.unpark)
                == [.note(.unparked(pool: 0)), start(id(0, 2)), start(id(1, 2))])
    }

    @Test func unparkedWorkersWaitForThePlacesOfTheParked() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        bench.tell(.park)
        #expect(bench.tell(.unpark).started == [id(0, 2)])
        #expect(bench.exit(id(1)).started == [id(1, 2)])
    }

    @Test func aParkedPoolStops() {
        let bench = Bench()
        bench.bringUp()
        bench.tell(.park)
        #expect(bench.tell(.stop(.graceful)) == [.note(.stopping(pool: 0, .graceful))])
        #expect(bench.exit(id(0)).last == .note(.ended(pool: 0)))
    }
}
