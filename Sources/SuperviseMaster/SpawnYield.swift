import SuperviseCore
import SuperviseLinux

/// Lets a child that was just started run before its parent continues.
///
/// A parent that waits for its child's exec is woken on the child's processor before the program is
/// loaded, and continues first. If other processes wait for that processor too, yielding to one is
/// yielding to all, each for its time slice (sched(7)). If so, the parent stops yielding for a
/// while.
struct SpawnYield {
    /// A little more than the time to load a program.
    private static let tolerated = TimeSpan.milliseconds(2)
    private static let keptFor = TimeSpan.seconds(1)

    private var keptUntil = Instant(nanoseconds: 0)

    mutating func yieldToChild() {
        let before = Instant(nanoseconds: MonotonicClock.nanoseconds())
        guard before >= keptUntil else { return }
        ThisProcess.letOthersRun()
        let after = Instant(nanoseconds: MonotonicClock.nanoseconds())
        if after - before > SpawnYield.tolerated { keptUntil = after + SpawnYield.keptFor }
    }
}
