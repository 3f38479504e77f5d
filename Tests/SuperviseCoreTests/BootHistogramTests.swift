import Testing

@testable import SuperviseCore

struct BootHistogramTests {
    @Test func aBootIsCountedInTheSmallestBucketThatHoldsIt() {
        var times = BootHistogram()
        let spans: [TimeSpan] = [
            .zero, .milliseconds(50), TimeSpan(nanoseconds: 50_000_001), .seconds(10),
            .seconds(300), .seconds(301),
        ]
        for span in spans { times.add(span) }
        #expect(times.counts == [2, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1])
    }

    @Test func theBoundsAscend() {
        let bounds = BootHistogram.boundsMilliseconds
        #expect(bounds == bounds.sorted() && Set(bounds).count == bounds.count)
    }

    @Test func aPoolCountsItsBoots() {
        var pool = Pool(number: 0, policy: PoolPolicy(), seed: 1)
        let begin = Instant(nanoseconds: 0)
        _ = pool.handle(.start, at: begin)
        let id = WorkerID(pool: 0, slot: 0, incarnation: 1)
        _ = pool.handle(.worker(id, .running), at: begin)
        _ = pool.handle(.worker(id, .ready), at: begin + .milliseconds(700))
        #expect(pool.history.boots == 1 && pool.history.bootTimes.counts[4] == 1)
        #expect(pool.largestMemoryBytes == 0)
        _ = pool.handle(
            .worker(id, .memory(bytes: 7, isServing: false)), at: begin + .seconds(1))
        #expect(pool.largestMemoryBytes == 7)
    }
}
