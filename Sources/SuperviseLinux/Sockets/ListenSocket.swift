import CSupervise
import Glibc

/// A failure to listen on an address.
public struct ListenFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The reason.
    public enum Reason: Hashable, Sendable {
        /// A system call failed.
        case call(SystemCallError)
        /// The owner of the file of a unix socket cannot be changed (chown(2)).
        case owner(String, SystemCallError)
        /// The path of a unix socket is a file of another type, which is never removed.
        case notASocket
        /// No passed socket has this name.
        case notPassed
        /// An inherited descriptor that is not open.
        case notOpen
        /// An inherited descriptor that is not a listening stream socket.
        case notListening
    }

    /// The address as written by the operator.
    public let address: String
    /// The reason.
    public let reason: Reason
    /// The process that uses the address, if it is known.
    public let holder: String?

    /// Creates a failure.
    public init(address: String, reason: Reason, holder: String? = nil) {
        self.address = address
        self.reason = reason
        self.holder = holder
    }

    /// `cannot listen on 127.0.0.1:8000: Address already in use`.
    public var description: String {
        let text =
            switch reason {
            case .call(let error): error.message + hint(error)
            case .owner(let owner, let error):
                "socket-owner: \(owner): \(error.message)"
                    + (error.kind == .notPermitted ? "; only root may give files away" : "")
            case .notASocket: "a file that is not a socket exists at this path"
            case .notPassed: "no socket with this name was passed to the master"
            case .notOpen: "this descriptor is not open"
            case .notListening: "this descriptor is not a listening stream socket"
            }
        return "cannot listen on \(address): \(text)"
    }

    private func hint(_ error: SystemCallError) -> String {
        guard error.call == "bind" else { return "" }
        switch error.code {
        case EADDRINUSE: return holder.map { "; \($0) listens there" } ?? ""
        case EADDRNOTAVAIL: return "; no interface of this machine has this address"
        case EACCES where !address.hasPrefix("unix:"):
            return
                "; ports below 1024 need CAP_NET_BIND_SERVICE (AmbientCapabilities= of systemd), or "
                + "a socket that systemd passes in (supervise help systemd)"
        default: return ""
        }
    }
}

extension ListenFailure {
    /// Whether this machine lacks the address or its family.
    public var isOfNoAddressHere: Bool {
        guard case .call(let error) = reason else { return false }
        return [EADDRNOTAVAIL, EAFNOSUPPORT].contains(error.code)
    }
}

/// The identity of a file or socket (inode(7)).
public struct FileIdentity: Hashable, Sendable, Codable {
    /// st_dev.
    public let device: UInt64
    /// st_ino.
    public let inode: UInt64

    /// Creates an identity.
    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    init(_ status: stat) {
        self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}

/// A listening stream socket, close-on-exec; closed when the last reference goes.
public final class ListenSocket {
    /// The file of a unix socket that this process created.
    public struct File: Hashable, Sendable, Codable {
        /// The path.
        public let path: String
        /// The inode that was created; another server may have replaced the file.
        public let identity: FileIdentity
        /// Where the file is while clients must not find it, and what is at `path` meanwhile.
        public internal(set) var hiding: Hiding?

        /// Creates a record of this path and inode.
        public init(path: String, identity: FileIdentity) {
            self.path = path
            self.identity = identity
        }
    }

    /// The hiding place of the file of a unix socket.
    public struct Hiding: Hashable, Sendable, Codable {
        /// The path of the file.
        public let path: String
        /// The file in its place, of a socket that refuses all connections.
        let standIn: FileIdentity
    }

    /// The bound address, with the port that the kernel chose for port 0: `127.0.0.1:8000`,
    /// `[::1]:8000`, `unix:/run/app.sock`, `unix:@name`.
    public let address: String
    /// The inode of the socket, which identifies descriptors of it in other processes.
    public let identity: FileIdentity
    /// The file of the unix socket to remove, if any.
    public internal(set) var file: File?
    /// Whether it was passed in. Such a socket is never shut down, unlinked or relistened.
    public let isAdopted: Bool
    /// Whether it is bound but listens only once a worker listens on it.
    public let listensOnDemand: Bool
    /// The parsed address; nil for a family that a program cannot bind by accident.
    let place: ListenAddress?
    /// The bytes of the address.
    let bound: [UInt8]
    /// IPV6_V6ONLY (ipv6(7)).
    let isIPv6Only: Bool
    /// The network namespace of the socket, if the kernel reports it.
    let namespace: UInt64?
    /// Whether `refuseNewConnections` is known to be possible.
    public let isClosable: Bool
    /// The socket whose file stands in for the hidden one.
    var standIn: OwnedDescriptor?
    /// Whether it never accepted a connection, because a filter was in place before.
    public internal(set) var refusedFromStart = false
    /// The mechanism that blocks new connections if a filter is not permitted.
    var overflow: OverflowListener?
    private let descriptor: FileDescriptor

    init(
        _ descriptor: consuming FileDescriptor, file: File?, isAdopted: Bool,
        isClosable: Bool = true, listensOnDemand: Bool = false
    ) throws(SystemCallError) {
        var status = stat()
        let number = descriptor.rawValue
        try systemCall("fstat") { fstat(number, &status) }
        let bound = try SocketAddress(boundBy: number)
        address = bound.text
        place = ListenAddress(bound.bytes)
        self.bound = bound.bytes
        isIPv6Only =
            bound.family == AF_INET6
            && SocketOption.int(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY) == 1
        namespace = SocketOption.namespace(number)
        identity = FileIdentity(status)
        self.file = file
        self.isAdopted = isAdopted
        self.isClosable = isClosable
        self.listensOnDemand = listensOnDemand
        self.descriptor = descriptor
    }

    deinit {
        if !csupervise_is_held(descriptor.rawValue) { endIfSteered() }
    }

    /// The descriptor, valid while this object lives.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Listens on a numeric host. TCP_NODELAY and SO_KEEPALIVE are set because accepted sockets
    /// inherit them (tcp(7)). `[::]` is IPv6-only, so that `0.0.0.0` can be bound as well. With
    /// `onDemand`, it is bound but does not listen yet. With `refusing`, it refuses new connections
    /// from the start if a filter is permitted.
    public static func tcp(
        host: String, port: UInt16, backlog: Int32, nonblocking: Bool = false,
        onDemand: Bool = false, refusing: Bool = false
    ) throws(ListenFailure) -> ListenSocket {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        return try named(name, holder: { ListenHolder.ofPort(port) }) {
            () throws(SystemCallError) in
            let address = try SocketAddress(numericHost: host, port: port)
            let descriptor = try open(address.family, nonblocking: nonblocking)
            let number = descriptor.rawValue
            try SocketOption.set(number, SOL_SOCKET, SO_REUSEADDR, 1)
            try SocketOption.set(number, SOL_SOCKET, SO_KEEPALIVE, 1)
            try SocketOption.set(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            if address.family == AF_INET6 {
                try SocketOption.set(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1)
            }
            let isClosable = canRefuseNewConnections(number)
            try bind(descriptor.rawValue, to: address)
            let isRefused = refusing && csupervise_drop_new_connections(number) == 0
            if !onDemand { try systemCall("listen") { listen(descriptor.rawValue, backlog) } }
            let socket = try ListenSocket(
                descriptor, file: nil, isAdopted: false, isClosable: isClosable,
                listensOnDemand: onDemand)
            socket.refusedFromStart = isRefused
            return socket
        }
    }

    /// Listens on a name in the abstract namespace (unix(7)), which has no file and no mode.
    public static func abstract(
        name: String, backlog: Int32, nonblocking: Bool = false
    ) throws(ListenFailure) -> ListenSocket {
        try named("unix:@\(name)") { () throws(SystemCallError) in
            let descriptor = try open(AF_UNIX, nonblocking: nonblocking)
            try bind(descriptor.rawValue, to: SocketAddress(unix: name, abstract: true))
            try systemCall("listen") { listen(descriptor.rawValue, backlog) }
            return try ListenSocket(descriptor, file: nil, isAdopted: false)
        }
    }

    /// Whether a connection waits to be accepted (poll(2)).
    public var hasWaitingConnection: Bool {
        var entry = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLIN) != 0
    }

    /// Takes over a listening socket that was passed in. It gets close-on-exec and is otherwise
    /// unchanged.
    public static func adopt(_ number: Int32) throws(ListenFailure) -> ListenSocket {
        let name = "fd://\(number)"
        // The operator chose the number, so EBADF is not a bug here.
        guard number >= 0, fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else {
            throw ListenFailure(address: name, reason: .notOpen)
        }
        guard SocketOption.int(number, SOL_SOCKET, SO_TYPE) == streamType,
            SocketOption.int(number, SOL_SOCKET, SO_ACCEPTCONN) == 1
        else {
            throw ListenFailure(address: name, reason: .notListening)
        }
        return try named(name) { () throws(SystemCallError) in
            try ListenSocket(FileDescriptor(owning: number), file: nil, isAdopted: true)
        }
    }

    /// Takes over a listener that this process had before it executed a new version.
    public static func resume(
        _ descriptor: consuming FileDescriptor, file: File?, isAdopted: Bool,
        steering: Steering? = nil, listensOnDemand: Bool = false
    ) throws(SystemCallError) -> ListenSocket {
        let socket = try ListenSocket(
            descriptor, file: file, isAdopted: isAdopted, listensOnDemand: listensOnDemand)
        if let steering { socket.overflow = try OverflowListener(resuming: steering.state) }
        return socket
    }

    /// Restores the length of the accept queue, which every holder of the socket can change
    /// (listen(2)). No effect on an adopted socket.
    public func resetBacklog(_ backlog: Int32) throws(SystemCallError) {
        guard !isAdopted, isListening else { return }
        try systemCall("listen") { listen(descriptor.rawValue, backlog) }
    }

    static func named<Value>(
        _ address: String, holder: () -> String? = { nil },
        _ body: () throws(SystemCallError) -> Value
    ) throws(ListenFailure) -> Value {
        do {
            return try body()
        } catch {
            throw ListenFailure(
                address: address, reason: .call(error),
                holder: error.kind == .addressInUse ? holder() : nil)
        }
    }

    static func open(
        _ family: Int32, nonblocking: Bool
    ) throws(SystemCallError) -> FileDescriptor {
        let type = streamType | closeOnExec | (nonblocking ? nonBlocking : 0)
        return FileDescriptor(owning: try systemCall("socket") { socket(family, type, 0) })
    }

    static func bind(_ number: Int32, to address: SocketAddress) throws(SystemCallError) {
        try systemCall("bind") { address.withPointer { Glibc.bind(number, $0, $1) } }
    }
}
