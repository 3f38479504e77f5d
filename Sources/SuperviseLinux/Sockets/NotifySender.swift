import Glibc

/// The sending end of sd_notify(3): messages to the service manager that started this process.
public final class NotifySender: Sendable {
    private let descriptor: FileDescriptor
    private let address: SocketAddress

    /// Creates a sender to `$NOTIFY_SOCKET`: an absolute path, or an abstract name after `@`
    /// (unix(7)). Fails with EAFNOSUPPORT for anything else, ENAMETOOLONG past 107 bytes, and as
    /// socket(2).
    public init(address text: String) throws(SystemCallError) {
        guard text.hasPrefix("/") || text.hasPrefix("@") else {
            throw SystemCallError(call: "socket", code: EAFNOSUPPORT)
        }
        let isAbstract = text.hasPrefix("@")
        address = try SocketAddress(
            unix: isAbstract ? String(text.dropFirst()) : text, abstract: isAbstract)
        let type = Int32(SOCK_DGRAM.rawValue) | closeOnExec | nonBlocking
        descriptor = FileDescriptor(
            owning: try systemCall("socket") { socket(AF_UNIX, type, 0) })
    }

    /// Sends one datagram without blocking; false if the receiver's queue is full. The address is
    /// looked up each time, so a replaced receiver is found. Fails as sendto(2): ECONNREFUSED or
    /// ENOENT if the receiver is gone.
    public func send(_ text: String) throws(SystemCallError) -> Bool {
        let bytes = Array(text.utf8)
        let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
        do throws(SystemCallError) {
            try systemCall("sendto") {
                address.withPointer { pointer, length in
                    sendto(descriptor.rawValue, bytes, bytes.count, flags, pointer, length)
                }
            }
        } catch  where error.code == EAGAIN {
            return false
        }
        return true
    }
}
