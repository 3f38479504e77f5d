import Testing

@testable import SuperviseCore

/// `request-timeout` (StuckRequests.swift).
struct StuckRequestTests {
    /// Worker 0 has one request that is stuck, and its replacement is ready.
    private func stopped(_ adjust: (inout PoolPolicy) -> Void = { _ in }) -> Bench {
        let bench = stuckBench(adjust)
        bench.see([(id(0), [request(since: 92)])])
        bench.makeReady(id(0, 2))
        return bench
    }

    @Test func theRequestsAreSampled() {
        let bench = stuckBench()
        #expect(bench.wake() == [.sample(pool: 0, .requests)])
        bench.tell(.deadline)
        #expect(bench.pool.nextDeadline == bench.now + .milliseconds(800))
        #expect(Bench().pool.nextDeadline == nil)
    }

    @Test func aStuckRequestIsNamedAndItsWorkerReplaced() {
        let bench = stuckBench()
        #expect(bench.see([(id(0), [request(since: 93)])]) == [])
        let now = stuckFacts(100, waited: 8)
        #expect(
            bench.see([(id(0), [request(since: 92)])]) == [
                .note(
                    .requestStuck(id(0), now, request(since: 92), waited: .seconds(8))),
                .note(.due(id(0), .requestTimeout, now)), start(id(0, 2)),
            ])
        // Once.
        bench.wait(.seconds(1))
        #expect(bench.see([(id(0), [request(since: 92)])]) == [])
        #expect(bench.pool.history.stuckRequests == 1)
        bench.tell(id(0, 2), .running)
        let actions = bench.tell(id(0, 2), .ready)
        #expect(actions.contains(.drain(id(0))))
        #expect(actions.retired == [id(0)])
    }

    @Test func itsOtherRequestsFinishFirst() {
        let bench = stopped()
        #expect(bench.sample(inFlight: 3, stuck: 1) == [])
        #expect(bench.sample(inFlight: 2, stuck: 1) == [])
        bench.wait(.seconds(5))
        #expect(
            bench.sample(inFlight: 1, stuck: 1) == [
                .note(.drained(id(0), .stuck, after: .seconds(5))), .signal(id(0), .abort),
            ])
        #expect(bench.wake() == [.sample(pool: 0, .requests)])
        bench.wait(.seconds(2))
        #expect(bench.tell(.deadline).contains(.kill(id(0))))
    }

    /// A WebSocket hides the number of requests. The kernel shows two in flight, then one.
    @Test func theKernelShowsTheOtherRequestsBesideAWebSocket() {
        let bench = stopped()
        func sample(_ second: ConnectionSample.Use) -> WorkerEvent {
            var sample = ConnectionSample([
                .init(id: 1, use: .inFlight), .init(id: 2, use: second),
                .init(id: 3, use: .quiet, hasReader: true),
            ])
            sample.stuck = 1
            return .connectionSample(sample)
        }
        #expect(bench.tell(id(0), sample(.inFlight)) == [])
        #expect(bench.tell(id(0), sample(.quiet)) == [])
        #expect(bench.tell(id(0), sample(.idle)).last == .signal(id(0), .abort))
    }

    @Test func aRequestThatEndsAfterAllEndsNothingAbruptly() {
        let bench = stopped()
        #expect(bench.tell(id(0), .idleSample).last == .signal(id(0), .stop))
    }

    @Test func endlessOtherRequestsAreWaitedForUntilTheEndOfTheDrain() {
        let bench = stopped()
        bench.sample(inFlight: 2, stuck: 1)
        bench.wait(.seconds(28))
        #expect(bench.tell(.deadline).contains(.signal(id(0), .abort)))
    }

    @Test func aWorkerWhoseDrainCannotBeObservedGetsTheStopSignal() {
        let bench = stopped()
        #expect(bench.tell(id(0), .undrainable).last == .signal(id(0), .stop))
    }

    @Test func withoutDrainingTheOthersFinishToo() {
        let bench = stopped { $0.drain = .signal }
        #expect(bench.pool.worker(id(0))?.isDraining == true)
    }

    /// A dependency hangs: no worker is replaced.
    @Test func anOutageReplacesNobody() {
        let bench = stuckBench()
        let waiting = request(since: 92)
        let slow = request(since: 98)
        let sample = [(id(0), [waiting]), (id(1), [slow]), (id(2), [slow])]
        // The others may still get their responses.
        #expect(bench.see(sample) == [])
        bench.wait(.seconds(6))
        #expect(
            bench.see(sample) == [
                .note(
                    .requestsHang(pool: 0, workers: 3, of: 4, waiting, waited: .seconds(14)))
            ])
        bench.wait(.seconds(20))
        // Once.
        #expect(bench.see((0..<4).map { (id($0), [waiting]) }) == [])
        // New requests wait as well.
        let new = request(since: 122)
        #expect(bench.see((0..<4).map { (id($0), [new]) }) == [])
        #expect(bench.see([]) == [])
        bench.wait(.seconds(8))
        #expect(bench.see((0..<4).map { (id($0), [waiting]) }).count == 1)
    }

    /// Requests of 6 s are usual.
    @Test func slowRequestsThatGetResponsesAreNoOutage() {
        let bench = stuckBench(workers: 2)
        let stuck = (id(0), [request(since: 92)])
        #expect(bench.see([stuck, (id(1), [request(since: 96)])]) == [])
        // A response from before the request was stuck shows nothing.
        #expect(bench.see([stuck, (id(1), [request(since: 96)])], responded: [id(1): 99]) == [])
        bench.wait(.seconds(5))
        let sample = [stuck, (id(1), [request(since: 102)])]
        #expect(bench.see(sample, responded: [id(1): 102]).started == [id(0, 2)])
    }

    /// The worker itself responds to other slow requests.
    @Test func aStuckRequestBesideSlowOnesIsNoOutage() {
        let bench = stuckBench(workers: 1)
        let waiting = [request(since: 92), request(2, since: 97)]
        #expect(bench.see([(id(0), waiting)], inFlight: 3) == [])
        let later = bench.see([(id(0), waiting)], inFlight: 3, responded: [id(0): 100])
        #expect(later.started == [id(0, 2)])
    }

    @Test func aSlowResponseEndsAnOutage() {
        let bench = stuckBench(workers: 2)
        let sample = [(id(0), [request(since: 92)]), (id(1), [request(since: 92)])]
        #expect(bench.see(sample).count == 1)
        bench.wait(.seconds(5))
        #expect(bench.see(sample, responded: [id(1): 99]) == [])
        #expect(bench.see(sample, responded: [id(1): 103]) == [])
        // The others have waited for the dependency, and soon get their responses.
        bench.wait(.seconds(7))
        #expect(bench.see(sample, responded: [id(1): 108]) == [])
        bench.wait(.seconds(1))
        let stuck = [(id(0), [request(since: 92)])]
        #expect(bench.see(stuck, responded: [id(1): 108]).started == [id(0, 2)])
    }

    @Test func halfOfTheWorkersAreNoOutage() {
        let bench = stuckBench()
        let actions = bench.see([(id(0), [request(since: 92)]), (id(1), [request(since: 92)])])
        #expect(actions.started == [id(0, 2)])
    }

    /// One is already stopped when the outage shows.
    @Test func anOutageIsNoticedLate() {
        let bench = stopped()
        let waiting = request(since: 92)
        let actions = bench.see((0..<4).map { (id($0), [waiting]) } + [(id(0, 2), [waiting])])
        #expect(actions.count == 1)
        #expect(bench.sample(inFlight: 1, stuck: 1) == [])
    }

    @Test func aSingleWorkerIsReplacedOnce() {
        let bench = stuckBench(workers: 1)
        #expect(bench.see([(id(0), [request(since: 92)])]).started == [id(0, 2)])
        bench.makeReady(id(0, 2))
        bench.tell(id(0), .exited(.signal(.abort), leavesTree: false))
        bench.wait(.seconds(10))
        let again = bench.see([(id(0, 2), [request(since: 101)])])
        #expect(again.started == [])
        #expect(again.count == 1)
        bench.see([])
        // A request that is stuck much later has another cause.
        bench.wait(.seconds(100))
        bench.tell(.recycle(slot: 0))
        bench.makeReady(id(0, 3))
        bench.tell(id(0, 2), .exited(.code(0), leavesTree: false))
        #expect(bench.see([(id(0, 3), [request(since: 201)])]).started == [id(0, 4)])
    }

    @Test func mostRequestsOfASingleWorkerAreAnOutage() {
        let bench = stuckBench(workers: 1)
        let waiting = request(since: 92)
        let second = request(2, since: 97)
        #expect(bench.see([(id(0), [waiting, second])], inFlight: 3) == [])
        #expect(bench.see([(id(0), [waiting, second])], inFlight: 4).started == [id(0, 2)])
    }

    /// Nothing ran, not even the program.
    @Test func lostTimeIsNoWaitingTime() {
        let bench = stuckBench()
        bench.tell(.late(by: .seconds(8)))
        #expect(bench.see([(id(0), [request(since: 92)])]) == [])
        bench.wait(.seconds(8))
        #expect(bench.see([(id(0), [request(since: 92)])]).started == [id(0, 2)])
    }

    @Test func evidenceIsGathered() {
        let bench = stuckBench { $0.runsBeforeRecycle = true }
        let actions = bench.see([(id(0), [request(since: 92)])])
        #expect(
            actions.contains(
                .gatherEvidence(id(0), .requestTimeout, stuckFacts(100, waited: 8))))
    }

}

/// Stable workers with `request-timeout`, of which one may be replaced at a time.
func stuckBench(
    workers: Int = 4, _ adjust: (inout PoolPolicy) -> Void = { _ in }
) -> Bench {
    let bench = Bench(workers: workers) {
        $0.requestTimeout = .seconds(8)
        $0.maxSurge = .count(1)
        adjust(&$0)
    }
    bench.bringUp()
    bench.wait(.seconds(100))
    return bench
}

/// A request without a response.
func request(_ connection: UInt64 = 1, since: Int64) -> StuckRequest {
    StuckRequest(connection: connection, since: second(since), route: "GET /slow", peer: "a:1")
}

/// Facts about a worker with a stuck request.
func stuckFacts(_ age: Int64, waited: Int64, count: Int = 1) -> WorkerFacts {
    var facts = facts(age)
    facts.during = RequestsInFlight(route: "GET /slow", age: .seconds(waited), count: count)
    return facts
}

extension Bench {
    /// A sample of the requests without a response.
    @discardableResult
    func see(
        _ waiting: [(WorkerID, [StuckRequest])], inFlight: Int? = nil,
        responded: [WorkerID: Int64] = [:]
    ) -> [Action] {
        tell(
            .sampled(
                PoolSample(
                    requests: waiting.map {
                        WaitingRequests(
                            $0.0, inFlight: inFlight ?? $0.1.count, slow: $0.1,
                            respondedAt: responded[$0.0].map(second))
                    })))
    }

    /// A sample of the connections of worker 0, which is stopped.
    @discardableResult
    fileprivate func sample(inFlight: Int, stuck: Int) -> [Action] {
        var sample = ConnectionSample([.init(id: 1, use: .inFlight)])
        sample.inFlight = inFlight
        sample.stuck = stuck
        return tell(id(0), .connectionSample(sample))
    }
}
