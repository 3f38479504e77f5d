import SuperviseCore
import SuperviseLinux

/// Lets a child that was just started run before its parent does more.
///
/// A parent that waited for its child's exec is woken on the processor that the child runs on, before
/// the program is loaded, and goes first. Where others want that processor too, giving way to one is
/// giving way to all, each for its slice (sched(7)): who finds that so keeps its place for a while.
struct RightOfWay {
    /// A little more than it takes to load a program.
    private static let tolerated = TimeSpan.milliseconds(2)
    private static let keptFor = TimeSpan.seconds(1)

    private var keptUntil = Instant(nanoseconds: 0)

    mutating func give() {
        let before = Instant(nanoseconds: MonotonicClock.nanoseconds())
        guard before >= keptUntil else { return }
        ThisProcess.letOthersRun()
        let after = Instant(nanoseconds: MonotonicClock.nanoseconds())
        if after - before > RightOfWay.tolerated { keptUntil = after + RightOfWay.keptFor }
    }
}
