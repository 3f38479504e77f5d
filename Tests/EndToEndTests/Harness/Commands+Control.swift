import Foundation
import Testing

/// What a command printed, and how it ended.
struct CommandResult {
    let status: ExitStatus
    let output: String
    let errors: String

    /// The output as JSON.
    var json: [String: Any] {
        get throws {
            try #require(
                try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        }
    }
}

/// A library that is built from C, for LD_PRELOAD: what a kernel or a machine may do otherwise.
func library(named name: String, _ text: String, in folder: Folder) async throws -> String {
    let source = try folder.write("\(name).c", text)
    let path = folder["\(name).so"]
    let built = try await run(["cc", "-shared", "-fPIC", "-o", path, source])
    try #require(built.status == .exited(0), "\(built.errors)")
    return path
}

/// Runs a program to its end.
func run(
    _ words: [String], environment: [String: String] = [:], deadline: Duration = .seconds(30)
) async throws -> CommandResult {
    let folder = try Folder()
    let cage = try Cage(
        words, environment: baseEnvironment.merging(environment) { $1 }, output: folder["out"],
        errors: folder["err"])
    let context = { (readFile(folder["out"]) ?? "") + (readFile(folder["err"]) ?? "") }
    let status = try await eventually(
        "the end of \(words)", within: deadline, context: context
    ) { cage.status }
    return CommandResult(
        status: status, output: readFile(folder["out"]) ?? "",
        errors: readFile(folder["err"]) ?? "")
}

extension Supervise {
    /// `supervise WORDS`, by which this master is the only one there is.
    func command(_ words: String..., wrapper: [String] = []) async throws -> CommandResult {
        try await run(
            wrapper + [Place.supervise] + words, environment: ["XDG_RUNTIME_DIR": folder.path])
    }

    /// What root runs a command with that must find no master of somebody else's.
    static let hidingOthers = [
        "unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run && exec \"$@\"", "sh",
    ]

    /// The default control socket of a master of this name.
    func controlSocket(_ name: String = "hello-worker") -> String {
        "\(folder.path)/supervise/\(name).sock"
    }

    /// What curl gets from the control socket, or from `status-bind` where that is given.
    func curl(
        _ path: String, _ options: [String] = [], at address: String? = nil
    ) async throws -> CommandResult {
        let target =
            address.map { ["http://\($0)\(path)"] }
            ?? ["--unix-socket", controlSocket(), "http://localhost\(path)"]
        return try await run(
            ["curl", "--silent", "--max-time", "10", "--write-out", "\n%{http_code}"] + options
                + target)
    }

    /// Where `status-bind` listens.
    func statusAddress() async throws -> String {
        let line = try await waitForEvent("status-listening")
        return try #require(line["address"])
    }
}

extension Trait where Self == ConditionTrait {
    /// The test needs a program that may not be installed. Says so aloud where it is not.
    static func needs(_ program: String) -> Self {
        .enabled(if: Place.program(program) != nil, "needs \(program)")
    }
}
