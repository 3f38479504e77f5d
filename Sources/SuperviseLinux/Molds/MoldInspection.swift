import Glibc

/// What the workers of a warm mold would share with it and with each other.
public struct MoldInspection: Hashable, Sendable {
    /// Connections, epoll sets and io_uring instances, each described.
    public var shared: [String] = []
    /// The number of threads. Only the one that forks exists in the worker.
    public var threadCount = 1
    /// Why the mold could not be inspected; nil if it was.
    public var obstacle: String?

    /// At most this many are described.
    private static let mostShared = 8

    /// Inspects a process, except for its descriptor `except`. Fails with nothing: a process that
    /// may not be inspected has an `obstacle`.
    public static func inspect(
        _ process: ProcessDescriptor, pid: Int32, except: Int32
    ) -> MoldInspection {
        var inspection = MoldInspection()
        do throws(SystemCallError) {
            inspection.threadCount = try Directory.names("/proc/\(pid)/task").count
            for name in try Directory.names("/proc/\(pid)/fd") {
                guard let number = Int32(name), number != except else { continue }
                if let text = try description(of: number, process, pid: pid) {
                    inspection.shared.append(text)
                }
                if inspection.shared.count == mostShared { break }
            }
        } catch {
            inspection.obstacle = error.description
        }
        return inspection
    }

    /// Nil for a descriptor that is not shared, and for one that was closed meanwhile.
    private static func description(
        of number: Int32, _ process: ProcessDescriptor, pid: Int32
    ) throws(SystemCallError) -> String? {
        do throws(SystemCallError) {
            let link = try Procfs.link("/proc/\(pid)/fd/\(number)")
            if link == "anon_inode:[eventpoll]" { return "an epoll set (descriptor \(number))" }
            if link.contains("io_uring") { return "an io_uring (descriptor \(number))" }
            guard link.hasPrefix("socket:["),
                let peer = try peer(of: try process.copy(of: number))
            else { return nil }
            return "a connection to \(peer) (descriptor \(number))"
        } catch  where error.code == ENOENT || error.code == EBADF {
            return nil
        }
    }

    /// The peer of a connection; nil for a socket without one, and for one of datagrams, which
    /// keeps the messages of several senders apart.
    private static func peer(of socket: OwnedDescriptor) throws(SystemCallError) -> String? {
        var type: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(socket.rawValue, SOL_SOCKET, SO_TYPE, &type, &size) == 0,
            type != Int32(SOCK_DGRAM.rawValue)
        else { return nil }
        do throws(SystemCallError) {
            let text = try SocketAddress(connectedTo: socket.rawValue).text
            return text == "unix:" ? "a socket without a name" : text
        } catch {
            // Not connected.
            return nil
        }
    }
}
