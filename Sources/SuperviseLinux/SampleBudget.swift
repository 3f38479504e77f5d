import Glibc

/// The maximum cost of one sample of a worker: descriptors, threads and table entries inspected,
/// bytes read, and time. A worker can make its files in proc(5) arbitrarily long, and reading all
/// of them would block the reader.
public final class SampleBudget {
    /// For samples on the master's loop.
    public static func onLoop() -> SampleBudget {
        SampleBudget(entries: 20_000, bytes: 1 << 20, microseconds: 50_000)
    }

    /// For samples in a separate process, which block no other work.
    public static func besideLoop() -> SampleBudget {
        SampleBudget(entries: 200_000, bytes: 16 << 20, microseconds: 1_000_000)
    }

    /// For the connections of a worker, which can be very many, on the master's loop.
    public static func ofConnections() -> SampleBudget {
        SampleBudget(entries: 500_000, bytes: 16 << 20, microseconds: 300_000)
    }

    private var entries: Int
    private var bytes: Int
    private let endNanoseconds: Int64

    /// Creates a budget of this many entries and bytes, and of microseconds from now.
    public init(entries: Int, bytes: Int, microseconds: Int64) {
        self.entries = entries
        self.bytes = bytes
        endNanoseconds = MonotonicClock.nanoseconds() + microseconds * 1000
    }

    /// Consumes a part of the budget. Fails with E2BIG if it is exceeded.
    func spend(entries spentEntries: Int = 0, bytes spentBytes: Int = 0) throws(SystemCallError) {
        entries -= spentEntries
        bytes -= spentBytes
        guard entries >= 0, bytes >= 0, MonotonicClock.nanoseconds() < endNanoseconds else {
            throw SystemCallError(call: Self.name, code: E2BIG)
        }
    }

    private static let name = "sample"

    /// Whether an error means that the budget was exceeded.
    public static func isExceeded(_ error: SystemCallError) -> Bool {
        error.call == name && error.code == E2BIG
    }
}
