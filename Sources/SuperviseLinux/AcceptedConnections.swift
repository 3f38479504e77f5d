import CSupervise
import Glibc

/// Whether a process holds connections that came in through its listeners. A program that accepts one
/// connection at a time and is never idle is seldom seen to wait for the next one, but it can be
/// seen to hold this.
///
/// Its sockets are copied and asked themselves (pidfd_getfd(2)). The kernel's tables of all
/// connections would tell too, at a cost that grows with everybody's.
enum AcceptedConnections {
    // Whoever holds more without one of them being ours is not about to show it.
    private static let mostSockets = 1000

    /// Any of the descriptors `sockets` is a connection to the address of one of `listening`, both of
    /// the process `pid`. False also where they may not be looked at; fails where we lack
    /// descriptors to do so.
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
                for number in sockets.prefix(mostSockets) {
                    let end = try localEnd(number, of: process, isConnected: true)
                    if let end, ends.contains(end) { return true }
                }
                return false
            }
        } catch {
            if error.isWant { throw error }
            return false
        }
    }

    /// The local end of another process's socket: a port, or a unix socket's name. Nil where it has
    /// none, where it is not connected and should be, and where it cannot be told.
    private static func localEnd(
        _ descriptor: Int32, of process: borrowing ProcessDescriptor, isConnected: Bool
    ) throws(SystemCallError) -> [UInt8]? {
        do {
            let copy = try process.copy(of: descriptor)
            if isConnected { _ = try SocketAddress(connectedTo: copy.rawValue) }
            let address = try SocketAddress(boundBy: copy.rawValue)
            switch address.family {
            // Of both families: a dual-stack listener's connections may look like either.
            case AF_INET, AF_INET6: return Array(address.bytes[2..<4])
            // A client's end has no name.
            case AF_UNIX: return address.length > 2 ? address.bytes : nil
            default: return nil
            }
        } catch {
            if error.isWant { throw error }
            return nil
        }
    }
}
