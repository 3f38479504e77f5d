import Glibc
import Testing

/// The variables of every program that a test starts.
let baseEnvironment = [
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "XDG_RUNTIME_DIR": runtimeFolder,
]

/// Where a master makes its control socket that a test starts without a folder of its own: in
/// /run/supervise the machine's own masters have theirs. One folder for all runs of the tests.
private let runtimeFolder: String = {
    let path = "/tmp/supervise-e2e-runtime-\(getuid())"
    mkdir(path, 0o777)
    return path
}()

/// A running `supervise`, seen from outside: its log, its processes in /proc, its exit.
///
/// Nothing of it outlives this object. It is used from one test only.
final class Supervise {
    let folder: Folder
    private let cage: Cage
    private let wrapped: Bool

    /// Starts it with these arguments, after `wrapper` (say `setpriv …`) and with `config` as its
    /// configuration file. The log is JSON unless the environment says otherwise.
    init(
        _ arguments: [String], environment: [String: String] = [:], config: String? = nil,
        wrapper: [String] = [], program: [String] = [Place.supervise], folder: Folder? = nil
    ) throws {
        let folder = try folder ?? Folder()
        self.folder = folder
        var variables = baseEnvironment
        variables["SUPERVISE_LOG_FORMAT"] = "json"
        variables["STAND_IN_FOLDER"] = folder.path
        // Its control socket is made in the folder supervise there.
        variables["XDG_RUNTIME_DIR"] = folder.path
        variables.merge(environment) { $1 }
        var command = wrapper + program
        if let config {
            command += ["--config", try folder.write("supervise.conf", config)]
        }
        wrapped = wrapper.first == "unshare"
        cage = try Cage(
            command + arguments, environment: variables, output: folder["stdout"],
            errors: folder["stderr"])
    }

    // MARK: Log

    private lazy var growingLog = GrowingLog(path: folder["stderr"])

    /// All lines so far.
    var log: [LogLine] { growingLog.lines() }

    /// The end of the log, for messages.
    var tail: String { folder.lines("stderr").suffix(40).joined(separator: "\n") }

    /// The first line that fits, when there is one in time.
    @discardableResult
    func waitForLog(
        _ what: String, deadline: Duration = .seconds(20), where fits: (LogLine) -> Bool
    ) async throws -> LogLine {
        try await eventually("log line: \(what)", within: deadline, context: { tail }) {
            log.first(where: fits)
        }
    }

    /// The first line of this event.
    @discardableResult
    func waitForEvent(_ event: String, deadline: Duration = .seconds(20)) async throws -> LogLine {
        try await waitForLog("event \(event)", deadline: deadline) { $0.event == event }
    }

    /// The address that was bound first: what port 0 became.
    func address() async throws -> String {
        let line = try await waitForEvent(Event.listening)
        return try #require(line["address"])
    }

    /// Waits for a condition of this master; when it is late, the log's end is in the message.
    func wait(
        _ what: String, deadline: Duration = .seconds(20), until condition: () throws -> Bool
    ) async throws {
        try await eventually(what, within: deadline, context: { tail }, condition)
    }

    // MARK: Processes

    /// The master's pid.
    func pid() async throws -> pid_t {
        let started = try await eventually("the master's pid") { cage.pid }
        // `unshare --fork` stays as the parent of the process that it makes.
        guard wrapped else { return started }
        return try await eventually("the wrapped master") {
            ProcessTable.children(of: started).first
        }
    }

    /// A worker as its own environment describes it.
    struct WorkerProcess: Equatable {
        let pid: pid_t
        let pool: String
        let slot: Int
        let generation: Int
        /// The drawn limit; 0 without one.
        let limit: Int
    }

    /// The living workers, by slot and pid. Told from other children by their variables, and from
    /// daemons of their own, which have those too, by leading a group.
    func workers() async throws -> [WorkerProcess] {
        workers(of: try await pid())
    }

    /// The living workers of the master with this pid.
    func workers(of master: pid_t) -> [WorkerProcess] {
        ProcessTable.children(of: master).compactMap { pid in
            let environment = ProcessTable.environment(of: pid)
            func number(_ name: String) -> Int? {
                environment["SUPERVISE_WORKER_" + name].flatMap { Int($0) }
            }
            guard let slot = number("SLOT"), ProcessTable.entry(pid)?.group == pid else {
                return nil
            }
            return WorkerProcess(
                pid: pid, pool: environment["SUPERVISE_WORKER_POOL"] ?? "", slot: slot,
                generation: number("GENERATION") ?? 0, limit: number("MAX_REQUESTS") ?? 0)
        }.sorted { ($0.slot, $0.pid) < ($1.slot, $1.pid) }
    }

    /// The pids that the log calls ready, of those that live.
    func readyWorkers() async throws -> [WorkerProcess] {
        let ready = Set(log.filter { $0.event == Event.ready }.compactMap(\.pid))
        return try await workers().filter { ready.contains($0.pid) }
    }

    /// Waits until exactly `count` workers live and all are ready.
    @discardableResult
    func waitForWorkers(
        _ count: Int, deadline: Duration = .seconds(20), without old: [WorkerProcess] = []
    ) async throws -> [WorkerProcess] {
        let gone = Set(old.map(\.pid))
        let limit = ContinuousClock.now + deadline
        while true {
            let all = try await workers()
            let ready = try await readyWorkers()
            if all.count == count, ready.count == count,
                gone.isDisjoint(with: all.map(\.pid))
            {
                return ready
            }
            guard ContinuousClock.now < limit, cage.status == nil else {
                throw Late(description: "no \(count) ready workers: \(all)\n\(tail)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    func signal(_ number: Int32) async throws {
        let pid = try await pid()
        try #require(kill(pid, number) == 0)
    }

    /// How it ended, or a `Late` error.
    func waitForExit(deadline: Duration = .seconds(20)) async throws -> ExitStatus {
        try await eventually("exit", within: deadline, context: { tail }) { cage.status }
    }

    /// SIGTERM and its exit.
    @discardableResult
    func stop() async throws -> ExitStatus {
        try await signal(SIGTERM)
        return try await waitForExit()
    }

    var isRunning: Bool { cage.status == nil }

    /// Living processes that the master left behind when it ended.
    var leftBehind: [pid_t] { cage.leftBehind }

    /// How many descriptors the master has open.
    func openDescriptors() async throws -> Int {
        ProcessTable.descriptors(of: try await pid()).count
    }

    /// How often the master went to sleep so far: a process that never wakes keeps the number.
    func contextSwitches() async throws -> Int {
        let pid = try await pid()
        return try #require(ProcessTable.status("voluntary_ctxt_switches", of: pid))
    }
}
