import SuperviseCore

/// Everything that determines a run: the same schedule produces the same events at the same times.
package struct Schedule: Equatable, Sendable {
    /// The seed of the workers' behaviour and of the machine's own draws.
    package var seed: UInt64
    /// The pools at the start.
    package var pools: [Service.Plan]
    /// The program at the start.
    package var program: Program
    /// The faults and operator actions with their times.
    package var faults: [TimedFault]
    /// The time in milliseconds from which there are no faults.
    package var healAt: Int
    /// The stop mode once the service is back at full strength.
    package var haste: Haste

    package init(
        seed: UInt64, pools: [Service.Plan], program: Program = Program(),
        faults: [TimedFault] = [], healAt: Int = 0, haste: Haste = .graceful
    ) {
        self.seed = seed
        self.pools = pools
        self.program = program
        self.faults = faults
        self.healAt = healAt
        self.haste = haste
    }
}

extension Instant {
    /// Creates the instant this many milliseconds after the clock's epoch.
    package init(milliseconds: Int) {
        self = Instant(nanoseconds: 0) + .milliseconds(Int64(milliseconds))
    }
}
