import SuperviseCore

/// All that determines a run: with the same schedule the same events happen at the same times.
package struct Schedule: Equatable, Sendable {
    /// The seed of the workers' fates and of the machine's own draws.
    package var seed: UInt64
    /// The pools at the start.
    package var pools: [Service.Plan]
    /// The program at the start.
    package var program: Program
    /// What goes wrong, and what the operator does, when.
    package var faults: [TimedFault]
    /// From then on nothing goes wrong, in milliseconds.
    package var healAt: Int
    /// How the service is stopped once it is back at full strength.
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
    /// So many milliseconds after the clock's epoch.
    package init(milliseconds: Int) {
        self = Instant(nanoseconds: 0) + .milliseconds(Int64(milliseconds))
    }
}
