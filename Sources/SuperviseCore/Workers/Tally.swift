/// Sums over slots. Each change of a slot updates them, so that no event has to count.
struct Tally: Equatable, Sendable, Codable {
    /// Slots that belong to the pool's size.
    private(set) var wanted = 0
    /// Workers with a running process, or with processes left behind.
    private(set) var live = 0
    /// Those of hunts, which do not count as live.
    private(set) var hunted = 0
    /// Workers that are ready and not retiring.
    private(set) var serving = 0
    /// Slots with such a worker that is not on trial.
    private(set) var covered = 0
    /// Slots whose first worker boots.
    private(set) var firstBoots = 0
    /// Workers that a mold was asked to fork and that do not run yet.
    private(set) var ordered = 0
    /// Slots that wait for a worker.
    private(set) var vacant = 0
    /// Slots that are done.
    private(set) var done = 0
    /// Done slots whose last worker failed.
    private(set) var doneFailed = 0
    /// Slots whose last worker ended too soon and that have no ready one.
    private(set) var failing = 0
    /// Slots that failed to boot `boot-attempts` times in a row.
    private(set) var exhausted = 0
    /// Workers of an older generation than the current one.
    private(set) var outdated = 0
    /// Slots with a ready worker of the current generation.
    private(set) var renewed = 0
    /// The memory of all, in bytes.
    private(set) var memory = 0

    /// Subtracts the old share of a slot and adds the new one.
    mutating func replace(_ old: Share, by new: Share) {
        add(old, times: -1)
        add(new, times: 1)
    }

    private mutating func add(_ share: Share, times sign: Int) {
        func count(_ trait: Share.Traits) -> Int { share.traits.contains(trait) ? sign : 0 }
        wanted += count(.wanted)
        live += sign * Int(share.live)
        hunted += sign * Int(share.hunted)
        serving += sign * Int(share.serving)
        covered += count(.covered)
        firstBoots += sign * Int(share.firstBoots)
        ordered += sign * Int(share.ordered)
        vacant += count(.vacant)
        done += count(.done)
        doneFailed += count(.doneFailed)
        failing += count(.failing)
        exhausted += count(.exhausted)
        outdated += sign * Int(share.outdated)
        renewed += count(.renewed)
        memory += sign * share.memory
    }
}

/// One slot's part of a tally. Each slot keeps its own, so it is small.
struct Share: Equatable, Sendable, Codable {
    /// Properties of a slot, each counted once.
    struct Traits: OptionSet, Equatable, Sendable, Codable {
        var rawValue: UInt8
        static let wanted = Traits(rawValue: 1)
        static let covered = Traits(rawValue: 2)
        static let vacant = Traits(rawValue: 4)
        static let done = Traits(rawValue: 8)
        static let doneFailed = Traits(rawValue: 16)
        static let failing = Traits(rawValue: 32)
        static let exhausted = Traits(rawValue: 64)
        static let renewed = Traits(rawValue: 128)
    }

    var memory = 0
    var live: UInt32 = 0
    var hunted: UInt8 = 0
    var outdated: UInt32 = 0
    var serving: UInt8 = 0
    var firstBoots: UInt8 = 0
    var ordered: UInt8 = 0
    var traits: Traits = []
}
