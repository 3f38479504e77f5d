/// Finds the known name that is most similar to an unknown one.
enum NearestName {
    /// Returns the name with the smallest edit distance, if it is similar enough. Underscores and
    /// capitals are ignored.
    static func find(_ written: String, in names: [String]) -> String? {
        // No name is longer, and the cost grows with the product of both lengths.
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

    /// The end of a message about an unknown name: `; the most similar is max-rss`, or empty.
    static func hint(_ written: String, in names: [String], prefix: String = "") -> String {
        find(written, in: names).map { "; the most similar is \(prefix)\($0)" } ?? ""
    }

    private static func normal(_ name: String) -> [UInt8] {
        name.lowercased().utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
    }

    /// The number of bytes to insert, remove, replace or swap with their neighbour (optimal string
    /// alignment distance).
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
