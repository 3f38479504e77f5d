import Testing

@testable import SuperviseCore

/// Surge and unavailability (Budget.swift).
struct BudgetTests {
    private func budget(
        _ surge: Amount?, _ unavailable: Amount?, of workers: Int, listeners: Bool = true
    ) -> [Int] {
        let policy = PoolPolicy.tested {
            $0.hasListeners = listeners
            $0.maxSurge = surge
            $0.maxUnavailable = unavailable
        }
        let budget = Budget(of: policy, workers: workers)
        return [budget.surge, budget.unavailable]
    }

    @Test func defaults() {
        #expect(budget(nil, nil, of: 8) == [1, 0])
        #expect(budget(nil, nil, of: 8, listeners: false) == [0, 1])
    }

    @Test func surgeRoundsUpAndUnavailabilityDown() {
        #expect(budget(.percent(25), .percent(25), of: 1) == [1, 0])
        #expect(budget(.percent(25), .percent(25), of: 4) == [1, 1])
        #expect(budget(.percent(25), .percent(25), of: 5) == [2, 1])
        #expect(budget(.percent(25), .percent(25), of: 7) == [2, 1])
        #expect(budget(.percent(25), .percent(25), of: 8) == [2, 2])
        #expect(budget(.percent(100), .percent(100), of: 3) == [3, 3])
        #expect(budget(.percent(1), .percent(99), of: 10_000) == [100, 9900])
    }

    @Test func oneMayBeMissingWhereNothingElseWouldBePossible() {
        #expect(budget(.count(0), .percent(25), of: 3) == [0, 1])
        #expect(budget(.count(0), .count(0), of: 3) == [0, 1])
        #expect(budget(.percent(0), .percent(10), of: 3) == [0, 1])
        #expect(budget(.count(2), .count(0), of: 3) == [2, 0])
    }

    @Test func absurdPercentagesAreLarge() {
        #expect(budget(.percent(.max), nil, of: 10)[0] > 1_000_000)
    }
}
