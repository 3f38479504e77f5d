import Glibc
import Testing

/// The environment of every program that a test starts.
let baseEnvironment = [
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "XDG_RUNTIME_DIR": runtimeFolder,
]

/// The runtime directory of masters that a test starts without a folder of its own: /run/supervise
/// contains those of the machine. All test runs share it.
private let runtimeFolder: String = {
    let path = "/tmp/supervise-e2e-runtime-\(getuid())"
    mkdir(path, 0o777)
    return path
}()

/// A running `supervise`, observed from outside: its log, its processes in /proc, its exit.
///
/// It ends with this object. Only one test uses it.
final class Supervise {
    let folder: Folder
    private let cage: Cage
    private let wrapped: Bool

    /// Starts it with these arguments, after `wrapper` (such as `setpriv …`) and with `config` as
    /// its configuration file. The log is JSON unless the environment overrides it.
    init(
        _ arguments: [String], environment: [String: String] = [:], config: String? = nil,
        wrapper: [String] = [], program: [String] = [Place.supervise], folder: Folder? = nil
    ) throws {
        let folder = try folder ?? Folder()
        self.folder = folder
        var variables = baseEnvironment
        variables["SUPERVISE_LOG_FORMAT"] = "json"
        variables["STAND_IN_FOLDER"] = folder.path
        // Its control socket is created in the directory supervise there.
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

    /// The end of the log, for failure messages.
    var tail: String { folder.lines("stderr").suffix(40).joined(separator: "\n") }

    /// The first line that satisfies the condition, within the time limit.
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

    /// The first bound address, with the port that replaced port 0.
    func address() async throws -> String {
        let line = try await waitForEvent(Event.listening)
        return try #require(line["address"])
    }

    /// Waits for a condition of this master. On a timeout, the message contains the end of the log.
    func wait(
        _ what: String, deadline: Duration = .seconds(20), until condition: () throws -> Bool
    ) async throws {
        try await eventually(what, within: deadline, context: { tail }, condition)
    }

    // MARK: Processes

    /// The master's pid.
    func pid() async throws -> pid_t {
        let started = try await eventually("the master's pid") { cage.pid }
        // `unshare --fork` remains as the parent of the process that it creates.
        guard wrapped else { return started }
        return try await eventually("the wrapped master") {
            ProcessTable.children(of: started).first
        }
    }

    /// A worker, as described by its own environment.
    struct WorkerProcess: Equatable {
        let pid: pid_t
        let pool: String
        let slot: Int
        let generation: Int
        /// The drawn limit; 0 without one.
        let limit: Int
    }

    /// The running workers, by slot and pid. They are distinguished from other children by their
    /// variables, and from their own daemons, which have the same variables, by leading a process
    /// group. A forked worker shows the variables of its mold, and the log describes it.
    func workers() async throws -> [WorkerProcess] {
        workers(of: try await pid())
    }

    /// The running workers of the master with this pid.
    func workers(of master: pid_t) -> [WorkerProcess] {
        ProcessTable.children(of: master).compactMap { pid in
            let environment = ProcessTable.environment(of: pid)
            func number(_ name: String) -> Int? {
                environment["SUPERVISE_WORKER_" + name].flatMap { Int($0) }
            }
            let forked = environment["SUPERVISE_MOLD"].flatMap { _ in
                lines(Event.started).last { $0.pid == pid }
            }
            guard let slot = number("SLOT") ?? forked?["slot"].flatMap({ Int($0) }),
                ProcessTable.entry(pid)?.group == pid
            else { return nil }
            return WorkerProcess(
                pid: pid, pool: environment["SUPERVISE_WORKER_POOL"] ?? forked?["pool"] ?? "",
                slot: slot,
                generation: number("GENERATION") ?? forked?["generation"].flatMap { Int($0) } ?? 0,
                limit: number("MAX_REQUESTS") ?? forked?["request_limit"].flatMap { Int($0) } ?? 0)
        }.sorted { ($0.slot, $0.pid) < ($1.slot, $1.pid) }
    }

    /// The pids of running workers that are ready according to the log.
    func readyWorkers() async throws -> [WorkerProcess] {
        let ready = Set(log.filter { $0.event == Event.ready }.compactMap(\.pid))
        return try await workers().filter { ready.contains($0.pid) }
    }

    /// Waits until exactly `count` workers run and all are ready.
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

    /// Its exit status, or a `Late` error.
    func waitForExit(deadline: Duration = .seconds(20)) async throws -> ExitStatus {
        try await eventually("exit", within: deadline, context: { tail }) { cage.status }
    }

    /// Sends SIGTERM and waits for its exit status.
    @discardableResult
    func stop() async throws -> ExitStatus {
        try await signal(SIGTERM)
        return try await waitForExit()
    }

    var isRunning: Bool { cage.status == nil }

    /// Running processes that the master left behind when it exited.
    var leftBehind: [pid_t] { cage.leftBehind }

    /// The number of open descriptors of the master.
    func openDescriptors() async throws -> Int {
        ProcessTable.descriptors(of: try await pid()).count
    }

    /// The number of times the master has slept so far: it does not change while the process does
    /// not wake.
    func contextSwitches() async throws -> Int {
        let pid = try await pid()
        return try #require(ProcessTable.status("voluntary_ctxt_switches", of: pid))
    }
}
