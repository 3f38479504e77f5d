import SuperviseCore

/// What a client asks of the master.
public enum ControlRequest: Equatable, Sendable {
    /// `GET /`: the page for people; without `asHTML` a line of text that says where to look.
    case page(asHTML: Bool)
    /// `GET /status`: everything, as JSON.
    case status
    /// `GET /metrics`: for Prometheus.
    case metrics
    /// `GET /healthz`: whether the master lives.
    case health
    /// `GET /readyz`: whether every pool has the workers that it promises.
    case readiness
    /// `GET /events`: the last events; with `follow`, all that come after them as well.
    case events(follow: Bool)
    /// `POST /reload`. With `wait` the answer is a stream that ends with the verdict.
    case reload(wait: Bool)
    /// `POST /recycle`: the worker of a slot, or of all where it is nil.
    case recycle(pool: String?, slot: Int?)
    /// `POST /scale`.
    case scale(pool: String?, Scale)
    /// `POST /stop`. With `wait` the answer does not end before the master does.
    case stop(Haste, wait: Bool)
    /// `POST /reopen`: log files.
    case reopen
    /// `POST /upgrade`.
    case upgrade(wait: Bool)

    /// A number of workers.
    public enum Scale: Equatable, Sendable {
        /// So many.
        case to(Int)
        /// So many more, or fewer.
        case by(Int)
    }
}

/// What a client may do.
public enum ControlAccess: Sendable, Codable {
    /// Everything: the control socket.
    case full
    /// Look: `status-bind`.
    case readOnly
}

/// The hosts that clients of a loopback address may mean. A page of any site can have its name resolve to
/// 127.0.0.1 and read what a browser on this machine gets there (DNS rebinding), but the browser
/// still sends that name as `Host`.
public enum ControlHosts {
    /// Whether a request for this host belongs at a loopback address; `configured` is the host that
    /// `status-bind` names. No page is served from an address, or from `localhost`.
    public static func admit(_ host: String?, configured: String?) -> Bool {
        guard let host, !host.isEmpty else { return true }
        return isAddress(host) || host == "localhost" || host.hasSuffix(".localhost")
            || host == configured?.lowercased()
    }

    /// Digits and dots, or with a colon: no name that can be resolved looks like this.
    private static func isAddress(_ host: String) -> Bool {
        let isIPv4 =
            host.split(separator: ".", omittingEmptySubsequences: false).count == 4
            && host.split(separator: ".").allSatisfy { UInt8($0) != nil }
        return isIPv4 || host.contains(":")
    }
}

/// Which request of a client is which.
public enum ControlRoute {
    /// The most workers that a pool can be scaled to, as the setting has it.
    private static let mostWorkers = 100_000

    /// What a request asks for, or why it is refused.
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
        ("/healthz", false, { _ in .health }),
        ("/readyz", false, { _ in .readiness }),
        (
            "/events", false,
            { p throws(ControlRefusal) in .events(follow: try p.flag("follow")) }
        ),
        ("/reload", true, { p throws(ControlRefusal) in .reload(wait: try p.flag("wait")) }),
        ("/recycle", true, recycle),
        ("/scale", true, scale),
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
                .notFound, "there is no \(http.path); there are " + known.joined(separator: ", "))
        }
        if found.isChange, access == .readOnly {
            throw ControlRefusal(.forbidden, "this address is for looking; use the control socket")
        }
        let methods = found.isChange ? ["POST"] : ["GET", "HEAD"]
        guard methods.contains(http.method) else {
            throw ControlRefusal(
                .methodNotAllowed, "\(http.path) takes \(methods.joined(separator: " and "))",
                allowedMethods: methods.joined(separator: ", "))
        }
        return found.read
    }

    @Sendable private static func recycle(
        _ parameters: inout Parameters
    ) throws(ControlRefusal) -> ControlRequest {
        let pool = try parameters.value("pool")
        switch try parameters.value("slot") {
        case "all": return .recycle(pool: pool, slot: nil)
        case let text?:
            guard let slot = number(text), slot < mostWorkers else {
                throw ControlRefusal(.badRequest, "slot is a number from 0, or all")
            }
            return .recycle(pool: pool, slot: slot)
        case nil: throw ControlRefusal(.badRequest, "which slot? Say slot=N or slot=all")
        }
    }

    @Sendable private static func scale(
        _ parameters: inout Parameters
    ) throws(ControlRefusal) -> ControlRequest {
        let pool = try parameters.value("pool")
        switch (try parameters.value("to"), try parameters.value("by")) {
        case (let text?, nil):
            guard let count = number(text), (1...mostWorkers).contains(count) else {
                throw ControlRefusal(.badRequest, "to is a number from 1 to \(mostWorkers)")
            }
            return .scale(pool: pool, .to(count))
        case (nil, let text?):
            let digits = text.first == "-" || text.first == "+" ? String(text.dropFirst()) : text
            guard let count = number(digits), (1...mostWorkers).contains(count) else {
                throw ControlRefusal(
                    .badRequest, "by is a number such as 1 or -1, up to \(mostWorkers)")
            }
            return .scale(pool: pool, .by(text.first == "-" ? -count : count))
        case (nil, nil), (_?, _?):
            throw ControlRefusal(.badRequest, "to how many? Say to=N, or by=N or by=-N")
        }
    }

    @Sendable private static func stop(
        _ parameters: inout Parameters
    ) throws(ControlRefusal) -> ControlRequest {
        let isQuick = try parameters.flag("quick")
        return .stop(isQuick ? .quick : .graceful, wait: try parameters.flag("wait"))
    }

    /// Digits alone; nil for anything else, and where there are too many.
    private static func number(_ text: String) -> Int? {
        guard (1...9).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(text)
    }
}

/// Why a request is refused.
public struct ControlRefusal: Error, Equatable, Sendable {
    let status: HTTPStatus
    /// What the client is told.
    public let message: String
    let allowedMethods: String?

    init(_ status: HTTPStatus, _ message: String, allowedMethods: String? = nil) {
        self.status = status
        self.message = message
        self.allowedMethods = allowedMethods
    }

    /// 404: there is no such pool or slot.
    public static func notFound(_ message: String) -> ControlRefusal {
        ControlRefusal(.notFound, message)
    }

    /// 400: the request leaves open what it means.
    public static func ambiguous(_ message: String) -> ControlRefusal {
        ControlRefusal(.badRequest, message)
    }

    /// 409: not as things stand.
    public static func conflict(_ message: String) -> ControlRefusal {
        ControlRefusal(.conflict, message)
    }

    /// 403: not by this client.
    public static func forbidden(_ message: String) -> ControlRefusal {
        ControlRefusal(.forbidden, message)
    }

    /// 421: the request is for another host.
    public static let misdirected = ControlRefusal(
        .misdirected,
        "this address answers requests for localhost and for IP addresses; set the Host header, or the "
            + "name in status-bind")

    /// 501: this version can't.
    public static func notImplemented(_ message: String) -> ControlRefusal {
        ControlRefusal(.notImplemented, message)
    }

    /// The answer.
    public var response: HTTPResponse {
        .error(status, message, allowedMethods: allowedMethods)
    }
}

/// The parameters of a request, taken out one by one: what is left over at the end is a mistake, and
/// a mistyped `slots=1` must not replace every worker.
private struct Parameters {
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
        default: throw ControlRefusal(.badRequest, "\(name) is yes or no")
        }
    }

    func finish() throws(ControlRefusal) {
        guard let unknown = rest.first else { return }
        throw ControlRefusal(.badRequest, "there is no parameter \(unknown.name) here")
    }
}
