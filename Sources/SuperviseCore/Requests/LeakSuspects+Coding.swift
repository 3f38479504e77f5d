/// The evidence as state for another program of the master's process. There may be 100,000 numbers,
/// so they are texts.
extension LeakSuspects {
    private enum Key: String, CodingKey {
        case names
        case lives
        case ended
        case endedLives
        case endedWithoutRows
        case livesWithRows
    }

    /// A worker without its last floor: its next one begins another series.
    private struct Follower: Codable {
        var id: WorkerID
        var floors: Int
        var rows: String
    }

    /// Encodes the evidence.
    public func encode(to encoder: any Encoder) throws {
        var state = encoder.container(keyedBy: Key.self)
        try state.encode(names, forKey: .names)
        let followers = lives.map {
            Follower(id: $0.id, floors: $0.floors, rows: LeakSuspects.text($0.rows))
        }
        try state.encode(followers, forKey: .lives)
        try state.encode(ended.map(LeakSuspects.text), forKey: .ended)
        try state.encode(UInt32(clamping: endedLives), forKey: .endedLives)
        try state.encode(UInt32(clamping: endedWithoutRows), forKey: .endedWithoutRows)
        try state.encode(UInt32(clamping: livesWithRows), forKey: .livesWithRows)
    }

    /// Decodes the evidence.
    public init(from decoder: any Decoder) throws {
        self.init()
        let state = try decoder.container(keyedBy: Key.self)
        let names = try state.decode([String].self, forKey: .names)
        for name in names.dropFirst().prefix(LeakSuspects.mostRoutes) { add(name) }
        let series = try state.decode([String].self, forKey: .ended)
        for text in series.prefix(LeakSuspects.mostRows) { resume(rows(text)) }
        let followers = try state.decode([Follower].self, forKey: .lives)
        for follower in followers.prefix(LeakSuspects.mostLives) {
            resume(rows(follower.rows))
            resume(follower.id, floors: follower.floors, hasRows: !follower.rows.isEmpty)
        }
        endedLives = Int(try state.decode(UInt32.self, forKey: .endedLives))
        endedWithoutRows = Int(try state.decode(UInt32.self, forKey: .endedWithoutRows))
        livesWithRows = Int(try state.decode(UInt32.self, forKey: .livesWithRows))
    }

    private static func text(_ rows: [Row]) -> String {
        rows.map { row in
            let counts = row.counts.map { "\($0.route) \($0.before) \($0.requests)" }
            return (["\(row.bytes) \(row.samples)"] + counts).joined(separator: " ")
        }.joined(separator: "\n")
    }

    /// Returns the observations in a text, without those that cannot be read.
    private func rows(_ text: String) -> [Row] {
        text.split(separator: "\n").compactMap { line in
            let numbers = line.split(separator: " ").compactMap { Int64($0) }
            guard numbers.count >= 2, numbers.count % 3 == 2 else { return nil }
            let counts = stride(from: 2, to: numbers.count, by: 3).map { index in
                Count(
                    route: UInt8(clamping: numbers[index]),
                    before: UInt32(clamping: numbers[index + 1]),
                    requests: UInt32(clamping: numbers[index + 2]))
            }
            guard counts.allSatisfy({ $0.route < names.count }) else { return nil }
            return Row(bytes: numbers[0], samples: UInt32(clamping: numbers[1]), counts: counts)
        }
    }
}
