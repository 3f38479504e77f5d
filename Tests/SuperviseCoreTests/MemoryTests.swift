import Testing

@testable import SuperviseCore

/// Memory caps (Pool+Memory.swift).
struct MemoryTests {
    private func capped(
        workers: Int = 1, _ adjust: @escaping (inout PoolPolicy) -> Void = { _ in }
    ) -> Bench {
        let bench = Bench(workers: workers) {
            $0.maxRSSBytes = 1000
            adjust(&$0)
        }
        bench.bringUp()
        return bench
    }

    @Test func samplesAreTakenAtTheirInterval() {
        let bench = capped { $0.memoryInterval = .seconds(5) }
        #expect(bench.wake() == [.sample(pool: 0, .memory)])
        #expect(bench.now == second(5))
        #expect(bench.wake() == [.sample(pool: 0, .memory)])
        #expect(bench.now == second(10))
    }

    @Test func withoutCapsThereAreNone() {
        let bench = Bench()
        bench.bringUp()
        #expect(bench.pool.nextDeadline == nil)
    }

    @Test func overTheCapIsRecycledGracefully() {
        let bench = capped()
        bench.wait(.seconds(10))
        #expect(bench.tell(id(0), .memory(bytes: 1000)) == [])
        #expect(
            bench.tell(id(0), .memory(bytes: 1001)) == [
                .note(.due(id(0), .memory, facts(10, memory: 1001))), start(id(0, 2)),
            ])
    }

    @Test func severalSamplesInARowMustBeOver() {
        let bench = capped { $0.memorySamples = 3 }
        bench.wait(.seconds(10))
        for bytes: UInt64 in [2000, 2000, 1000, 2000, 2000] {
            #expect(bench.tell(id(0), .memory(bytes: bytes)) == [])
        }
        #expect(bench.tell(id(0), .memory(bytes: 2000)).started == [id(0, 2)])
    }

    /// Samples a worker each second, until a worker starts or this many seconds have passed.
    private func watch(
        _ bench: Bench, _ id: WorkerID, seconds: Int64, _ bytes: (Double) -> Double
    ) -> (started: [WorkerID], notices: [Notice], age: Double) {
        let readyAt = bench.pool.worker(id)?.readyAt ?? bench.now
        var notices: [Notice] = []
        for _ in 0..<seconds {
            bench.wait(.seconds(1))
            let age = (bench.now - readyAt).seconds
            let actions = bench.tell(id, .memory(bytes: UInt64(bytes(age))))
            for case .note(let notice) in actions { notices.append(notice) }
            if !actions.started.isEmpty { return (actions.started, notices, age) }
        }
        return ([], notices, (bench.now - readyAt).seconds)
    }

    private func isAlarm(_ notice: Notice) -> Bool {
        if case .memoryAlarm = notice { true } else { false }
    }

    /// Its first request may already have allocated, although no request is counted.
    @Test func theMemoryOfTheFirstRequestIsNotItsOwn() {
        let bench = capped()
        bench.tell(id(0), .memory(bytes: 300))
        bench.wait(.seconds(1))
        bench.tell(id(0), .memory(bytes: 950, isServing: true))
        bench.tell(id(0), .requests(1))
        bench.wait(.seconds(1))
        #expect(bench.tell(id(0), .memory(bytes: 1001)).started == [id(0, 2)])
    }

    @Test func aYoungWorkerRaisesAnAlarmInstead() {
        let bench = capped()
        bench.wait(.seconds(9))
        #expect(
            bench.tell(id(0), .memory(bytes: 2000)) == [
                .note(.memoryAlarm(id(0), facts(9, memory: 2000), .soft, limitBytes: 1000))
            ])
        #expect(bench.tell(id(0), .memory(bytes: 2100)) == [])
    }

    /// The age counts from readiness: a slow boot does not matter.
    @Test func aSlowBootIsNoAge() {
        let bench = Bench { $0.maxRSSBytes = 1000 }
        bench.tell(.start)
        bench.wait(.seconds(50))
        bench.makeReady(id(0))
        bench.wait(.seconds(1))
        #expect(bench.tell(id(0), .memory(bytes: 2000)).started == [])
    }

    /// 15 MB per second with a cap of 50: it exceeds the cap at once, and is recycled at
    /// `min-lifetime`.
    @Test func aLeakThatIsOverTheCapWhileYoungGoesAsSoonAsItMay() {
        let bench = capped()
        let seen = watch(bench, id(0), seconds: 60) { 500 + 300 * $0 }
        #expect(seen.started == [id(0, 2)] && seen.age == 10)
        #expect(seen.notices.count(where: isAlarm) == 1)
    }

    @Test func aProgramThatIsLargerThanTheCapStays() {
        let bench = capped()
        let seen = watch(bench, id(0), seconds: 3600) { _ in 2000 }
        #expect(seen.started == [] && seen.notices.count == 1)
    }

    /// Its caches fill for 5 s, to twice the cap.
    @Test func aProgramThatWarmsUpPastTheCapStays() {
        let bench = capped()
        let seen = watch(bench, id(0), seconds: 3600) { min(2000, 400 * $0) }
        #expect(seen.started == [] && seen.notices.count(where: isAlarm) == 1)
    }

    /// It is larger than the cap and leaks as well: it is recycled once the leak is noticeable.
    @Test func aLeakOnTopOfALargeProgramIsRecycled() {
        let bench = capped()
        let seen = watch(bench, id(0), seconds: 3600) { 2000 + $0 }
        #expect(seen.started == [id(0, 2)] && (200..<300).contains(seen.age))
    }

    /// A warm-up that takes longer than `min-lifetime` looks like a leak, until one worker is given
    /// time.
    @Test func aLongWarmUpMakesNoStorm() {
        let bench = capped()
        var starts = 0
        var current = id(0)
        while bench.now < second(3600) {
            let seen = watch(bench, current, seconds: 600) { min(1900, 500 + 100 * $0) }
            guard let next = seen.started.first else { continue }
            starts += 1
            bench.makeReady(next)
            bench.exit(current)
            current = next
        }
        #expect(starts == 3)
    }

    /// With 50 requests per second and 1 MB each, it exceeds its cap after 3 s.
    @Test func aLeakThatServesGoesWhateverItsAge() {
        let bench = capped()
        bench.tell(id(0), .memory(bytes: 300))
        bench.tell(id(0), .requests(1))
        let seen = watch(bench, id(0), seconds: 60) { 300 + 300 * $0 }
        #expect(seen.started == [id(0, 2)] && seen.age == 3)
        #expect(seen.notices.count(where: isAlarm) == 0)
    }

    /// Serving makes it larger, but not much: the cap is below its own size.
    @Test func aProgramThatIsReadyNearItsCapIsGuarded() {
        let bench = capped()
        bench.tell(id(0), .memory(bytes: 800))
        bench.tell(id(0), .requests(1))
        let seen = watch(bench, id(0), seconds: 600) { _ in 1100 }
        #expect(seen.started == [] && seen.notices.count(where: isAlarm) == 1)
    }

    /// The guard ends when its memory has doubled.
    @Test func aGuardedWorkerThatDoublesGoesAtOnce() {
        let bench = capped()
        bench.tell(id(0), .memory(bytes: 900))
        bench.tell(id(0), .requests(1))
        let seen = watch(bench, id(0), seconds: 60) { 900 + 300 * $0 }
        #expect(seen.started == [id(0, 2)] && seen.age == 4)
        #expect(seen.notices.count(where: isAlarm) == 1)
    }

    /// It loads most of itself with its first request, as web frameworks do.
    @Test func aProgramThatLoadsItselfWhenItServesMakesNoStorm() {
        let bench = capped()
        var starts = 0
        var current = id(0)
        for _ in 0..<20 {
            bench.tell(current, .memory(bytes: 300))
            bench.tell(current, .requests(1))
            let seen = watch(bench, current, seconds: 600) { _ in 1500 }
            guard let next = seen.started.first else { break }
            starts += 1
            bench.makeReady(next)
            bench.exit(current)
            current = next
        }
        #expect(starts == 8)
    }

    /// Once below the cap again, it is treated like any other worker.
    @Test func anAlarmEndsBelowTheCap() {
        let bench = capped()
        bench.tell(id(0), .memory(bytes: 1500))
        bench.tell(id(0), .memory(bytes: 900))
        bench.wait(.seconds(20))
        #expect(bench.tell(id(0), .memory(bytes: 1001)).started == [id(0, 2)])
    }

    @Test func aWarningIsGivenOnceACrossing() {
        let bench = Bench { $0.warnRSSBytes = 1000 }
        bench.bringUp()
        func warns(_ bytes: UInt64) -> Bool {
            bench.tell(id(0), .memory(bytes: bytes)).contains {
                if case .note(.memoryWarning(id(0), _, limitBytes: 1000)) = $0 {
                    true
                } else {
                    false
                }
            }
        }
        let figures: [UInt64] = [1000, 1001, 2000, 999, 1001, 950, 1001, 949, 1000, 1001]
        #expect(
            figures.map(warns) == [
                false, true, false, false, false, false, false, false, false, true,
            ])
    }

    @Test func aBootingWorkerHasNoSoftCap() {
        let bench = Bench { $0.maxRSSBytes = 1000 }
        bench.tell(.start)
        bench.tell(id(0), .running)
        bench.wait(.seconds(20))
        #expect(bench.tell(id(0), .memory(bytes: 2000)) == [])
    }

    @Test func twoWorkersAboveTheCapStopOneAtATime() {
        let bench = capped(workers: 2)
        bench.wait(.seconds(20))
        #expect(bench.tell(id(0), .memory(bytes: 2000)).started == [id(0, 2)])
        #expect(bench.tell(id(1), .memory(bytes: 2000)).started == [])
        bench.makeReady(id(0, 2))
        #expect(bench.exit(id(0)).started == [id(1, 2)])
    }
}
