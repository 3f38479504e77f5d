import Testing

@testable import SuperviseCore

/// The source of a worker's count (Worker.swift, Pool+Recycling.swift).
struct CountingTests {
    @Test func connectionsStandInForRequests() {
        let bench = Bench { $0.maxRequests = 10 }
        bench.bringUp()
        #expect(bench.tell(id(0), .connections(9)) == [])
        #expect(bench.pool.worker(id(0))?.countSource == .preload)
        #expect(
            bench.tell(id(0), .connections(10)) == [
                .note(
                    .due(id(0), .requests, facts(requests: 10, limit: 10, unit: .connections))),
                start(id(0, 2), limit: 10),
            ])
        #expect(bench.pool.history.requests == 10 && bench.pool.history.connections == 10)
    }

    @Test func whatTheWorkerReportsReplacesThem() {
        let bench = Bench { $0.maxRequests = 10 }
        bench.bringUp()
        bench.tell(id(0), .connections(9))
        #expect(bench.tell(id(0), .requests(3)) == [])
        #expect(bench.pool.worker(id(0))?.requests == 3)
        #expect(bench.pool.worker(id(0))?.countSource == .report)
        #expect(bench.tell(id(0), .connections(20)) == [])
        #expect(bench.pool.worker(id(0))?.requests == 3)
        #expect(bench.tell(id(0), .requests(10)).started == [id(0, 2)])
    }

    @Test func responsesReplaceConnections() {
        let bench = Bench { $0.maxRequests = 10 }
        bench.bringUp()
        bench.tell(id(0), .connections(9))
        #expect(bench.tell(id(0), .responses(3)) == [])
        #expect(bench.pool.worker(id(0))?.requests == 3)
        #expect(bench.pool.worker(id(0))?.countSource?.unit == .requests)
        #expect(bench.tell(id(0), .connections(20)) == [])
        #expect(bench.pool.worker(id(0))?.requests == 3)
        #expect(bench.tell(id(0), .responses(10)).started == [id(0, 2)])
    }

    @Test func whatTheWorkerReportsReplacesResponses() {
        let bench = Bench()
        bench.bringUp()
        bench.tell(id(0), .responses(9))
        bench.tell(id(0), .requests(3))
        #expect(bench.pool.worker(id(0))?.requests == 3)
        bench.tell(id(0), .responses(20))
        #expect(bench.pool.worker(id(0))?.requests == 3)
    }

    @Test func anIncreaseDoesNotAddToThem() {
        let bench = Bench()
        bench.bringUp()
        bench.tell(id(0), .connections(9))
        bench.tell(id(0), .moreRequests(2))
        bench.tell(id(0), .moreRequests(1))
        #expect(bench.pool.worker(id(0))?.requests == 3)
    }

    @Test func anEmptyReportMeansNothing() {
        let bench = Bench()
        bench.bringUp()
        bench.tell(id(0), .connections(9))
        bench.tell(id(0), .requests(0))
        bench.tell(id(0), .moreRequests(0))
        #expect(bench.pool.worker(id(0))?.requests == 9)
        #expect(bench.pool.worker(id(0))?.countSource == .preload)
    }

    @Test func aCountNeverFalls() {
        let bench = Bench()
        bench.bringUp()
        bench.tell(id(0), .connections(9))
        bench.tell(id(0), .connections(8))
        #expect(bench.pool.worker(id(0))?.requests == 9)
    }

    @Test func oneThatLeavesIsCountedAlike() {
        let bench = Bench { $0.maxLifetime = .seconds(100) }
        bench.bringUp()
        bench.wake()
        bench.makeReady(id(0, 2))
        bench.tell(id(0), .connections(7))
        bench.tell(id(0), .requests(2))
        bench.tell(id(0), .connections(8))
        #expect(bench.pool.worker(id(0))?.requests == 2)
    }
}
