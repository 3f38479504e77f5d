import SuperviseCore

/// The progress and the result of a hunt, as lines of JSON.
public struct HuntReport: Sendable {
    /// What measured the requests.
    public enum Runtime: String, Sendable {
        /// CPython.
        case python
        /// Node.
        case node
        /// The resident memory.
        case other
    }

    /// A line of the program.
    public struct Line: Equatable, Sendable {
        /// `FILE:LINE`.
        public var name: String
        /// The bytes that stay allocated per request of the routes that leak.
        public var bytes: Double

        /// Creates a line.
        public init(name: String, bytes: Double) {
            self.name = name
            self.bytes = bytes
        }
    }

    /// The number of lines that are reported.
    public static let mostLines = 5

    private let pool: String
    private let order: HuntOrder
    private let reason: HuntEnd
    private let duration: TimeSpan
    private let estimate: HuntEstimate
    private let runtime: Runtime
    private let isPython: Bool
    private let requests: Int
    private let processes: Int
    private let others: UInt64
    private let lines: [Line]

    /// Creates the result. `isPython` is whether the worker runs Python, `requests` are those that
    /// it received in this number of processes, `others` those of the other workers meanwhile.
    public init(
        pool: String, order: HuntOrder, reason: HuntEnd, duration: TimeSpan,
        estimate: HuntEstimate, runtime: Runtime, isPython: Bool, requests: Int, processes: Int,
        others: UInt64, lines: [Line]
    ) {
        self.pool = pool
        self.order = order
        self.reason = reason
        self.duration = duration
        self.estimate = estimate
        self.runtime = runtime
        self.isPython = isPython
        self.requests = requests
        self.processes = processes
        self.others = others
        self.lines = lines
    }

    /// Returns the line of a hunt in progress.
    public static func progress(requests: Int, of total: Int, after span: TimeSpan) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("stage", "hunting")
            json.field("requests", requests)
            json.field("of", total)
            json.field("seconds", seconds: span)
        }
        return json.bytes + [0x0A]
    }

    /// The line of the result.
    public var line: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("stage", "verdict")
            json.field("pool", pool)
            json.field("reason", reason.name)
            json.field("message", message)
            json.field("requests", estimate.measured)
            json.field("received", requests)
            json.field("overlapping", estimate.overlapping)
            json.field("seconds", seconds: duration)
            json.field("method", estimate.method.rawValue)
            json.field("runtime", runtime.rawValue)
            json.array("routes") { json in
                for route in estimate.routes { write(route, to: &json) }
            }
            json.array("lines") { json in
                for line in lines {
                    json.object { json in
                        json.field("line", line.name)
                        json.field("bytes", decimal: line.bytes)
                    }
                }
            }
            json.array("notes") { json in for note in notes { json.element(note) } }
        }
        return json.bytes + [0x0A]
    }

    private func write(_ route: HuntEstimate.Route, to json: inout JSONWriter) {
        json.object { json in
            json.field("route", route.name ?? "other")
            json.field("requests", route.requests)
            if route.error.isFinite {
                json.field("retained_bytes", decimal: route.retained)
                json.field("error_bytes", decimal: route.error)
            }
            json.field("course", route.course.rawValue)
            json.field("leaks", route.leaks)
            json.field("share", decimal: route.share)
        }
    }

    /// Why the hunt ended, unless it is complete.
    private var message: String? {
        let patience = "30 s"
        switch reason {
        case .finished: return nil
        case .timeout:
            return "the time is over after \(estimate.measured) of \(order.requests) requests"
        case .noRequests where others > 0:
            return
                "the hunted worker got no request within \(patience): the other workers took all "
                + "\(others). With --exclusive-time 10s they pause for 10 s"
        case .noRequests: return "the pool got no request within \(patience)"
        case .clientGone: return "the client is gone"
        case .reload: return "a reload ended the hunt"
        case .upgrade: return "an upgrade of the master ended the hunt"
        case .stop: return "the service stops"
        case .memoryShortage: return "memory is short, and the hunted worker goes first"
        case .memoryCap: return "the hunted worker reached max-rss"
        case .requestTimeout: return "a request of the hunted worker reached request-timeout"
        case .left(let cause): return "the hunted worker was stopped: \(cause.name)"
        case .exited(let status): return "the hunted worker \(status.text)"
        case .notStarted(let failure):
            return "the hunted worker could not be started: \(failure.step): \(failure.message)"
        }
    }

    /// What limits the result.
    private var notes: [String] {
        var notes: [String] = []
        let isMeasured = requests > 0
        if isMeasured, runtime == .other {
            notes.append(
                isPython
                    ? "the program did not load the hunt: python -I, -E and -S ignore PYTHONPATH. Its "
                        + "resident memory was measured instead, so small leaks stay below the noise"
                    : "the program is neither CPython nor Node. Its resident memory was measured, so "
                        + "small leaks stay below the noise")
        }
        if isMeasured, order.traces, lines.isEmpty {
            notes.append(
                runtime == .python
                    ? "no lines: no route leaks, or the hunt ended before the second snapshot"
                    : "--trace requires CPython")
        }
        if requests >= 10, processes * 2 > requests {
            notes.append(
                "the program serves each connection in a process of its own, so requests cannot be "
                    + "compared")
        }
        if estimate.overlapping > estimate.measured {
            notes.append(
                "\(estimate.overlapping) of \(requests) requests were in flight at the same time and "
                    + "were not measured")
        }
        return notes
    }
}
