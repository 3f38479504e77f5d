import Glibc
import Testing

/// A resource that prlimit(1) can limit: its option there.
enum Limit: String {
    /// Root is not held to it.
    case processes = "nproc"
    case openFiles = "nofile"
    case fileSize = "fsize"
}

extension Supervise {
    /// What makes a master run as nobody special, also where the tests run as root.
    static let asPlainUser =
        getuid() == 0 ? ["setpriv", "--reuid=65531", "--regid=65531", "--clear-groups"] : []

    /// Changes a soft limit of the running master; nil is as much as the hard one allows. `user` is
    /// what the master was made run as its user by.
    func limit(_ resource: Limit, to value: Int?, as user: [String] = []) async throws {
        let pid = try await pid()
        let hard = try await run(
            user + [
                "prlimit", "--pid", "\(pid)", "--\(resource.rawValue)", "--output=HARD",
                "--noheadings",
            ])
        let most = hard.output.trimmingPrefix { $0 == " " }.prefix { $0 != "\n" && $0 != " " }
        let soft = value.map { "\($0)" } ?? String(most)
        let result = try await run(
            user + ["prlimit", "--pid", "\(pid)", "--\(resource.rawValue)=\(soft):"])
        try #require(result.status == .exited(0), "\(result.errors)")
    }
}
