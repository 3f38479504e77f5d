/// Stop signals to the master. A launcher may send a signal twice at the same time, to the process
/// and to its process group (timeout(1) does), so a repetition counts only after a second.

extension Service {
    /// A signal that stops the service (signal(7)).
    public enum StopSignal: CaseIterable, Equatable, Sendable, Codable {
        /// SIGTERM: a graceful stop; if repeated, a quick one.
        case terminate
        /// SIGINT: a quick stop; if repeated, an immediate one.
        case interrupt
        /// SIGQUIT: as SIGINT.
        case quit
    }

    /// The time at which each stop signal last counted.
    struct StopSignals: Equatable, Sendable, Codable {
        var terminatedAt: Instant?
        var interruptedAt: Instant?
        var quitAt: Instant?

        subscript(signal: StopSignal) -> Instant? {
            get {
                switch signal {
                case .terminate: terminatedAt
                case .interrupt: interruptedAt
                case .quit: quitAt
                }
            }
            set {
                switch signal {
                case .terminate: terminatedAt = newValue
                case .interrupt: interruptedAt = newValue
                case .quit: quitAt = newValue
                }
            }
        }

        mutating func shift(by span: TimeSpan) {
            for signal in StopSignal.allCases { self[signal] = self[signal].map { $0 + span } }
        }
    }

    /// A signal that repeats the last one within this time is the same request.
    static let repetitionTime = TimeSpan.seconds(1)

    /// Returns the requested stop mode; nil for a repetition that does not count. Only a second
    /// TERM makes a stop faster: the first one may come from a service manager that ran `supervise
    /// stop` before.
    mutating func haste(of signal: StopSignal, at now: Instant) -> Haste? {
        var signals = stopSignals ?? StopSignals()
        let last = signals[signal]
        if let last, now - last < Service.repetitionTime { return nil }
        signals[signal] = now
        stopSignals = signals
        switch signal {
        case .terminate: return last == nil ? .graceful : .quick
        case .interrupt, .quit:
            return (haste ?? .graceful) < .quick ? .quick : .immediate
        }
    }
}
