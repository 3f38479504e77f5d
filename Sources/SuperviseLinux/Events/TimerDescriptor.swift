import CSupervise
import Glibc

/// A timerfd(2) on CLOCK_MONOTONIC: one deadline, readable once it has passed.
public struct TimerDescriptor: ~Copyable {
    private let descriptor: FileDescriptor

    /// Creates a disarmed timer. Fails as timerfd_create(2).
    public init() throws(SystemCallError) {
        let number = try systemCall("timerfd_create") {
            timerfd_create(
                CLOCK_MONOTONIC, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
        }
        descriptor = FileDescriptor(owning: number)
    }

    /// The descriptor, readable once the deadline has passed.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Sets the deadline, in nanoseconds of `MonotonicClock`; a past deadline fires at once, nil
    /// disarms (timerfd_settime(2), which fails only for invalid arguments).
    public func arm(atNanoseconds deadline: Int64?) {
        var setting = itimerspec()
        if let deadline {
            // All zeros would disarm the timer.
            let time = max(1, deadline)
            setting.it_value = timespec(
                tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
        }
        let result = timerfd_settime(
            descriptor.rawValue, Int32(TFD_TIMER_ABSTIME), &setting, nil)
        precondition(result == 0, "this is a timer, and the time is a valid one")
    }

    /// Makes the descriptor unreadable until the next deadline. It may have been rearmed since it
    /// was readable, so there may be nothing to read.
    public func acknowledge() {
        var expirations: UInt64 = 0
        let count = read(descriptor.rawValue, &expirations, 8)
        precondition(
            count == 8 || errno == EAGAIN || errno == EINTR,
            "read(2) of a timerfd returns 8 bytes or fails")
    }
}
