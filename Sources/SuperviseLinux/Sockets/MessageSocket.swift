import CSupervise
import Glibc

/// One end of a connection between two of our processes that transfers whole messages with
/// descriptors (unix(7), SOCK_SEQPACKET and SCM_RIGHTS).
public final class MessageSocket: Sendable {
    /// The maximum size of a message in bytes.
    private static let roomBytes = 128 << 10
    /// The maximum number of descriptors of a message.
    public static let mostDescriptors = Int(csupervise_message_descriptors)
    private let descriptor: FileDescriptor

    /// Takes over an end.
    public init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Creates both ends, close-on-exec.
    public static func pair() throws(SystemCallError) -> (MessageSocket, MessageSocket) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_SEQPACKET.rawValue) | closeOnExec
        try systemCall("socketpair") { socketpair(AF_UNIX, type, 0, &ends) }
        return (
            MessageSocket(FileDescriptor(owning: ends[0])),
            MessageSocket(FileDescriptor(owning: ends[1]))
        )
    }

    /// The descriptor: readable while a message waits, and when the other end is closed.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Ends the connection in both directions (shutdown(2)). The other end may already be closed.
    public func shutDown() {
        shutdown(rawValue, Int32(SHUT_RDWR))
    }

    /// Sends a message. Fails as sendmsg(2): EAGAIN if it would block in non-blocking mode, EPIPE
    /// if the other end is closed.
    public func send(
        _ bytes: [UInt8], _ descriptors: [Int32] = [], waits: Bool
    ) throws(SystemCallError) {
        try systemCall("sendmsg") {
            csupervise_send_message(
                rawValue, bytes, bytes.count, descriptors, UInt32(descriptors.count), waits ? 1 : 0)
        }
    }

    /// Receives a message; empty if the other end is closed. Fails as recvmsg(2): EAGAIN if there
    /// is none in non-blocking mode, EMSGSIZE if a descriptor was lost.
    public func receive(
        waits: Bool
    ) throws(SystemCallError) -> (bytes: [UInt8], descriptors: [OwnedDescriptor]) {
        var bytes = [UInt8](repeating: 0, count: MessageSocket.roomBytes)
        var numbers = [Int32](repeating: -1, count: Int(csupervise_message_descriptors))
        var count: UInt32 = 0
        let size: Int
        do throws(SystemCallError) {
            size = try systemCall("recvmsg") {
                csupervise_receive_message(
                    rawValue, &bytes, bytes.count, &numbers, &count, waits ? 1 : 0)
            }
        } catch  where error.code == ECONNRESET {
            // The other end was closed before it had received everything.
            return ([], [])
        }
        return (
            Array(bytes.prefix(size)),
            numbers.prefix(Int(count)).map { OwnedDescriptor(FileDescriptor(owning: $0)) }
        )
    }
}
