import Testing

@testable import SuperviseCore

/// The schedule of memory samples (Pool+Sampling.swift).
struct SamplingTests {
    private func capped(
        workers: Int = 1, cap: UInt64 = 1_000_000, _ adjust: (inout PoolPolicy) -> Void = { _ in }
    ) -> Bench {
        let bench = Bench(workers: workers) {
            $0.maxRSSBytes = cap
            $0.minLifetime = .zero
            adjust(&$0)
        }
        bench.bringUp()
        return bench
    }

    /// Completes a sample: the figure of each worker, then the end of the round.
    private func answer(_ bench: Bench, _ bytes: UInt64...) {
        guard case .sample(pool: 0, let contents)? = bench.wake().last else {
            Issue.record("nothing was sampled")
            return
        }
        #expect(contents.contains(.memory))
        bench.sampled(bytes)
    }

    private func gap(_ bench: Bench) -> Double {
        bench.pool.nextDeadline.map { ($0 - bench.now).seconds } ?? 0
    }

    @Test func theGapStretchesWhileEverybodyIsFarFromTheCap() {
        let bench = capped(workers: 2)
        answer(bench, 100_000, 200_000)
        // The growth would not have been noticeable yet.
        #expect(gap(bench) == 1)
        answer(bench, 100_000, 200_000)
        #expect(gap(bench) == 5)
        answer(bench, 100_000, 960_000)
        #expect(gap(bench) == 1)
    }

    @Test func aNewWorkerEndsALongGap() {
        let bench = capped()
        answer(bench, 1000)
        answer(bench, 1000)
        #expect(gap(bench) == 5)
        bench.wait(.milliseconds(500))
        #expect(bench.exit(id(0), 1).started == [id(0, 2)])
        bench.tell(id(0, 2), .running)
        #expect(gap(bench) == 1)
    }

    @Test func anUnansweredSampleIsRepeated() {
        let bench = capped()
        for _ in 0..<3 { #expect(bench.wake() == [.sample(pool: 0, .memory)]) }
        #expect(bench.now == second(3))
    }

    @Test func aStoppedPoolIsNoLongerSampled() {
        let bench = capped()
        bench.wake()
        bench.tell(.stop(.graceful))
        bench.sampled([])
        #expect(bench.pool.sampler.deadline == nil)
    }

    /// Whatever the rates, if they at most double: when the excess is noticed, the worker exceeds
    /// the cap by at most its growth in one interval.
    @Test(arguments: 1...200) func aCapIsNoticedWithinTheGrowthOfOneInterval(seed: UInt64) {
        var jitter = Jitter(seed: seed, slot: 0, incarnation: 0)
        let cap: UInt64 = 1_000_000
        let bench = capped(cap: cap)
        var bytes = Double(jitter.draw(through: cap / 2))
        var rate = Double(1 + jitter.draw(through: cap / 50))
        var looks = 0
        while bench.pool.worker(id(0))?.memoryBytes ?? 0 <= cap {
            let before = bench.now
            bench.wake()
            let span = (bench.now - before).seconds
            bytes += rate * span
            bench.sampled([UInt64(bytes)])
            looks += 1
            if UInt64(bytes) > cap {
                #expect(bytes - Double(cap) <= rate, "noticed \(span) s after the last look")
            } else if looks > 2 {
                rate *= 0.5 + Double(jitter.draw(through: 1_500)) / 1000
                rate = max(rate, 20)
            }
        }
        #expect(Double(looks) < (bench.now - second(0)).seconds + 1)
    }
}
