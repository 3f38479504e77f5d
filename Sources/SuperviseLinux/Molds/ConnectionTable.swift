import Glibc

/// The connections of a network namespace by the inode of their socket (proc_pid_net(5)). Sockets
/// for datagrams are no connections: they keep the messages of several senders apart.
struct ConnectionTable {
    private var tcpPeers: [UInt64: SocketAddress] = [:]
    private var unixNames: [UInt64: String] = [:]
    private var unixConnections: Set<UInt64> = []

    // TCP_LISTEN and TCP_CLOSE of the kernel's net/tcp_states.h.
    private static let unconnected: [Substring] = ["0A", "07"]
    // SS_CONNECTED of linux/net.h.
    private static let connected = "03"
    private static let datagrams = "0002"

    /// Reads the tables of the process's namespace. Fails as open(2) and read(2).
    init(of pid: Int32) throws(SystemCallError) {
        for name in ["tcp", "tcp6"] {
            for fields in try ConnectionTable.lines("/proc/\(pid)/net/\(name)") {
                guard fields.count > 9, let inode = UInt64(fields[9]), inode != 0,
                    !ConnectionTable.unconnected.contains(fields[3])
                else { continue }
                tcpPeers[inode] = SocketAddress(tableEntry: fields[2])
            }
        }
        for fields in try ConnectionTable.lines("/proc/\(pid)/net/unix") {
            guard fields.count > 6, let inode = UInt64(fields[6]) else { continue }
            if fields.count > 7 { unixNames[inode] = fields[7...].joined(separator: " ") }
            if fields[4] != ConnectionTable.datagrams, fields[5] == ConnectionTable.connected {
                unixConnections.insert(inode)
            }
        }
    }

    /// The peer of a connection; nil for a socket without one.
    func peer(of inode: UInt64) -> String? {
        if let address = tcpPeers[inode] { return address.text }
        guard unixConnections.contains(inode) else { return nil }
        do throws(SystemCallError) {
            let peer = try SocketDiagnosis().peer(ofUnixSocket: inode)
            if let name = unixNames[peer] { return "unix:\(name)" }
        } catch {
            // The peer has closed its end, or the kernel has no such table.
        }
        return "a socket without a name"
    }

    /// The words of the lines after the title; empty if the kernel has no such table.
    private static func lines(_ path: String) throws(SystemCallError) -> [[Substring]] {
        do throws(SystemCallError) {
            return try Procfs.read(path).split(separator: UInt8(ascii: "\n")).dropFirst().map {
                String(decoding: $0, as: UTF8.self).split(separator: " ")
            }
        } catch  where error.code == ENOENT {
            return []
        }
    }
}
