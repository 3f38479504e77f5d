import Foundation
import Testing

/// The output and exit status of a command.
struct CommandResult {
    let status: ExitStatus
    let output: String
    let errors: String

    /// The output, parsed as JSON.
    var json: [String: Any] {
        get throws {
            try #require(
                try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        }
    }
}

/// A library built from C for LD_PRELOAD, which simulates another kernel or machine.
func library(named name: String, _ text: String, in folder: Folder) async throws -> String {
    let source = try folder.write("\(name).c", text)
    let path = folder["\(name).so"]
    let built = try await run(["cc", "-shared", "-fPIC", "-o", path, source])
    try #require(built.status == .exited(0), "\(built.errors)")
    return path
}

/// Runs a program until it exits.
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
    /// Runs `supervise WORDS`, for which this master is the only one.
    func command(_ words: String..., wrapper: [String] = []) async throws -> CommandResult {
        try await run(
            wrapper + [Place.supervise] + words, environment: ["XDG_RUNTIME_DIR": folder.path])
    }

    /// The wrapper for a command of root that must not find masters of other users.
    static let hidingOthers = [
        "unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run && exec \"$@\"", "sh",
    ]

    /// The default control socket of a master with this name.
    func controlSocket(_ name: String = "hello-worker") -> String {
        "\(folder.path)/supervise/\(name).sock"
    }

    /// The response of the control socket to curl, or of `status-bind` if that is given.
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

    /// The address of `status-bind`.
    func statusAddress() async throws -> String {
        let line = try await waitForEvent("status-listening")
        return try #require(line["address"])
    }
}

extension Trait where Self == ConditionTrait {
    /// The test requires a program that may not be installed, and is skipped visibly if it is not.
    static func needs(_ program: String) -> Self {
        .enabled(if: Place.program(program) != nil, "needs \(program)")
    }
}
