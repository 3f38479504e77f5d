import CSupervise
import Glibc

/// The connections that processes have taken on TCP ports, each asked itself over a copy of its
/// descriptor (pidfd_getfd(2)): what that costs grows with those of the processes alone.
public struct HeldConnections {
    private let ports: Set<UInt16>
    private let endsAnswered: Bool
    private var found: [HeldConnection] = []
    /// A child has those of its parent too.
    private var seen: Set<UInt64> = []

    /// Those of these processes whose own end has one of these ports; nil where they may not be copied,
    /// as in a container that has no use for such calls. Fails where descriptors may not be listed, and
    /// for want of our own, and with E2BIG when the budget is exceeded.
    ///
    /// With `endsAnswered` each one that waits for no known response is shut down (shutdown(2)) as soon
    /// as that is seen: its client gets an end of file, as from a server whose keep-alive time is over,
    /// and so does the process.
    public static func list(
        of processes: [Int32], ports: Set<UInt16>, within budget: SampleBudget,
        endsAnswered: Bool = false
    ) throws(SystemCallError) -> [HeldConnection]? {
        // A filter may kill for the call. Whether it does cannot be known without making it.
        guard !ThisProcess.hasSystemCallFilter else { return nil }
        return try SpareDescriptors.lent { () throws(SystemCallError) in
            var held = HeldConnections(ports: ports, endsAnswered: endsAnswered)
            for pid in processes {
                guard try held.add(pid, within: budget) else { return nil }
            }
            return held.found
        }
    }

    private init(ports: Set<UInt16>, endsAnswered: Bool) {
        self.ports = ports
        self.endsAnswered = endsAnswered
    }

    /// False where its descriptors may not be copied.
    private mutating func add(
        _ pid: Int32, within budget: SampleBudget
    ) throws(SystemCallError) -> Bool {
        let sockets = try ProcessSockets.descriptors(of: pid, within: budget)
        do throws(SystemCallError) {
            let process = try ProcessDescriptor.open(pid: pid)
            for (number, inode) in sockets where seen.insert(inode).inserted {
                try budget.spend(entries: 1)
                do throws(SystemCallError) {
                    add(try process.copy(of: number), inode: inode)
                } catch  where error.code == EBADF {
                    // It was closed since it was listed.
                    continue
                }
            }
            return true
        } catch {
            if error.isWant || SampleBudget.isExceeded(error) { throw error }
            // One that is gone has none.
            return error.code == ESRCH
        }
    }

    private mutating func add(_ socket: OwnedDescriptor, inode: UInt64) {
        var connection = csupervise_connection()
        guard let port = port(of: socket), ports.contains(port),
            csupervise_ask_connection(socket.rawValue, &connection) == 0
        else { return }
        let held = HeldConnection(connection, inode: inode)
        if endsAnswered, held.use == .answered || held.use == .quiet {
            shutdown(socket.rawValue, Int32(SHUT_RDWR))
        }
        found.append(held)
    }

    private func port(of socket: OwnedDescriptor) -> UInt16? {
        do throws(SystemCallError) {
            return try SocketAddress(boundBy: socket.rawValue).port
        } catch {
            return nil
        }
    }
}
