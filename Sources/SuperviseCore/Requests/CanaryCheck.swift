/// Compares the responses of a reload's canary with those of the workers that it would replace. The
/// canary serves real requests while it has to stay up.
///
/// A canary is rejected if at least half of its responses are of class 5xx, and fewer than a tenth
/// of the old workers' are. Both need `fewest` responses. The old workers' responses of the same
/// time count. If there are too few of them, because new workers often get most connections, all
/// their earlier ones count too, unless those of the same time already contain a tenth of errors: a
/// dependency may have failed just then. A canary that seems bad but has too few responses stays
/// longer, up to `longestDoubt`. One without responses passes.

/// A number of responses.
public struct ResponseCount: Hashable, Sendable, Codable {
    /// A worker may report any number. The sum over all workers must not overflow.
    private static let most: UInt64 = 1 << 40

    /// All responses.
    public private(set) var responses: UInt64 = 0
    /// Those of class 5xx.
    public private(set) var errors: UInt64 = 0

    /// Creates a count.
    public init(responses: UInt64 = 0, errors: UInt64 = 0) {
        self.responses = min(responses, ResponseCount.most)
        self.errors = min(errors, self.responses)
    }

    /// Adds the responses that this worker has sent since `earlier`.
    mutating func add(_ worker: ResponseCount, since earlier: ResponseCount?) {
        let (from, fromErrors) = (earlier?.responses ?? 0, earlier?.errors ?? 0)
        responses += worker.responses - min(from, worker.responses)
        errors += worker.errors - min(fromErrors, worker.errors)
    }

    /// Whether half of them or more are errors.
    public var seemsBad: Bool { errors > 0 && errors * 2 >= responses }

    /// The share of errors with one decimal place below 10 %, such as `0.4`, `12` or `100`.
    public var errorPercentage: String {
        guard responses > 0 else { return "0" }
        let tenths = (errors * 1000 + responses / 2) / responses
        return tenths == 0 || tenths >= 100 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}

/// The responses of a canary and of the workers that it would replace.
public struct CanaryResponses: Hashable, Sendable, Codable {
    /// Those of the canary.
    public var canary: ResponseCount
    /// Those of the others.
    public var others: ResponseCount

    /// Creates a comparison.
    public init(canary: ResponseCount, others: ResponseCount) {
        self.canary = canary
        self.others = others
    }
}

/// The comparison during a trial.
struct CanaryCheck: Equatable, Sendable, Codable {
    enum Verdict: Equatable {
        case good
        case bad
        /// The canary seems bad, and there are too few responses for a decision.
        case doubtful
    }

    /// The minimum number of responses on both sides.
    static let fewest: UInt64 = 10
    /// The longest time for which a doubtful canary stays beyond its usual time.
    static let longestDoubt = TimeSpan.seconds(10)
    /// The interval between samples of a doubtful canary.
    private static let gap = TimeSpan.milliseconds(250)
    /// The time after which a missing sample is no longer awaited.
    static let required = TimeSpan.seconds(1)

    /// The counts when the canary became ready, in the order of the workers; nil before they
    /// arrive.
    private var earlier: [PoolSample.Responses]?
    /// Whether the sample that decides was ordered.
    private(set) var isAwaited = false
    /// The time until which a doubtful canary stays.
    private let doubtUntil: Instant
    /// The figures of the last sample; nil if the canary's responses are not visible.
    private(set) var figures: CanaryResponses?

    init(until: Instant) { doubtUntil = until + CanaryCheck.longestDoubt }

    /// Records the counts at the beginning, once. Returns false if that was done before.
    mutating func begins(with sample: [PoolSample.Responses]) -> Bool {
        guard earlier == nil else { return false }
        earlier = sample.sorted { CanaryCheck.isOrdered($0.id, $1.id) }
        return true
    }

    mutating func beginAwaiting() { isAwaited = true }

    /// Returns the verdict of a sample.
    mutating func judge(_ sample: [PoolSample.Responses], canary: WorkerID) -> Verdict {
        guard let own = sample.first(where: { $0.id == canary })?.count else { return .good }
        var recent = ResponseCount()
        var total = ResponseCount()
        for worker in sample where worker.id != canary {
            recent.add(worker.count, since: earlierCount(of: worker.id))
            total.add(worker.count, since: nil)
        }
        let isRecentEnough = recent.responses >= CanaryCheck.fewest
        let others = isRecentEnough ? recent : total
        figures = CanaryResponses(canary: own, others: others)
        guard own.seemsBad else { return .good }
        if recent.responses > 0, !recent.isMostlyGood { return .good }
        guard own.responses >= CanaryCheck.fewest, others.responses >= CanaryCheck.fewest else {
            return .doubtful
        }
        return others.isMostlyGood ? .bad : .good
    }

    /// Returns the time of the next sample of a doubtful canary; nil if it passes now.
    mutating func nextSample(after now: Instant) -> Instant? {
        guard now < doubtUntil else { return nil }
        isAwaited = false
        return min(now + CanaryCheck.gap, doubtUntil)
    }

    private func earlierCount(of id: WorkerID) -> ResponseCount? {
        let earlier = earlier ?? []
        var (low, high) = (0, earlier.count)
        while low < high {
            let middle = (low + high) / 2
            if CanaryCheck.isOrdered(earlier[middle].id, id) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < earlier.count && earlier[low].id == id ? earlier[low].count : nil
    }

    private static func isOrdered(_ a: WorkerID, _ b: WorkerID) -> Bool {
        (a.slot, a.incarnation) < (b.slot, b.incarnation)
    }
}

extension ResponseCount {
    /// Whether fewer than a tenth are errors.
    fileprivate var isMostlyGood: Bool { errors * 10 < responses }
}

extension Pool {
    /// Begins the comparison when the canary has become ready; it stays until `until`.
    mutating func beginCanaryCheck(until: Instant) {
        guard candidate?.policy.checksCanary == true else { return }
        candidate?.check = CanaryCheck(until: until)
        outbox.append(.sample(pool: number, .responses))
    }

    /// Orders the sample that decides about a canary that has stayed, once. Returns false if there
    /// is no comparison.
    mutating func ordersCanaryCheck(of id: WorkerID, at now: Instant) -> Bool {
        guard let check = candidate?.check else { return false }
        guard !check.isAwaited else { return true }
        candidate?.check?.beginAwaiting()
        candidate?.phase = .staying(id, until: now + CanaryCheck.required)
        outbox.append(.sample(pool: number, .responses))
        return true
    }

    /// Lets a canary pass whose sample did not arrive. Only after all other events of a turn,
    /// because a late turn may begin with others.
    mutating func expireCanaryCheck(at now: Instant) {
        guard candidate?.check?.isAwaited == true,
            case .staying(let id, let until)? = candidate?.phase, until <= now
        else { return }
        canaryStayed(id, at: now)
    }

    /// Handles the counts of the pool's workers.
    mutating func judgeCanary(by sample: [PoolSample.Responses], at now: Instant) {
        guard var check = candidate?.check, case .staying(let id, _)? = candidate?.phase else {
            return
        }
        guard !check.begins(with: sample), check.isAwaited else {
            candidate?.check = check
            return
        }
        let verdict = check.judge(sample, canary: id)
        let next = verdict == .doubtful ? check.nextSample(after: now) : nil
        candidate?.check = check
        if verdict == .bad, let figures = check.figures {
            // Unlike other canaries that fail, it still runs.
            if let worker = self[id] { supersede(worker, at: now) }
            candidateFailed(.responses(figures))
            refresh(id.slot, at: now)
        } else if let next {
            candidate?.phase = .staying(id, until: next)
        } else {
            canaryStayed(id, at: now)
        }
    }

    /// Handles a canary that stayed ready, and whose responses are good enough.
    mutating func canaryStayed(_ id: WorkerID, at now: Instant) {
        guard candidate?.policy.killRSSBytes != nil else { return candidatePassed(id) }
        candidate?.phase = .weighing(id, until: now + Pool.longestWeighing)
        outbox.append(.measure(id))
    }
}
