import CSupervise
import Glibc

/// Whether a process holds connections that it accepted from its listeners. A program that accepts
/// one connection at a time and is never idle is rarely observed waiting for the next one, but it
/// holds such a connection.
///
/// The sockets are copied and queried directly (pidfd_getfd(2)). The kernel's tables of all
/// connections also contain this information, but the cost of reading them grows with every
/// connection on the machine.
enum AcceptedConnections {
    // If none of the first descriptors is such a connection, further ones are unlikely to be.
    private static let maxSockets = 1000

    /// Whether any of the descriptors `sockets` is a connection to the address of one of
    /// `listening`, both of the process `pid`. Returns false if they may not be read. Fails if this
    /// process lacks descriptors.
    static func areHeld(
        _ sockets: [Int32], by pid: Int32, through listening: Set<Int32>
    ) throws(SystemCallError) -> Bool {
        guard !sockets.isEmpty, !listening.isEmpty else { return false }
        do {
            return try SpareDescriptors.lent { () throws(SystemCallError) in
                let process = try ProcessDescriptor.open(pid: pid)
                var ends: Set<[UInt8]> = []
                for number in listening {
                    if let end = try localEnd(number, of: process, isConnected: false) {
                        ends.insert(end)
                    }
                }
                for number in sockets.prefix(maxSockets) {
                    let end = try localEnd(number, of: process, isConnected: true)
                    if let end, ends.contains(end) { return true }
                }
                return false
            }
        } catch {
            if error.isShortage { throw error }
            return false
        }
    }

    /// The local end of another process's socket: a port, or the name of a unix socket. Nil if it
    /// has none, if it is not connected as required, or if it cannot be read.
    private static func localEnd(
        _ descriptor: Int32, of process: borrowing ProcessDescriptor, isConnected: Bool
    ) throws(SystemCallError) -> [UInt8]? {
        do {
            let copy = try process.copy(of: descriptor)
            if isConnected { _ = try SocketAddress(connectedTo: copy.rawValue) }
            let address = try SocketAddress(boundBy: copy.rawValue)
            switch address.family {
            // Both families: a connection of a dual-stack listener can have either.
            case AF_INET, AF_INET6: return Array(address.bytes[2..<4])
            // The client end of a unix socket has no name.
            case AF_UNIX: return address.length > 2 ? address.bytes : nil
            default: return nil
            }
        } catch {
            if error.isShortage { throw error }
            return nil
        }
    }
}
