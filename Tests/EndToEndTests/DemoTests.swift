import Glibc
import Testing

/// `supervise demo`, as root and as a user without a runtime directory.
@Suite(.takesTurn) struct DemoTests {
    @Test(.takesLongTurn, .needs("setpriv"), arguments: [true, false])
    func itReplacesALeakingWorkerAndLosesNoRequest(hasRuntimeFolder: Bool) async throws {
        let folder = try Folder()
        let temporary = try Folder()
        try #require(chmod(temporary.path, 0o777) == 0)
        var environment = baseEnvironment
        environment["XDG_RUNTIME_DIR"] = hasRuntimeFolder ? folder.path : nil
        environment["TMPDIR"] = temporary.path
        // Root has a runtime directory without the variable.
        let asOtherUser = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        let cage = try Cage(
            (!hasRuntimeFolder && getuid() == 0 ? asOtherUser : []) + [Place.supervise, "demo"],
            environment: environment, output: folder["out"], errors: folder["err"])
        let pid = try await eventually("the demo's pid") { cage.pid }
        let shown = { (readFile(folder["out"]) ?? "") + (readFile(folder["err"]) ?? "") }
        try await eventually("a replacement", within: .seconds(60), context: shown) {
            folder.lines("out").contains { line in
                let words = line.split(separator: " ")
                return words.dropFirst().first == "s" && words.last != "0"
            }
        }
        kill(pid, SIGINT)
        let status = try await eventually("its end", context: shown) { cage.status }
        #expect(status == .exited(0), "\(shown())")
        let last = try #require(folder.lines("out").last)
        #expect(last.contains(" requests in ") && last.contains(", 0 failed; "), "\(shown())")
        #expect(readFile(folder["err"]) == "")
        #expect(temporary.names.isEmpty)
    }

    @Test func itRequiresPython() async throws {
        let result = try await run([Place.supervise, "demo"], environment: ["PATH": "/nowhere"])
        #expect(result.status == .exited(1))
        #expect(result.errors == "supervise: demo: python3 is not installed\n")
    }
}
