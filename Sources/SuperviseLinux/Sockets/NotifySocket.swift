import CSupervise
import Glibc

/// A message of sd_notify(3) and its sender.
public struct NotifyDatagram: Hashable, Sendable {
    /// The process ID of the sender at that time; 0 if it is in a pid namespace that we do not see.
    public let pid: Int32
    /// The sender's user.
    public let uid: UInt32
    /// The content, at most 4096 bytes.
    public let bytes: [UInt8]
    /// The address for a response: the sender's name in the abstract namespace (unix(7)). Empty if
    /// it has none.
    public let sender: [UInt8]
}

/// The receiving end of sd_notify(3): a datagram socket with a path in a protected directory
/// (`NotifyFolder`), or otherwise with an abstract name (unix(7)), which is not protected. The
/// sender must be checked in both cases.
public final class NotifySocket: Sendable {
    private static let roomBytes = 4096
    private let descriptor: FileDescriptor
    /// The path of its file, if any.
    public let path: String?
    /// The value for NOTIFY_SOCKET; empty if another program created the socket.
    public let address: String

    /// Creates a socket at this path, to which any process that knows and reaches it can send.
    /// Fails as socket(2), bind(2) and rename(2).
    public convenience init(path: String) throws(SystemCallError) {
        // In a directory of another user, a later chmod could follow a link.
        let mask = umask(0)
        defer { umask(mask) }
        // The kernel shows all users the name that a socket was bound to (/proc/net/unix).
        let shown = "\(Self.folder(of: path))/new"
        unlink(shown)
        try self.init(SocketAddress(unix: shown, abstract: false), path: path, address: path)
        do throws(SystemCallError) {
            try systemCall("rename") { rename(shown, path) }
        } catch {
            unlink(shown)
            throw error
        }
    }

    /// Creates a socket whose abstract name contains this nonce. Fails as socket(2) and bind(2).
    public convenience init(nonce: String) throws(SystemCallError) {
        let name = "supervise/\(nonce)"
        try self.init(SocketAddress(unix: name, abstract: true), path: nil, address: "@\(name)")
    }

    private init(
        _ place: SocketAddress, path: String?, address: String
    ) throws(SystemCallError) {
        self.path = path
        self.address = address
        let type = Int32(SOCK_DGRAM.rawValue) | closeOnExec | nonBlocking
        let number = try systemCall("socket") { socket(AF_UNIX, type, 0) }
        descriptor = FileDescriptor(owning: number)
        // Set before the socket has a name, so that every datagram carries credentials.
        try systemCall("setsockopt") { csupervise_pass_credentials(number) }
        try ListenSocket.bind(number, to: place)
    }

    /// Takes over a socket that this process created before it executed a new version.
    public init(resuming descriptor: consuming FileDescriptor, path: String?) {
        self.descriptor = descriptor
        self.path = path
        address = path ?? ""
    }

    private static func folder(of path: String) -> Substring {
        path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
    }

    /// Removes its file.
    public func remove() {
        if let path { unlink(path) }
    }

    /// The descriptor, readable while a datagram waits.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Receives at most `limit` datagrams, which bounds the cost of a flooding sender per loop
    /// iteration. Descriptors sent along are closed, which is all that `BARRIER=1` requires.
    public func receive(limit: Int) -> [NotifyDatagram] {
        var received: [NotifyDatagram] = []
        var buffer = [UInt8](repeating: 0, count: Self.roomBytes)
        while received.count < limit {
            var sender = csupervise_datagram()
            let count = csupervise_receive_datagram(
                descriptor.rawValue, &buffer, buffer.count, &sender)
            // After a shortage of memory, the socket is still readable in the next iteration.
            if count < 0 { break }
            received.append(
                NotifyDatagram(
                    pid: sender.pid, uid: sender.uid, bytes: Array(buffer.prefix(count)),
                    sender: sender.abstractName))
        }
        return received
    }

    /// Responds to a datagram and sends a copy of this descriptor (SCM_RIGHTS). Never blocks: fails
    /// with EAGAIN if the sender does not read its responses, ECONNREFUSED if it has exited, EINVAL
    /// if it has no abstract name, ETOOMANYREFS if too many descriptors are in flight.
    public func answer(
        _ datagram: NotifyDatagram, _ text: String, with descriptor: Int32?
    ) throws(SystemCallError) {
        let bytes = Array(text.utf8)
        // Caused by the sender, so it is not a bug here.
        let result = csupervise_send_descriptor(
            rawValue, datagram.sender, UInt32(datagram.sender.count), bytes, bytes.count,
            descriptor ?? -1)
        guard result == 0 else { throw SystemCallError(call: "sendmsg", code: errno) }
    }
}

extension csupervise_datagram {
    fileprivate var abstractName: [UInt8] {
        withUnsafeBytes(of: name) { Array($0.prefix(Int(name_length))) }
    }
}
