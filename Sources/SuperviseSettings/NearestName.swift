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

    /// Levenshtein's distance: how many bytes to insert, remove or replace.
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, byte) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let replaced = diagonal + (byte == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
