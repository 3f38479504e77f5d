/// How many workers a pool may have beyond its number, and how many may be missing. Every planned
/// replacement, whatever its cause, goes through this one budget.
public struct Budget: Equatable, Sendable, Codable {
    /// How many processes may exist beyond the number of workers.
    public let surge: Int
    /// How many ready workers may be missing because of a planned retirement.
    public let unavailable: Int

    /// The budget of a pool with so many workers. A percentage of surge is rounded up and one of
    /// unavailability down, as Kubernetes does; where both come to 0, one may be missing, since
    /// nothing could ever be replaced otherwise.
    public init(of policy: PoolPolicy, workers: Int) {
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
