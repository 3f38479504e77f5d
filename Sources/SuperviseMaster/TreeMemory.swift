import SuperviseLinux

/// The resident memory of a worker, alone or with its descendants. The files of /proc stay open, so
/// a sample costs one system call a process; who belongs to the tree is looked up now and then.
final class TreeMemory {
    /// How long a list of descendants is used, in nanoseconds.
    private static let listLifetimeNanoseconds: Int64 = 10_000_000_000
    /// Near the cap every sample looks for new descendants.
    private static let nearCapPercent: UInt64 = 80

    private let pid: Int32
    private let withDescendants: Bool
    private var own: ProcessMemory?
    private var descendants: [(pid: Int32, memory: ProcessMemory)] = []
    private var listedAtNanoseconds: Int64?
    private var lastBytes: UInt64 = 0

    /// Memory of this process.
    init(pid: Int32, withDescendants: Bool) {
        self.pid = pid
        self.withDescendants = withDescendants
    }

    /// The resident bytes now; nil when the process is gone. `capBytes` is the lowest cap that the
    /// figure is held against.
    func residentBytes(
        atNanoseconds now: Int64, capBytes: UInt64?
    ) throws(SystemCallError) -> UInt64? {
        if own == nil { own = try ProcessMemory(pid: pid) }
        guard var sum = own?.residentBytes() else { return nil }
        if withDescendants {
            listDescendants(atNanoseconds: now, capBytes: capBytes ?? .max)
            for (_, memory) in descendants { sum += memory.residentBytes() ?? 0 }
        }
        lastBytes = sum
        return sum
    }

    private func listDescendants(atNanoseconds now: Int64, capBytes: UInt64) {
        let isNearCap = lastBytes >= capBytes / 100 * TreeMemory.nearCapPercent
        let isOld =
            listedAtNanoseconds.map { now - $0 >= TreeMemory.listLifetimeNanoseconds } ?? true
        guard isOld || isNearCap else { return }
        listedAtNanoseconds = now
        let known = Dictionary(descendants.map { ($0.pid, $0.memory) }) { first, _ in first }
        descendants = ProcessTree.descendants(of: pid).compactMap { child in
            if let memory = known[child], memory.residentBytes() != nil { return (child, memory) }
            do throws(SystemCallError) {
                return (child, try ProcessMemory(pid: child))
            } catch {
                // It ended since it was listed.
                return nil
            }
        }
    }
}
