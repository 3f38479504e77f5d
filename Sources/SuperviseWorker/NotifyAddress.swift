import Glibc

/// The datagram socket of the supervisor, `$NOTIFY_SOCKET` of sd_notify(3): a path, or a name
/// in the abstract namespace when it starts with `@` (unix(7)).
final class NotifyAddress: Sendable {
    /// The maximum wait for room in the queue of the master, in microseconds.
    private static let patienceMicroseconds = 250_000

    private let descriptor: Int32
    private let address: sockaddr_un
    private let addressLength: socklen_t

    /// Creates a socket that sends to `name`; nil if the name is empty or too long, or no socket is
    /// available.
    init?(name: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(name.utf8)
        let isAbstract = bytes.first == UInt8(ascii: "@")
        guard isAbstract || bytes.first == UInt8(ascii: "/"),
            bytes.count < MemoryLayout.size(ofValue: address.sun_path)
        else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            path.copyBytes(from: bytes)
            // An abstract name starts with a NUL byte, and its length is part of it.
            if isAbstract { path[0] = 0 }
        }
        let head = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        addressLength = socklen_t(head + bytes.count + (isAbstract ? 0 : 1))
        self.address = address

        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return nil }
        var patience = timeval(tv_sec: 0, tv_usec: Self.patienceMicroseconds)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
    }

    deinit {
        close(descriptor)
    }

    /// Sends one datagram of `KEY=VALUE` lines. Returns false if the master cannot receive it now.
    ///
    /// With `waits`, it retries for a quarter of a second if the queue of the master is full, because
    /// another process may have filled it. It waits no longer, because a worker must keep serving while
    /// its master is stopped.
    func send(_ message: String, waits: Bool = false) -> Bool {
        let bytes = Array(message.utf8)
        if send(bytes, Int32(MSG_NOSIGNAL | MSG_DONTWAIT)) { return true }
        return waits && errno == EAGAIN && send(bytes, Int32(MSG_NOSIGNAL))
    }

    private func send(_ bytes: [UInt8], _ flags: Int32) -> Bool {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                var sent: Int
                repeat {
                    sent = sendto(descriptor, bytes, bytes.count, flags, generic, addressLength)
                } while sent < 0 && errno == EINTR
                return sent == bytes.count
            }
        }
    }
}
