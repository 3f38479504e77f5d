import SuperviseLinux
import SuperviseSettings

/// A socket that workers of a pool get, with its name in `LISTEN_FDNAMES`.
struct PoolListener {
    let socket: ListenSocket
    let name: String
}

/// A socket that stays open as long as workers hold it.
private struct LeavingSocket {
    let identity: FileIdentity
    private(set) weak var socket: ListenSocket?

    init(_ socket: ListenSocket) {
        self.socket = socket
        identity = socket.identity
    }
}

/// The sockets that the master holds. Each is opened once, however many generations use it.
///
/// Descriptors that were open when the program started are adopted once and kept until it ends:
/// they do not belong to the master, and another file could get the number of a closed one.
final class Listeners {
    /// The identity of a `bind`. Port 0 requests a new port for each such line, so its identity
    /// includes the pool and the position.
    fileprivate struct Key: Hashable, Codable {
        let address: BindAddress
        var pool = ""
        var position = 0

        init(_ address: BindAddress, pool: String, position: Int) {
            self.address = address
            if case .tcp(_, port: 0) = address {
                self.pool = pool
                self.position = position
            }
        }
    }

    let passed: [PassedDescriptor]
    private let inherited: Set<Int32>
    private var adopted: [Int32: ListenSocket] = [:]
    private var sockets: [Key: [ListenSocket]] = [:]
    /// Sockets that no generation uses any longer, and that old workers may still serve.
    private var leaving: [Key: [LeavingSocket]] = [:]
    private var closed: Set<FileIdentity> = []
    /// Sockets that do not refuse new connections yet.
    private(set) var closing: [ListenSocket] = []

    /// The state, except the sockets, which are identified by their descriptors, for another
    /// program of this process.
    struct State: Codable {
        fileprivate struct Entry: Codable {
            let key: Key
            let numbers: [Int32]
        }

        var passed: [PassedDescriptor]
        var inherited: Set<Int32>
        fileprivate var adopted: [Int32]
        fileprivate var sockets: [Entry]
        fileprivate var leaving: [Entry]?
        fileprivate var closed: Set<FileIdentity>
    }

    var state: State {
        State(
            passed: passed, inherited: inherited, adopted: adopted.keys.sorted(),
            sockets: sockets.map { .init(key: $0.key, numbers: $0.value.map(\.rawValue)) },
            leaving: leaving.map {
                .init(key: $0.key, numbers: $0.value.compactMap { $0.socket?.rawValue })
            }, closed: closed)
    }

    /// Every socket that is held.
    var all: [ListenSocket] { Array(adopted.values) + sockets.values.flatMap { $0 } }

    /// Continues with the sockets of another program of this process, by their descriptors.
    init(resuming state: State, _ known: [Int32: ListenSocket]) {
        passed = state.passed
        inherited = state.inherited
        adopted = known.filter { state.adopted.contains($0.key) }
        for entry in state.sockets { sockets[entry.key] = entry.numbers.compactMap { known[$0] } }
        for entry in state.leaving ?? [] {
            leaving[entry.key] = entry.numbers.compactMap { known[$0].map(LeavingSocket.init) }
        }
        closed = state.closed
        closing = known.values.filter { !$0.isRefusing }
    }

    /// Starts without sockets. `passed` are those of the service manager; `inherited` are the
    /// descriptors that were open when the program started.
    init(passed: [PassedDescriptor], inherited: Set<Int32>) {
        self.passed = passed
        self.inherited = inherited
    }

    /// Returns the sockets of a pool, in the order of `bind`, and opens the missing ones. During a
    /// trial they accept no connections until they are readmitted, because the connections would be
    /// reset if the trial failed.
    func open(
        _ pool: PoolSettings, names: ResolvedNames, onTrial: Bool
    ) throws(ListenFailure) -> [PoolListener] {
        var opened: [PoolListener] = []
        for (position, address) in pool.binds.enumerated() {
            let key = Key(address, pool: pool.name, position: position)
            let found: [ListenSocket]
            if let known = sockets[key], !known.contains(where: isLost) {
                found = known
            } else if let held = takeBack(key) {
                found = held
                sockets[key] = held
            } else {
                found = try open(address, pool, names, onTrial: onTrial)
                sockets[key] = found
                if onTrial { closeForTrial(found) }
            }
            let name = if case .systemd(let name) = address { name } else { pool.name }
            opened += found.map { PoolListener(socket: $0, name: name) }
        }
        return opened
    }

    /// An address is not free as long as an old worker has the listener; a path is.
    private func takeBack(_ key: Key) -> [ListenSocket]? {
        guard let left = leaving.removeValue(forKey: key) else { return nil }
        let held = left.compactMap(\.socket)
        let isUsable = !held.isEmpty && held.allSatisfy { $0.file == nil && !isLost($0) }
        return isUsable ? held : nil
    }

    /// Makes the socket refuse new connections. If this is not complete immediately, the socket is
    /// in `closing`, and a later call of `continueClosing` completes it.
    func close(_ socket: ListenSocket) throws(SystemCallError) {
        try socket.refuseNewConnections()
        let isNew = closed.insert(socket.identity).inserted
        if isNew, !socket.isRefusing { closing.append(socket) }
    }

    /// If this is not possible, clients can connect during the trial: without CAP_NET_ADMIN to a
    /// listener on demand, which does not listen yet, and to an abstract name.
    private func closeForTrial(_ sockets: [ListenSocket]) {
        for socket in sockets where !socket.isAdopted {
            if socket.refusedFromStart || socket.file != nil {
                closed.insert(socket.identity)
            } else if !socket.isUnix, !socket.listensOnDemand {
                do throws(SystemCallError) {
                    try close(socket)
                } catch {
                    continue
                }
            }
        }
    }

    /// Continues with those in `closing`. Returns the ones that fail, which accept connections as
    /// before. `isLast` abandons all that are not closed yet.
    func continueClosing(isLast: Bool) -> [(ListenSocket, SystemCallError)] {
        var failures: [(ListenSocket, SystemCallError)] = []
        let pending = closing
        closing = []
        for socket in pending where closed.contains(socket.identity) {
            do throws(SystemCallError) {
                try socket.continueRefusing(isLast: isLast)
                if !socket.isRefusing { closing.append(socket) }
            } catch {
                closed.remove(socket.identity)
                failures.append((socket, error))
            }
        }
        return failures
    }

    /// Reopens a closed socket that is needed again, unless it is lost. If this fails, it stays
    /// closed.
    func readmit(_ socket: ListenSocket) throws(SystemCallError) {
        guard isClosed(socket), !isLost(socket) else { return }
        try socket.admitNewConnections()
        closed.remove(socket.identity)
    }

    /// Returns whether it refuses new connections.
    func isClosed(_ socket: ListenSocket) -> Bool { closed.contains(socket.identity) }

    /// Records that it was shut down permanently. The next reload opens its address again.
    func giveUp(_ socket: ListenSocket) { closed.insert(socket.identity) }

    /// Returns whether the socket's address no longer leads to it: its file was removed, or it was
    /// shut down permanently.
    private func isLost(_ socket: ListenSocket) -> Bool {
        socket.isUnix && socket.file?.hiding == nil && closed.contains(socket.identity)
    }

    /// Releases all sockets except these, and removes the files of the released ones. A socket
    /// stays open as long as a worker serves it.
    func keep(_ kept: [ListenSocket]) -> [SystemCallError] {
        let identities = Set(kept.map(\.identity))
        var failures: [SystemCallError] = []
        forgetClosed()
        for (key, held) in sockets
        where !held.contains(where: { identities.contains($0.identity) }) {
            sockets[key] = nil
            leaving[key] = held.map(LeavingSocket.init)
            for socket in held {
                do throws(SystemCallError) {
                    try socket.removeIfStillOurs()
                } catch {
                    failures.append(error)
                }
            }
        }
        return failures
    }

    private func forgetClosed() {
        for (key, left) in leaving where left.allSatisfy({ $0.socket == nil }) {
            leaving[key] = nil
            closed.subtract(left.map(\.identity))
        }
    }

    private func open(
        _ address: BindAddress, _ pool: PoolSettings, _ names: ResolvedNames, onTrial: Bool
    ) throws(ListenFailure) -> [ListenSocket] {
        let backlog = Int32(clamping: pool.backlog)
        switch address {
        case .tcp(let host, let port):
            return try openTCP(names.hosts[host] ?? [host], port, pool, onTrial: onTrial)
        case .unix(let path):
            return [try openUnix(path, pool, names, onTrial: onTrial)]
        case .abstract(let name):
            return [try .abstract(name: name, backlog: backlog, nonblocking: pool.nonblocking)]
        case .descriptor(let number):
            return [try adopt(number)]
        case .systemd(let name):
            var found: [ListenSocket] = []
            for socket in passed where socket.name == name {
                found.append(try adopt(socket.number))
            }
            guard !found.isEmpty else {
                throw ListenFailure(address: "systemd:\(name)", reason: .notPassed)
            }
            return found
        }
    }

    /// Opens all addresses of a name. Many programs serve only one, by the descriptor or by their
    /// own choice of address, and clients of the others would wait without limit. So only the first
    /// listens from the start, and the others listen once a worker does.
    private func openTCP(
        _ hosts: [String], _ port: UInt16, _ pool: PoolSettings, onTrial: Bool
    ) throws(ListenFailure) -> [ListenSocket] {
        var opened: [ListenSocket] = []
        for (place, host) in hosts.enumerated() {
            do throws(ListenFailure) {
                opened.append(
                    try ListenSocket.tcp(
                        host: host, port: opened.first?.port ?? port,
                        backlog: Int32(clamping: pool.backlog), nonblocking: pool.nonblocking,
                        onDemand: !opened.isEmpty, refusing: onTrial))
            } catch {
                // The name's other addresses may be unavailable on this machine, such as ::1 if
                // IPv6 is disabled.
                let isLast = place == hosts.count - 1 && opened.isEmpty
                guard error.isOfNoAddressHere, !isLast else { throw error }
            }
        }
        return opened
    }

    private func openUnix(
        _ path: String, _ pool: PoolSettings, _ names: ResolvedNames, onTrial: Bool
    ) throws(ListenFailure) -> ListenSocket {
        let owner = names.socketOwners[pool.name]
        do throws(ListenFailure) {
            return try ListenSocket.unix(
                path: path, mode: pool.socketMode, owner: owner?.uid, group: owner?.gid,
                backlog: Int32(clamping: pool.backlog), nonblocking: pool.nonblocking,
                hidden: onTrial)
        } catch {
            guard case .call(let call) = error.reason, call.call == "chown",
                let written = pool.socketOwner
            else { throw error }
            throw ListenFailure(address: error.address, reason: .owner(written, call))
        }
    }

    private func adopt(_ number: Int32) throws(ListenFailure) -> ListenSocket {
        if let socket = adopted[number] { return socket }
        guard inherited.contains(number) else {
            throw ListenFailure(address: "fd://\(number)", reason: .notOpen)
        }
        let socket = try ListenSocket.adopt(number)
        adopted[number] = socket
        return socket
    }
}
