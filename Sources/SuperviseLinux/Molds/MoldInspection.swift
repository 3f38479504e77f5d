import Glibc

/// What the workers of a warm mold would share with it and with each other.
public struct MoldInspection: Hashable, Sendable, Codable {
    /// Connections, epoll sets and io_uring instances, each described.
    public var shared: [String] = []
    /// The number of threads. Only the one that forks exists in the worker.
    public var threadCount = 1
    /// Why the mold could not be inspected; nil if it was.
    public var obstacle: String?

    /// At most this many are described.
    private static let mostShared = 8

    /// A mold that could not be inspected.
    public init(obstacle: String) {
        self.obstacle = obstacle
    }

    /// Inspects a process, except for its descriptor `except`, and for what its descriptors share
    /// with the standard streams of this process: `inherited`, as of `standardStreams`. A process
    /// that may not be inspected has an `obstacle`. It uses only /proc and the kernel's tables, and
    /// needs no right to trace the process (ptrace(2)). The time that it takes grows with the number
    /// of connections on the machine.
    public init(of pid: Int32, except: Int32, inherited: [String]) {
        do throws(SystemCallError) {
            threadCount = try Directory.names("/proc/\(pid)/task").count
            var connections: ConnectionTable?
            for name in try Directory.names("/proc/\(pid)/fd") {
                guard let number = Int32(name), number != except,
                    let link = try ProcessSockets.link("/proc/\(pid)/fd/\(number)"),
                    !inherited.contains(link)
                else { continue }
                if link.hasPrefix("socket:["), connections == nil {
                    connections = try ConnectionTable(of: pid)
                }
                if let text = MoldInspection.description(of: link, connections) {
                    shared.append("\(text) (descriptor \(number))")
                }
                if shared.count == MoldInspection.mostShared { break }
            }
        } catch {
            obstacle = error.description
        }
    }

    /// What the standard streams of this process refer to, which it may have passed to a mold: under
    /// systemd(1), stdout and stderr are a connection to the journal.
    public static var standardStreams: [String] {
        (0...2 as ClosedRange<Int32>).compactMap { number in
            do throws(SystemCallError) {
                return try ProcessSockets.link("/proc/self/fd/\(number)")
            } catch {
                return nil
            }
        }
    }

    /// Nil for what is not shared.
    private static func description(of link: String, _ connections: ConnectionTable?) -> String? {
        if link == "anon_inode:[eventpoll]" { return "an epoll set" }
        if link.contains("io_uring") { return "an io_uring" }
        guard let inode = ProcessSockets.inode(inLink: link),
            let peer = connections?.peer(of: inode)
        else { return nil }
        return "a connection to \(peer)"
    }
}
