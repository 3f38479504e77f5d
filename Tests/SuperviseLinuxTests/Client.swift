import Glibc

@testable import SuperviseLinux

/// A client that connects without blocking.
final class Client {
    let rawValue: Int32

    init(of listener: ListenSocket) throws {
        let address = try SocketAddress(boundBy: listener.rawValue).reachable
        let type = streamType | closeOnExec | nonBlocking
        let number = try systemCall("socket") { socket(address.family, type, 0) }
        rawValue = number
        _ = address.withPointer { connect(number, $0, $1) }
    }

    deinit { close(rawValue) }

    /// Whether it is connected, within the time of a handshake over loopback.
    var isConnected: Bool {
        var entry = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        guard poll(&entry, 1, 300) == 1 else { return false }
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutableBytes(of: &address) {
            getpeername(rawValue, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
        }
        return result == 0
    }

    /// The number of bytes received within some seconds; -1 after a reset.
    var received: Int {
        var entry = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 5000) == 1 else { return -1 }
        var buffer = [UInt8](repeating: 0, count: 16)
        return recv(rawValue, &buffer, buffer.count, 0)
    }

    /// The connection error, within some seconds.
    var error: Int32? {
        var entry = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        guard poll(&entry, 1, 10_000) == 1 else { return nil }
        return SocketOption.int(rawValue, SOL_SOCKET, SO_ERROR)
    }
}
