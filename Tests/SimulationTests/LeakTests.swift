import Simulator
import SuperviseCore
import SuperviseState
import Testing

/// The routes that seem to retain memory (LeakSuspects.swift, LeakRegression.swift), in simulated
/// services with planted leaks.
struct LeakTests {
    private static let seeds = UInt64(1)...8

    /// Checks that exactly these leaks are named, the largest first, within 20 % of the truth.
    private func expect(
        _ leaks: [(route: Int, bytes: Double)], in world: LeakWorld, minutes: Int,
        seeds: ClosedRange<UInt64> = LeakTests.seeds,
        location: SourceLocation = #_sourceLocation
    ) {
        for seed in seeds {
            let report = world.run(minutes: minutes, seed: seed).report()
            let named = report.routes.filter { $0.standing == .suspect }
            #expect(
                named.map(\.name) == leaks.map { LeakWorld.name($0.route) },
                "seed \(seed): \(report)", sourceLocation: location)
            for (route, leak) in zip(named, leaks) {
                #expect(
                    abs(route.bytesPerRequest - leak.bytes) < 0.2 * leak.bytes,
                    "seed \(seed): \(route)", sourceLocation: location)
            }
        }
    }

    private func popular(_ change: (inout [LeakWorld.Route]) -> Void) -> LeakWorld {
        var routes = LeakWorld.popular(30, 100)
        change(&routes)
        return LeakWorld(routes: routes)
    }

    @Test func aRareRouteThatRetainsAMegabyteStandsOut() {
        let world = popular { $0[29] = .init(rate: 0.1, leak: 1e6) }
        expect([(29, 1e6)], in: world, minutes: 20)
        let report = world.run(minutes: 20, seed: 1).report()
        #expect(report.routes[0].share > 0.9 && report.routes[0].confidence > 10, "\(report)")
        #expect(report.verdict == .suspects && report.routes.dropFirst().count == 10)
    }

    @Test func smallObjectsOfAPopularRouteAreFound() {
        expect([(2, 2000)], in: popular { $0[2].leak = 2000 }, minutes: 60)
    }

    @Test func twoLeaksAreBothNamed() {
        let world = popular {
            $0[6].leak = 30e3
            $0[15].leak = 100e3
        }
        expect([(15, 100e3), (6, 30e3)], in: world, minutes: 30)
    }

    @Test func nothingIsNamedIfNothingLeaks() {
        expect([], in: popular { _ in }, minutes: 10, seeds: 1...60)
        var world = popular { _ in }
        world.maxRequests = 2000
        expect([], in: world, minutes: 20, seeds: 1...20)
        world.maxRequests = 0
        world.load = { $0 % 600 < 300 ? 0.1 : 2 }
        expect([], in: world, minutes: 30)
        #expect(popular { _ in }.run(minutes: 20, seed: 1).report().verdict == .noGrowth)
    }

    @Test func temporaryMemoryIsNoLeak() {
        let world = popular {
            $0[10].temporary = 20e6
            $0[25].temporary = 50e6
        }
        expect([], in: world, minutes: 20, seeds: 1...20)
        var untrimmed = world
        untrimmed.trim = 0
        expect([], in: untrimmed, minutes: 20, seeds: 1...20)
        untrimmed.maxRequests = 3000
        expect([], in: untrimmed, minutes: 30)
    }

    @Test func aLeakBesideTemporaryMemoryIsFound() {
        var routes = LeakWorld.popular(6, 20)
        routes[2].temporary = 5e6
        routes[1].leak = 50e3
        // It always ranks first. Whether it is certain by then depends on the seed.
        let world = LeakWorld(routes: routes)
        var certain = 0
        for seed in Self.seeds {
            let report = world.run(minutes: 90, seed: seed).report()
            let first = report.routes[0]
            #expect(first.name == LeakWorld.name(1) && first.standing != .clear, "\(report)")
            #expect(abs(first.bytesPerRequest - 50e3) < 10e3, "\(report)")
            #expect(report.routes.dropFirst().allSatisfy { $0.standing != .suspect }, "\(report)")
            certain += first.standing == .suspect ? 1 : 0
        }
        #expect(certain >= 4)
    }

    @Test func aCacheThatFillsIsNoLeak() {
        var world = popular { $0[4].cache = (300, 50e3) }
        expect([], in: world, minutes: 20, seeds: 1...20)
        for seed in UInt64(1)...4 {
            let routes = world.run(minutes: 12, seed: seed).report().routes
            #expect(routes.contains { $0.standing == .falling && $0.name == LeakWorld.name(4) })
        }
        world.routes[8].leak = 50e3
        expect([(8, 50e3)], in: world, minutes: 90)
    }

    /// The free memory that a large request leaves behind hides the leak until the next one, so
    /// memory grows at large requests only.
    @Test func aRequestThatOnlyRevealsALeakIsNotBlamed() {
        var routes = [36.0, 24, 12, 6].map { LeakWorld.Route(rate: $0) }
        routes[2].leak = 50e3
        routes[3].temporary = 5e6
        for workers in [1, 4, 16] {
            var world = LeakWorld(routes: routes, workers: workers)
            world.trim = 0
            for minutes in [5, 20, 60] {
                for seed in Self.seeds {
                    let report = world.run(minutes: minutes, seed: seed).report()
                    let named = report.routes.filter { $0.standing == .suspect }.map(\.name)
                    #expect(named == [] || named == [LeakWorld.name(2)], "\(report)")
                }
            }
        }
    }

    @Test func whatTheFirstRequestLoadsIsNoLeak() {
        var world = popular {
            $0[20].first = 30e6
            $0[3].first = 10e6
        }
        world.maxRequests = 3000
        expect([], in: world, minutes: 30, seeds: 1...20)
    }

    /// Its memory grows with its requests, until it is released.
    @Test func garbageThatIsCollectedLateIsNoLeak() {
        var routes = LeakWorld.popular(10, 50)
        routes[4].garbage = 20e3
        for requests in [200, 1000, 5000] {
            var world = LeakWorld(routes: routes)
            world.collection = requests
            expect([], in: world, minutes: 30)
            world.trim = 1
            expect([], in: world, minutes: 30)
        }
    }

    @Test func growthWithoutRequestsIsAttributedToNoRoute() {
        var world = LeakWorld(routes: LeakWorld.popular(10, 50))
        world.background = 100e3
        expect([], in: world, minutes: 20)
        #expect(world.run(minutes: 20, seed: 1).report().verdict == .withoutRequests)
    }

    @Test func routesThatAreAlwaysRequestedTogetherAreNotToldApart() throws {
        let world = popular {
            $0[2].leak = 50e3
            $0[3].with = 2
        }
        for seed in Self.seeds {
            let report = world.run(minutes: 20, seed: seed).report()
            #expect(report.verdict == .unclear, "\(report)")
            let first = try #require(report.routes.first)
            let names: Set = [first.name, first.rival]
            #expect(names == [LeakWorld.name(2), LeakWorld.name(3)], "\(report)")
        }
    }

    @Test func aSingleWorkerIsEnough() {
        var routes = LeakWorld.popular(4, 20)
        routes[1].leak = 50e3
        expect([(1, 50e3)], in: LeakWorld(routes: routes, workers: 1), minutes: 5)
        expect(
            [(0, 50e3)],
            in: LeakWorld(routes: [.init(rate: 20, leak: 50e3)], workers: 2), minutes: 5)
    }

    @Test func workersThatEndedCount() {
        var routes = LeakWorld.popular(10, 20)
        routes[4].leak = 100e3
        expect(
            [(4, 100e3)], in: LeakWorld(routes: routes, maxRequests: 200), minutes: 30)
    }

    @Test func workersThatEndBeforeTheirWarmUpAreReported() {
        let world = LeakWorld(routes: LeakWorld.popular(4, 20), maxRequests: 20)
        let report = world.run(minutes: 5, seed: 1).report()
        #expect(report.verdict == .shortLives && report.routes.isEmpty, "\(report)")
    }

    @Test func aFewSamplesAreNoEvidence() {
        let world = popular { $0[2].leak = 1e6 }
        #expect(world.run(minutes: 1, seed: 1).report().verdict != .noGrowth)
        #expect(LeakSuspects().report() == LeakReport())
    }

    @Test func theEvidenceOutlivesAnUpgrade() throws {
        var routes = LeakWorld.popular(30, 100)
        routes[4].leak = 50e3
        let world = LeakWorld(routes: routes, maxRequests: 5000)
        let suspects = world.run(minutes: 10, seed: 3)
        let bytes = try State.encode(suspects)
        #expect(bytes.count < 1 << 19)
        let resumed = try State.decode(LeakSuspects.self, from: bytes)
        let (before, after) = (suspects.report(), resumed.report())
        #expect(after.verdict == .suspects && after.routes.first?.name == before.routes.first?.name)
        #expect(after.observations == before.observations && after.requests == before.requests)
        #expect(after.growthBytes == before.growthBytes && after.workers == before.workers)
    }
}
