import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The commands for a running master. They are plain blocking programs, which is why they are no part
/// of `SuperviseMaster`, where nothing may wait.
public struct Client {
    /// Exit codes of these commands.
    enum ExitCode {
        static let done: Int32 = 0
        static let failed: Int32 = 1
        static let usage: Int32 = 2
        static let nothingRuns: Int32 = 3
    }

    let command: MasterCommand
    let environment: [String: String]
    var found: MasterFinder.Found?
    /// Masters of other users that run too, which root sees.
    var others: [MasterFinder.Found] = []

    /// Carries a command out and returns the exit code. `environment` is this process's.
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
                client.complain(message)
                return ExitCode.nothingRuns
            case .several(let message):
                client.complain(message)
                return ExitCode.usage
            case .refused(let message):
                client.complain(message)
                return ExitCode.failed
            }
        }
        do throws(ControlFailure) {
            return try client.act()
        } catch {
            switch error {
            case .unreachable(let error): client.complain("the master is gone: \(error.message)")
            case .silent: client.complain("the master does not answer")
            case .garbled: client.complain("the master's answer makes no sense")
            }
            return ExitCode.failed
        }
    }

    private func act() throws(ControlFailure) -> Int32 {
        switch command.action {
        case .status(let json): return try status(json: json)
        case .top: return try top()
        case .events(let follow, let json): return try events(follow: follow, json: json)
        case .reload(let wait, let timeout):
            return wait ? try reloadAndWait(timeout) : try post("/reload")
        case .recycle(let slot, let pool):
            return try post("/recycle?slot=\(slot.map { "\($0)" } ?? "all")" + query(pool))
        case .scale(let number, let pool): return try scale(number, pool)
        case .stop(let quick, let wait):
            let target = "/stop?quick=\(quick ? "yes" : "no")"
            return wait ? try stopAndWait(target) : try post(target)
        case .reopen: return try post("/reopen")
        case .upgrade: return try upgrade()
        }
    }

    /// A request over the connection by which the master was found.
    func request(_ method: String, _ target: String) throws(ControlFailure) -> ControlClient {
        guard let found else { throw .garbled }
        return try ControlClient(found.socket, method, target)
    }

    /// A request over another connection, for what asks again and again.
    func requestAgain(_ target: String) throws(ControlFailure) -> ControlClient {
        guard let found else { throw .garbled }
        let socket: StreamSocket
        do throws(SystemCallError) {
            socket = try found.connectAgain()
        } catch {
            throw .unreachable(error)
        }
        return try ControlClient(socket, "GET", target)
    }

    /// Asks for something to be done, and tells why not.
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
        return say(
            "\(answer["pool"]?.text ?? "?"): \(answer.integerText("from")) workers, now "
                + "\(answer.integerText("to"))\n" + Client.shares(in: answer))
    }

    /// What a worker may use of the memory from now on, where caps are percentages.
    private static func shares(in answer: JSONValue) -> String {
        [("max-rss", "max_rss_bytes"), ("kill-rss", "kill_rss_bytes")].map { key, field in
            answer[field]?.integer.map {
                "  \(key) of a new worker: \(Units.bytes(Double($0)))\n"
            } ?? ""
        }.joined()
    }

    private func query(_ pool: String?) -> String {
        pool.map { "&pool=" + Client.escaped($0) } ?? ""
    }

    /// As a part of a URL (RFC 3986).
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

    /// Why the master would not; the exit code for that.
    func refused(_ status: Int, _ body: [UInt8]) -> Int32 {
        let message = JSONValue(body)?["error"]?.text?.printable
        complain(message ?? "the master answered with status \(status)")
        return status == 400 ? ExitCode.usage : ExitCode.failed
    }

    func complain(_ message: String) {
        do throws(SystemCallError) {
            try TextOutput.write("supervise: \(message)\n", to: 2)
        } catch {
            // Nobody reads standard error; the exit code has to tell it all.
            return
        }
    }

    func say(_ text: String) -> Int32 {
        do throws(SystemCallError) {
            try TextOutput.write(text, to: 1)
            return ExitCode.done
        } catch {
            complain("standard output: \(error.message)")
            return ExitCode.failed
        }
    }

    /// How to write to standard output.
    var style: Style {
        guard Terminal.isTerminal(1) else { return Style() }
        // no-color.org: any value but an empty one.
        let hasColours = (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        return Style(width: Terminal.size(of: 1)?.columns ?? 80, hasColours: hasColours)
    }
}

extension MasterCommand.Action {
    /// Whether the master is to do something, and not only to answer.
    fileprivate var actsOnMaster: Bool {
        switch self {
        case .status, .top, .events: false
        case .reload, .recycle, .scale, .stop, .reopen, .upgrade: true
        }
    }
}
