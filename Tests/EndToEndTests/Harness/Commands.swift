import Foundation
import Testing

extension Supervise {
    /// A pool of hello-workers on a free port: fast to boot, and cheap under load.
    static func hello(
        _ options: [String] = [], environment: [String: String] = [:]
    ) throws -> Supervise {
        try Supervise(
            ["--bind", "127.0.0.1:0"] + options + ["--", Place.helloWorker],
            environment: environment)
    }

    /// A pool of Python workers on a free port. Files in the folder switch their faults: `crash`,
    /// `hang`, `brief`. They write to `roster`.
    static func web(
        _ options: [String] = [], environment: [String: String] = [:], config: String? = nil,
        wrapper: [String] = []
    ) throws -> Supervise {
        let folder = try Folder()
        return try Supervise(
            ["--bind", "127.0.0.1:0"] + options + ["--", "python3", Place.worker("http_worker")],
            environment: switches(in: folder).merging(environment) { $1 }, config: config,
            wrapper: wrapper, folder: folder)
    }

    /// The same workers in the pools of a configuration file, which can refer to files in the
    /// folder.
    static func pools(
        environment: [String: String] = [:], wrapper: [String] = [],
        _ config: (Folder) -> String
    ) throws -> Supervise {
        let folder = try Folder()
        return try Supervise(
            [], environment: switches(in: folder).merging(environment) { $1 },
            config: pythonCommand + config(folder), wrapper: wrapper, folder: folder)
    }

    /// Sends HUP, with another configuration file for a master created by `pools`.
    func reload(_ config: String) async throws {
        try folder.write("supervise.conf", Supervise.pythonCommand + config)
        try await signal(SIGHUP)
    }

    private static let pythonCommand = "command = python3 \(Place.worker("http_worker"))\n"

    private static func switches(in folder: Folder) -> [String: String] {
        [
            "ROSTER": folder["roster"], "CRASH_FILE": folder["crash"], "HANG_FILE": folder["hang"],
            "BRIEF_FILE": folder["brief"],
        ]
    }

    /// The records of the workers.
    var roster: Roster { Roster(folder) }

    /// The lines of an event so far.
    func lines(_ event: String) -> [LogLine] { log.filter { $0.event == event } }

    /// The first event of the service after which it accepts requests.
    var firstEvent: String? { log.first { $0.event != "control-listening" }?.event }

    /// The maximum number of workers that ran at the same time, according to the log.
    var mostAlive: Int {
        var alive: Set<pid_t> = []
        var most = 0
        for line in log {
            guard let pid = line.pid else { continue }
            if line.event == Event.started { alive.insert(pid) }
            if line.event == Event.exit { alive.remove(pid) }
            most = max(most, alive.count)
        }
        return most
    }

    /// Makes a Python worker send this message to the master. With several workers, repeats until
    /// this one has responded.
    func tell(_ message: String, by worker: WorkerProcess) async throws {
        let address = try await address()
        for _ in 0..<50 {
            let answer = try await get("/tell?message=\(message)", from: address)
            // A worker that exits because of it may not have responded.
            let wasTold = answer.map { $0.contains("pid \(worker.pid),") }
            if wasTold ?? !ProcessTable.isAlive(worker.pid) { return }
        }
        throw Late(description: "worker \(worker.pid) took none of 50 requests\n\(tail)")
    }

    /// The response of a worker about its environment.
    func facts() async throws -> WorkerFacts {
        let text = try #require(try await get("/facts", from: try await address()))
        return try JSONDecoder().decode(WorkerFacts.self, from: Data(text.utf8))
    }
}

/// The environment of a worker, as reported by `Workers/http_worker.py`.
struct WorkerFacts: Decodable {
    let pid: Int
    let env: [String: String]
    let cwd: String
    let umask: Int
    let uid: Int
    let gid: Int
    let groups: [Int]
    let nice: Int
    let limits: [String: Int]
    let oom: Int
    let group: Int
    let descriptors: [Int]
}

/// Expects that every request succeeded, and their number unless the load was stopped early.
func expectNoFailure(
    _ result: LoadResult, _ requests: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(
        result.ok == requests ?? result.ok && result.ok > 0 && result.failed == 0,
        "\(result.failed) failed: \(result.reasons) at \(result.failedAt)",
        sourceLocation: sourceLocation)
}
