import Foundation
import Testing

/// `Workers/static_server.c`, statically linked, as a Go program is.
enum StaticServer {
    /// Built once; nil without a C compiler or a static C library.
    static let path: String? = {
        let program = "\(Place.products)/static-server"
        let source = "\(Place.tests)/Workers/static_server.c"
        return runs("cc", "-static", "-O1", "-o", program, source) ? program : nil
    }()

    /// A copy that every user may execute.
    static func copy(to folder: Folder) throws -> String {
        try #require(runs("install", "-m", "755", #require(path), folder["static-server"]))
        return folder["static-server"]
    }
}

/// Whether a command succeeds; waits for it. Other processes write the programs: if this process
/// did, a start on another thread could inherit the open file and prevent its execution (ETXTBSY of
/// execve(2)).
func runs(_ command: String...) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardError = FileHandle.nullDevice
    do {
        try process.run()
    } catch {
        return false
    }
    process.waitUntilExit()
    return process.terminationStatus == 0
}

extension Trait where Self == ConditionTrait {
    /// The test runs a static program.
    static var needsStaticServer: Self {
        .enabled(if: StaticServer.path != nil, "needs a C compiler that links statically")
    }

    /// The whole master runs as another user, who must be able to read the program.
    static var needsReadableProducts: Self {
        .enabled(if: Place.isReadableByAll, "needs root, and a checkout that all users may read")
    }
}

extension Place {
    fileprivate static var isReadableByAll: Bool {
        var path = products
        while path != "" {
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & 0o005 == 0o005 else { return false }
            path = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        }
        return getuid() == 0
    }
}
