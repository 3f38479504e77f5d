import SuperviseLinux
import SuperviseSettings

/// The memory of a worker, alone or with its descendants. The files of /proc stay open, so a sample
/// costs one system call per process. Where the figure is held against a cap, each sample lists the
/// tree: a child that is not listed is not counted, however near the cap it is.
final class TreeMemory {
    /// How long an exact figure is used at the most, and a list of descendants where no cap asks for
    /// more, in nanoseconds.
    private static let lifetimeNanoseconds: Int64 = 10_000_000_000
    /// A tree of very many threads takes long to list: then lists take no larger part of the time.
    private static let restPerList: Int64 = 100

    private let pid: Int32
    private let withDescendants: Bool
    private let metric: MemoryMetric
    private var own: ProcessMemory?
    private var descendants: [Descendant] = []
    private var listedAtNanoseconds: Int64?
    private var listCostNanoseconds: Int64 = 0
    /// The last figure, in bytes.
    private(set) var lastBytes: UInt64 = 0
    /// The last exact figure, with the resident size and the time at which it was read.
    private var exact: (bytes: UInt64, resident: UInt64, atNanoseconds: Int64)?

    /// A process of the tree, whose file stays open where there is a descriptor for it.
    private struct Descendant {
        let pid: Int32
        let memory: ProcessMemory?

        func residentBytes() throws(SystemCallError) -> UInt64? {
            if let memory { return memory.residentBytes() }
            return try ProcessMemory.residentBytes(of: pid)
        }
    }

    /// Memory of this process.
    init(pid: Int32, withDescendants: Bool, metric: MemoryMetric) {
        self.pid = pid
        self.withDescendants = withDescendants
        self.metric = metric
    }

    /// The bytes now; nil when the process is gone. `capBytes` is the lowest cap that the figure is
    /// held against: below it the resident set will do, which is never less than the others. `isCapped`
    /// is whether any cap, also one of several workers, depends on it.
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
        if metric != .rss, let capBytes, sum > capBytes {
            sum = try exactBytes(resident: sum, atNanoseconds: now, capBytes: capBytes)
        }
        lastBytes = sum
        return sum
    }

    /// Nil where no descriptor is left to keep.
    private static func open(_ pid: Int32) throws(SystemCallError) -> ProcessMemory? {
        do throws(SystemCallError) {
            return try ProcessMemory(pid: pid)
        } catch  where error.kind == .noDescriptor {
            return nil
        }
    }

    /// The kernel walks all page tables for an exact figure, so that of a worker which was found below
    /// its cap is good until half of what was missing has come on top.
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
                // Not ours to look at, as after a change of user: what is known has to do.
                if pid == self.pid { return resident }
                continue
            }
            sum += metric == .pss ? shares.proportionalBytes : shares.uniqueBytes
        }
        exact = (sum, resident, now)
        return sum
    }

    /// Descriptors are needed for starts, so what was opened beyond the budget is not kept.
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
                // It ended since it was listed.
                return nil
            }
        }
    }
}
