import CSupervise
import Glibc
import Synchronization

/// A few descriptors that are kept to be given up. Where the process has used up its limit of open
/// files (EMFILE) or the machine its own (ENFILE), a start can wait for better times, but a look at
/// /proc cannot: who cannot see a process would take it for gone.
public enum SpareDescriptors {
    /// More than any look has open at a time.
    private static let count = 4
    /// A copy of so many costs nothing.
    private static let low: Int32 = 64
    private static let kept = Mutex<[Int32]>([])

    /// Sets them aside. Early: their low numbers are still of use when the limit is lowered later.
    /// What cannot be had is done without.
    public static func keep() {
        kept.withLock { refill(&$0) }
    }

    /// What `body` returns. Where descriptors run short, it is done once more with the spare ones
    /// given up for so long; it must close what it opens.
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

    /// `body` with these descriptors, the highest of them under the low number of a spare one for so
    /// long: a child that shares ours copies all up to the highest that it needs. Where that would
    /// gain nothing, or cannot be had, they are as they are.
    static func withLowNumbers<Result, Failure: Error>(
        _ descriptors: [Int32], _ body: ([Int32]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let highest = descriptors.max(), highest >= low else { return try body(descriptors) }
        return try kept.withLock { numbers throws(Failure) in
            guard numbers.count > 1, numbers[0] < low,
                csupervise_duplicate_to(highest, numbers[0]) >= 0
            else { return try body(descriptors) }
            // A number that cannot be turned back is another name of theirs until the next time.
            defer { csupervise_duplicate_to(numbers[1], numbers[0]) }
            return try body(descriptors.map { $0 == highest ? numbers[0] : $0 })
        }
    }

    /// False where there are none.
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
