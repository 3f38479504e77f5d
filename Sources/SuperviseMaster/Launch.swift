import SuperviseSettings

/// How the master was started; a reload reads the configuration again with the same words.
struct Launch {
    /// What the program was called by, its first word.
    var name = "supervise"
    /// Where the program was found by that name; nil where it can't be told.
    var programPath: String?
    /// The arguments without the program's name.
    var arguments: [String]
    /// What they say about the settings.
    var overrides: Overrides
    /// The environment, as `KEY=VALUE`.
    var environment: [String]

    /// The same by name; of two variables with one name the first counts, as getenv(3) has it.
    var variables: [String: String] {
        Dictionary(environment.compactMap(Launch.parts), uniquingKeysWith: { first, _ in first })
    }

    /// The value of one variable.
    func variable(_ name: String) -> String? {
        let head = "\(name)="
        return environment.first { $0.utf8.starts(with: head.utf8) }.map {
            String($0.utf8.dropFirst(head.utf8.count)) ?? ""
        }
    }

    private static func parts(_ entry: String) -> (String, String)? {
        guard let sign = entry.utf8.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        return (String(entry[..<sign]), String(entry[entry.utf8.index(after: sign)...]))
    }
}
