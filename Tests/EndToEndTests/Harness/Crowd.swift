import Foundation
import Testing

/// The result of `Clients/crowd.py`.
struct CrowdResult: Decodable {
    /// Connections that were established, answered or not.
    let connected: Int
    let ok: Int
    let failed: Int
    let reasons: [String: Int]
}

/// Clients that send requests repeatedly, each over a new connection.
final class Crowd {
    private let cage: Cage
    private let folder: Folder

    init(_ address: String, path: String = "/", clients: Int = 16, pause: Double = 0.02) throws {
        let folder = try Folder()
        self.folder = folder
        cage = try Cage(
            [
                "python3", Place.client("crowd"), "--connect", address, "--path", path,
                "--clients", "\(clients)", "--pause", "\(pause)",
            ], environment: baseEnvironment, output: folder["out"], errors: folder["err"])
    }

    /// The processes that have responded so far.
    var pids: [pid_t] {
        folder.lines("out").compactMap { $0.hasPrefix("pid ") ? pid_t($0.dropFirst(4)) : nil }
    }

    /// Stops it.
    func result() async throws -> CrowdResult {
        let pid = try await eventually("the crowd's pid") { cage.pid }
        kill(pid, SIGTERM)
        let errors = { readFile(self.folder["err"]) ?? "" }
        let status = try await eventually(
            "the crowd's end", within: .seconds(40), context: errors
        ) { cage.status }
        try #require(status == .exited(0), "\(errors())")
        let line = try #require(folder.lines("out").last)
        return try JSONDecoder().decode(CrowdResult.self, from: Data(line.utf8))
    }
}
