import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The commands for a running master. They block, so they are separate from `SuperviseMaster`, where
/// nothing may block.
public struct Client {
    /// Exit codes of these commands.
    enum ExitCode {
        static let done: Int32 = 0
        static let failed: Int32 = 1
        static let usage: Int32 = 2
        static let notRunning: Int32 = 3
    }

    let command: MasterCommand
    let environment: [String: String]
    var found: MasterFinder.Found?
    /// Running masters of other users, which root can see.
    var others: [MasterFinder.Found] = []

    /// Runs a command and returns the exit code. `environment` is that of this process.
    public static func run(_ command: MasterCommand, environment: [String: String]) -> Int32 {
        var client = Client(command: command, environment: environment)
        do throws(MasterFinder.Failure) {
            let finder = MasterFinder(runtimeFolder: environment["XDG_RUNTIME_DIR"])
            let (found, others) = try finder.find(
                command.target, actsOnMaster: command.action.actsOnMaster)
            client.found = found
            client.others = others
        } catch {
            switch error {
            case .nothing(let message):
                client.writeError(message)
                return ExitCode.notRunning
            case .several(let message):
                client.writeError(message)
                return ExitCode.usage
            case .refused(let message):
                client.writeError(message)
                return ExitCode.failed
            }
        }
        do throws(ControlFailure) {
            return try client.act()
        } catch {
            switch error {
            case .unreachable(let error):
                client.writeError("lost the connection to the master: \(error.message)")
            case .timedOut: client.writeError("the master does not respond")
            case .invalidResponse: client.writeError("invalid response from the master")
            }
            return ExitCode.failed
        }
    }

    private func act() throws(ControlFailure) -> Int32 {
        switch command.action {
        case .status(let json, let pool): return try status(json: json, pool: pool)
        case .top(let pool): return try top(pool: pool)
        case .events(let follow, let json): return try events(follow: follow, json: json)
        case .leaks(let json, let pool): return try leaks(json: json, pool: pool)
        case .reload(let wait, let timeout):
            return wait ? try reloadAndWait(timeout) : try post("/reload")
        case .recycle(let slot, let pool):
            return try post("/recycle?slot=\(slot.map { "\($0)" } ?? "all")" + query(pool))
        case .scale(let number, let pool): return try scale(number, pool)
        case .runNow(let pool): return try runNow(pool)
        case .hunt(let order, let pool, let json): return try hunt(order, pool, json: json)
        case .stop(let quick, let wait):
            let target = "/stop?quick=\(quick ? "yes" : "no")"
            return wait ? try stopAndWait(target) : try post(target)
        case .reopen: return try post("/reopen")
        case .upgrade: return try upgrade()
        }
    }

    /// Sends a request over the connection by which the master was found.
    func request(_ method: String, _ target: String) throws(ControlFailure) -> ControlClient {
        guard let found else { throw .invalidResponse }
        return try ControlClient(found.socket, method, target)
    }

    /// Sends a request over a new connection, for repeated requests.
    func requestAgain(_ target: String) throws(ControlFailure) -> ControlClient {
        guard let found else { throw .invalidResponse }
        let socket: StreamSocket
        do throws(SystemCallError) {
            socket = try found.connectAgain()
        } catch {
            throw .unreachable(error)
        }
        return try ControlClient(socket, "GET", target)
    }

    /// Sends a POST request and reports a failure.
    private func post(_ target: String) throws(ControlFailure) -> Int32 {
        let client = try request("POST", target)
        let body = try client.wholeBody()
        return client.status < 300 ? ExitCode.done : refused(client.status, body)
    }

    private func scale(_ number: String, _ pool: String?) throws(ControlFailure) -> Int32 {
        let isChange = number.hasPrefix("+") || number.hasPrefix("-")
        let digits = number.hasPrefix("+") ? String(number.dropFirst()) : number
        let client = try request(
            "POST", "/scale?\(isChange ? "by" : "to")=\(digits)" + query(pool))
        let body = try client.wholeBody()
        guard client.status == 200, let answer = JSONValue(body) else {
            return refused(client.status, body)
        }
        return writeOutput(
            "\(answer["pool"]?.text ?? "?"): scaled from \(answer.integerText("from")) to "
                + "\(answer.integerText("to")) workers\(Client.bounds(in: answer))\n"
                + Client.shares(in: answer))
    }

    private func runNow(_ pool: String) throws(ControlFailure) -> Int32 {
        let client = try request("POST", "/run-now?pool=" + Client.escaped(pool))
        let body = try client.wholeBody()
        guard client.status == 202, let answer = JSONValue(body) else {
            return refused(client.status, body)
        }
        let isQueued = answer["queued"]?.boolean ?? false
        return writeOutput(
            "\(pool): "
                + (isQueued ? "a run waits for the end of the last one\n" : "a run starts\n"))
    }

    /// The memory caps of a new worker, if they are percentages.
    private static func shares(in answer: JSONValue) -> String {
        [("max-rss", "max_rss_bytes"), ("kill-rss", "kill_rss_bytes")].map { key, field in
            answer[field]?.integer.map {
                "  \(key) of a new worker: \(Units.bytes(Double($0)))\n"
            } ?? ""
        }.joined()
    }

    /// The bounds of an elastic pool.
    private static func bounds(in answer: JSONValue) -> String {
        guard let least = answer["min_workers"]?.integer, let most = answer["max_workers"]?.integer
        else { return "" }
        return " (\(least)..\(most))"
    }

    func query(_ pool: String?) -> String {
        pool.map { "&pool=" + Client.escaped($0) } ?? ""
    }

    /// Percent-encodes a part of a URL (RFC 3986).
    static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                return String(Unicode.Scalar(byte))
            default:
                let hex = String(byte, radix: 16)
                return "%" + (hex.utf8.count == 1 ? "0" : "") + hex
            }
        }.joined()
    }

    /// Reports a rejected request and returns the exit code.
    func refused(_ status: Int, _ body: [UInt8]) -> Int32 {
        let message = JSONValue(body)?["error"]?.text?.printable
        writeError(message ?? "the master responded with status \(status)")
        return status == 400 ? ExitCode.usage : ExitCode.failed
    }

    func writeError(_ message: String) {
        do throws(SystemCallError) {
            try TextOutput.write("supervise: \(message)\n", to: 2)
        } catch {
            // Standard error is closed; only the exit code can report the failure.
            return
        }
    }

    func writeOutput(_ text: String) -> Int32 {
        do throws(SystemCallError) {
            try TextOutput.write(text, to: 1)
            return ExitCode.done
        } catch {
            writeError("standard output: \(error.message)")
            return ExitCode.failed
        }
    }

    /// The style of standard output.
    var style: Style {
        guard Terminal.isTerminal(1) else { return Style() }
        // no-color.org: any value but an empty one.
        let hasColours = (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        return Style(width: Terminal.size(of: 1)?.columns ?? 80, hasColours: hasColours)
    }
}

extension MasterCommand.Action {
    /// Whether the command changes something in the master.
    fileprivate var actsOnMaster: Bool {
        switch self {
        case .status, .top, .events, .leaks: false
        case .reload, .recycle, .scale, .runNow, .hunt, .stop, .reopen, .upgrade: true
        }
    }
}
