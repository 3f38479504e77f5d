import Testing

@testable import SuperviseCore

/// From the stop request to the stop of the pools (Service+Closing.swift), and listeners that a
/// reload removes.
struct ClosingTests {
    @Test func waitingConnectionsAreServedBeforeAnyWorkerStops() {
        let bench = up(plan("web"))
        #expect(
            bench.tell(.stop(.graceful)) == [
                .closeListeners(pool: 0), .sampleListeners(pool: 0),
                .perform(.note(.closed(pool: 0))),
            ])
        bench.wait(.seconds(1))
        #expect(
            bench.tell(.listeners(pool: 0, .none)).performed
                == [.note(.stopping(pool: 0, .graceful))] + told(worker(0), .stop, facts(61)))
        // The rest of the graceful timeout of 30 s, which started when the listeners began to
        // close.
        bench.wake()
        #expect(bench.now == second(90))
    }

    @Test func aQueueThatNeverGetsEmptyIsGivenUpInTime() {
        let bench = up(plan("web"))
        bench.tell(.stop(.graceful))
        #expect(bench.wake().performed.retired == [worker(0)])
        #expect(bench.now == second(88))
        #expect(bench.wake().performed.contains(.kill(worker(0))))
        #expect(bench.now == second(90))
    }

    @Test func aTurnThatComesLateLeavesTheWorkersTheirShare() {
        let bench = up(plan("web"))
        bench.tell(.stop(.graceful))
        bench.wait(.seconds(29))
        bench.tell(.deadline)
        bench.wake()
        #expect(bench.now == second(91))
    }

    @Test func lostTimeIsReturned() {
        let bench = up(plan("web"))
        bench.tell(.stop(.graceful))
        bench.tell(.late(by: .seconds(10)))
        #expect(bench.service.nextDeadline == second(98))
        bench.tell(.listeners(pool: 0, .none))
        #expect(bench.service.nextDeadline == second(100))
    }

    @Test func theDrainDelayComesFirst() {
        let bench = up(plan("web") { $0.drainDelay = .seconds(15) })
        #expect(
            bench.tell(.stop(.graceful))
                == [.perform(.note(.drainDelay(pool: 0, .seconds(15))))])
        // Workers that crash meanwhile are replaced.
        #expect(bench.exit(worker(0), 1).performed.started == [worker(0, 0, 2)])
        bench.makeReady(worker(0, 0, 2))
        #expect(bench.wake().first == .closeListeners(pool: 0))
        #expect(bench.now == second(75))
        #expect(bench.tell(.listeners(pool: 0, .none)).performed.retired == [worker(0, 0, 2)])
    }

    @Test func aQuickerStopWaitsForNothing() {
        let bench = up(plan("a") { $0.drainDelay = .seconds(15) }, plan("b"))
        bench.tell(.stop(.graceful))
        #expect(bench.tell(.stop(.graceful)) == [])
        #expect(bench.tell(.stop(.quick)).performed.retired == [worker(0), worker(1)])
        #expect(bench.tell(.listeners(pool: 1, .none)) == [])
        bench.exit(worker(0))
        #expect(bench.exit(worker(1)).exitCode == 0)
    }

    @Test func withoutServingWorkersNothingIsAwaited() {
        let bench = ServiceBench([plan("web")])
        bench.tell(.start)
        #expect(bench.tell(.stop(.graceful)).performed.retired == [worker(0)])
        let jobs = up(plan("jobs") { $0.hasListeners = false })
        #expect(jobs.tell(.stop(.graceful)).performed.retired == [worker(0)])
    }

    @Test func theOperatorHasNoOtherWishesAfterAStop() {
        let bench = up(plan("web"))
        bench.tell(.stop(.graceful))
        #expect(bench.tell(.resize(pool: 0, by: 1)) == [])
        #expect(bench.tell(.park) == [])
        #expect(bench.tell(.reload([plan("web")])) == [])
    }

    @Test func aRemovedPoolClosesItsListenersToo() {
        let bench = up(plan("a"), plan("b") { $0.drainDelay = .seconds(15) })
        bench.tell(.reload([plan("a")]))
        let actions = pass(bench, worker(0, 0, 2))
        #expect(actions.contains(.closeListeners(pool: 1)))
        #expect(actions.performed.retired == [worker(0)])
        #expect(bench.tell(.listeners(pool: 1, .none)).performed.retired == [worker(1)])
    }

    @Test func theOnlyWorkerOfAListenerServesItsQueue() {
        let bench = up(plan("web"))
        var next = plan("web")
        next.dropsListeners = true
        bench.tell(.reload([next]))
        let actions = pass(bench, worker(0, 0, 2))
        #expect(actions.contains(.closeListeners(pool: 0)))
        #expect(actions.performed.retired == [])
        #expect(bench.tell(.listeners(pool: 0, .none)).performed.retired == [worker(0)])
    }

    @Test func butNotWithoutLimit() {
        let bench = up(plan("web"))
        var next = plan("web")
        next.dropsListeners = true
        bench.tell(.reload([next]))
        pass(bench, worker(0, 0, 2))
        #expect(bench.wake().performed.retired == [worker(0)])
        #expect(bench.now == second(92))
    }

    /// A client whose handshake ends just now is in no table for a moment.
    @Test(arguments: [(ListenerSample.empty, Int64(20)), (.emptyAsFarAsSeen, 200)])
    func theQueueHasToBeEmptyForAWhile(_ sample: ListenerSample, _ milliseconds: Int64) {
        let bench = up(plan("web"))
        bench.tell(.stop(.graceful))
        #expect(bench.tell(.listeners(pool: 0, .waiting)) == [])
        #expect(bench.wake() == [.sampleListeners(pool: 0)])
        #expect(bench.now == second(60) + .milliseconds(5))
        for _ in 0..<3 {
            #expect(bench.tell(.listeners(pool: 0, sample)) == [])
            bench.wake()
        }
        // Somebody comes, and the time begins anew.
        bench.tell(.listeners(pool: 0, .waiting))
        bench.wake()
        #expect(bench.tell(.listeners(pool: 0, sample)) == [])
        let since = bench.now
        while bench.now - since < .milliseconds(milliseconds - 5) {
            bench.wake()
            #expect(bench.tell(.listeners(pool: 0, sample)) == [])
        }
        bench.wake()
        let actions = bench.tell(.listeners(pool: 0, sample))
        #expect(actions.first == .releaseListeners(pool: 0))
        #expect(actions.performed.retired == [worker(0)])
        #expect(bench.now - since == .milliseconds(milliseconds))
    }

    @Test func lostTimeShowsNothing() {
        let bench = up(plan("web"))
        bench.tell(.stop(.graceful))
        bench.tell(.listeners(pool: 0, .empty))
        bench.wait(.seconds(10))
        bench.tell(.late(by: .seconds(10)))
        #expect(bench.tell(.listeners(pool: 0, .empty)) == [])
    }

    @Test func listenersAreReleasedAfterTheirTime() {
        let bench = up(plan("web"))
        bench.tell(.stop(.graceful))
        #expect(bench.wake().first == .releaseListeners(pool: 0))
        #expect(bench.tell(.listeners(pool: 0, .waiting)) == [])
    }
}
