/// Who a worker is: the pool, the slot it fills, and which one of the slot's workers it is. Process
/// ids are reused by the kernel; these are not, so an event about a worker that is gone finds nobody.
public struct WorkerID: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The number of the pool among all pools that this master ever had.
    public let pool: Int
    /// The slot, from 0.
    public let slot: Int
    /// Counts the workers of this slot, from 1.
    public let incarnation: Int

    /// Names one worker.
    public init(pool: Int, slot: Int, incarnation: Int) {
        self.pool = pool
        self.slot = slot
        self.incarnation = incarnation
    }

    /// `pool/slot#incarnation`, for failed checks.
    public var description: String { "\(pool)/\(slot)#\(incarnation)" }
}
