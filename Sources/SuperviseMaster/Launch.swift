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
        var variables: [String: String] = [:]
        for entry in environment {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, variables[String(parts[0])] == nil else { continue }
            variables[String(parts[0])] = String(parts[1])
        }
        return variables
    }
}
