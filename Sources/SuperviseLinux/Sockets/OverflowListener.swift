import CSupervise
import Glibc

/// A second listener on the address of a TCP listener, with a full accept queue. The kernel directs
/// every new connection to it and, because the queue is full, drops the segment that requests the
/// connection (listen(2)). The first listener's queue and handshakes are not affected.
///
/// It needs no privileges: SO_REUSEPORT lets sockets of one user share an address (socket(7)),
/// and a program selects the one that gets a connection. The following order keeps clients out of
/// the second queue:
///
/// 1. The second listener joins while the program directs everything to the first.
/// 2. Connections of our own fill its queue; the program directs only these to it.
/// 3. The program directs every new connection to it.
///
/// A handshake that the first listener began with a SYN cookie (during a SYN flood) and that
/// completes while the second listener joins is refused, because a group does not know what its
/// members sent before.
///
/// Meanwhile, another process of the same user can join with SO_REUSEPORT, and receives nothing
/// until both listeners are closed. Processes of other users are refused as usual (EADDRINUSE of
/// bind(2)).
final class OverflowListener {
    /// The state that another program of this process needs to continue with it.
    struct State: Codable {
        fileprivate var listener: Int32
        fileprivate var fillers: [Int32]
        fileprivate var index: UInt32
        fileprivate var isSteering: Bool
        fileprivate var wasShared: Bool

        var descriptors: [Int32] { [listener] + fillers }
    }

    /// A full queue holds one connection more than its limit (sk_acceptq_is_full in the kernel).
    /// With a limit of 0, some kernels would treat every SYN as a flood and log it.
    private static let backlog: Int32 = 1
    /// The limit of sockets that joined before: a worker can set SO_REUSEPORT on its listener.
    private static let highestIndex: UInt32 = 16

    private let listener: OwnedDescriptor
    private var fillers: [OwnedDescriptor] = []
    private var index: UInt32 = 1
    /// Whether the last filler connection was missing from the queue at the last check.
    private var isDoubted = false
    /// Whether new connections are blocked.
    private(set) var isSteering = false
    /// Whether the first listener had SO_REUSEPORT set before.
    private let wasShared: Bool

    /// Joins the address of the listener. Fails as setsockopt(2), bind(2) and listen(2), and then
    /// leaves the listener unchanged.
    init(joining first: Int32, isIPv6Only: Bool) throws(SystemCallError) {
        let address = try SocketAddress(boundBy: first)
        let descriptor = try ListenSocket.open(address.family, nonblocking: true)
        let number = descriptor.rawValue
        listener = OwnedDescriptor(descriptor)
        wasShared = SocketOption.int(first, SOL_SOCKET, SO_REUSEPORT) == 1
        try SocketOption.set(number, SOL_SOCKET, SO_REUSEADDR, 1)
        try SocketOption.set(number, SOL_SOCKET, SO_REUSEPORT, 1)
        if address.family == AF_INET6 {
            try SocketOption.set(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, isIPv6Only ? 1 : 0)
        }
        try SocketOption.set(first, SOL_SOCKET, SO_REUSEPORT, 1)
        do throws(SystemCallError) {
            // Not possible on a listener without a group. The group is then created when the second
            // listener listens, which receives its share of connections until the next step.
            let isPrepared = csupervise_steer(first, 0) == 0
            try ListenSocket.bind(number, to: address)
            try systemCall("listen") { listen(number, OverflowListener.backlog) }
            if !isPrepared {
                try systemCall("setsockopt") { csupervise_steer(first, 0) }
            }
        } catch {
            try SocketOption.set(first, SOL_SOCKET, SO_REUSEPORT, wasShared ? 1 : 0)
            throw error
        }
    }

    /// Continues what another program of this process began.
    init(resuming state: State) throws(SystemCallError) {
        listener = OwnedDescriptor(try HandedDescriptors.take(state.listener))
        for number in state.fillers {
            fillers.append(OwnedDescriptor(try HandedDescriptors.take(number)))
        }
        (index, isSteering, wasShared) = (state.index, state.isSteering, state.wasShared)
    }

    var state: State {
        State(
            listener: listener.rawValue, fillers: fillers.map(\.rawValue), index: index,
            isSteering: isSteering, wasShared: wasShared)
    }

    /// Fills the queue as far as possible now, which is immediate over loopback, and then directs
    /// new connections to it. Call it until `isSteering`. Fails with EADDRINUSE if its queue cannot
    /// be found among others, and as connect(2).
    func fill() throws(SystemCallError) {
        while !isSteering {
            if try isFull {
                try systemCall("setsockopt") { csupervise_steer(listener.rawValue, index) }
                isSteering = true
                return
            }
            if let last = fillers.last, try !settle(last.rawValue) { return }
            guard index <= OverflowListener.highestIndex else {
                throw SystemCallError(call: "setsockopt", code: EADDRINUSE)
            }
            fillers.append(try connect())
        }
    }

    /// Whether the next filler connection can be made now.
    private func settle(_ filler: Int32) throws(SystemCallError) -> Bool {
        guard try isConnected(filler) else { return false }
        if try waiting >= fillers.count {
            isDoubted = false
            return true
        }
        // It is in transit, or in the queue of another socket that joined before.
        guard wasShared else { return false }
        isDoubted.toggle()
        guard !isDoubted else { return false }
        fillers.removeLast()
        index += 1
        return true
    }

    /// Directs all new connections to the first listener again.
    func undo(for first: Int32) throws(SystemCallError) {
        try systemCall("setsockopt") { csupervise_steer(first, 0) }
        try SocketOption.set(first, SOL_SOCKET, SO_REUSEPORT, wasShared ? 1 : 0)
    }

    /// Shuts down the first listener for all holders, so that it receives nothing when the second
    /// is closed.
    func end(_ first: Int32) {
        shutdown(first, Int32(SHUT_RD))
    }

    private var isFull: Bool {
        get throws(SystemCallError) { try waiting > Int(OverflowListener.backlog) }
    }

    private var waiting: Int {
        get throws(SystemCallError) {
            var waiting: UInt32 = 0
            var limit: UInt32 = 0
            try systemCall("getsockopt") {
                csupervise_tcp_queue(listener.rawValue, &waiting, &limit)
            }
            return Int(waiting)
        }
    }

    private func isConnected(_ number: Int32) throws(SystemCallError) -> Bool {
        var entry = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        guard poll(&entry, 1, 0) == 1 else { return false }
        let code = SocketOption.int(number, SOL_SOCKET, SO_ERROR) ?? 0
        guard code == 0 else { throw SystemCallError(call: "connect", code: code) }
        return true
    }

    /// Connects to the shared address, from that address.
    private func connect() throws(SystemCallError) -> OwnedDescriptor {
        let target = try SocketAddress(boundBy: listener.rawValue).reachable
        let descriptor = try ListenSocket.open(target.family, nonblocking: true)
        let number = descriptor.rawValue
        try ListenSocket.bind(number, to: target.withPort(0))
        let source = try SocketAddress(boundBy: number)
        try systemCall("setsockopt") {
            csupervise_steer_client(
                listener.rawValue, index, (source.port ?? 0).bigEndian, source.lastFourBytes)
        }
        do throws(SystemCallError) {
            try systemCall("connect") { target.withPointer { Glibc.connect(number, $0, $1) } }
        } catch  where error.code == EINPROGRESS {
            // fill() checks it again.
        }
        return OwnedDescriptor(descriptor)
    }
}

extension SocketAddress {
    /// An address that reaches a listener bound to this one: for any host, the loopback address.
    var reachable: SocketAddress {
        var bytes = bytes
        switch family {
        case AF_INET where bytes[4..<8].allSatisfy { $0 == 0 }:
            bytes.replaceSubrange(4..<8, with: [127, 0, 0, 1])
        case AF_INET6 where bytes[8..<24].allSatisfy { $0 == 0 }:
            bytes[23] = 1
        default: break
        }
        return SocketAddress(bytes: bytes)
    }

    func withPort(_ port: UInt16) -> SocketAddress {
        var bytes = bytes
        (bytes[2], bytes[3]) = (UInt8(port >> 8), UInt8(port & 0xFF))
        return SocketAddress(bytes: bytes)
    }

    /// The last bytes of the host address, in network byte order.
    var lastFourBytes: UInt32 {
        let end = family == AF_INET ? 8 : 24
        return bytes[(end - 4)..<end].withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
    }
}
