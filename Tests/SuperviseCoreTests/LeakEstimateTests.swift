import Testing

@testable import SuperviseCore

/// The estimate of memory growth (LeakEstimate.swift, Pool+Growth.swift).
struct LeakEstimateTests {
    private func estimate(
        seconds: Int, every gap: Int = 1, requestsPerSecond: UInt64 = 10,
        _ bytes: (Double) -> Double
    ) -> LeakEstimate {
        var estimate = LeakEstimate()
        for time in stride(from: 0, through: seconds, by: gap) {
            _ = estimate.add(
                UInt64(max(0, bytes(Double(time)))), requests: UInt64(time) * requestsPerSecond,
                at: second(Int64(time)), interval: .seconds(1))
        }
        return estimate
    }

    private func perSecond(_ estimate: LeakEstimate) -> Double {
        estimate.growth?.bytesPerSecond ?? .nan
    }

    @Test func aSteadyLeakIsExact() {
        let seen = estimate(seconds: 600) { 1000 + 50 * $0 }
        #expect(perSecond(seen) == 50)
        #expect(seen.growth?.bytesPerRequest == 5)
        #expect(seen.growth?.bytesPerHour == 180_000)
    }

    @Test func aFewSamplesAreNoEstimate() {
        #expect(estimate(seconds: 4) { 1000 + 50 * $0 }.growth == nil)
        #expect(estimate(seconds: 5) { 1000 + 50 * $0 }.growth != nil)
    }

    /// It starts at a tenth of its size and leaks nothing.
    @Test func aWarmUpIsNoLeak() {
        let seen = estimate(seconds: 120) { min(100_000, 10_000 * $0) }
        #expect(perSecond(seen) == 0)
    }

    @Test func aWarmUpHidesNoLeak() {
        let seen = estimate(seconds: 300) { min(100_000, 10_000 * $0) + 20 * $0 }
        #expect((18...22).contains(perSecond(seen)))
    }

    /// A garbage collector that runs every 30 s: a sawtooth ten times as high as the leak in one
    /// period.
    @Test func teethOfACollectorAreNoLeak() {
        let flat = estimate(seconds: 1800) {
            50_000 + 1000 * $0.truncatingRemainder(dividingBy: 30)
        }
        #expect(abs(perSecond(flat)) < 2)
        let rising = estimate(seconds: 1800) {
            50_000 + 1000 * $0.truncatingRemainder(dividingBy: 30) + 100 * $0
        }
        #expect((90...110).contains(perSecond(rising)))
    }

    /// Single huge requests, in one of ten samples.
    @Test func peaksAreNoLeak() {
        let seen = estimate(seconds: 600) {
            50_000 + ($0.truncatingRemainder(dividingBy: 10) == 3 ? 1_000_000 : 0)
        }
        #expect(perSecond(seen) == 0)
    }

    @Test func unevenGapsDoNotMatter() {
        let seen = estimate(seconds: 600, every: 7) { 1000 + 50 * $0 }
        #expect((49...51).contains(perSecond(seen)))
    }

    @Test func noRequestsGiveNoGrowthPerRequest() {
        let seen = estimate(seconds: 60, requestsPerSecond: 0) { 1000 + 50 * $0 }
        #expect(seen.growth?.bytesPerRequest == nil && perSecond(seen) == 50)
    }

    @Test func shrinkingIsNegative() {
        let seen = estimate(seconds: 60) { 100_000 - 50 * $0 }
        #expect(perSecond(seen) == -50)
        #expect(seen.growth?.time(toGrowBy: 1) == nil)
    }

    /// A year of samples needs no more memory than a minute.
    @Test func memoryIsBounded() {
        var seen = LeakEstimate()
        for hour in 0..<8760 {
            _ = seen.add(
                UInt64(hour), requests: 0, at: second(Int64(hour) * 3600), interval: .seconds(1))
        }
        #expect(seen.growth?.bytesPerHour == 1)
        #expect("\(seen)".components(of: "Floor(") <= LeakEstimate.capacity)
    }

    // MARK: In the pool

    private func grow(
        _ bench: Bench, _ id: WorkerID, seconds: Int, _ bytes: (Double) -> Double
    ) -> [Action] {
        let from = bench.now
        var actions: [Action] = []
        for _ in 0..<seconds {
            bench.wait(.seconds(1))
            let time = (bench.now - from).seconds
            actions += bench.tell(id, .requests(UInt64(time * 4)))
            actions += bench.tell(id, .memory(bytes: UInt64(bytes(time))))
        }
        return actions
    }

    @Test func theExitTellsTheGrowthAndThePoolRemembersIt() {
        let bench = Bench { $0.maxRSSBytes = 100_000 }
        bench.bringUp()
        _ = grow(bench, id(0), seconds: 60) { 1000 + 40 * $0 }
        #expect(bench.pool.worker(id(0))?.growth?.bytesPerHour == 144_000)
        #expect(bench.pool.growth == nil)
        let exit = bench.exit(id(0), 1)
        guard case .note(.exited(_, _, _, let facts)) = exit.last else {
            Issue.record("no exit")
            return
        }
        #expect(facts.growth == MemoryGrowth(bytesPerSecond: 40, bytesPerRequest: 10))
        #expect(bench.pool.growth == facts.growth)
    }

    /// Twenty workers that boot for 10 s each and reach their cap after 90 s.
    @Test func aCapReachedSoonerThanAllCanBeReplacedRaisesAnAlarm() {
        let bench = Bench(workers: 20) { $0.maxRSSBytes = 10_000 }
        bench.tell(.start)
        for slot in 0..<20 { bench.tell(id(slot), .running) }
        bench.wait(.seconds(10))
        for slot in 0..<20 { bench.tell(id(slot), .ready) }
        let actions = grow(bench, id(0), seconds: 30) { 900 + 100 * $0 }
        let alarms = actions.compactMap { action -> (UInt64, TimeSpan, TimeSpan)? in
            guard case .note(.leakAlarm(id(0), _, let cap, let within, let replacing)) = action
            else { return nil }
            return (cap, within, replacing)
        }
        #expect(alarms.count == 1)
        #expect(alarms.first?.0 == 10_000 && alarms.first?.1 == .seconds(90))
        #expect(alarms.first?.2 == .seconds(200))
        #expect(actions.started.isEmpty && actions.retired.isEmpty)
    }

    @Test func aSlowLeakRaisesNone() {
        let bench = Bench(workers: 2) { $0.maxRSSBytes = 1_000_000 }
        bench.bringUp()
        let actions = grow(bench, id(0), seconds: 60) { 1000 + 10 * $0 }
        #expect(actions.isEmpty)
    }
}

extension String {
    fileprivate func components(of marker: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: marker) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
