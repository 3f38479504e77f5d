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

/// A fault and its time in milliseconds.
package struct TimedFault: Equatable, Sendable {
    package var at: Int
    package var fault: Fault

    package init(_ at: Int, _ fault: Fault) {
        self.at = at
        self.fault = fault
    }
}

/// What goes wrong, and what people do. A worker is named by its place among those that live.
/// To add one: a case here, its effect in `World.befall`, its chance in `Swarm.faults`.
package enum Fault: Equatable, Sendable {
    /// The worker's process ends with this signal or, where it is 0, with this exit status.
    case end(pool: Int, worker: Int, signal: Int32 = 0, status: Int32 = 0)
    /// It says `STOPPING=1` and ends.
    case announce(pool: Int, worker: Int, status: Int32 = 0)
    /// It says `X_RECYCLE=1`.
    case ask(pool: Int, worker: Int)
    /// It says `X_HOLD`, for so many milliseconds.
    case hold(pool: Int, worker: Int, Int)
    /// It serves so many requests at once.
    case burst(pool: Int, worker: Int, Int)
    /// It grows by so many MiB.
    case grow(pool: Int, worker: Int, Int)
    /// For so many milliseconds, the system refuses to make processes.
    case refuseForks(Int)
    /// For so many milliseconds, the program cannot be executed.
    case breakExec(Int)
    /// The master does not run for so many milliseconds.
    case stall(Int)
    /// Every exit so far is told again.
    case repeatExits
    /// So many workers more or fewer.
    case resize(pool: Int, by: Int)
    /// The operator wants the worker of this slot replaced, or of all slots where it is negative.
    case recycle(pool: Int, slot: Int)
    /// All workers retire.
    case park
    /// The configuration and the program change.
    case reload([Service.Plan], Program)
    /// The service stops.
    case stop(Haste)
}

extension Instant {
    /// So many milliseconds after the clock's epoch.
    package init(milliseconds: Int) {
        self = Instant(nanoseconds: 0) + .milliseconds(Int64(milliseconds))
    }
}
