import SuperviseCore
import Testing

@testable import SuperviseSettings

/// The settings of elastic pools.
struct ScalingTests {
    private func pool(_ text: String) throws -> PoolSettings {
        try load(file: text + "\nbind = :80\ncommand = x\n").configuration.pools[0]
    }

    @Test func aRangeMakesAPoolElastic() throws {
        let pool = try pool("workers = 2..8")
        #expect(pool.workers == .range(2...8))
        #expect(pool.policy.workers == 8 && pool.policy.minimumWorkers == 2)
        #expect(pool.policy.bounds == WorkerBounds(minimum: 2, maximum: 8))
        #expect(pool.writtenValue(of: "workers") == "2..8")
        #expect(pool.policy.scaleUpAfter == .milliseconds(100))
        #expect(pool.policy.scaleDownAfter == .seconds(60))
        #expect(pool.policy.scaleBy == .requests)
    }

    @Test func theSmallestNumberMayBeZero() throws {
        #expect(try pool("workers = 0..2").policy.minimumWorkers == 0)
        #expect(try pool("workers = 3..3").policy.minimumWorkers == nil)
        #expect(try pool("workers = 3..3").policy.workers == 3)
    }

    @Test(arguments: [
        "8..2", "0..0", "2..", "..2", "2...8", "2..x", "-1..2", "1..100001", "2..4..8",
    ])
    func otherRangesAreRejected(_ text: String) {
        let error = loadError(file: "workers = \(text)\nbind = :80\ncommand = x\n")
        #expect(error.contains("workers: \"\(text)\""), "\(error)")
        #expect(error.contains("1 to 100000, auto, or a range such as 2..8 or 0..2"), "\(error)")
    }

    @Test(arguments: ["max-rss", "kill-rss", "warn-rss"])
    func capsOfAWorkerAreSizes(_ key: String) {
        let error = loadError(file: "workers = 2..8\n\(key) = 80%\nbind = :80\ncommand = x\n")
        #expect(error.contains("\(key): 80% conflicts with workers = 2..8"), "\(error)")
        #expect(error.contains("allowed: a size such as 512M"), "\(error)")
    }

    @Test func theCapOfThePoolMayBeAPercentage() throws {
        #expect(try pool("workers = 2..8\nmax-pool-rss = 80%").policy.hasMemoryPercentages)
    }

    @Test func jobsAreNotElastic() {
        let schedule = loadError(
            file: "[pool a]\nworkers = 0..2\nschedule = every 10m\ncommand = x\n")
        #expect(schedule.contains("conflicts with workers (0..2)"), "\(schedule)")
        let plain = loadError(file: "workers = 0..2\ncommand = x\n")
        #expect(plain.contains("0..2 requires a bind"), "\(plain)")
        let once = loadError(file: "workers = 0..2\nrestart = never\nbind = :80\ncommand = x\n")
        #expect(once.contains("restart: never conflicts with workers = 0..2"), "\(once)")
    }

    @Test func settingsWithoutEffectAreReported() throws {
        let file = "[pool a]\nworkers = 2\nscale-by = cpu\nbind = :80\ncommand = x\n"
        let loaded = try load(file: file)
        #expect(
            loaded.warnings.map(\.description).contains {
                $0.contains("scale-by: has no effect because workers is not a range")
            })
    }

    @Test func theShortestTimesAreBounded() {
        let file = "workers = 1..2\nscale-up-after = 1ms\nbind = :80\ncommand = x\n"
        #expect(loadError(file: file).contains("a duration of 10ms or more"))
    }
}
