import CSupervise
import Glibc

/// The events that a descriptor is watched for, or its readiness (epoll_ctl(2)). Hang-ups and
/// errors are always reported.
public struct Interest: OptionSet, Hashable, Sendable {
    /// The EPOLL bits.
    public let rawValue: UInt32

    /// Creates an interest from EPOLL bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// EPOLLIN: readable.
    public static let readable = Interest(rawValue: EPOLLIN.rawValue)
    /// EPOLLOUT: writable.
    public static let writable = Interest(rawValue: EPOLLOUT.rawValue)
    /// EPOLLERR.
    public static let error = Interest(rawValue: EPOLLERR.rawValue)
}

/// A watched descriptor that is ready.
public struct Ready: Hashable, Sendable {
    /// The token that the descriptor was added with.
    public let token: UInt64
    /// The events that are ready.
    public let events: Interest
}

/// A level-triggered epoll(7) set.
public final class EventPoll {
    /// The maximum number of events per wait.
    public static let batch = 256
    private let descriptor: FileDescriptor
    private let events: UnsafeMutableBufferPointer<epoll_event>

    /// Creates an empty set. Fails as epoll_create1(2).
    public init() throws(SystemCallError) {
        let number = try systemCall("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) }
        descriptor = FileDescriptor(owning: number)
        events = .allocate(capacity: Self.batch)
        events.initialize(repeating: epoll_event())
    }

    deinit {
        events.deallocate()
    }

    /// The descriptor of the set.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Watches a descriptor. Fails as epoll_ctl(2): ENOMEM, ENOSPC, EPERM for a regular file.
    public func add(
        _ number: Int32, _ interest: Interest, token: UInt64
    ) throws(SystemCallError) {
        try control(EPOLL_CTL_ADD, number, interest, token)
    }

    /// Changes the events and the token of a descriptor.
    public func modify(
        _ number: Int32, _ interest: Interest, token: UInt64
    ) throws(SystemCallError) {
        try control(EPOLL_CTL_MOD, number, interest, token)
    }

    /// Removes a descriptor. Call it before the descriptor is closed: another holder of its open
    /// file description, such as a worker, would keep the registration alive (epoll(7)).
    public func remove(_ number: Int32) throws(SystemCallError) {
        try control(EPOLL_CTL_DEL, number, [], 0)
    }

    /// Waits until a descriptor is ready. Returns an empty list after this number of milliseconds
    /// (-1: never) or if a signal handler ran. Returns at most 256 events; the next call returns
    /// the others.
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
