import Glibc

/// Socket options (getsockopt(2)).
enum SocketOption {
    /// An integer option; nil if it does not exist, or the descriptor is not a socket.
    static func int(_ descriptor: Int32, _ level: Int32, _ option: Int32) -> Int32? {
        value(descriptor, level, option, Int32(0))
    }

    /// A number that is unique to the network namespace (SO_NETNS_COOKIE, since Linux 5.14).
    static func namespace(_ descriptor: Int32) -> UInt64? {
        value(descriptor, SOL_SOCKET, 71, UInt64(0))
    }

    /// Sets an integer option. Fails as setsockopt(2).
    static func set(
        _ descriptor: Int32, _ level: Int32, _ option: Int32, _ wanted: Int32
    ) throws(SystemCallError) {
        var wanted = wanted
        try systemCall("setsockopt") { setsockopt(descriptor, level, option, &wanted, 4) }
    }

    private static func value<Value: FixedWidthInteger>(
        _ descriptor: Int32, _ level: Int32, _ option: Int32, _ zero: Value
    ) -> Value? {
        var value = zero
        let room = socklen_t(MemoryLayout<Value>.size)
        var size = room
        let result = getsockopt(descriptor, level, option, &value, &size)
        return result == 0 && size == room ? value : nil
    }
}
