import Testing

@testable import SuperviseCore

/// `kill-rss`, and the workers that it spares (Pool+Memory.swift, Pool+StormGuard.swift).
struct HardCapTests {
    private func limited(_ adjust: @escaping (inout PoolPolicy) -> Void = { _ in }) -> Bench {
        let bench = Bench(workers: 1) {
            $0.killRSSBytes = 5000
            adjust(&$0)
        }
        bench.bringUp()
        return bench
    }

    private func serve(_ bench: Bench, _ id: WorkerID) {
        bench.tell(id, .memory(bytes: 1000))
        bench.tell(id, .requests(1))
    }

    @Test func theHardCapKillsAtOnce() {
        let bench = limited()
        bench.tell(id(0), .memory(bytes: 1000))
        bench.tell(id(0), .requests(1))
        bench.wait(.seconds(1))
        #expect(
            bench.tell(id(0), .memory(bytes: 5001)) == [
                .note(.retiring(id(0), .killMemory, facts(1, requests: 1, memory: 5001))),
                .note(.killed(id(0), .killMemory)), .kill(id(0)), start(id(0, 2)),
            ])
    }

    @Test func theHardCapKillsWhatIsLeaving() {
        let bench = limited()
        bench.tell(id(0), .recycleRequested)
        bench.makeReady(id(0, 2))
        #expect(
            bench.tell(id(0), .memory(bytes: 5001)) == [
                .note(.killed(id(0), .killMemory)), .kill(id(0)),
            ])
        #expect(bench.tell(id(0), .memory(bytes: 5001)) == [])
    }

    @Test func theHardCapCountsAsACrash() {
        let bench = limited()
        serve(bench, id(0))
        bench.tell(id(0), .memory(bytes: 6000))
        bench.makeReady(id(0, 2))
        serve(bench, id(0, 2))
        #expect(bench.tell(id(0, 2), .memory(bytes: 6000)).backoffDelay != nil)
    }

    /// Killing it would be useless: its replacement is equally large.
    @Test func aProgramThatIsLargerThanTheCapLives() {
        let bench = limited()
        #expect(
            bench.tell(id(0), .memory(bytes: 6000)) == [
                .note(.memoryAlarm(id(0), facts(memory: 6000), .hard, limitBytes: 5000))
            ])
        bench.tell(id(0), .requests(1))
        for _ in 0..<60 {
            bench.wait(.seconds(1))
            #expect(bench.tell(id(0), .memory(bytes: 6000)) == [])
        }
    }

    @Test func oneThatBootsLargerThanTheCapLives() {
        let bench = Bench { $0.killRSSBytes = 5000 }
        bench.tell(.start)
        bench.tell(id(0), .running)
        #expect(bench.tell(id(0), .memory(bytes: 9000)).retired == [])
        #expect(bench.tell(id(0), .memory(bytes: 10001)).retired == [id(0)])
    }

    @Test func aLargeProgramThatDoublesIsKilled() {
        let bench = limited()
        bench.tell(id(0), .memory(bytes: 6000))
        #expect(bench.tell(id(0), .memory(bytes: 12000)).retired == [])
        #expect(bench.tell(id(0), .memory(bytes: 12001)).retired == [id(0)])
    }

    /// From `min-lifetime` on, a leak on top of it is not spared.
    @Test func aLargeProgramThatKeepsGrowingIsKilled() {
        let bench = limited()
        var age: UInt64 = 0
        while age < 30, bench.tell(id(0), .memory(bytes: 6000 + 100 * age)).retired.isEmpty {
            bench.wait(.seconds(1))
            age += 1
        }
        #expect(age == 10)
    }

    /// No client waits for a job, and the backoff paces the kills.
    @Test func withoutListenersNoWorkerIsSpared() {
        let bench = limited { $0.hasListeners = false }
        #expect(bench.tell(id(0), .memory(bytes: 5001)).retired == [id(0)])
    }

    /// A worker is not killed because others were added: it is recycled.
    @Test func aSmallerShareRecyclesThoseThatRun() {
        let bench = limited()
        serve(bench, id(0))
        bench.wait(.seconds(20))
        bench.pool.policy.killRSSBytes = 3000
        let actions = bench.tell(id(0), .memory(bytes: 4000))
        #expect(actions.retired == [] && actions.started == [id(0, 2)])
        #expect(bench.tell(id(0), .memory(bytes: 5001)).retired == [id(0)])
        serve(bench, id(0, 2))
        #expect(bench.tell(id(0, 2), .memory(bytes: 4000)).retired == [id(0, 2)])
    }

    /// The alarm names the setting that caused it, and that the worker is recycled for it.
    @Test func theAlarmOfASmallerShareNamesIt() {
        let bench = limited()
        bench.tell(id(0), .memory(bytes: 4000))
        bench.pool.policy.killRSSBytes = 3000
        #expect(
            bench.tell(id(0), .memory(bytes: 4000)) == [
                .note(.memoryAlarm(id(0), facts(memory: 4000), .lowered, limitBytes: 3000))
            ])
        #expect(AlarmedCap.lowered.key == "kill-rss")
    }

    @Test func aLargerShareCountsAtOnce() {
        let bench = limited()
        serve(bench, id(0))
        bench.pool.policy.killRSSBytes = 9000
        #expect(bench.tell(id(0), .memory(bytes: 8000)) == [])
    }

    private func service() -> Service {
        var policy = PoolPolicy.tested(workers: 4)
        policy.killRSS = .percent(80)
        policy.memoryLimitBytes = 1000
        return Service([Service.Plan(name: "web", policy: policy)], seed: 1)
    }

    /// 80 % shared by 4 workers and one more are 160 each, shared by 9 they are 88.
    @Test func workersThatAreAddedHaveTheSmallerShare() {
        var service = service()
        _ = service.handle(.start, at: second(0))
        for slot in 0..<4 {
            _ = service.handle(.worker(id(slot), .running), at: second(0))
            _ = service.handle(.worker(id(slot), .ready), at: second(0))
        }
        let actions = service.handle(.resize(pool: 0, by: 4), at: second(1))
        guard case .perform(.note(.memoryShared(0, let caps))) = actions.first else {
            Issue.record("the share is not the first thing that is said")
            return
        }
        #expect(caps.hard == 88)
        let pool = service.members[0].pool
        #expect(pool.worker(id(0)).flatMap(pool.hardCap) == 160)
        #expect(pool.worker(id(7)).flatMap(pool.hardCap) == 88)
    }

    /// The canary and a pool that is added with it have the shares of the new configuration.
    @Test func aReloadSharesBeforeItStarts() {
        var service = service()
        _ = service.handle(.start, at: second(0))
        _ = service.handle(.worker(id(0), .running), at: second(0))
        _ = service.handle(.worker(id(0), .ready), at: second(0))
        var web = service.members[0].pool.policy
        web.workers = 1
        web.killRSS = .percent(80)
        _ = service.handle(
            .reload([
                Service.Plan(name: "web", policy: web), Service.Plan(name: "more", policy: web),
            ]), at: second(1))
        let pool = service.members[0].pool
        let canary = pool.candidate?.canary.flatMap { pool.worker($0) }
        #expect(canary?.killRSSBytes == 200)
    }
}
