import CSupervise
import Glibc

/// Detects that CLOCK_REALTIME was set, by a person, by a time service or by the end of a suspension:
/// a timerfd(2) with TFD_TIMER_CANCEL_ON_SET. It never expires, so it causes no wakeups.
public final class ClockWatch {
    private let descriptor: FileDescriptor

    /// Creates a watch. Fails as timerfd_create(2).
    public init() throws(SystemCallError) {
        let number = try systemCall("timerfd_create") {
            timerfd_create(CLOCK_REALTIME, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
        }
        descriptor = FileDescriptor(owning: number)
        arm()
    }

    /// The descriptor, readable once the clock was set.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Makes the descriptor unreadable until the clock is set again. Read the clock after this.
    public func acknowledge() {
        var expirations: UInt64 = 0
        // Fails with ECANCELED if the clock was set (timerfd_create(2)).
        _ = read(descriptor.rawValue, &expirations, 8)
        arm()
    }

    private func arm() {
        var setting = itimerspec()
        // The year 2223, within the range of the kernel.
        setting.it_value.tv_sec = 8_000_000_000
        let result = timerfd_settime(
            descriptor.rawValue, Int32(TFD_TIMER_ABSTIME) | Int32(TFD_TIMER_CANCEL_ON_SET),
            &setting, nil)
        // The kernel reports a change since the last call as ECANCELED, and has armed the timer.
        precondition(result == 0 || errno == ECANCELED, "this is a timer of CLOCK_REALTIME")
    }
}
