import CSupervise
import Glibc

/// The master's end of the connection to one worker that is being forked (unix(7), SOCK_SEQPACKET).
/// The kernel names the sender of each message, which is how the master learns the worker's pid.
public final class MoldChannel: Sendable {
    /// What was received.
    public enum Received: Hashable, Sendable {
        /// Nothing yet.
        case nothing
        /// The other end is closed: the worker runs its program, or does not exist.
        case end
        /// A message of the process with this pid.
        case message(MoldMessage, pid: Int32)
    }

    private let socket: MessageSocket

    /// Takes over an end.
    public init(_ descriptor: consuming FileDescriptor) {
        socket = MessageSocket(descriptor)
    }

    private init(_ socket: MessageSocket) {
        self.socket = socket
    }

    /// Creates a channel and the worker's end of it. Fails as socketpair(2).
    public static func make() throws(SystemCallError) -> (MoldChannel, MessageSocket) {
        let (own, other) = try MessageSocket.pair()
        try systemCall("setsockopt") { csupervise_pass_credentials(own.rawValue) }
        return (MoldChannel(own), other)
    }

    /// The descriptor: readable while a message waits, and when the other end is closed.
    public var rawValue: Int32 { socket.rawValue }

    /// Receives a message. Never blocks.
    public func receive() throws(SystemCallError) -> Received {
        var bytes = [UInt8](repeating: 0, count: MoldMessage.longestBytes)
        var pid: Int32 = 0
        do throws(SystemCallError) {
            let size = try systemCall("recvmsg") {
                csupervise_receive_from(rawValue, &bytes, bytes.count, &pid)
            }
            if size == 0 { return .end }
            return .message(MoldMessage.parse(Array(bytes.prefix(size))), pid: pid)
        } catch  where error.code == EAGAIN {
            return .nothing
        } catch  where error.code == ECONNRESET {
            return .end
        }
    }

    /// Lets the worker run. Fails with EPIPE if it has exited.
    public func proceed() throws(SystemCallError) {
        try socket.send(Array("GO".utf8), waits: false)
    }
}
