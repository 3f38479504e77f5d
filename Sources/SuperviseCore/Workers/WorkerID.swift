/// The identity of a worker: the pool, the slot that it fills, and its incarnation in the slot. The
/// kernel reuses process ids, but these are never reused, so an event of an ended worker matches no
/// other.
public struct WorkerID: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The number of the pool among all pools that this master has ever had.
    public let pool: Int
    /// The slot, from 0.
    public let slot: Int
    /// The number of this worker among the workers of its slot, from 1.
    public let incarnation: Int

    /// Creates the identity of a worker.
    public init(pool: Int, slot: Int, incarnation: Int) {
        self.pool = pool
        self.slot = slot
        self.incarnation = incarnation
    }

    /// `pool/slot#incarnation`, for failed checks.
    public var description: String { "\(pool)/\(slot)#\(incarnation)" }
}
