import Testing

@testable import SuperviseCore

/// The memory of all workers together (Pool+Relief.swift).
struct ReliefTests {
    private func together(
        workers: Int = 3, _ adjust: (inout PoolPolicy) -> Void = { _ in }
    ) -> Bench {
        let bench = Bench(workers: workers) {
            $0.maxPoolRSSBytes = 1000
            adjust(&$0)
        }
        bench.bringUp()
        bench.wait(.seconds(10))
        sample(bench, Array(repeating: 100, count: workers))
        return bench
    }

    /// A round of samples of the workers of the first incarnation.
    @discardableResult
    private func sample(_ bench: Bench, _ bytes: [UInt64]) -> [Action] {
        bench.wait(.seconds(1))
        return bench.sampled(bytes)
    }

    @Test func theLargestGoesWhenAllNeedTooMuch() {
        let bench = together()
        #expect(sample(bench, [300, 400, 300]) == [])
        #expect(bench.pool.memoryBytes == 1000)
        #expect(
            sample(bench, [300, 401, 300]) == [
                .note(.due(id(1), .poolMemory, facts(13, memory: 401))), start(id(1, 2)),
            ])
    }

    @Test func theNextStopsOnlyWhenTheMemoryIsReleased() {
        let bench = together { $0.maxSurge = .count(2) }
        #expect(sample(bench, [500, 600, 500]).started == [id(1, 2)])
        #expect(sample(bench, [500, 600, 500]).started == [])
        bench.makeReady(id(1, 2))
        // Asked to stop, but still running.
        #expect(sample(bench, [500, 50, 500]).started == [])
        bench.tell(id(1), .exited(.code(0), leavesTree: true))
        #expect(sample(bench, [550, 50, 500]).started == [])
        bench.tell(id(1), .treeGone)
        #expect(sample(bench, [550, 50, 500]).started == [id(0, 2)])
    }

    @Test func workersThatHaveNotGrownStay() {
        let bench = together(workers: 2)
        #expect(sample(bench, [100, 105]) == [])
        bench.tell(id(0), .memory(bytes: 104))
        #expect(sample(bench, [104, 2000]).started == [id(1, 2)])
    }

    @Test func withoutGrowthItIsReportedOnce() {
        let bench = Bench(workers: 2) { $0.maxPoolRSSBytes = 1000 }
        bench.bringUp()
        #expect(sample(bench, [600, 600]) == [])
        bench.wait(.seconds(10))
        #expect(
            sample(bench, [600, 600]) == [
                .note(.shortage(pool: 0, .poolMemory, usedBytes: 1200, nil))
            ])
        #expect(sample(bench, [600, 600]) == [])
        #expect(sample(bench, [600, 300]) == [])
        #expect(sample(bench, [600, 600]).count == 1)
    }

    @Test func roomIsAskedForNearACap() {
        let bench = Bench { $0.maxRSSBytes = 1000 }
        bench.bringUp()
        #expect(bench.wake() == [.sample(pool: 0, .memory)])
        sample(bench, [100])
        sample(bench, [100])
        #expect(bench.wake() == [.sample(pool: 0, .memory)])
        sample(bench, [995])
        #expect(bench.wake() == [.sample(pool: 0, [.room, .memory])])
    }

    @Test func whereTwoDoNotFitTheOldOneGoesFirst() {
        let bench = Bench(workers: 2) { $0.maxRSSBytes = 1000 }
        bench.bringUp()
        bench.wait(.seconds(20))
        sample(bench, [900, 900])
        let room = MemoryRoom(limitBytes: 2000, usedBytes: 1500)
        #expect(
            bench.sampled(room, mayRelieve: true) == [
                .note(.memoryIsTight(pool: 0, room, workerBytes: 900))
            ])
        #expect(bench.sampled(room, mayRelieve: true) == [])
        let actions = bench.tell(id(0), .memory(bytes: 1001))
        #expect(
            actions == [.note(.due(id(0), .memory, facts(21, memory: 1001)))]
                + told(id(0), .recycle(.memory), facts(21, memory: 1001)))
        // One at a time, even though the budget allows no missing worker.
        #expect(bench.tell(id(1), .memory(bytes: 1001)).retired == [])
        #expect(
            bench.exit(id(0)) == [
                start(id(0, 2)),
                .note(
                    .exited(
                        id(0), .code(0), .retired(.recycle(.memory)), facts(21, memory: 1001))),
            ])
        bench.tell(id(0, 2), .running)
        #expect(bench.tell(id(0, 2), .ready).retired == [id(1)])
    }

    @Test func otherCausesDoNotGoFirst() {
        let bench = Bench(workers: 2) { $0.maxRSSBytes = 1000 }
        bench.bringUp()
        sample(bench, [900, 900])
        bench.sampled(MemoryRoom(limitBytes: 2000, usedBytes: 1500))
        #expect(bench.tell(id(0), .recycleRequested).started == [id(0, 2)])
    }

    @Test func thePressureOfTheLimitIsRelievedByTheLargest() {
        let bench = together(workers: 2) {
            $0.maxPoolRSSBytes = nil
            $0.relievesPressure = true
        }
        #expect(bench.wake() == [.sample(pool: 0, [.room, .memory])])
        let room = MemoryRoom(limitBytes: 10_000, usedBytes: 9000)
        bench.sampled(room, mayRelieve: false)
        #expect(sample(bench, [500, 700]) == [])
        bench.sampled(room, mayRelieve: true)
        #expect(sample(bench, [500, 700]).started == [id(1, 2)])
        bench.sampled(room, mayRelieve: true)
        #expect(sample(bench, [800, 700]).started == [])
    }
}

/// Percentages of the memory limit (MemoryCap.swift, Service+Memory.swift).
struct MemoryShareTests {
    private func plan(_ name: String, workers: Int, surge: Int = 1) -> Service.Plan {
        var policy = PoolPolicy.tested(workers: workers)
        policy.memoryLimitBytes = 1000
        policy.maxRSS = .percent(80)
        policy.maxPoolRSS = .percent(50)
        policy.maxSurge = .count(surge)
        return Service.Plan(name: name, policy: policy)
    }

    private func shared(_ service: Service, _ pool: Int) -> [UInt64?] {
        let policy = service.members[pool].pool.policy
        return [policy.maxRSSBytes, policy.maxPoolRSSBytes]
    }

    @Test func aShareIsThatOfAllWorkersAtOnce() {
        var service = Service([plan("a", workers: 2), plan("b", workers: 3, surge: 2)], seed: 1)
        #expect(shared(service, 0) == [100, 500])
        #expect(shared(service, 1) == [100, 500])
        let notes = service.handle(.start, at: second(0)).filter {
            if case .perform(.note(.memoryShared)) = $0 { true } else { false }
        }
        #expect(notes.count == 2)
    }

    @Test func scalingShiftsTheShares() {
        var service = Service([plan("a", workers: 3)], seed: 1)
        _ = service.handle(.start, at: second(0))
        #expect(shared(service, 0) == [200, 500])
        let more = service.handle(.resize(pool: 0, by: 4), at: second(0))
        #expect(shared(service, 0) == [100, 500])
        let caps = MemoryCapBytes(service.members[0].pool.policy)
        #expect(more.contains(.perform(.note(.memoryShared(pool: 0, caps)))))
    }

    @Test func aReloadSharesByTheNewSizes() {
        var service = Service([plan("a", workers: 1)], seed: 1)
        _ = service.handle(.start, at: second(0))
        for news in [WorkerEvent.running, .ready] {
            _ = service.handle(.worker(id(0), news), at: second(1))
        }
        _ = service.handle(.reload([plan("a", workers: 7)]), at: second(2))
        #expect(shared(service, 0) == [400, 500])
        #expect(service.members[0].pool.candidate?.policy.maxRSSBytes == 100)
        for news in [WorkerEvent.running, .ready] {
            _ = service.handle(.worker(id(0, 2), news), at: second(3))
        }
        _ = service.handle(.deadline, at: second(10))
        #expect(service.generation == 2)
        #expect(shared(service, 0) == [100, 500])
    }

    @Test func bytesStayAsTheyAre() {
        var policy = PoolPolicy()
        policy.maxRSS = .bytes(7)
        policy.killRSS = .percent(3)
        #expect(policy.maxRSSBytes == 7 && policy.killRSSBytes == nil)
        #expect(policy.killRSS == .percent(3))
        policy.memoryLimitBytes = 1000
        policy.shareMemory(amongWorkers: 1)
        #expect(policy.maxRSSBytes == 7 && policy.killRSSBytes == 30)
        policy.killRSS = nil
        #expect(policy.killRSSBytes == nil && !policy.hasMemoryPercentages)
    }

    /// Two pools do not free memory at the same time; the one with the larger worker is first.
    @Test func onePoolAtATimeRelievesPressure() {
        var plans = [plan("a", workers: 1), plan("b", workers: 1)]
        for index in plans.indices {
            plans[index].policy.maxRSS = nil
            plans[index].policy.maxPoolRSS = nil
            plans[index].policy.relievesPressure = true
            plans[index].policy.minLifetime = .zero
        }
        var service = Service(plans, seed: 1)
        var now = second(0)
        _ = service.handle(.start, at: now)
        let ids = [id(0), WorkerID(pool: 1, slot: 0, incarnation: 1)]
        func tell(_ event: Service.Event) -> [Service.Action] { service.handle(event, at: now) }
        for id in ids {
            _ = tell(.worker(id, .running))
            _ = tell(.worker(id, .ready))
        }
        func round(_ pool: Int, _ bytes: UInt64) -> Bool {
            now = now + .seconds(1)
            let sample = PoolSample(
                room: MemoryRoom(limitBytes: 1000, usedBytes: 950),
                memory: [PoolSample.Figure(ids[pool], bytes: bytes)])
            return tell(.sampled(pool: pool, sample)).contains {
                if case .perform(.note(.due)) = $0 { true } else { false }
            }
        }
        #expect(!round(0, 100))
        #expect(!round(1, 100))
        _ = tell(.worker(ids[0], .memory(bytes: 300)))
        #expect(!round(1, 200))
        #expect(round(0, 300))
        #expect(!round(1, 400))
    }

    /// The slot that waits for its own memory gives its place to another meanwhile.
    @Test func aPlaceThatLacksRoomIsNotKept() {
        let bench = Bench(workers: 3) {
            $0.maxRSSBytes = 900
            $0.maxUnavailable = .count(2)
        }
        bench.bringUp()
        bench.wait(.seconds(20))
        for slot in 0..<3 { bench.tell(id(slot), .memory(bytes: 800)) }
        bench.sampled(MemoryRoom(limitBytes: 2500, usedBytes: 2400))
        #expect(bench.tell(id(0), .memory(bytes: 1000)).retired == [id(0)])
        let actions = bench.tell(id(1), .recycleRequested)
        #expect(actions.retired == [id(1)])
        #expect(actions.started == [id(1, 2)])
    }
}
