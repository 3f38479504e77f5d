import SuperviseLinux
import SuperviseSettings

/// The memory of a worker, alone or with its descendants. The files of /proc stay open, so a sample
/// costs one system call per process. If the figure is compared with a cap, each sample lists the
/// tree: a child that is not listed is not counted, however near the cap it is.
final class TreeMemory {
    /// The maximum age, in nanoseconds, of an exact figure, and of a list of descendants if no cap
    /// requires a newer one.
    private static let lifetimeNanoseconds: Int64 = 10_000_000_000
    /// The minimum pause between lists of a tree, as a multiple of the time that a list takes.
    private static let restPerList: Int64 = 100

    private let pid: Int32
    private let withDescendants: Bool
    private let metric: MemoryMetric
    /// Whether the figure is exact also below the cap.
    private let isExact: Bool
    private var own: ProcessMemory?
    private var descendants: [Descendant] = []
    private var listedAtNanoseconds: Int64?
    private var listCostNanoseconds: Int64 = 0
    /// The last figure, in bytes.
    private(set) var lastBytes: UInt64 = 0
    /// The resident set of the last sample, in bytes.
    private(set) var lastResidentBytes: UInt64 = 0
    /// The last exact figure, with the resident size and the time of its reading.
    private var exact: (bytes: UInt64, resident: UInt64, atNanoseconds: Int64)?

    /// A process of the tree, whose file stays open if there is a descriptor for it.
    private struct Descendant {
        let pid: Int32
        let memory: ProcessMemory?

        func residentBytes() throws(SystemCallError) -> UInt64? {
            if let memory { return memory.residentBytes() }
            return try ProcessMemory.residentBytes(of: pid)
        }
    }

    /// The last exact figure in bytes; nil if there is none.
    var lastExactBytes: UInt64? { exact?.bytes }

    /// Prepares samples of this process.
    init(pid: Int32, withDescendants: Bool, metric: MemoryMetric, isExact: Bool) {
        self.pid = pid
        self.withDescendants = withDescendants
        self.metric = metric
        self.isExact = isExact
    }

    /// Returns the current bytes; nil if the process has ended. `capBytes` is the lowest cap that
    /// the figure is compared with: below it the resident set is sufficient, which is never less
    /// than the others. `isCapped` is whether any cap, also one of several workers, depends on it.
    func bytes(
        atNanoseconds now: Int64, capBytes: UInt64?, isCapped: Bool
    ) throws(SystemCallError) -> UInt64? {
        if own == nil { own = try TreeMemory.open(pid) }
        guard var sum = try Descendant(pid: pid, memory: own).residentBytes() else { return nil }
        if withDescendants {
            listDescendants(atNanoseconds: now, isCapped: isCapped)
            for descendant in descendants { sum += try descendant.residentBytes() ?? 0 }
        }
        dropBeyondBudget()
        lastResidentBytes = sum
        if metric != .rss, isExact || capBytes.map({ sum > $0 }) == true {
            sum = try exactBytes(
                resident: sum, atNanoseconds: now, capBytes: capBytes ?? .max)
        }
        lastBytes = sum
        return sum
    }

    /// Returns nil if no descriptor is available.
    private static func open(_ pid: Int32) throws(SystemCallError) -> ProcessMemory? {
        do throws(SystemCallError) {
            return try ProcessMemory(pid: pid)
        } catch  where error.kind == .noDescriptor {
            return nil
        }
    }

    /// For an exact figure the kernel walks all page tables. So the figure of a worker below its
    /// cap is valid until the resident set has grown by half of the distance.
    private func exactBytes(
        resident: UInt64, atNanoseconds now: Int64, capBytes: UInt64
    ) throws(SystemCallError) -> UInt64 {
        if let exact, exact.bytes < capBytes,
            now - exact.atNanoseconds < TreeMemory.lifetimeNanoseconds,
            resident < exact.resident + (capBytes - exact.bytes) / 2
        {
            return exact.bytes
        }
        var sum: UInt64 = 0
        for pid in [pid] + descendants.map(\.pid) {
            guard let shares = try ProcessMemory.shares(of: pid) else {
                // The master may not read it, as after a change of user. The resident set is used
                // instead.
                if pid == self.pid { return resident }
                continue
            }
            sum += metric == .pss ? shares.proportionalBytes : shares.uniqueBytes
        }
        exact = (sum, resident, now)
        return sum
    }

    /// Starts need descriptors, so files beyond the budget are closed.
    private func dropBeyondBudget() {
        if own?.isBeyondBudget == true { own = nil }
        if descendants.contains(where: { $0.memory?.isBeyondBudget == true }) {
            descendants = []
            listedAtNanoseconds = nil
        }
    }

    private func listDescendants(atNanoseconds now: Int64, isCapped: Bool) {
        let lifetime =
            isCapped
            ? min(listCostNanoseconds * TreeMemory.restPerList, TreeMemory.lifetimeNanoseconds)
            : TreeMemory.lifetimeNanoseconds
        guard listedAtNanoseconds.map({ now - $0 >= lifetime }) ?? true else { return }
        listedAtNanoseconds = now
        let begin = MonotonicClock.nanoseconds()
        defer { listCostNanoseconds = MonotonicClock.nanoseconds() - begin }
        let known = Dictionary(descendants.map { ($0.pid, $0.memory) }) { first, _ in first }
        descendants = ProcessTree.descendants(of: pid).compactMap { child in
            if let memory = known[child] ?? nil, memory.residentBytes() != nil {
                return Descendant(pid: child, memory: memory)
            }
            do throws(SystemCallError) {
                return Descendant(pid: child, memory: try TreeMemory.open(child))
            } catch {
                // It ended after it was listed.
                return nil
            }
        }
    }
}
