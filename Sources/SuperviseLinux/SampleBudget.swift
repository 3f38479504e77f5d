import Glibc

/// The most that one sample of a worker may cost: descriptors, threads and table entries inspected,
/// bytes read, and time. What a worker shows in proc(5) is as long as the worker likes, and whoever
/// reads all of it does nothing else meanwhile.
public final class SampleBudget {
    /// For samples on the master's own loop.
    public static func onLoop() -> SampleBudget {
        SampleBudget(entries: 20_000, bytes: 1 << 20, microseconds: 50_000)
    }

    /// For samples by a process of their own, which keeps no one waiting.
    public static func besideLoop() -> SampleBudget {
        SampleBudget(entries: 200_000, bytes: 16 << 20, microseconds: 1_000_000)
    }

    /// For the connections of a worker, which may well be very many, on the master's own loop.
    public static func ofConnections() -> SampleBudget {
        SampleBudget(entries: 500_000, bytes: 16 << 20, microseconds: 300_000)
    }

    private var entries: Int
    private var bytes: Int
    private let endNanoseconds: Int64

    /// A budget of this many entries, bytes, and microseconds from now on.
    public init(entries: Int, bytes: Int, microseconds: Int64) {
        self.entries = entries
        self.bytes = bytes
        endNanoseconds = MonotonicClock.nanoseconds() + microseconds * 1000
    }

    /// Takes this from what is left. Fails with E2BIG when nothing is.
    func spend(entries spentEntries: Int = 0, bytes spentBytes: Int = 0) throws(SystemCallError) {
        entries -= spentEntries
        bytes -= spentBytes
        guard entries >= 0, bytes >= 0, MonotonicClock.nanoseconds() < endNanoseconds else {
            throw SystemCallError(call: Self.name, code: E2BIG)
        }
    }

    private static let name = "sample"

    /// Whether an error means that the budget of a sample was exceeded.
    public static func isExceeded(_ error: SystemCallError) -> Bool {
        error.call == name && error.code == E2BIG
    }
}
