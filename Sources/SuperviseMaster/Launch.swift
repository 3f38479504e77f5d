import SuperviseSettings

/// The master's invocation. A reload reads the configuration again with the same arguments.
struct Launch {
    /// The name of the program, its first argument.
    var name = "supervise"
    /// The path of the program under that name; nil if it is unknown.
    var programPath: String?
    /// The arguments without the program's name.
    var arguments: [String]
    /// The settings in the arguments.
    var overrides: Overrides
    /// The environment, as `KEY=VALUE`.
    var environment: [String]

    /// The environment by name. If a name occurs twice, the first one counts, as for getenv(3).
    var variables: [String: String] {
        Dictionary(environment.compactMap(Launch.parts), uniquingKeysWith: { first, _ in first })
    }

    /// Returns the value of one variable.
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
