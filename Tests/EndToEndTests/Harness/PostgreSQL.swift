import Foundation
import Glibc
import Testing

/// A PostgreSQL server with an empty database, on a unix socket in a folder of its own.
struct PostgreSQL {
    /// The directory of its programs; nil if it is not installed.
    static let programs: String? = {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql"))
        return versions?.sorted().last.map { "/usr/lib/postgresql/\($0)/bin" }
    }()

    /// The folder of the socket.
    let folder: Folder
    private let cage: Cage

    init() async throws {
        let programs = try #require(PostgreSQL.programs)
        let folder = try Folder()
        self.folder = folder
        // It refuses to run as root.
        try #require(chmod(folder.path, 0o777) == 0)
        let asUser =
            getuid() == 0
            ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] : []
        let created = try await run(
            asUser + [
                "\(programs)/initdb", "--auth=trust", "--username=test", "--no-sync",
                "--pgdata=\(folder["data"])",
            ], deadline: .seconds(60))
        try #require(created.status == .exited(0), "\(created.errors)")
        cage = try Cage(
            asUser + [
                "\(programs)/postgres", "-D", folder["data"], "-k", folder.path, "-h", "", "-F",
            ], environment: baseEnvironment, output: folder["out"], errors: folder["err"])
        try await eventually(
            "the database", within: .seconds(40), context: { readFile(folder["err"]) ?? "" }
        ) { readFile(folder["err"])?.contains("ready to accept connections") == true }
    }

    /// The path of its socket.
    var socket: String { folder[".s.PGSQL.5432"] }

    /// The call by which a Python program connects to it.
    var connect: String {
        "psycopg2.connect(host=\"\(folder.path)\", user=\"test\", dbname=\"postgres\")"
    }
}
