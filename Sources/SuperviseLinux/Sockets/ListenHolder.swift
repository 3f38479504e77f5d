import Glibc

/// The process that listens on an address that cannot be bound.
enum ListenHolder {
    /// A limit on the processes inspected, because the caller may be the master's loop.
    private static let longestSearchNanoseconds: Int64 = 200_000_000

    /// The process that listens on this port, in the form `nginx (pid 4242)`. Nil if none is found.
    static func ofPort(_ port: UInt16) -> String? {
        var holder: (inode: UInt64, user: Substring)?
        for table in ["tcp", "tcp6"] where holder == nil {
            // The listeners come first and may be followed by thousands of connections.
            Procfs.eachLine("/proc/self/net/\(table)") { words in
                guard words.count > 9, words[3] == "0A" else { return words.first == "sl" }
                guard let address = SocketAddress(tableEntry: words[1]), address.port == port,
                    let inode = UInt64(words[9])
                else { return true }
                holder = (inode, words[7])
                return false
            }
        }
        guard let holder else { return nil }
        return process(withSocket: holder.inode)
            ?? "a process of user \(holder.user)"
    }

    /// The process at the other end of a unix socket, by its number.
    static func process(_ pid: Int32) -> String {
        let name = Procfs.text("/proc/\(pid)/comm").map { String($0.prefix { $0 != "\n" }) }
        return "\(name ?? "a process") (pid \(pid))"
    }

    private static func process(withSocket inode: UInt64) -> String? {
        let end = MonotonicClock.nanoseconds() + longestSearchNanoseconds
        // The oldest first: a parent before the workers that inherited its socket.
        for pid in Directory.entries("/proc").compactMap({ Int32($0) }).sorted() {
            guard MonotonicClock.nanoseconds() < end else { return nil }
            do throws(SystemCallError) {
                if try ProcessSockets.inodes(of: pid).contains(inode) { return process(pid) }
            } catch {
                continue
            }
        }
        return nil
    }
}
