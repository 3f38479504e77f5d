import Glibc
import Testing

/// A resource that prlimit(1) can limit, with its option.
enum Limit: String {
    /// Root is exempt from this limit.
    case processes = "nproc"
    case openFiles = "nofile"
    case fileSize = "fsize"
}

extension Supervise {
    /// The wrapper that runs a master as an unprivileged user if root runs the tests.
    static let asPlainUser =
        getuid() == 0 ? ["setpriv", "--reuid=65531", "--regid=65531", "--clear-groups"] : []

    /// Changes a soft limit of the running master; nil means the hard limit. `user` is the wrapper
    /// by which the master runs as its user.
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
