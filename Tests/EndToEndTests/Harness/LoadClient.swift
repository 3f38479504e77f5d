import Foundation
import Testing

/// The result of `Clients/load.py`.
struct LoadResult: Decodable {
    let ok: Int
    let failed: Int
    /// Failures by kind: refused, reset, closed, short, malformed, status-NNN, timeout, …
    let reasons: [String: Int]
    /// When the first hundred of them were scheduled, in seconds after the start.
    let failedAt: [Double]
    /// Requests that were retried because a keep-alive connection had been closed before a
    /// response.
    let retried: Int
    /// Responses by the pid of the worker.
    let pids: [String: Int]
    let seconds: Double
    /// The longest time between two responses.
    let longestGapSeconds: Double
    let p50Seconds: Double
    let p99Seconds: Double
    let maxSeconds: Double
}

/// A running load.
final class LoadClient {
    private let cage: Cage
    private let folder = Result { try Folder() }
    private let plannedSeconds: Double

    /// Sends `requests`, or requests until `end`, at `rate` per second, or `inTurn` with intervals
    /// of that rate between them, to `address` (`HOST:PORT` or `unix:PATH`).
    init(
        _ address: String, requests: Int? = nil, rate: Double, path: String = "/",
        keepAlive: Bool = false,
        inTurn: Bool = false, timeout: Double = 10
    ) throws {
        let folder = try folder.get()
        var command = [
            "python3", Place.client("load"), "--connect", address, "--path", path,
            "--requests", "\(requests ?? 0)",
            "--rate", "\(rate)", "--timeout", "\(timeout)",
        ]
        if keepAlive { command.append("--keep-alive") }
        if inTurn { command.append("--in-turn") }
        plannedSeconds = Double(requests ?? 0) / rate * (inTurn ? 5 : 1) + timeout
        cage = try Cage(
            command, environment: baseEnvironment, output: folder["out"], errors: folder["err"])
    }

    /// Waits until it sends: Python must start first, which takes time on a busy machine.
    func begun() async throws {
        let folder = try folder.get()
        try await eventually("the load's begin") { !folder.lines("err").isEmpty }
    }

    /// Stops it, and waits until it has ended.
    func end() async throws -> LoadResult {
        let pid = try await eventually("the load's pid") { cage.pid }
        kill(pid, SIGTERM)
        return try await result()
    }

    /// Waits until the load has ended.
    func result() async throws -> LoadResult {
        let folder = try folder.get()
        let context = { readFile(folder["err"]) ?? "" }
        let status = try await eventually(
            "the load's end", within: .seconds(plannedSeconds + 20), context: context
        ) { cage.status }
        try #require(status == .exited(0), "\(context())")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(LoadResult.self, from: Data((readFile(folder["out"]) ?? "").utf8))
    }

    /// Whether the load still runs.
    var isRunning: Bool { cage.status == nil }
}

/// Runs a load from start to end.
func load(
    _ address: String, requests: Int, rate: Double, path: String = "/", keepAlive: Bool = false,
    inTurn: Bool = false, timeout: Double = 10
) async throws -> LoadResult {
    let client = try LoadClient(
        address, requests: requests, rate: rate, path: path, keepAlive: keepAlive,
        inTurn: inTurn, timeout: timeout)
    return try await client.result()
}

/// The body of one response, or nil if there was none.
func get(_ path: String, from address: String) async throws -> String? {
    let folder = try Folder()
    let body = folder["body"]
    let script = """
        import http.client, socket, sys
        class Connection(http.client.HTTPConnection):
            def connect(self):
                if sys.argv[1].startswith("unix:"):
                    self.sock = socket.socket(socket.AF_UNIX)
                    self.sock.connect(sys.argv[1][5:])
                else:
                    host, _, port = sys.argv[1].rpartition(":")
                    self.sock = socket.create_connection((host.strip("[]"), int(port)), 10)
        connection = Connection("x", timeout=20)
        connection.request("GET", sys.argv[2])
        response = connection.getresponse()
        text = response.read().decode()
        sys.stdout.write(text)
        """
    let cage = try Cage(
        ["python3", "-c", script, address, path], environment: baseEnvironment, output: body,
        errors: folder["err"])
    let status = try await eventually("an answer to \(path)", within: .seconds(30)) { cage.status }
    return status == .exited(0) ? readFile(body) : nil
}
