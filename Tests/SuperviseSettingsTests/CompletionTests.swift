import Foundation
import Testing

@testable import SuperviseSettings

/// The scripts are run by the shells that they are for.
@Suite struct CompletionTests {
    private static let helpers = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Shells")

    private static func isInstalled(_ shell: String) -> Bool {
        ["/bin/", "/usr/bin/", "/usr/local/bin/"].contains {
            FileManager.default.isExecutableFile(atPath: $0 + shell)
        }
    }

    /// What a shell offers for a line whose last word is being typed.
    private func offers(_ shell: Completions.Shell, _ line: String) throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "supervise-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        let script = folder.appendingPathComponent("script")
        try Completions.script(for: shell).write(to: script, atomically: true, encoding: .utf8)
        let helper = { (name: String) in Self.helpers.appendingPathComponent(name).path }
        let words =
            switch shell {
            case .bash:
                ["bash", "--norc", helper("complete.bash"), script.path]
                    + line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            case .zsh: ["python3", helper("complete.py"), script.path, line]
            case .fish: ["fish", "--no-config", helper("complete.fish"), script.path, line]
            }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.currentDirectoryURL = folder
        process.environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": folder.path, "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": folder.path,
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private func check(_ shell: Completions.Shell) throws {
        let commands = try offers(shell, "supervise ")
        for verb in Verb.allCases { #expect(commands.contains(verb.rawValue), "\(verb)") }
        let options = try offers(shell, "supervise --max-r")
        #expect(Set(options) == ["--max-requests", "--max-requests-jitter", "--max-rss"])
        #expect(try offers(shell, "supervise check --umas") == ["--umask"])
        let words = ["auto", "preload", "seccomp", "off"]
        #expect(try Set(offers(shell, "supervise run --adopt ")) == Set(words))
        #expect(try offers(shell, "supervise --drain o") == ["observe"])
        #expect(try offers(shell, "supervise reload --w") == ["--wait"])
        #expect(try offers(shell, "supervise help max-rs") == ["max-rss"])
        #expect(try offers(shell, "supervise completions f") == ["fish"])
        #expect(
            try offers(shell, "supervise --config /etc/passw").contains { $0.contains("passw") })
        #expect(try offers(shell, "supervise --user roo").contains("root"))
        // The command of the workers, with files of its own.
        #expect(try offers(shell, "supervise -w 2 -- setpri").contains("setpriv"))
        #expect(try !offers(shell, "supervise status --").contains("--workers"))
    }

    @Test(.enabled(if: isInstalled("bash"), "bash is not installed"))
    func bashCompletes() throws {
        try check(.bash)
        #expect(try offers(.bash, "supervise --drain=o") == ["observe"])
    }

    @Test(.enabled(if: isInstalled("zsh"), "zsh is not installed"))
    func zshCompletes() throws { try check(.zsh) }

    @Test(.enabled(if: isInstalled("fish"), "fish is not installed"))
    func fishCompletes() throws { try check(.fish) }
}
