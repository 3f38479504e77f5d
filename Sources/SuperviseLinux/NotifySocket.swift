import CSupervise
import Glibc

/// A message of sd_notify(3), and who sent it.
public struct NotifyDatagram: Hashable, Sendable {
    /// The sender when it sent, 0 when it lives in a pid namespace that we don't see.
    public let pid: Int32
    /// The sender's user.
    public let uid: UInt32
    /// What it says, at most 4096 bytes.
    public let bytes: [UInt8]
    /// Whether it said more than that.
    public let isTruncated: Bool
    /// Where the sender can be answered: its name in the abstract namespace (unix(7)). Empty when it
    /// has none.
    public let sender: [UInt8]

    /// The bytes as text.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// The receiving end of sd_notify(3): a datagram socket with a path in a folder that guards it
/// (`NotifyFolder`), or else with an abstract name (unix(7)), which is guarded by nothing. Check the
/// sender all the same.
public final class NotifySocket: Sendable {
    private static let roomBytes = 4096
    private let descriptor: FileDescriptor
    /// The path of its file, if it has one.
    public let path: String?
    /// What NOTIFY_SOCKET is to be; empty where another program made the socket.
    public let address: String

    /// A socket at this path, to which whoever knows and reaches it may send. Fails as socket(2), bind(2)
    /// and rename(2) do.
    public convenience init(path: String) throws(SystemCallError) {
        // In a folder of another user a later chmod could be led astray.
        let mask = umask(0)
        defer { umask(mask) }
        // The kernel shows everybody the name that a socket was bound to (/proc/net/unix).
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

    /// A socket whose abstract name has this nonce. Fails as socket(2) and bind(2) do.
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
        // Before there is a name to send to: no datagram comes without credentials.
        try systemCall("setsockopt") { csupervise_pass_credentials(number) }
        try ListenSocket.bind(number, to: place)
    }

    /// Takes over a socket that this process made before it executed a new version of itself.
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

    /// Takes what has arrived, at most `limit` datagrams: a flooding sender costs a turn no more
    /// than that. Descriptors sent along are closed, which is all that `BARRIER=1` asks.
    public func receive(limit: Int) -> [NotifyDatagram] {
        var received: [NotifyDatagram] = []
        var buffer = [UInt8](repeating: 0, count: Self.roomBytes)
        while received.count < limit {
            var sender = csupervise_datagram()
            let count = csupervise_receive_datagram(
                descriptor.rawValue, &buffer, buffer.count, &sender)
            // Whatever the want of memory was, the socket is still readable at the next turn.
            if count < 0 { break }
            received.append(
                NotifyDatagram(
                    pid: sender.pid, uid: sender.uid, bytes: Array(buffer.prefix(count)),
                    isTruncated: sender.truncated != 0, sender: sender.abstractName))
        }
        return received
    }

    /// Answers a datagram, and sends a copy of this descriptor along (SCM_RIGHTS). Never waits: fails
    /// with EAGAIN when the sender does not take its answers, ECONNREFUSED when it is gone, EINVAL when
    /// it has no abstract name, ETOOMANYREFS when too many descriptors are on their way.
    public func answer(
        _ datagram: NotifyDatagram, _ text: String, with descriptor: Int32?
    ) throws(SystemCallError) {
        let bytes = Array(text.utf8)
        // The sender's doing, and no mistake of ours.
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
