/// The observations.
extension LeakSuspects {
    /// The requests of a route between two floors.
    struct Count: Equatable, Sendable {
        /// The index in `names`.
        var route: UInt8
        /// The worker's requests of the route before.
        var before: UInt32
        var requests: UInt32
    }

    /// The growth between two floors.
    struct Row: Equatable, Sendable {
        var bytes: Int64
        /// The number of samples in between.
        var samples: UInt32
        /// In the order of the routes.
        var counts: [Count]
    }
}

extension LeakSuspects.Row {
    /// Returns the requests of a route.
    func requests(of route: Int?) -> UInt32 {
        guard let route else { return 0 }
        return counts.first { $0.route == route }?.requests ?? 0
    }

    /// Returns this observation and the next one as one.
    func merged(with next: LeakSuspects.Row) -> LeakSuspects.Row {
        var merged = self
        merged.bytes = bytes.addingReportingOverflow(next.bytes).partialValue
        merged.samples = UInt32(clamping: UInt64(samples) + UInt64(next.samples))
        merged.counts = []
        var (first, second) = (counts[...], next.counts[...])
        while let count = first.first ?? second.first {
            let other = second.first
            if let other, other.route < count.route || first.isEmpty {
                merged.counts.append(other)
                second.removeFirst()
                continue
            }
            var sum = count
            if let other, other.route == count.route {
                sum.requests = UInt32(clamping: UInt64(sum.requests) + UInt64(other.requests))
                second.removeFirst()
            }
            merged.counts.append(sum)
            first.removeFirst()
        }
        return merged
    }
}
