import SuperviseLinux

extension Master {
    /// The subject of a readiness in the epoll set: the kind in the upper bits, a serial below.
    enum Token {
        static let signals: UInt64 = 0
        static let timer: UInt64 = 1
        static let loader: UInt64 = 2
        static let probe: UInt64 = 3
        static let observer: UInt64 = 4
        static let memoryKills: UInt64 = 5
        static let standardError: UInt64 = 6
        static let clock: UInt64 = 7
        static let arrivals: UInt64 = 8
        static let notify: UInt64 = 1 << kindShift
        static let start: UInt64 = 2 << kindShift
        static let bindFilter: UInt64 = 3 << kindShift
        static let control: UInt64 = 4 << kindShift
        static let listener: UInt64 = 5 << kindShift
        static let output: UInt64 = 6 << kindShift
        static let mold: UInt64 = 7 << kindShift
        static let kindShift: UInt64 = 61
        static let kindMask: UInt64 = 7 << kindShift
    }
}

extension EventPoll {
    /// Stops watching an open descriptor.
    func unwatch(_ descriptor: Int32) {
        do throws(SystemCallError) {
            try remove(descriptor)
        } catch {
            preconditionFailure("a descriptor of ours is in the epoll set: \(error)")
        }
    }
}
