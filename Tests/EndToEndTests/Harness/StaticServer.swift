import Foundation
import Testing

/// `Workers/static_server.c`, linked without a loader, as a Go program is.
enum StaticServer {
    /// Built once; nil where there is no C compiler, or no C library to link statically.
    static let path: String? = {
        let program = "\(Place.products)/static-server"
        let source = "\(Place.tests)/Workers/static_server.c"
        return runs("cc", "-static", "-O1", "-o", program, source) ? program : nil
    }()

    /// A copy that every user may run.
    static func copy(to folder: Folder) throws -> String {
        try #require(runs("install", "-m", "755", #require(path), folder["static-server"]))
        return folder["static-server"]
    }
}

/// Whether a command succeeds; waits for it. Programs are made by others: were they written here, a
/// start on another thread could hold them open and keep them from being run (ETXTBSY of execve(2)).
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

    /// The whole master runs as another user, who must be able to read it.
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
