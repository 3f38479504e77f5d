import SuperviseCore

/// A small pool whose sequences are explored: its settings, those that a reload may bring, and the
/// openings.
package final class Scene: Sendable, CustomStringConvertible {
    /// A set of settings.
    package enum Kind: String, CaseIterable, Sendable {
        /// One worker may exceed the number, none may be missing.
        case surge
        /// None may exceed the number, one may be missing; a soft and a hard memory cap.
        case stopFirst
        /// As `surge`; memory caps per worker and for all, and a command that inspects a worker
        /// before it stops.
        case memory
        /// No listeners; workers are never replaced.
        case jobs
        /// No listeners; failed workers are replaced; lifetimes.
        case errands
        /// As `surge`, with watchdogs.
        case watched
        /// As `surge`; retiring workers are drained first.
        case drained
        /// As `surge`; a worker without progress while connections wait counts as hung.
        case queued
    }

    /// The start of the sequences.
    package enum Opening: String, CaseIterable, Sendable {
        /// The first starts were ordered.
        case cold
        /// Every worker has just become ready.
        case whole
        /// A reload's canary has just become ready.
        case trial
        /// The reload was just committed.
        case rolling
    }

    package let kind: Kind
    package let workers: Int
    package let opening: Opening
    package let plan: Service.Plan
    /// The settings that a reload may bring; for `surge`, with one listener less.
    package let other: Service.Plan
    /// The longest times of recovery and of a stop.
    let recoveryBound: TimeSpan
    let stopBound: TimeSpan

    package init(_ kind: Kind, workers: Int, from opening: Opening) {
        self.kind = kind
        self.workers = workers
        self.opening = opening
        plan = Service.Plan("web") {
            $0.workers = workers
            $0.spread()
            kind.adjust(&$0)
        }
        var other = Service.Plan("web") {
            $0.workers = workers + 1
            $0.spread()
            kind.adjustOther(&$0)
        }
        other.dropsListeners = kind == .surge
        self.other = other
        let schedule = Schedule(
            seed: 1, pools: [plan],
            faults: [
                TimedFault(0, .reload([other], Program())),
                TimedFault(0, .extend(pool: 0, worker: 0, Int(Scene.extension.seconds * 1000))),
            ])
        recoveryBound = schedule.recoveryBound
        stopBound = schedule.stopBound
    }

    /// Returns all scenes.
    package static func all(workers: ClosedRange<Int>) -> [Scene] {
        Kind.allCases.flatMap { kind in
            workers.flatMap { workers in
                Opening.allCases.map { Scene(kind, workers: workers, from: $0) }
            }
        }
    }

    /// Whether memory affects any decision.
    var hasCaps: Bool { plan.policy.maxRSSBytes != nil }

    /// Whether workers may use the watchdog.
    var hasWatchdogs: Bool { plan.policy.watchdogTimeout != nil }
    /// Whether the queue is polled.
    var watchesQueue: Bool { plan.policy.stallTimeout != nil }
    /// Whether missing progress affects any decision.
    var isGuarded: Bool { hasWatchdogs || watchesQueue }
    /// The time that a worker requests.
    static let `extension` = TimeSpan.milliseconds(2_600)

    package var description: String { "Scene(.\(kind), workers: \(workers), from: .\(opening))" }
}

extension PoolPolicy {
    /// Separates the times, so that two deadlines rarely coincide.
    fileprivate mutating func spread() {
        readiness = .notify
        readyTimeout = .milliseconds(6_000)
        gracefulTimeout = .milliseconds(4_000)
        backoff = .milliseconds(300)
        backoffMax = .milliseconds(900)
        stableAfter = .milliseconds(1_500)
        bootAttempts = 2
        maxHold = .milliseconds(5_000)
        drain = .signal
    }
}

extension Scene.Kind {
    fileprivate func adjust(_ policy: inout PoolPolicy) {
        switch self {
        case .surge:
            policy.hasListeners = true
            policy.maxRequests = 10
        case .stopFirst:
            policy.hasListeners = true
            policy.maxSurge = .count(0)
            policy.maxUnavailable = .count(1)
            policy.maxRSSBytes = Memory.usual.bytes + 1
            policy.killRSSBytes = Memory.large.bytes + 1
            policy.memoryInterval = .milliseconds(3_100)
            policy.minLifetime = .milliseconds(700)
        case .memory:
            policy.hasListeners = true
            policy.maxRSSBytes = Memory.large.bytes + 1
            policy.warnRSSBytes = Memory.usual.bytes + 1
            policy.maxPoolRSSBytes = Memory.usual.bytes * UInt64(policy.workers) + 1
            policy.memoryInterval = .milliseconds(3_100)
            policy.minLifetime = .zero
            policy.runsBeforeRecycle = true
        case .jobs:
            policy.readiness = .auto
            policy.restart = .never
        case .errands:
            policy.restart = .onFailure
            policy.readiness = .exec
            policy.maxLifetime = .milliseconds(7_300)
        case .watched:
            policy.hasListeners = true
            policy.watchdogTimeout = .milliseconds(1_100)
        case .drained:
            policy.hasListeners = true
            policy.maxRequests = 10
            policy.drain = .observe
            policy.gracefulTimeout = .milliseconds(6_000)
        case .queued:
            policy.hasListeners = true
            policy.maxRequests = 10
            // Equal to the shortest time between two polls.
            policy.stallTimeout = .milliseconds(10)
        }
    }

    fileprivate func adjustOther(_ policy: inout PoolPolicy) {
        adjust(&policy)
        switch self {
        case .surge:
            policy.maxUnavailable = .count(1)
            policy.drainDelay = .milliseconds(1_100)
        case .stopFirst: policy.maxSurge = .count(1)
        case .memory:
            policy.runsBeforeRecycle = false
            policy.sendsEvidenceSignal = true
        case .jobs: policy.restart = .onFailure
        case .errands: policy.restart = .never
        case .watched: policy.watchdogTimeout = .milliseconds(1_700)
        case .drained: policy.gracefulTimeout = .milliseconds(2_000)
        case .queued: policy.stallTimeout = nil
        }
    }
}

/// Lives of the service that ships.
extension Scene {
    /// All sequences up to this length.
    package func explore(
        length: Int, remembering: Bool = true
    ) -> Exhaustive<Service>.Findings {
        Exhaustive.explore(self, length: length, remembering: remembering) {
            Service([plan], seed: 1)
        }
    }

    /// The invariant that a sequence shows to be broken.
    package func violation(after sequence: [Stimulus]) -> Violation? {
        Walk(self, of: Service([plan], seed: 1)).violation(after: sequence)
    }
}
