import CSupervise
import Glibc

/// A timerfd(2) on CLOCK_MONOTONIC: one deadline, readable once it has passed.
public struct TimerDescriptor: ~Copyable {
    private let descriptor: FileDescriptor

    /// A disarmed timer. Fails as timerfd_create(2) does.
    public init() throws(SystemCallError) {
        let number = try systemCall("timerfd_create") {
            timerfd_create(
                CLOCK_MONOTONIC, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
        }
        descriptor = FileDescriptor(owning: number)
    }

    /// The descriptor, readable once the deadline has passed.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Sets the deadline, in nanoseconds of `MonotonicClock`; one that has passed fires at once, nil
    /// disarms. Fails as timerfd_settime(2) does.
    public func arm(atNanoseconds deadline: Int64?) throws(SystemCallError) {
        var setting = itimerspec()
        if let deadline {
            // All zeros would disarm.
            let time = max(1, deadline)
            setting.it_value = timespec(
                tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
        }
        try systemCall("timerfd_settime") {
            timerfd_settime(
                descriptor.rawValue, Int32(TFD_TIMER_ABSTIME), &setting, nil)
        }
    }

    /// Makes the descriptor unreadable until the next deadline passes.
    public func acknowledge() throws(SystemCallError) {
        var expirations: UInt64 = 0
        do {
            try systemCall("read") { read(descriptor.rawValue, &expirations, 8) }
        } catch  where error.code == EAGAIN {
            // Armed anew since it fired.
        }
    }
}
