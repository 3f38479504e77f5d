import Testing

@testable import SuperviseCore

/// The comparison of a canary's responses with those of the old workers (CanaryCheck.swift).
struct CanaryCheckTests {
    private typealias Count = (all: UInt64, errors: UInt64)

    /// A pool of two workers with a canary in slot 0 that has just become ready. The workers have
    /// sent these responses before.
    private func bench(
        before: Count = (0, 0), _ adjust: @escaping (inout PoolPolicy) -> Void = { _ in }
    ) -> Bench {
        var (bench, next) = upAndStable {
            $0.checksCanary = true
            adjust(&$0)
        }
        next.checksCanary = true
        adjust(&next)
        bench.tell(.prepare(generation: 2, next))
        bench.tell(id(0, 2), .running)
        let actions = bench.tell(id(0, 2), .ready)
        #expect(actions.last == .sample(pool: 0, .responses))
        bench.see(canary: (0, 0), others: before)
        return bench
    }

    /// The canary stays, and then the samples are these.
    private func trial(
        _ bench: Bench, canary: Count, others: Count
    ) -> Trial? {
        #expect(bench.wake() == [.sample(pool: 0, .responses)])
        bench.see(canary: canary, others: others)
        return bench.pool.trial
    }

    private func failure(_ canary: Count, _ others: Count) -> Trial {
        .failed(
            .responses(
                CanaryResponses(
                    canary: ResponseCount(responses: canary.all, errors: canary.errors),
                    others: ResponseCount(responses: others.all, errors: others.errors))))
    }

    @Test func aCanaryThatRespondsWithErrorsFails() {
        let bench = bench(before: (1_000, 900))
        #expect(trial(bench, canary: (12, 12), others: (1_100, 901)) == failure((12, 12), (100, 1)))
        #expect(bench.now == second(62))
    }

    @Test func halfOfTheResponsesSuffice() {
        #expect(
            trial(bench(), canary: (10, 5), others: (20, 1)) == failure((10, 5), (20, 1)))
        #expect(trial(bench(), canary: (100, 49), others: (20, 1)) == .passed)
    }

    @Test func aServiceWithAsManyErrorsAsBeforePasses() {
        #expect(trial(bench(), canary: (50, 50), others: (50, 50)) == .passed)
        #expect(trial(bench(), canary: (50, 50), others: (20, 2)) == .passed)
    }

    @Test func aCanaryWithoutRequestsPasses() {
        let bench = bench()
        #expect(bench.wake() == [.sample(pool: 0, .responses)])
        let actions = bench.see(canary: (0, 0), others: (500, 0))
        let figures = CanaryResponses(
            canary: ResponseCount(), others: ResponseCount(responses: 500, errors: 0))
        #expect(actions == [.note(.canaryPassed(pool: 0, generation: 2, figures))])
    }

    @Test func aCanaryWhoseRequestsAreNotVisiblePasses() {
        let bench = bench()
        bench.wake()
        let actions = bench.tell(.sampled(PoolSample(responses: [])))
        #expect(actions == [.note(.canaryPassed(pool: 0, generation: 2, nil))])
    }

    /// New workers often get most connections.
    @Test func earlierResponsesCountIfThereAreFewNewOnes() {
        #expect(
            trial(bench(before: (900, 3)), canary: (30, 30), others: (904, 3))
                == failure((30, 30), (904, 3)))
        #expect(trial(bench(before: (900, 300)), canary: (30, 30), others: (904, 300)) == .passed)
    }

    /// A dependency may fail during the trial.
    @Test func errorsOfTheSameTimeCountInAnyCase() {
        #expect(trial(bench(before: (900, 0)), canary: (30, 30), others: (904, 4)) == .passed)
    }

    @Test func aDoubtfulCanaryStaysLonger() {
        let bench = bench(before: (900, 0))
        #expect(trial(bench, canary: (3, 3), others: (950, 0)) == .pending)
        #expect(trial(bench, canary: (9, 9), others: (990, 0)) == .pending)
        #expect(bench.now == second(62) + .milliseconds(250))
        #expect(trial(bench, canary: (10, 10), others: (999, 0)) == failure((10, 10), (99, 0)))
    }

    @Test func aDoubtEnds() {
        let bench = bench()
        var count = 0
        while bench.pool.trial == .pending, count < 100 {
            _ = trial(bench, canary: (3, 3), others: (4, 0))
            count += 1
        }
        #expect(bench.pool.trial == .passed)
        #expect(bench.now == second(72))
    }

    @Test func aDoubtfulCanaryMayRecover() {
        let bench = bench(before: (900, 0))
        #expect(trial(bench, canary: (3, 3), others: (950, 0)) == .pending)
        #expect(trial(bench, canary: (9, 3), others: (990, 0)) == .passed)
    }

    @Test func aMissingSampleIsNotAwaitedForLong() {
        let bench = bench()
        #expect(bench.wake() == [.sample(pool: 0, .responses)])
        #expect(bench.tell(.recycle(slot: 9)) == [])
        #expect(bench.wake() == [.note(.canaryPassed(pool: 0, generation: 2, nil))])
        #expect(bench.now == second(63))
    }

    @Test func theMemoryIsMeasuredAfterwards() {
        let bench = bench {
            $0.killRSSBytes = 1_000
            $0.memoryInterval = .seconds(100)
        }
        bench.wake()
        #expect(bench.see(canary: (20, 0), others: (20, 0)) == [.measure(id(0, 2))])
        bench.tell(id(0, 2), .memory(bytes: 500))
        #expect(bench.pool.trial == .passed)
    }

    @Test func anyNumbersAreAccepted() {
        let all: Count = (.max, .max)
        #expect(trial(bench(before: all), canary: all, others: all) == .passed)
        #expect(trial(bench(before: all), canary: (20, .max), others: (5, 0)) == .pending)
        #expect(trial(bench(), canary: (.max, .max), others: (.max, 0)) != .passed)
    }

    @Test func percentagesAreRounded() {
        func text(_ errors: UInt64, _ all: UInt64) -> String {
            ResponseCount(responses: all, errors: errors).errorPercentage
        }
        #expect(text(0, 0) == "0")
        #expect(text(0, 81) == "0")
        #expect(text(1, 81) == "1.2")
        #expect(text(37, 37) == "100")
        #expect(text(1, 3) == "33")
        #expect(text(999, 1_000) == "99")
    }
}

extension Bench {
    /// A sample of the canary in slot 0, and of the incumbents, which share their responses.
    @discardableResult
    fileprivate func see(
        canary: (all: UInt64, errors: UInt64), others: (all: UInt64, errors: UInt64)
    ) -> [Action] {
        tell(
            .sampled(
                PoolSample(responses: [
                    .init(id(1), ResponseCount(responses: others.all, errors: others.errors)),
                    .init(id(0, 2), ResponseCount(responses: canary.all, errors: canary.errors)),
                    .init(id(0), ResponseCount()),
                ])))
    }
}
