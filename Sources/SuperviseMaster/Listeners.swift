import SuperviseLinux
import SuperviseSettings

/// A socket that workers of a pool get, with its name in `LISTEN_FDNAMES`.
struct PoolListener {
    let socket: ListenSocket
    let name: String
}

/// A socket that is open as long as workers have it.
private struct LeavingSocket {
    let identity: FileIdentity
    private(set) weak var socket: ListenSocket?

    init(_ socket: ListenSocket) {
        self.socket = socket
        identity = socket.identity
    }
}

/// The sockets that the master holds, each opened once however many generations use it.
///
/// Descriptors that were open when the program started are adopted once and kept until it ends: they
/// are not ours to close, and a number that was closed could come back as something else.
final class Listeners {
    /// Which socket a `bind` means. Port 0 means a new port for every such line, so there the pool
    /// and the position belong to the name.
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
    /// What no generation uses any more, and old workers may still serve.
    private var leaving: [Key: [LeavingSocket]] = [:]
    private var shut: Set<FileIdentity> = []
    /// Those from which new connections are not kept away yet.
    private(set) var shutting: [ListenSocket] = []

    /// All of it but the sockets themselves, which go by their numbers, for another program of this
    /// process to go on with.
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
        fileprivate var shut: Set<FileIdentity>
    }

    var state: State {
        State(
            passed: passed, inherited: inherited, adopted: adopted.keys.sorted(),
            sockets: sockets.map { .init(key: $0.key, numbers: $0.value.map(\.rawValue)) },
            leaving: leaving.map {
                .init(key: $0.key, numbers: $0.value.compactMap { $0.socket?.rawValue })
            }, shut: shut)
    }

    /// Every socket that is held.
    var all: [ListenSocket] { Array(adopted.values) + sockets.values.flatMap { $0 } }

    /// Goes on with the sockets of another program of this process, by their numbers.
    init(resuming state: State, _ known: [Int32: ListenSocket]) {
        passed = state.passed
        inherited = state.inherited
        adopted = known.filter { state.adopted.contains($0.key) }
        for entry in state.sockets { sockets[entry.key] = entry.numbers.compactMap { known[$0] } }
        for entry in state.leaving ?? [] {
            leaving[entry.key] = entry.numbers.compactMap { known[$0].map(LeavingSocket.init) }
        }
        shut = state.shut
        shutting = known.values.filter { !$0.isRefusing }
    }

    /// No sockets yet. `passed` are those of the service manager, `inherited` the descriptors that
    /// were open when the program started.
    init(passed: [PassedDescriptor], inherited: Set<Int32>) {
        self.passed = passed
        self.inherited = inherited
    }

    /// The sockets of a pool, in the order of `bind`; those that are not open yet are opened. On trial
    /// they take no connections before they are readmitted: with the trial these would be reset.
    func open(
        _ pool: PoolSettings, names: ResolvedNames, onTrial: Bool
    ) throws(ListenFailure) -> [PoolListener] {
        var opened: [PoolListener] = []
        for (position, address) in pool.binds.enumerated() {
            let key = Key(address, pool: pool.name, position: position)
            let found: [ListenSocket]
            if let sockets = sockets[key], !sockets.contains(where: isLost) {
                found = sockets
            } else if let held = takeBack(key) {
                found = held
                sockets[key] = held
            } else {
                found = try open(address, pool, names)
                sockets[key] = found
                if onTrial { shutForTrial(found) }
            }
            let name = if case .systemd(let name) = address { name } else { pool.name }
            opened += found.map { PoolListener(socket: $0, name: name) }
        }
        return opened
    }

    /// The address is not free as long as an old worker has the listener; a path is.
    private func takeBack(_ key: Key) -> [ListenSocket]? {
        guard let left = leaving.removeValue(forKey: key) else { return nil }
        let held = left.compactMap(\.socket)
        let isUsable = !held.isEmpty && held.allSatisfy { $0.file == nil && !isLost($0) }
        return isUsable ? held : nil
    }

    /// Takes no new connections on this socket, from now on or, if it is then among those that are
    /// `shutting`, from a later call of `continueShutting` on.
    func shut(_ socket: ListenSocket) throws(SystemCallError) {
        try socket.refuseNewConnections()
        let isNew = shut.insert(socket.identity).inserted
        if isNew, !socket.isRefusing { shutting.append(socket) }
    }

    /// Where that is not possible the trial is as visible to clients as the rest. A unix socket could
    /// not be readmitted.
    private func shutForTrial(_ sockets: [ListenSocket]) {
        for socket in sockets
        where !socket.isAdopted && !socket.isUnix && !socket.listensOnDemand {
            do throws(SystemCallError) {
                try shut(socket)
            } catch {
                continue
            }
        }
    }

    /// Goes on with those that are `shutting`; those that fail, and then take connections as before.
    /// `isLast` gives up all that are still not shut.
    func continueShutting(isLast: Bool) -> [(ListenSocket, SystemCallError)] {
        var failures: [(ListenSocket, SystemCallError)] = []
        let pending = shutting
        shutting = []
        for socket in pending where shut.contains(socket.identity) {
            do throws(SystemCallError) {
                try socket.continueRefusing(isLast: isLast)
                if !socket.isRefusing { shutting.append(socket) }
            } catch {
                shut.remove(socket.identity)
                failures.append((socket, error))
            }
        }
        return failures
    }

    /// Opens what was shut and is wanted again.
    func readmit(_ wanted: [ListenSocket]) throws(SystemCallError) {
        for socket in wanted where shut.remove(socket.identity) != nil {
            try socket.admitNewConnections()
        }
    }

    /// Whether it is kept from taking new connections.
    func isShut(_ socket: ListenSocket) -> Bool { shut.contains(socket.identity) }

    /// It was shut down for good: the next reload opens its address anew.
    func giveUp(_ socket: ListenSocket) { shut.insert(socket.identity) }

    /// Whether the socket's address leads nowhere any more: its file is gone, or it was shut down for
    /// good.
    private func isLost(_ socket: ListenSocket) -> Bool {
        socket.isUnix && shut.contains(socket.identity)
    }

    /// Lets go of all sockets but these, and removes the files of those that go. A socket stays open
    /// as long as a worker is served by it.
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
            shut.subtract(left.map(\.identity))
        }
    }

    private func open(
        _ address: BindAddress, _ pool: PoolSettings, _ names: ResolvedNames
    ) throws(ListenFailure) -> [ListenSocket] {
        let backlog = Int32(clamping: pool.backlog)
        switch address {
        case .tcp(let host, let port):
            return try openTCP(names.hosts[host] ?? [host], port, pool)
        case .unix(let path):
            return [try openUnix(path, pool, names.socketOwners[pool.name])]
        case .abstract(let name):
            return [
                try ListenSocket.abstract(
                    name: name, backlog: backlog, nonblocking: pool.nonblocking)
            ]
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

    /// All addresses of a name. Many programs serve one alone, by the descriptor or by their own
    /// choice of address, and a client of the others would wait for ever; so only the first listens from
    /// the beginning, and the others from when a worker listens on them.
    private func openTCP(
        _ hosts: [String], _ port: UInt16, _ pool: PoolSettings
    ) throws(ListenFailure) -> [ListenSocket] {
        var opened: [ListenSocket] = []
        for (place, host) in hosts.enumerated() {
            do throws(ListenFailure) {
                opened.append(
                    try ListenSocket.tcp(
                        host: host, port: opened.first?.port ?? port,
                        backlog: Int32(clamping: pool.backlog), nonblocking: pool.nonblocking,
                        onDemand: !opened.isEmpty))
            } catch {
                // The name's other addresses need not be this machine's, as ::1 where IPv6 is off.
                let isLast = place == hosts.count - 1 && opened.isEmpty
                guard error.isOfNoAddressHere, !isLast else { throw error }
            }
        }
        return opened
    }

    private func openUnix(
        _ path: String, _ pool: PoolSettings, _ owner: ResolvedNames.Owner?
    ) throws(ListenFailure) -> ListenSocket {
        do throws(ListenFailure) {
            return try ListenSocket.unix(
                path: path, mode: pool.socketMode, owner: owner?.uid, group: owner?.gid,
                backlog: Int32(clamping: pool.backlog), nonblocking: pool.nonblocking)
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
