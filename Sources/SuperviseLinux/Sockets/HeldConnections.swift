import CSupervise
import Glibc

/// The connections of processes on TCP ports, each queried over a copy of its descriptor
/// (pidfd_getfd(2)). The cost grows only with the connections of these processes.
public struct HeldConnections {
    private let ports: Set<UInt16>
    private let endsAnswered: Bool
    private var found: [HeldConnection] = []
    /// A child also has the connections of its parent.
    private var seen: Set<UInt64> = []

    /// The connections of these processes whose local end has one of these ports. Nil if they may
    /// not be copied, for example in a container that forbids the call. Fails if descriptors may
    /// not be listed or this process lacks descriptors, and with E2BIG if the budget is exceeded.
    ///
    /// With `endsAnswered`, each connection without a known pending response is shut down at
    /// once (shutdown(2)). Its client receives an end of file, as after a keep-alive timeout, and
    /// so does the process.
    public static func list(
        of processes: [Int32], ports: Set<UInt16>, within budget: SampleBudget,
        endsAnswered: Bool = false
    ) throws(SystemCallError) -> [HeldConnection]? {
        // A filter may kill this process for the call, which cannot be determined without making
        // it.
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

    /// False if its descriptors may not be copied.
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
                    // It was closed after it was listed.
                    continue
                }
            }
            return true
        } catch {
            if error.isShortage || SampleBudget.isExceeded(error) { throw error }
            // A process that has exited has no connections.
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
