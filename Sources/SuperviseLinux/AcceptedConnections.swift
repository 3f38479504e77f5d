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
    /// the process `pid`. False also where they cannot be looked at.
    static func areHeld(
        _ sockets: [Int32], by pid: Int32, through listening: Set<Int32>
    ) -> Bool {
        guard !sockets.isEmpty, !listening.isEmpty else { return false }
        do {
            let process = try ProcessDescriptor.open(pid: pid)
            let ends = Set(listening.compactMap { localEnd($0, of: process, isConnected: false) })
            return sockets.prefix(mostSockets).contains {
                localEnd($0, of: process, isConnected: true).map(ends.contains) ?? false
            }
        } catch {
            return false
        }
    }

    /// The local end of another process's socket: a port, or a unix socket's name. Nil where it has
    /// none, where it is not connected and should be, and where it cannot be told.
    private static func localEnd(
        _ descriptor: Int32, of process: borrowing ProcessDescriptor, isConnected: Bool
    ) -> [UInt8]? {
        let number = csupervise_copy_descriptor(process.rawValue, descriptor)
        guard number >= 0 else { return nil }
        let copy = FileDescriptor(owning: number)
        do {
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
            return nil
        }
    }
}
