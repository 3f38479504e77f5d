import Foundation
import Testing

extension Supervise {
    /// A pool of hello-workers on a free port: quick to boot, cheap under load.
    static func hello(
        _ options: [String] = [], environment: [String: String] = [:]
    ) throws -> Supervise {
        try Supervise(
            ["--bind", "127.0.0.1:0"] + options + ["--", Place.helloWorker],
            environment: environment)
    }

    /// A pool of Python workers on a free port, whose faults the folder's files switch: `crash`,
    /// `hang`; what they write goes to `roster`.
    static func web(
        _ options: [String] = [], environment: [String: String] = [:], config: String? = nil
    ) throws -> Supervise {
        let folder = try Folder()
        let variables = [
            "ROSTER": folder["roster"], "CRASH_FILE": folder["crash"], "HANG_FILE": folder["hang"],
        ].merging(environment) { $1 }
        return try Supervise(
            ["--bind", "127.0.0.1:0"] + options + ["--", "python3", Place.worker("http_worker")],
            environment: variables, config: config, folder: folder)
    }

    /// What the workers wrote down.
    var roster: Roster { Roster(folder) }

    /// Where a worker answers, of what it sees around itself.
    func facts() async throws -> WorkerFacts {
        let text = try #require(try await get("/facts", from: try await address()))
        return try JSONDecoder().decode(WorkerFacts.self, from: Data(text.utf8))
    }
}

/// What `Workers/http_worker.py` tells about its surroundings.
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

/// Every request was answered.
func expectNoFailure(
    _ result: LoadResult, _ requests: Int, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(
        result.ok == requests && result.failed == 0,
        "\(result.failed) failed: \(result.reasons) at \(result.failedAt)",
        sourceLocation: sourceLocation)
}
