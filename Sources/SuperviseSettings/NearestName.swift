/// The known name that an unknown one was probably meant to be.
enum NearestName {
    /// The nearest of `names` by edit distance, if one is near enough for a guess. Underscores and
    /// capitals are no difference.
    static func find(_ written: String, in names: [String]) -> String? {
        // No name is longer, and the work grows with the product of both lengths.
        guard written.utf8.count <= 40 else { return nil }
        let wanted = normal(written)
        var best: (name: String, distance: Int)?
        for name in names {
            let distance = editDistance(wanted, normal(name))
            if distance <= max(1, name.utf8.count / 3), distance < best?.distance ?? .max {
                best = (name, distance)
            }
        }
        return best?.name
    }

    /// The end of a message about an unknown name: `; did you mean max-rss?`, or nothing.
    static func hint(_ written: String, in names: [String], prefix: String = "") -> String {
        find(written, in: names).map { "; did you mean \(prefix)\($0)?" } ?? ""
    }

    private static func normal(_ name: String) -> [UInt8] {
        name.lowercased().utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
    }

    /// How many bytes to insert, remove, replace or swap with their neighbour: a slip of the fingers
    /// counts once (optimal string alignment).
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var before: [Int] = []
        var above = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var least = min(above[j] + (a[i] == b[j] ? 0 : 1), above[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    least = min(least, before[j - 1] + 1)
                }
                row.append(least)
            }
            (before, above) = (above, row)
        }
        return above[b.count]
    }
}
