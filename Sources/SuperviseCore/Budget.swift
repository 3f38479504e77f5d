/// The number of workers that a pool may have beyond its size, and the number that may be missing.
/// Every planned replacement, whatever its cause, uses this single budget.
public struct Budget: Equatable, Sendable, Codable {
    /// The number of processes that may exist beyond the number of workers.
    public let surge: Int
    /// The number of ready workers that may be missing because of planned retirements.
    public let unavailable: Int

    /// Creates the budget of a pool with this many workers. A percentage of surge is rounded up and
    /// one of unavailability down, as in Kubernetes. If both are 0, one worker may be missing,
    /// because nothing could be replaced otherwise.
    public init(of policy: PoolPolicy, workers: Int) {
        // A run ends before the next one starts.
        if policy.runs != nil {
            (surge, unavailable) = (0, 1)
            return
        }
        surge = Budget.resolve(
            policy.maxSurge ?? .count(policy.hasListeners ? 1 : 0), of: workers, roundingUp: true)
        let missing = Budget.resolve(
            policy.maxUnavailable ?? .count(policy.hasListeners ? 0 : 1), of: workers,
            roundingUp: false)
        unavailable = surge == 0 ? max(missing, 1) : missing
    }

    private static func resolve(_ amount: Amount, of workers: Int, roundingUp: Bool) -> Int {
        switch amount {
        case .count(let count): return count
        case .percent(let percent):
            let (hundredths, overflow) = workers.multipliedReportingOverflow(by: percent)
            guard !overflow else { return .max / 2 }
            return (hundredths + (roundingUp ? 99 : 0)) / 100
        }
    }
}
