import Testing

@testable import SuperviseCore

/// The hunted worker (Pool+Hunt.swift).
struct HuntTests {
    private static let order = HuntOrder(requests: 10, time: .seconds(60))

    /// A pool of two workers and a hunted one, which is ready.
    private static func bench(
        _ adjust: @escaping (inout PoolPolicy) -> Void = { _ in }
    ) -> Bench {
        let bench = Bench(workers: 2, adjust)
        bench.bringUp()
        let actions = bench.tell(.hunt(.begin(order)))
        #expect(
            actions == [
                .note(.hunt(.begun(id(2), order))),
                .start(id(2), StartOrder(generation: 1, hunt: order)),
            ])
        bench.makeReady(id(2))
        return bench
    }

    private static func ended(_ reason: HuntEnd, _ progress: HuntProgress = .init()) -> Action {
        .note(.hunt(.ended(id(2), reason, progress)))
    }

    @Test func itIsNoPartOfThePool() {
        let bench = Self.bench()
        #expect(bench.pool.size == 2 && bench.pool.servingCount == 2)
        #expect(bench.pool.liveCount == 3)
        #expect(bench.pool.huntedWorker == id(2))
        // A crash is still replaced at once, and so is a recycle.
        #expect(bench.exit(id(0), 1).started == [id(0, 2)])
        bench.makeReady(id(0, 2))
        #expect(bench.tell(.recycle(slot: nil)).started == [id(0, 3)])
        #expect(bench.tell(.resize(by: 1)).started.contains(id(3)))
    }

    @Test func aSecondOneIsRefused() {
        let bench = Self.bench()
        #expect(bench.pool.huntObstacle == .hunt)
        #expect(bench.tell(.hunt(.begin(Self.order))) == [])
    }

    @Test func itEndsWhenAllRequestsAreMeasured() {
        let bench = Self.bench()
        #expect(bench.wake() == [.sampleHunt(id(2))])
        let some = HuntProgress(requests: 5, measured: 4)
        #expect(bench.tell(.hunt(.sampled(id(2), some))) == [])
        let all = HuntProgress(requests: 11, measured: 10)
        let actions = bench.tell(.hunt(.sampled(id(2), all)))
        #expect(actions.first == Self.ended(.finished, all))
        #expect(actions.retired == [id(2)])
        #expect(bench.exit(id(2)).started == [])
        #expect(bench.pool.huntObstacle == nil)
        // The slot is used again.
        #expect(bench.tell(.hunt(.begin(Self.order))).started == [id(2, 2)])
    }

    @Test func itEndsInTimeAndWithoutRequests() {
        let bench = Self.bench()
        bench.wait(.seconds(29))
        bench.tell(.deadline)
        #expect(bench.tell(.hunt(.sampled(id(2), HuntProgress()))) == [])
        bench.wait(.seconds(1))
        #expect(
            bench.tell(.hunt(.sampled(id(2), HuntProgress()))).first == Self.ended(.noRequests))

        let other = Self.bench()
        other.wait(.seconds(60))
        #expect(other.tell(.deadline).contains(Self.ended(.timeout)))
    }

    @Test func itEndsWithAReloadAParkOrAStop() {
        let reload = Self.bench()
        let actions = reload.tell(.prepare(generation: 2, reload.pool.policy))
        #expect(actions.first == Self.ended(.reload) && actions.retired == [id(2)])
        let park = Self.bench()
        #expect(park.tell(.park).contains(Self.ended(.left(.parked))))
        let stop = Self.bench()
        #expect(stop.tell(.stop(.graceful)).contains(Self.ended(.stop)))
        for slot in 0..<2 { stop.exit(id(slot)) }
        #expect(stop.pool.stage != .ended)
        stop.exit(id(2))
        #expect(stop.pool.stage == .ended)
    }

    @Test func itGoesFirstWhenMemoryIsShort() {
        let bench = Self.bench { $0.maxPoolRSSBytes = 1000 }
        let actions = bench.sampled([400, 400, 400])
        #expect(actions.first == Self.ended(.memoryShortage))
        #expect(actions.retired == [id(2)])
    }

    @Test func itObeysItsCaps() {
        let soft = Self.bench { $0.maxRSSBytes = 1000 }
        #expect(soft.tell(id(2), .memory(bytes: 1001)).first == Self.ended(.memoryCap))
        let hard = Self.bench { $0.killRSSBytes = 1000 }
        hard.tell(id(2), .memory(bytes: 500))
        hard.wait(.seconds(60))
        let actions = hard.tell(id(2), .memory(bytes: 5000))
        #expect(actions.contains(Self.ended(.left(.killMemory))))
        #expect(actions.contains(.kill(id(2))))
    }

    @Test func aCrashEndsIt() {
        let bench = Self.bench()
        let actions = bench.exit(id(2), 1)
        #expect(actions.first == Self.ended(.exited(.code(1))))
        #expect(actions.started == [])
    }

    @Test func aFailedStartEndsIt() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        bench.tell(.hunt(.begin(Self.order)))
        let failure = StartFailure(step: "fork", message: "no", isTransient: true)
        let actions = bench.tell(id(2), .startFailed(failure))
        #expect(actions.contains(Self.ended(.notStarted(failure))))
        #expect(actions.started == [] && bench.pool.huntedWorker == nil)
    }

    @Test func limitsThatOnlyReplaceDoNotApply() {
        let bench = Self.bench {
            $0.maxRequests = 100
            $0.maxLifetime = .seconds(10)
        }
        #expect(bench.pool.worker(id(2))?.requestLimit == nil)
        bench.wait(.seconds(20))
        #expect(!bench.tell(.deadline).retired.contains(id(2)))
    }

    @Test func poolsWithoutRequestsAreRefused() {
        let jobs = Bench { $0.runs = RunRule(schedule: "a") }
        #expect(jobs.pool.huntObstacle == .schedule)
        let deaf = Bench { $0.hasListeners = false }
        #expect(deaf.pool.huntObstacle == .noListeners)
        let idle = Bench()
        #expect(idle.pool.huntObstacle == .notRunning)
    }
}

/// What requests retain (HuntEstimate.swift).
struct HuntEstimateTests {
    /// A worker whose requests have these routes in turn, each retaining what `retained` returns for
    /// its route and number. `temporary` raises the resident memory only.
    private static func estimate(
        _ routes: [String], count: Int = 300, exact: Bool = true,
        _ retained: (String, Int) -> Int
    ) -> HuntEstimate {
        var seed: UInt64 = 1
        var bytes = 50_000_000
        var served: [String: Int] = [:]
        var requests: [HuntEstimate.Request] = []
        var excess = 0
        for _ in 0..<count * routes.count {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1
            let route = routes[Int(seed >> 33) % routes.count]
            // Objects that the next request releases.
            let noise = Int(seed >> 40) % 400
            requests.append(
                HuntEstimate.Request(
                    route: route, process: 1, bytes: exact ? UInt64(bytes + noise) : nil,
                    residentBytes: UInt64(bytes + excess)))
            let number = served[route, default: 0]
            served[route] = number + 1
            bytes += retained(route, number)
            // The kernel gets most of it back.
            excess = route == "GET /temporary" ? 20_000_000 : 0
        }
        return HuntEstimate(requests)
    }

    private static let others = ["GET /", "GET /temporary", "GET /cycles"]

    @Test(arguments: [600, 3_300, 31_000_000])
    func aLeakRanksFirst(size: Int) {
        let estimate = Self.estimate(Self.others + ["GET /leak"]) { route, _ in
            route == "GET /leak" ? size : 0
        }
        #expect(estimate.method == .exact)
        #expect(estimate.routes.first?.name == "GET /leak")
        #expect(estimate.routes.filter(\.leaks).map(\.name) == ["GET /leak"])
        let found = estimate.routes.first?.retained ?? 0
        #expect(abs(found - Double(size)) < 0.2 * Double(size), "\(found)")
        #expect(estimate.routes.first?.share == 1)
    }

    /// What a route leaves behind is released by the next request of any route.
    @Test func whatIsReleasedLateIsNoLeak() {
        var seed: UInt64 = 7
        var left = 0
        var base = 10_000_000
        var requests: [HuntEstimate.Request] = []
        for _ in 0..<400 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1
            let route = ["GET /", "GET /late", "GET /leak"][Int(seed >> 33) % 3]
            requests.append(
                HuntEstimate.Request(route: route, process: 1, bytes: UInt64(base + left)))
            left = route == "GET /late" ? 20_000 : 0
            base += route == "GET /leak" ? 40_000 : 0
        }
        let estimate = HuntEstimate(requests)
        #expect(estimate.routes.filter(\.leaks).map(\.name) == ["GET /leak"])
        let found = estimate.routes.first?.retained ?? 0
        #expect(abs(found - 40_000) < 8_000, "\(found)")
    }

    @Test func twoLeaksAreNamed() {
        let estimate = Self.estimate(Self.others + ["GET /a", "GET /b"]) { route, _ in
            route == "GET /a" ? 10_000 : route == "GET /b" ? 2_000 : 0
        }
        #expect(estimate.routes.filter(\.leaks).map(\.name) == ["GET /a", "GET /b"])
    }

    @Test func nothingIsNamedIfNothingLeaks() {
        let estimate = Self.estimate(Self.others) { _, number in number == 0 ? 5_000_000 : 0 }
        #expect(estimate.routes.count == 3 && estimate.routes.filter(\.leaks).isEmpty)
        #expect(estimate.routes.allSatisfy { $0.share == nil })
    }

    @Test func aCacheThatFillsIsNoLeak() {
        let estimate = Self.estimate(Self.others + ["GET /cache"]) { route, number in
            route == "GET /cache" && number < 80 ? 50_000 : 0
        }
        #expect(estimate.routes.first?.name == "GET /cache")
        #expect(estimate.routes.first?.course == .falling)
        #expect(estimate.routes.filter(\.leaks).isEmpty)
    }

    @Test func requestsThatOverlapAreNotMeasured() {
        let requests = (0..<100).map { number in
            HuntEstimate.Request(
                route: "GET /", process: 1, bytes: UInt64(number * 10_000),
                overlaps: number % 2 == 0)
        }
        let estimate = HuntEstimate(requests)
        #expect(estimate.measured == 0 && estimate.overlapping == 50)
    }

    @Test func processesAreSeparate() {
        let requests = (0..<200).map { number in
            HuntEstimate.Request(
                route: "GET /", process: number % 2 == 0 ? 1 : 2,
                bytes: number % 2 == 0 ? 10_000_000 : 90_000_000)
        }
        let estimate = HuntEstimate(requests)
        #expect(estimate.measured > 100)
        #expect(estimate.routes.map(\.retained) == [0])
    }

    @Test func theFloorOfTheResidentMemoryShowsALargeLeak() {
        let estimate = Self.estimate(Self.others + ["GET /leak"], exact: false) { route, _ in
            route == "GET /leak" ? 300_000 : 0
        }
        #expect(estimate.method == .regression)
        #expect(estimate.routes.filter(\.leaks).map(\.name) == ["GET /leak"])
        let found = estimate.routes.first?.retained ?? 0
        #expect(abs(found - 300_000) < 60_000, "\(found)")
    }

    @Test func theFloorNamesNothingIfNothingLeaks() {
        let estimate = Self.estimate(Self.others, exact: false) { _, _ in 0 }
        #expect(estimate.routes.filter(\.leaks).isEmpty)
    }

    @Test func anyRecordIsHandled() {
        #expect(HuntEstimate([]).routes.isEmpty)
        var requests = [
            HuntEstimate.Request(route: nil, process: 1, bytes: .max >> 14),
            HuntEstimate.Request(route: "GET /", process: 1, bytes: 0, hasEnded: false),
        ]
        #expect(HuntEstimate(requests).measured <= 1)
        requests += requests
        requests += requests
        #expect(HuntEstimate(requests).routes.count <= 2)
    }
}
