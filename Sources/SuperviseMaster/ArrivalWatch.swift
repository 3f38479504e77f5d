import SuperviseLinux

/// Announces connections that arrive at the listeners of elastic pools, once per arming.
///
/// Its epoll set is separate, because a descriptor has one registration per set, and that of a
/// listener in the master's set reports its shutdown. It is not exclusive (EPOLLEXCLUSIVE), so it
/// takes no wakeup from a worker. While a registration is disarmed, connections wake nobody here.
final class ArrivalWatch {
    private struct Entry {
        private(set) weak var socket: ListenSocket?
        let identity: FileIdentity
        var pool: Int
    }

    private let poll: EventPoll
    private var entries: [UInt64: Entry] = [:]
    private var lastSerial: UInt64 = 0

    /// Creates an empty watch. Fails as epoll_create1(2).
    init() throws(SystemCallError) {
        poll = try EventPoll()
    }

    /// The descriptor that is readable when a connection is announced.
    var rawValue: Int32 { poll.rawValue }

    /// Arms the registrations of these listeners, which are all that a pool has. One that does not
    /// listen yet would be reported as ended.
    func arm(pool: Int, _ sockets: [ListenSocket]) throws(SystemCallError) {
        for (serial, entry) in entries where entry.pool == pool || entry.socket == nil {
            guard let socket = entry.socket, sockets.contains(where: { $0 === socket }) else {
                forget(serial, entry)
                continue
            }
        }
        for socket in sockets where socket.isListening {
            let known = entries.first { $0.value.identity == socket.identity }?.key
            if let serial = known {
                entries[serial]?.pool = pool
                try poll.modify(socket.rawValue, .arrival, token: serial)
            } else {
                lastSerial += 1
                try poll.add(socket.rawValue, .arrival, token: lastSerial)
                entries[lastSerial] = Entry(
                    socket: socket, identity: socket.identity, pool: pool)
            }
        }
    }

    /// Returns the pools at whose listeners connections have arrived.
    func take() throws(SystemCallError) -> [Int] {
        let arrivals = try poll.wait(timeoutMilliseconds: 0)
            .filter { $0.events.contains(.readable) }
        return Set(arrivals.compactMap { entries[$0.token]?.pool }).sorted()
    }

    /// If the listener was closed, its registration is gone, or reports once more at most.
    private func forget(_ serial: UInt64, _ entry: Entry) {
        entries[serial] = nil
        guard let socket = entry.socket else { return }
        do throws(SystemCallError) {
            try poll.remove(socket.rawValue)
        } catch {
            return
        }
    }
}
