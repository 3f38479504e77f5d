import SuperviseCore

/// A request of a client.
public enum ControlRequest: Equatable, Sendable {
    /// `GET /`: the page for browsers; without `asHTML`, a line of text that lists the resources.
    case page(asHTML: Bool)
    /// `GET /status`: the whole status as JSON.
    case status
    /// `GET /metrics`: for Prometheus.
    case metrics
    /// `GET /history`: recent figures and changes, after `since` seconds of the master's uptime.
    case history(since: Int)
    /// `GET /leaks`: the routes that seem to retain memory, of one pool or of all.
    case leaks(pool: String?)
    /// `GET /healthz`: whether the master runs.
    case health
    /// `GET /readyz`: whether every pool has its minimum number of ready workers.
    case readiness
    /// `GET /events`: the last events; with `follow`, new events as well.
    case events(follow: Bool)
    /// `POST /reload`. With `wait`, the response is a stream that ends with the verdict.
    case reload(wait: Bool)
    /// `POST /recycle`: the worker of a slot; nil means all slots.
    case recycle(pool: String?, slot: Int?)
    /// `POST /scale`.
    case scale(pool: String?, Scale)
    /// `POST /run-now`: a run of a pool with a schedule.
    case runNow(pool: String?)
    /// `POST /hunt`: measure which requests of a pool retain memory. The response is a stream that
    /// ends with the result.
    case hunt(pool: String?, HuntOrder)
    /// `POST /stop`. With `wait`, the response ends when the master exits.
    case stop(Haste, wait: Bool)
    /// `POST /reopen`: log files.
    case reopen
    /// `POST /upgrade`.
    case upgrade(wait: Bool)

    /// A number of workers.
    public enum Scale: Equatable, Sendable {
        /// An absolute number.
        case to(Int)
        /// A change of the number.
        case by(Int)
        /// The bounds of an elastic pool.
        case within(WorkerBounds)
    }
}

/// The access of a client.
public enum ControlAccess: Sendable, Codable {
    /// Full access: the control socket.
    case full
    /// Read-only access: `status-bind`.
    case readOnly
}

/// Host names that are accepted on a loopback address. A web site can let its name resolve to
/// 127.0.0.1 and read responses through a browser on this machine (DNS rebinding), but the browser
/// still sends that name as `Host`.
public enum ControlHosts {
    /// Whether a request for this host is accepted on a loopback address. `configured` is the host
    /// of `status-bind`. Web sites cannot use an IP address or `localhost` as their name.
    public static func admit(_ host: String?, configured: String?) -> Bool {
        guard let host, !host.isEmpty else { return true }
        return isAddress(host) || host == "localhost" || host.hasSuffix(".localhost")
            || host == configured?.lowercased()
    }

    /// Whether the host is an IP address, which needs no name resolution.
    private static func isAddress(_ host: String) -> Bool {
        let isIPv4 =
            host.split(separator: ".", omittingEmptySubsequences: false).count == 4
            && host.split(separator: ".").allSatisfy { UInt8($0) != nil }
        return isIPv4 || host.contains(":")
    }
}

/// Maps HTTP requests to control requests.
public enum ControlRoute {
    /// The maximum number of workers, as for the setting.
    private static let maxWorkers = 100_000

    /// The control request, or the reason that it is rejected.
    public static func request(
        for http: HTTPRequest, access: ControlAccess
    ) -> Result<ControlRequest, ControlRefusal> {
        do throws(ControlRefusal) {
            let resource = try resource(for: http, access: access)
            var parameters = Parameters(http.parameters)
            let request = try resource(&parameters)
            try parameters.finish()
            let isPage = request == .page(asHTML: false)
            return .success(isPage ? .page(asHTML: http.takesHTML) : request)
        } catch {
            return .failure(error)
        }
    }

    private typealias Reader = @Sendable (inout Parameters) throws(ControlRefusal) -> ControlRequest

    private static let resources: [(path: String, isChange: Bool, read: Reader)] = [
        ("/", false, { _ in .page(asHTML: false) }),
        ("/status", false, { _ in .status }),
        ("/metrics", false, { _ in .metrics }),
        ("/history", false, history),
        ("/leaks", false, { p throws(ControlRefusal) in .leaks(pool: try p.value("pool")) }),
        ("/healthz", false, { _ in .health }),
        ("/readyz", false, { _ in .readiness }),
        (
            "/events", false,
            { p throws(ControlRefusal) in .events(follow: try p.flag("follow")) }
        ),
        ("/reload", true, { p throws(ControlRefusal) in .reload(wait: try p.flag("wait")) }),
        ("/recycle", true, recycle),
        ("/scale", true, scale),
        ("/run-now", true, { p throws(ControlRefusal) in .runNow(pool: try p.value("pool")) }),
        ("/hunt", true, hunt),
        ("/stop", true, stop),
        ("/reopen", true, { _ in .reopen }),
        ("/upgrade", true, { p throws(ControlRefusal) in .upgrade(wait: try p.flag("wait")) }),
    ]

    private static func resource(
        for http: HTTPRequest, access: ControlAccess
    ) throws(ControlRefusal) -> Reader {
        guard let found = resources.first(where: { $0.path == http.path }) else {
            let known = resources.filter { access == .full || !$0.isChange }.map(\.path)
            throw ControlRefusal(
                .notFound,
                "\(http.path) does not exist; the resources are " + known.joined(separator: ", "))
        }
        if found.isChange, access == .readOnly {
            throw ControlRefusal(.forbidden, "this address is read-only; use the control socket")
        }
        let methods = found.isChange ? ["POST"] : ["GET", "HEAD"]
        guard methods.contains(http.method) else {
            throw ControlRefusal(
                .methodNotAllowed, "\(http.path) allows \(methods.joined(separator: " and "))",
                allowedMethods: methods.joined(separator: ", "))
        }
        return found.read
    }

    @Sendable private static func history(
        _ parameters: inout Parameters
    ) throws(ControlRefusal) -> ControlRequest {
        guard let text = try parameters.value("since") else { return .history(since: 0) }
        guard let since = number(text) else {
            throw ControlRefusal(.badRequest, "since must be a whole number of seconds")
        }
        return .history(since: since)
    }

    @Sendable private static func recycle(
        _ parameters: inout Parameters
    ) throws(ControlRefusal) -> ControlRequest {
        let pool = try parameters.value("pool")
        switch try parameters.value("slot") {
        case "all": return .recycle(pool: pool, slot: nil)
        case let text?:
            guard let slot = number(text), slot < maxWorkers else {
                throw ControlRefusal(.badRequest, "slot must be a number from 0, or all")
            }
            return .recycle(pool: pool, slot: slot)
        case nil: throw ControlRefusal(.badRequest, "missing parameter: pass slot=N or slot=all")
        }
    }

    @Sendable private static func scale(
        _ parameters: inout Parameters
    ) throws(ControlRefusal) -> ControlRequest {
        let pool = try parameters.value("pool")
        switch (try parameters.value("to"), try parameters.value("by")) {
        case (let text?, nil):
            if let bounds = bounds(text) { return .scale(pool: pool, .within(bounds)) }
            guard let count = number(text), (1...maxWorkers).contains(count) else {
                throw ControlRefusal(
                    .badRequest,
                    "to must be a number from 1 to \(maxWorkers), or a range such as 2..8; to stop "
                        + "all workers but keep the master, send it WINCH")
            }
            return .scale(pool: pool, .to(count))
        case (nil, let text?):
            let digits = text.first == "-" || text.first == "+" ? String(text.dropFirst()) : text
            guard let count = number(digits), (1...maxWorkers).contains(count) else {
                throw ControlRefusal(
                    .badRequest, "by must be a number such as 1 or -1, up to \(maxWorkers)")
            }
            return .scale(pool: pool, .by(text.first == "-" ? -count : count))
        case (nil, nil), (_?, _?):
            throw ControlRefusal(.badRequest, "missing parameter: pass to=N or by=N")
        }
    }

    /// Parses bounds such as `2..8`; nil for anything else.
    private static func bounds(_ text: String) -> WorkerBounds? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].isEmpty, let least = number(String(parts[0])),
            let most = number(String(parts[2])), least <= most, (1...maxWorkers).contains(most)
        else { return nil }
        return WorkerBounds(minimum: least, maximum: most)
    }

    @Sendable private static func stop(
        _ parameters: inout Parameters
    ) throws(ControlRefusal) -> ControlRequest {
        let isQuick = try parameters.flag("quick")
        return .stop(isQuick ? .quick : .graceful, wait: try parameters.flag("wait"))
    }

    /// Parses up to nine digits; nil for anything else.
    static func number(_ text: String) -> Int? {
        guard (1...9).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(text)
    }
}

/// The reason that a request is rejected.
public struct ControlRefusal: Error, Equatable, Sendable {
    let status: HTTPStatus
    /// The message to the client.
    public let message: String
    let allowedMethods: String?

    init(_ status: HTTPStatus, _ message: String, allowedMethods: String? = nil) {
        self.status = status
        self.message = message
        self.allowedMethods = allowedMethods
    }

    /// 404: the pool or slot does not exist.
    public static func notFound(_ message: String) -> ControlRefusal {
        ControlRefusal(.notFound, message)
    }

    /// 400: the request is ambiguous.
    public static func ambiguous(_ message: String) -> ControlRefusal {
        ControlRefusal(.badRequest, message)
    }

    /// 409: not possible in the current state.
    public static func conflict(_ message: String) -> ControlRefusal {
        ControlRefusal(.conflict, message)
    }

    /// 403: this client lacks permission.
    public static func forbidden(_ message: String) -> ControlRefusal {
        ControlRefusal(.forbidden, message)
    }

    /// 421: the request is for another host.
    public static let misdirected = ControlRefusal(
        .misdirected,
        "this address accepts requests for localhost and for IP addresses; set the Host header, or the "
            + "name in status-bind")

    /// The response.
    public var response: HTTPResponse {
        .error(status, message, allowedMethods: allowedMethods)
    }
}

/// The parameters of a request. They are removed when read, so that unknown ones are rejected: a
/// mistyped `slots=1` must not replace every worker.
struct Parameters {
    private var rest: [HTTPRequest.Parameter]

    init(_ parameters: [HTTPRequest.Parameter]) {
        rest = parameters
    }

    mutating func value(_ name: String) throws(ControlRefusal) -> String? {
        let found = rest.filter { $0.name == name }
        rest.removeAll { $0.name == name }
        guard found.count <= 1 else {
            throw ControlRefusal(.badRequest, "\(name) is given more than once")
        }
        return found.first?.value
    }

    mutating func flag(_ name: String) throws(ControlRefusal) -> Bool {
        switch try value(name) {
        case nil, "0", "no", "false": return false
        case "", "1", "yes", "true": return true
        default: throw ControlRefusal(.badRequest, "\(name) must be yes or no")
        }
    }

    func finish() throws(ControlRefusal) {
        guard let unknown = rest.first else { return }
        throw ControlRefusal(.badRequest, "unknown parameter \(unknown.name)")
    }
}
