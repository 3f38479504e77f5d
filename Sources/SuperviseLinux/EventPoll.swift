import CSupervise
import Glibc

/// What a descriptor is watched for, or was found ready for (epoll_ctl(2)). A hang-up and an error
/// are always reported, whether asked for or not.
public struct Interest: OptionSet, Hashable, Sendable {
    /// The EPOLL bits.
    public let rawValue: UInt32

    /// An interest by its EPOLL bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// EPOLLIN: data, a connection, an exit can be read.
    public static let readable = Interest(rawValue: EPOLLIN.rawValue)
    /// EPOLLOUT: a write would not block.
    public static let writable = Interest(rawValue: EPOLLOUT.rawValue)
    /// EPOLLHUP: the other side is gone.
    public static let hangup = Interest(rawValue: EPOLLHUP.rawValue)
    /// EPOLLERR.
    public static let error = Interest(rawValue: EPOLLERR.rawValue)
}

/// A watched descriptor that is ready.
public struct Ready: Hashable, Sendable {
    /// The token that the descriptor was added with.
    public let token: UInt64
    /// What it is ready for.
    public let events: Interest
}

/// A level-triggered epoll(7) set.
public final class EventPoll {
    /// How many events one wait tells at most.
    public static let batch = 256
    private let descriptor: FileDescriptor
    private let events: UnsafeMutableBufferPointer<epoll_event>

    /// An empty set. Fails as epoll_create1(2) does.
    public init() throws(SystemCallError) {
        let number = try systemCall("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) }
        descriptor = FileDescriptor(owning: number)
        events = .allocate(capacity: Self.batch)
        events.initialize(repeating: epoll_event())
    }

    deinit {
        events.deallocate()
    }

    /// The set's own descriptor.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Watches a descriptor. Fails as epoll_ctl(2) does: ENOMEM, ENOSPC, EPERM for a regular file.
    public func add(
        _ number: Int32, _ interest: Interest, token: UInt64
    ) throws(SystemCallError) {
        try control(EPOLL_CTL_ADD, number, interest, token)
    }

    /// Changes what a descriptor is watched for, and its token.
    public func modify(
        _ number: Int32, _ interest: Interest, token: UInt64
    ) throws(SystemCallError) {
        try control(EPOLL_CTL_MOD, number, interest, token)
    }

    /// Watches a descriptor no more. Call it before the descriptor is closed: another holder of its
    /// open file description, such as a worker, would keep the registration alive (epoll(7)).
    public func remove(_ number: Int32) throws(SystemCallError) {
        try control(EPOLL_CTL_DEL, number, [], 0)
    }

    /// Waits until something is ready; empty after so many milliseconds (-1: never) or when a
    /// signal handler ran. At most 256 at a time, the others by the next call.
    public func wait(timeoutMilliseconds: Int32) throws(SystemCallError) -> [Ready] {
        let count = epoll_wait(
            descriptor.rawValue, events.baseAddress, Int32(events.count), timeoutMilliseconds)
        if count == -1 {
            let code = errno
            if code == EINTR { return [] }
            throw SystemCallError(call: "epoll_wait", code: code)
        }
        return events.prefix(Int(count)).map {
            Ready(token: $0.data.u64, events: Interest(rawValue: $0.events))
        }
    }

    private func control(
        _ operation: Int32, _ number: Int32, _ interest: Interest, _ token: UInt64
    ) throws(SystemCallError) {
        var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token))
        try systemCall("epoll_ctl") { epoll_ctl(descriptor.rawValue, operation, number, &event) }
    }
}
