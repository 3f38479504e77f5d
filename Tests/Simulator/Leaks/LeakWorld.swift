import SuperviseCore

/// Workers that serve requests, and the kernel's view of their memory, for tests of `LeakSuspects`.
package struct LeakWorld {
    /// The requests of a route.
    package struct Route {
        /// The requests per second of all workers together.
        package var rate: Double
        /// The bytes that each request retains.
        package var leak = 0.0
        /// The bytes that a request needs temporarily.
        package var temporary = 0.0
        /// The bytes that the first request in a worker retains.
        package var first = 0.0
        /// The bytes that a request leaves to the garbage collector.
        package var garbage = 0.0
        /// A cache of this many entries of this size, which fills.
        package var cache: (entries: Int, bytes: Double) = (0, 0)
        /// It is requested whenever this route is.
        package var with: Int?

        package init(rate: Double, leak: Double = 0) {
            self.rate = rate
            self.leak = leak
        }
    }

    private struct Process {
        var incarnation: Int
        var requests: [Int]
        var cached = 0
        var live = 0.0
        var garbage = (requests: 0, bytes: 0.0)
        /// The largest size so far, apart from what was returned to the kernel.
        var top = 0.0
    }

    package var routes: [Route]
    package var workers = 4
    /// The requests after which a worker is replaced; 0 is never.
    package var maxRequests = 0
    /// The requests between collections of garbage.
    package var collection = 1000
    /// Bytes that a worker retains per second without requests.
    package var background = 0.0
    /// The chance that free memory returns to the kernel, per second.
    package var trim = 0.3
    /// The load at a time in seconds.
    package var load: (Int) -> Double = { _ in 1 }

    package init(routes: [Route], workers: Int = 4, maxRequests: Int = 0) {
        self.routes = routes
        self.workers = workers
        self.maxRequests = maxRequests
    }

    /// Routes of which the nth gets 1/n of the requests of the first.
    package static func popular(_ count: Int, _ perSecond: Double) -> [Route] {
        let sum = (1...count).reduce(0) { $0 + 1 / Double($1) }
        return (1...count).map { Route(rate: perSecond / Double($0) / sum) }
    }

    package static func name(_ route: Int) -> String { "GET /route/\(route)" }

    /// Returns the evidence of samples every second.
    package func run(minutes: Int, seed: UInt64) -> LeakSuspects {
        var draws = Draws(seed: seed)
        var suspects = LeakSuspects()
        var processes = (0..<workers).map { _ in
            Process(incarnation: 1, requests: [Int](repeating: 0, count: routes.count))
        }
        for second in 0..<minutes * 60 {
            for slot in processes.indices {
                var process = processes[slot]
                let rss = serve(&process, load(second), &draws)
                let id = WorkerID(pool: 0, slot: slot, incarnation: process.incarnation)
                suspects.sample(id, bytes: rss) {
                    process.requests.enumerated().filter { $0.element > 0 }
                        .map { RouteCount(LeakWorld.name($0.offset), UInt64($0.element)) }
                }
                if maxRequests > 0, process.requests.reduce(0, +) >= maxRequests {
                    suspects.end(id)
                    process = Process(
                        incarnation: process.incarnation + 1,
                        requests: [Int](repeating: 0, count: routes.count))
                }
                processes[slot] = process
            }
        }
        return suspects
    }

    /// Serves for a second. Returns the resident size.
    private func serve(
        _ process: inout Process, _ load: Double, _ draws: inout Draws
    ) -> UInt64 {
        var temporary = 0.0
        var served = [Int](repeating: 0, count: routes.count)
        for (index, route) in routes.enumerated() {
            served[index] =
                route.with.map { served[$0] } ?? draws.count(route.rate * load / Double(workers))
            for _ in 0..<served[index] {
                if process.requests[index] == 0 { process.live += route.first }
                process.requests[index] += 1
                process.live += route.leak
                process.garbage.requests += 1
                process.garbage.bytes += route.garbage
                if Double(process.cached) < draws.unit() * Double(route.cache.entries) {
                    process.cached += 1
                    process.live += route.cache.bytes
                }
                temporary = max(temporary, route.temporary * (0.7 + 0.3 * draws.unit()))
            }
        }
        process.live += background
        if process.garbage.requests > collection { process.garbage = (0, 0) }
        process.top = max(process.top, process.live + process.garbage.bytes + temporary)
        if draws.unit() < trim {
            process.top = process.live + (process.top - process.live) * draws.unit()
        }
        let rss = 40e6 + process.top + abs(100e3 * draws.normal())
        return UInt64(max(0, (rss / 4096).rounded() * 4096))
    }
}

extension Draws {
    /// Returns a number from 0 up to 1.
    fileprivate mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }

    fileprivate mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + unit() } }

    /// Returns a number with this mean, nearly as of a Poisson process.
    fileprivate mutating func count(_ mean: Double) -> Int {
        let trials = max(8, Int(mean * 8))
        let chance = mean / Double(trials)
        return (0..<trials).reduce(0) { sum, _ in unit() < chance ? sum + 1 : sum }
    }
}
