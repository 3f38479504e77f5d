import Testing

@testable import SuperviseCore

/// Snapshots of the state machine (Snapshot.swift, History.swift).
struct SnapshotTests {
    private func snapshot(_ bench: Bench) -> PoolSnapshot {
        let member = Service.Member(name: "web", since: 1, pool: bench.pool)
        return bench.pool.snapshot(member, at: bench.now)
    }

    @Test func workersBySlotWithTheirFigures() {
        let bench = Bench(workers: 2) {
            $0.maxRequests = 10
            $0.maxRSSBytes = 1 << 30
        }
        bench.tell(.start)
        bench.wait(.seconds(2))
        bench.makeReady(id(0), id(1))
        bench.wait(.seconds(3))
        bench.tell(id(1), .requests(7))
        bench.tell(id(1), .memory(bytes: 5 << 20))
        let pool = snapshot(bench)
        #expect(pool.size == 2 && pool.serving == 2 && pool.live == 2 && pool.renewed == 2)
        #expect(pool.minReady == 2 && pool.isReady && pool.vacancies == [])
        #expect(pool.workers.map(\.id) == [id(0), id(1)])
        let worker = pool.workers[1]
        #expect(worker.facts == facts(5, requests: 7, limit: 10, memory: 5 << 20))
        #expect(worker.bootTime == .seconds(2) && worker.memoryLimitBytes == 1 << 30)
        #expect(worker.state == .ready && worker.due == nil)
        #expect(worker.timeToMemoryLimit == nil)
        #expect(pool.history.starts == 2 && pool.history.boots == 2)
        #expect(pool.history.bootTime == .seconds(4) && pool.history.requests == 7)
    }

    @Test func aReplacementStandsBehindItsIncumbent() {
        let bench = Bench(workers: 1)
        bench.bringUp()
        bench.tell(id(0), .recycleRequested)
        let pool = snapshot(bench)
        #expect(pool.workers.map(\.id) == [id(0), id(0, 2)])
        #expect(pool.workers.map(\.isReplacement) == [false, true])
        #expect(pool.workers.map(\.due) == [.requested, nil])
        bench.makeReady(id(0, 2))
        let leaving = snapshot(bench).workers
        #expect(leaving.map(\.id) == [id(0, 2), id(0)])
        #expect(
            leaving[1].state
                == .retiring(.recycle(.requested)))
    }

    @Test func slotsWithoutWorkers() {
        let bench = Bench(workers: 1)
        bench.bringUp()
        bench.exit(id(0), 1)
        bench.tell(id(0, 2), .running)
        let delay = bench.exit(id(0, 2), 1).backoffDelay ?? .zero
        #expect(
            snapshot(bench).vacancies
                == [.init(slot: 0, reason: .backingOff(failures: 2, delay))])
        #expect(!snapshot(bench).isReady)

        let done = Bench(workers: 1) { $0.restart = .never }
        done.bringUp()
        done.exit(id(0), 3)
        #expect(snapshot(done).vacancies == [.init(slot: 0, reason: .done(failed: true))])
        // A pool whose work is finished has no minimum.
        #expect(snapshot(done).minReady == 0 && snapshot(done).isReady)
    }

    @Test func theLedgerHasCauseAndFigures() {
        let bench = Bench(workers: 1)
        bench.tell(.start)
        bench.wait(.seconds(1))
        bench.makeReady(id(0))
        bench.tell(id(0), .requests(3))
        bench.wait(.seconds(4))
        bench.exit(id(0), 9)
        #expect(
            snapshot(bench).history.exits == [
                ExitRecord(
                    id: id(0), at: second(5), ending: .crashed, status: .code(9),
                    facts: facts(5, requests: 3), bootTime: .seconds(1))
            ])
    }

    @Test func theLedgerKeepsTheLastHundred() {
        let bench = Bench(workers: 1) { $0.stableAfter = .zero }
        bench.bringUp()
        for incarnation in 1...150 {
            bench.exit(id(0, incarnation), 1)
            bench.makeReady(id(0, incarnation + 1))
        }
        let history = snapshot(bench).history
        #expect(history.exits.map(\.id.incarnation) == Array((51...150).reversed()))
        #expect(history.exitCounts == [.init(cause: "crashed", count: 150)])
        #expect(history.starts == 151 && history.boots == 151)
    }

    @Test func requestsAreCountedOnceAndOverAllWorkers() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        bench.tell(id(0), .requests(5))
        bench.tell(id(0), .requests(5))
        bench.tell(id(1), .moreRequests(2))
        bench.tell(id(1), .recycleRequested)
        bench.makeReady(id(1, 2))
        // A worker that is being stopped still counts its requests.
        bench.tell(id(1), .requests(4))
        bench.tell(id(1, 2), .moreRequests(.max))
        #expect(bench.pool.history.requests == .max)
        bench.exit(id(1))
        #expect(
            bench.pool.history.exitCounts
                == [.init(cause: "requested", count: 1)])
    }

    @Test func readinessOfAPool() {
        let jobs = Bench(workers: 1) { $0.hasListeners = false }
        jobs.tell(.start)
        // It may lack its only worker at any time, but not at the start.
        #expect(!snapshot(jobs).isReady && snapshot(jobs).minReady == 0)
        jobs.makeReady(id(0))
        jobs.exit(id(0), 1)
        #expect(snapshot(jobs).isReady)

        let web = Bench(workers: 1) { $0.maxSurge = .count(0) }
        web.bringUp()
        #expect(snapshot(web).minReady == 1 && snapshot(web).isReady)
        web.tell(.stop(.graceful))
        #expect(!snapshot(web).isReady)
    }

    @Test func howTheLastReloadWent() {
        let bench = ServiceBench([plan("a")])
        bench.bringUp()
        #expect(bench.service.snapshot(at: bench.now).rollout == nil)
        bench.tell(.reload([plan("a")]))
        #expect(bench.service.rollout?.stage == .trial)
        bench.exit(worker(0, 0, 2), 7)
        #expect(
            bench.service.rollout?.stage
                == .aborted([.init(pool: "a", reason: .ended(.code(7)))]))
        #expect(bench.service.rollout?.endedAt == bench.now)

        bench.tell(.reload([plan("a")]))
        #expect(bench.service.rollout?.generation == 3 && bench.service.rollout?.endedAt == nil)
        bench.makeReady(worker(0, 0, 3))
        bench.wake()
        #expect(bench.service.rollout?.stage == .rolling)
        #expect(bench.service.snapshot(at: bench.now).pools[0].renewed == 1)
        bench.exit(worker(0))
        #expect(bench.service.rollout?.stage == .complete)

        bench.tell(.reload([plan("a")]))
        bench.tell(.stop(.graceful))
        #expect(bench.service.rollout?.stage == .stopped)
        #expect(!bench.service.snapshot(at: bench.now).isReady)
    }
}
