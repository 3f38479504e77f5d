/// The boot times of a pool's workers, counted by their length.
public struct BootHistogram: Equatable, Sendable, Codable {
    /// The upper bounds of the buckets in milliseconds, ascending. Longer boots have no bucket.
    public static let boundsMilliseconds: [Int64] = [
        50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 120_000, 300_000,
    ]

    /// The number of boots up to each bound that exceed the one before it.
    public private(set) var counts = Array(
        repeating: UInt64(0), count: BootHistogram.boundsMilliseconds.count)

    mutating func add(_ span: TimeSpan) {
        let bounds = BootHistogram.boundsMilliseconds
        let bucket = bounds.firstIndex { span <= .milliseconds($0) }
        guard let bucket, counts.indices.contains(bucket) else { return }
        counts[bucket] += 1
    }
}
