import SuperviseCore

/// What the simulation of schedules knows about the runs, independently of the machine.
struct RunLedger {
    struct Run {
        let id: WorkerID
        let startedAt: Instant
        let policy: PoolPolicy
        /// The time in which nothing could run since its start.
        var lost = TimeSpan.zero
        /// The time from which its grace counts: it was stopped, or its own process ended.
        var graceFrom: Instant?
        var isRetired = false
        var isKilled = false
        var isEnded = false
        /// Whether its pool has no schedule any longer, so that it counts as a worker.
        var isWorker = false
    }

    /// The settings of the configured pools that have a schedule.
    var policies: [Int: PoolPolicy] = [:]
    /// The pools that the configuration no longer contains.
    var removed: Set<Int> = []
    /// The next run of each pool.
    var planned: [Int: PlannedRun] = [:]
    /// The pools whose next run must be requested now.
    var unplanned: Set<Int> = []
    /// The pools with a run that waits for the end of the last one.
    var queued: Set<Int> = []
    /// The runs that are due and not decided yet.
    var owed: Set<Int> = []
    /// The pools with an occurrence that allows a start within the current event.
    var permitted: Set<Int> = []
    var runs: [Run] = []
    var isStopping = false
    var isParked = false

    func index(of id: WorkerID) -> Int? { runs.firstIndex { $0.id == id } }

    mutating func stop() {
        isStopping = true
        planned = [:]
        unplanned = []
        queued = []
        owed = []
    }

    /// Applies a configuration. `numbers` are the pools by name.
    mutating func configure(_ plans: [Service.Plan], numbers: [String: Int]) {
        let before = policies
        policies = [:]
        for entry in plans {
            guard let number = numbers[entry.name], entry.policy.runs != nil else { continue }
            policies[number] = entry.policy
            let isSame = before[number]?.runs?.schedule == entry.policy.runs?.schedule
            if !isSame || removed.contains(number) { plan(number) }
            removed.remove(number)
        }
        for number in before.keys where policies[number] == nil {
            planned[number] = nil
            unplanned.remove(number)
            queued.remove(number)
            if plans.contains(where: { numbers[$0.name] == number }) {
                for index in runs.indices where runs[index].id.pool == number {
                    runs[index].isWorker = true
                }
            } else {
                removed.insert(number)
            }
        }
        isParked = false
    }

    private mutating func plan(_ number: Int) {
        planned[number] = nil
        unplanned.insert(number)
    }
}

/// An invariant of runs by a schedule.
package enum RunInvariant: String, CaseIterable, Sendable {
    case neverTwoRuns = "never two runs"
    case endsAtItsDeadline = "each run ends at its deadline"
    case diesAfterItsGrace = "no process of a run outlives its grace"
    case noneIsLost = "no run that is due is lost"
    case queuedOnesStart = "a run that waits starts when it can"
    case startsOnlyWhenDue = "a run starts only when it is due"
    case noneWhileStopping = "no run starts while the service stops or is parked"
    case noneOfARemovedPool = "no run of a removed pool starts"
    case reloadsSpareRuns = "a reload does not touch a run in progress"
    case nextIsPlanned = "the next run is planned and its timer armed"
    case endsAreReported = "each run is reported once, with its true outcome"
    case terminates = "the stop ends with no process left"
}
