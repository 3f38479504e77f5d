/// The drain of a worker: it accepts no new connections, its connections are sampled, and it gets
/// the stop-signal when they are idle.
struct Draining: Equatable, Sendable, Codable {
    /// The time at which it started to find no new connections.
    var since: Instant
    /// The time of the stop-signal at the latest.
    var until: Instant
    /// The program's time after the stop-signal, even if that turn is late.
    var share: TimeSpan
    /// The time from which any moment without a known request counts as idle; nil once that is
    /// reached.
    var relaxAt: Instant?
    /// The time of the next sample; nil while one is awaited.
    var sampleAt: Instant?
    /// The number of times that threads in accept(2) were interrupted.
    var interruptions = 0
    private(set) var reuse = ReuseWitness()
    /// The last sample.
    var seen: Seen?
    /// The time since which the samples, which do not show all connections, have been idle.
    private var idleSince: Instant?

    struct Seen: Equatable, Sendable, Codable {
        var at: Instant
        var connections: Int
        /// The connections with a request in flight, or that may have one.
        var waiting: Set<UInt64>
        /// Whether a request is stuck.
        var isStuck: Bool
    }

    /// A request may have arrived that the worker has not begun to receive.
    private static let idleFor = TimeSpan.milliseconds(20)
    /// Threads that are about to accept do so by then, also on a busy machine. A longer time would
    /// only delay the stop of programs with threads that always run.
    private static let idleForRunning = TimeSpan.milliseconds(100)
    /// The time before `until` in which a moment without a known request suffices.
    private static let longestRelaxation = TimeSpan.seconds(4)
    private static let mostInterruptions = 20

    init(since: Instant, within grace: TimeSpan, share: TimeSpan) {
        self.since = since
        self.share = share
        until = since + TimeSpan(nanoseconds: grace.nanoseconds - share.nanoseconds)
        relaxAt = until
        setRelaxation()
    }

    /// The whole time of the drain and of the program.
    private var grace: TimeSpan { until - since + share }

    /// Whether any moment without a known request counts as idle.
    var isRelaxed: Bool { relaxAt == nil }

    /// Gives the program half of the time, if its share is smaller.
    mutating func hasten(at now: Instant) {
        let half = TimeSpan(nanoseconds: grace.nanoseconds / 2)
        guard share < half else { return }
        until = max(now, since + half)
        share = half
        if relaxAt != nil { setRelaxation() }
    }

    private mutating func setRelaxation() {
        let quarter = (until - since).nanoseconds / 4
        let relaxation = min(Draining.longestRelaxation.nanoseconds, quarter)
        relaxAt = Instant(nanoseconds: until.nanoseconds - relaxation)
    }

    /// Accepts any moment without a known request from now on. The next one may be soon.
    mutating func relax(at now: Instant) {
        relaxAt = nil
        sampleAt = sampleAt.map { _ in now }
    }

    /// Records a sample; nil if none arrived in time. Returns true for the first sample that shows
    /// a client reusing a connection.
    mutating func record(_ sample: ConnectionSample?, at now: Instant) -> Bool {
        sampleAt = now + pause(after: sample)
        guard let sample else { return false }
        seen = Seen(
            at: now, connections: sample.count, waiting: sample.waiting,
            isStuck: sample.stuck > 0)
        let wasReused = reuse.isReused
        for connection in sample.connections where !reuse.isReused {
            reuse.saw(connection)
        }
        return !wasReused && reuse.isReused
    }

    /// Returns whether the worker is idle, according to a sample without a request in flight. If a
    /// sample does not show all connections, or threads that may accept one, several are needed.
    mutating func confirmsIdle(_ sample: ConnectionSample, at now: Instant) -> Bool {
        let required =
            sample.hasRunning
            ? Draining.idleForRunning : sample.isPartial ? Draining.idleFor : .zero
        guard required > .zero else { return true }
        let since = idleSince ?? now
        idleSince = since
        sampleAt = now + SamplePause.moment
        return now - since >= required
    }

    /// Handles a sample with a request in flight.
    mutating func becameBusy() { idleSince = nil }

    private func pause(after sample: ConnectionSample?) -> TimeSpan {
        guard let sample else { return SamplePause.missing }
        return isRelaxed || interruptions > 0
            ? SamplePause.moment(after: sample, isPatient: !isRelaxed)
            : SamplePause.drain(after: sample)
    }

    /// Whether to interrupt threads in accept(2) before the stop-signal. A thread that was there
    /// before the drain began would still accept a connection, possibly together with the
    /// stop-signal.
    mutating func interrupts(_ sample: ConnectionSample, at now: Instant) -> Bool {
        guard sample.acceptors > 0, interruptions < Draining.mostInterruptions else { return false }
        interruptions += 1
        sampleAt = now + pause(after: sample)
        return true
    }

    /// The watch on the requests in flight at a stop-signal at this time; nil if there are none, or
    /// if the last sample is too old to show them.
    func stopWatch(at now: Instant) -> StopWatch? {
        guard let seen, !seen.waiting.isEmpty, now - seen.at <= SamplePause.longestFresh else {
            return nil
        }
        return StopWatch(
            witness: StopWitness(waiting: seen.waiting, at: now),
            sampleAt: sampleAt.map { _ in now + SamplePause.moment })
    }

    mutating func shift(by span: TimeSpan) {
        since = since + span
        until = until + span
        relaxAt = relaxAt.map { $0 + span }
    }
}

/// The watch on a worker that got its stop-signal while requests were in flight, while any of them
/// still is.
struct StopWatch: Equatable, Sendable, Codable {
    var witness: StopWitness
    /// The time of the next sample; nil while one is awaited.
    var sampleAt: Instant?

    /// Records a sample; nil if none arrived in time. Returns true once the worker has finished its
    /// requests.
    mutating func record(_ sample: ConnectionSample?, at now: Instant) -> Bool {
        guard let sample, !sample.isCut else {
            sampleAt = now + SamplePause.missing
            return false
        }
        sampleAt = now + SamplePause.moment(after: sample, isPatient: false)
        return witness.saw(open: Set(sample.connections.map(\.id)), at: now)
    }
}

/// The times between two samples of a worker's connections.
enum SamplePause {
    private static let drain = TimeSpan.milliseconds(50)
    static let moment = TimeSpan.milliseconds(5)
    /// After a missing sample.
    static let missing = TimeSpan.milliseconds(250)
    /// The age up to which a sample shows the requests in flight.
    static let longestFresh = TimeSpan.milliseconds(100)
    /// The shortest pause as a multiple of a sample's cost, which is high if the kernel's tables
    /// are long.
    private static let patientShare: Int64 = 20
    private static let share: Int64 = 4

    /// The pause during a drain that has time left.
    static func drain(after sample: ConnectionSample) -> TimeSpan {
        max(drain, TimeSpan(nanoseconds: sample.cost.nanoseconds * patientShare))
    }

    /// The pause while a short idle moment is sufficient.
    static func moment(after sample: ConnectionSample, isPatient: Bool) -> TimeSpan {
        let share = isPatient ? patientShare : share
        return max(moment, TimeSpan(nanoseconds: sample.cost.nanoseconds * share))
    }
}
