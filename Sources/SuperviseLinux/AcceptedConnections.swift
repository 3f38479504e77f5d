/// Whether a process holds connections that came in through given listeners, by the kernel's socket
/// tables (/proc/PID/net/tcp, tcp6 and unix, proc_pid_net(5)). A program that accepts one connection at
/// a time and is never idle is seldom seen to wait for the next one, but it can be seen to hold this.
enum AcceptedConnections {
    /// Any of `sockets` (inodes) is an established connection to the address of one of `listeners`
    /// (inodes); false also when the tables cannot be read.
    static func areHeld(_ sockets: Set<UInt64>, by pid: Int32, through listeners: [UInt64]) -> Bool
    {
        guard !sockets.isEmpty else { return false }
        let listeners = Set(listeners)
        for table in ["tcp", "tcp6"] {
            if isHeld(in: Procfs.text("/proc/\(pid)/net/\(table)"), sockets, listeners, tcpRow) {
                return true
            }
        }
        return isHeld(in: Procfs.text("/proc/\(pid)/net/unix"), sockets, listeners, unixRow)
    }

    /// What a row tells of its socket.
    private struct Row {
        let inode: UInt64
        /// The local end: a port, or a path.
        let end: Substring
        let isConnected: Bool
    }

    private static func isHeld(
        in table: String?, _ sockets: Set<UInt64>, _ listeners: Set<UInt64>,
        _ read: ([Substring]) -> Row?
    ) -> Bool {
        guard let table else { return false }
        var ends: Set<Substring> = []
        var candidates: Set<Substring> = []
        for line in table.utf8.split(separator: UInt8(ascii: "\n")).dropFirst() {
            guard let row = read(Substring(line).split(separator: " ")) else { continue }
            if listeners.contains(row.inode) { ends.insert(row.end) }
            if row.isConnected, sockets.contains(row.inode) { candidates.insert(row.end) }
        }
        return !ends.isDisjoint(with: candidates)
    }

    /// `0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 …`
    private static func tcpRow(_ words: [Substring]) -> Row? {
        guard words.count > 9, let inode = UInt64(words[9]),
            let port = words[1].split(separator: ":").last
        else { return nil }
        // ESTABLISHED and CLOSE_WAIT: the client may have said all it has to say.
        return Row(inode: inode, end: port, isConnected: words[3] == "01" || words[3] == "08")
    }

    /// `0000000000000000: 00000002 00000000 00010000 0001 01 12345 /path`
    private static func unixRow(_ words: [Substring]) -> Row? {
        guard words.count > 7, let inode = UInt64(words[6]) else { return nil }
        return Row(inode: inode, end: words[7], isConnected: words[5] == "03")
    }
}
