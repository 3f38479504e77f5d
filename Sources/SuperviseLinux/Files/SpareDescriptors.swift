import CSupervise
import Glibc
import Synchronization

/// A reserve of descriptors for shortages. When the process reaches its limit of open files
/// (EMFILE) or the machine its own (ENFILE), a start can be retried later, but reading /proc
/// cannot: a process that cannot be inspected would be considered gone.
public enum SpareDescriptors {
    /// More than any read needs at a time.
    private static let count = 4
    /// Copying this many descriptors costs nothing.
    private static let low: Int32 = 64
    private static let kept = Mutex<[Int32]>([])

    /// Reserves the descriptors. Call it early: low numbers are still usable if the limit is
    /// lowered later. Descriptors that cannot be opened are omitted.
    public static func keep() {
        kept.withLock { refill(&$0) }
    }

    /// Returns the result of `body`. If descriptors run short, `body` runs once more with the
    /// reserve released meanwhile; it must close what it opens.
    static func lent<Result>(
        _ body: () throws(SystemCallError) -> Result
    ) throws(SystemCallError) -> Result {
        do {
            return try body()
        } catch {
            guard error.kind == .noDescriptor, giveUp() else { throw error }
            defer { kept.withLock { refill(&$0) } }
            return try body()
        }
    }

    /// Calls `body` with these descriptors, the highest of them temporarily moved to the low numbers
    /// of reserved ones: a child that shares our descriptors copies all up to the highest that it
    /// needs. If this is useless or impossible, they are unchanged.
    static func withLowNumbers<Result, Failure: Error>(
        _ descriptors: [Int32], _ body: ([Int32]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let high = Set(descriptors.filter { $0 >= low }).sorted(by: >)
        guard !high.isEmpty else { return try body(descriptors) }
        return try kept.withLock { numbers throws(Failure) in
            guard let restored = numbers.last else { return try body(descriptors) }
            var moved: [Int32: Int32] = [:]
            for (source, number) in zip(high, numbers.dropLast()) where number < low {
                if csupervise_duplicate_to(source, number) >= 0 { moved[source] = number }
            }
            // A number that cannot be restored remains an alias until the next time.
            defer { for number in moved.values { csupervise_duplicate_to(restored, number) } }
            return try body(descriptors.map { moved[$0] ?? $0 })
        }
    }

    /// False if there is no reserve.
    private static func giveUp() -> Bool {
        kept.withLock { numbers in
            defer { numbers = [] }
            for number in numbers { close(number) }
            return !numbers.isEmpty
        }
    }

    private static func refill(_ numbers: inout [Int32]) {
        while numbers.count < count {
            let number = open("/dev/null", O_RDONLY | O_CLOEXEC)
            guard number >= 0 else { return }
            numbers.append(number)
        }
    }
}
