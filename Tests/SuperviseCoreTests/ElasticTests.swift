import Testing

@testable import SuperviseCore

/// Elastic pools (Scaling).
struct ElasticTests {
    private static func bench(
        _ bounds: ClosedRange<Int> = 2...8, _ adjust: (inout PoolPolicy) -> Void = { _ in }
    ) -> Bench {
        let bench = Bench(workers: bounds.upperBound) {
            $0.minimumWorkers = bounds.lowerBound
            adjust(&$0)
        }
        let actions = bench.tell(.start)
        #expect(actions.started.count == bounds.lowerBound)
        bench.makeReady(actions.started)
        #expect(bench.wake() == [.sample(pool: 0, .load)])
        #expect(bench.load(waiting: 0) == [.awaitConnection(pool: 0)])
        return bench
    }

    @Test func anIdlePoolWaitsForAConnection() {
        let bench = Self.bench()
        #expect(bench.pool.nextDeadline == nil && bench.pool.awaitsConnection)
        bench.wait(.seconds(3))
        bench.tell(.connectionAnnounced)
        #expect(!bench.pool.awaitsConnection)
        #expect(bench.wake() == [.sample(pool: 0, .load)])
        // A worker has accepted it meanwhile.
        #expect(bench.load(waiting: 0, accepted: [0: 1]) == [.awaitConnection(pool: 0)])
        #expect(bench.pool.nextDeadline == nil)
        // The next one is sampled 100 ms after the last sample.
        bench.wait(.milliseconds(30))
        bench.tell(.connectionAnnounced)
        #expect(bench.pool.nextDeadline == second(3) + .milliseconds(100))
    }

    @Test func aLongWaitDoublesTheWorkers() {
        let bench = Self.bench()
        bench.tell(.connectionAnnounced)
        bench.wake()
        #expect(bench.load(waiting: 10, accepted: [0: 5, 1: 5]) == [])
        // 10 and then 20 connections wait for 100 ms each, and 14 were accepted.
        #expect(bench.waitAndLoad(waiting: 20, accepted: [0: 7, 1: 7]).isMemorySample)
        #expect(
            bench.memoryAndLoad(waiting: 20, accepted: [0: 7, 1: 7]).first
                == .note(
                    .scale(
                        .up(
                            pool: 0, from: 2, to: 4,
                            .waitingTime(TimeSpan(nanoseconds: 214_285_714))))))
        #expect(bench.pool.size == 4)
        // Not again within a second, although the queue grows.
        #expect(bench.waitAndLoad(waiting: 40, accepted: [0: 9, 1: 9]) == [])
    }

    @Test func bootingWorkersCount() {
        let bench = Self.bench()
        bench.overload()
        #expect(bench.pool.size == 4)
        // A second later the queue is long but no longer grows: the new workers suffice.
        bench.wait(.seconds(2))
        for _ in 0..<10 { bench.waitAndLoad(waiting: 60, accepted: [0: 90, 1: 90]) }
        #expect(bench.pool.size == 4)
        bench.makeReady(bench.pool.slots.compactMap(\.incumbent).map(\.id))
        bench.waitAndLoad(waiting: 60, accepted: [0: 95, 1: 95])
        bench.memoryAndLoad(waiting: 60, accepted: [0: 95, 1: 95])
        #expect(bench.pool.size > 4)
    }

    @Test func oneMoreStartsIfNobodyAccepts() {
        let bench = Self.bench()
        bench.load(waiting: 0, accepted: [0: 1, 1: 1])
        bench.wait(.seconds(2))
        bench.tell(.connectionAnnounced)
        bench.wake()
        #expect(bench.load(waiting: 3, accepted: [0: 1, 1: 1]) == [])
        #expect(bench.waitAndLoad(waiting: 3, accepted: [0: 1, 1: 1]).isMemorySample)
        #expect(
            bench.memoryAndLoad(waiting: 3, accepted: [0: 1, 1: 1]).first
                == .note(.scale(.up(pool: 0, from: 2, to: 3, .unserved(3)))))
        // The next one waits until the last one is ready.
        for _ in 0..<20 { bench.waitAndLoad(waiting: 3, accepted: [0: 1, 1: 1]) }
        #expect(bench.pool.size == 3)
        bench.makeReady([id(2)])
        for _ in 0..<2 { bench.waitAndLoad(waiting: 3, accepted: [0: 1, 1: 1]) }
        bench.memoryAndLoad(waiting: 3, accepted: [0: 1, 1: 1])
        #expect(bench.pool.size == 4)
    }

    @Test func theFirstConnectionStartsAWorker() {
        let bench = Self.bench(0...2)
        #expect(bench.pool.size == 0 && bench.pool.hasMinReady && !bench.pool.isDone)
        bench.wait(.seconds(100))
        bench.tell(.connectionAnnounced)
        bench.wake()
        #expect(bench.load(waiting: 1).isMemorySample)
        let actions = bench.memoryAndLoad(waiting: 1)
        #expect(
            actions.prefix(1) == [
                .note(.scale(.up(pool: 0, from: 0, to: 1, .connection)))
            ])
        #expect(actions.started == [id(0)])
        // It is not awaited by readiness checks.
        #expect(bench.pool.hasMinReady)
        bench.makeReady([id(0)])
        bench.waitAndLoad(waiting: 0, accepted: [0: 1])
        #expect(bench.pool.size == 1)
        // Without load it stops after a minute.
        bench.idle(seconds: 59)
        #expect(bench.pool.size == 1)
        bench.idle(seconds: 20)
        #expect(bench.pool.size == 0)
        bench.exit(id(0))
        bench.idle(seconds: 5)
        #expect(bench.pool.nextDeadline == nil && bench.pool.awaitsConnection)
    }

    @Test func theLargestWorkerStopsFirstAndOneAtATime() {
        let bench = Self.bench()
        bench.overload()
        bench.makeReady(bench.pool.slots.compactMap(\.incumbent).map(\.id))
        var retired: [WorkerID] = []
        for _ in 0..<90 {
            retired += bench.idle(seconds: 1, memory: [0: 10, 1: 40, 2: 30, 3: 20]).retired
        }
        // The first one has not ended.
        #expect(retired == [id(1)])
        bench.exit(id(1))
        for _ in 0..<3 { retired += bench.idle(seconds: 1, memory: [0: 10, 2: 30, 3: 20]).retired }
        #expect(retired == [id(1), id(2)])
        bench.exit(id(2))
        for _ in 0..<90 { retired += bench.idle(seconds: 1, memory: [0: 10, 3: 20]).retired }
        #expect(retired.count == 2 && bench.pool.size == 2)
    }

    @Test func workersThatWouldNotFitDoNotStart() {
        let bench = Self.bench { $0.maxPoolRSSBytes = 350 }
        bench.tell(.connectionAnnounced)
        bench.wake()
        bench.load(waiting: 20, accepted: [0: 5, 1: 5])
        bench.waitAndLoad(waiting: 20, accepted: [0: 7, 1: 7])
        let actions = bench.memoryAndLoad(
            waiting: 20, accepted: [0: 7, 1: 7], memory: [0: 100, 1: 100])
        // One of two fits.
        #expect(
            actions.first
                == .note(
                    .scale(
                        .blocked(
                            pool: 0, workers: 2, needed: 5, .poolMemory, workerBytes: 100))))
        #expect(bench.pool.size == 3)
        #expect(bench.pool.elastic.blocked == .poolMemory)
        #expect(bench.pool.history.scaling.blocks == 1)
    }

    @Test func theMemoryLimitLeavesRoomForAReplacement() {
        let bench = Self.bench()
        bench.tell(.connectionAnnounced)
        bench.wake()
        bench.load(waiting: 20, accepted: [0: 5, 1: 5])
        bench.waitAndLoad(waiting: 20, accepted: [0: 7, 1: 7])
        bench.memoryAndLoad(
            waiting: 20, accepted: [0: 7, 1: 7], memory: [0: 100, 1: 100],
            room: MemoryRoom(limitBytes: 500, usedBytes: 300))
        #expect(bench.pool.size == 3)
        #expect(bench.pool.elastic.blocked == .memoryLimit)
    }

    @Test func operatorsMoveBothBounds() {
        let bench = Self.bench()
        #expect(
            bench.tell(.resize(by: 1)).prefix(1) == [
                .note(
                    .scale(
                        .bounds(
                            pool: 0, from: WorkerBounds(minimum: 2, maximum: 8),
                            to: WorkerBounds(minimum: 3, maximum: 9))))
            ])
        #expect(bench.pool.size == 3)
        bench.tell(.setBounds(WorkerBounds(minimum: 1, maximum: 2)))
        #expect(bench.pool.size == 2)
        for _ in 0..<5 { bench.tell(.resize(by: -1)) }
        #expect(bench.pool.bounds == WorkerBounds(minimum: 0, maximum: 1))
        // A reload restores those of the settings.
        bench.tell(.prepare(generation: 2, bench.pool.policy))
        bench.makeReady(bench.pool.slots.flatMap(\.present).map(\.id))
        bench.wait(.seconds(3))
        bench.wake()
        bench.tell(.commit())
        #expect(bench.pool.bounds == WorkerBounds(minimum: 2, maximum: 8))
        #expect(bench.pool.size == 2)
    }

    @Test func aReloadWithoutWorkersTriesACanaryAndStopsIt() {
        let bench = Self.bench(0...2)
        let started = bench.tell(.prepare(generation: 2, bench.pool.policy)).started
        #expect(started == [id(0)])
        #expect(bench.pool.trial == .pending && bench.pool.hasMinReady)
        bench.makeReady(started)
        bench.wait(.seconds(3))
        bench.wake()
        #expect(bench.pool.trial == .passed)
        #expect(bench.tell(.commit()).retired == [id(0)])
        #expect(bench.pool.size == 0 && bench.pool.generation == 2)
        bench.exit(id(0))
        #expect(bench.pool.isSettled)
    }

    @Test func aCanaryThatFailsLeavesNoWorker() {
        let bench = Self.bench(0...2)
        let started = bench.tell(.prepare(generation: 2, bench.pool.policy)).started
        bench.tell(started[0], .running)
        #expect(bench.exit(started[0], 1).started == [])
        #expect(bench.pool.trial == .failed(.ended(.code(1))))
        #expect(bench.tell(.abort).started == [])
        #expect(bench.pool.size == 0 && bench.pool.liveCount == 0)
        // The pool still wakes up.
        bench.wake()
        bench.load(waiting: 1)
        #expect(bench.memoryAndLoad(waiting: 1).started == [id(0, 2)])
    }

    @Test func processorTimeIsAMeasure() {
        let bench = Self.bench(1...4) { $0.scaleBy = .cpu }
        var time = TimeSpan.zero
        for _ in 0..<20 where bench.pool.size == 1 {
            bench.wait(.milliseconds(1_000))
            time = time + .milliseconds(950)
            let sample = PoolSample.Load(
                waiting: 0, workers: [.init(id(0), processorTime: time)])
            bench.tell(
                .sampled(
                    PoolSample(memory: [PoolSample.Figure(id(0), bytes: 1)], load: sample)))
        }
        #expect(bench.pool.size == 2)
    }
}
