/// The source of a setting.
public enum SettingSource: Hashable, Sendable {
    /// A line of a config file or env-file, from 1; 0 means the whole file.
    case file(path: String, line: Int)
    /// An environment variable.
    case environment(variable: String)
    /// An option or word of the command line, as written.
    case commandLine(option: String)
    /// A pool as a whole, if the problem has no single line.
    case pool(String)
    /// The command line as a whole.
    case invocation
}

/// A problem with the settings.
public struct SettingsProblem: Hashable, Sendable, CustomStringConvertible {
    /// The source of the problem.
    public let source: SettingSource
    /// The key of the setting, if the problem concerns one setting.
    public let key: String?
    /// The value, what is wrong and what is allowed.
    public let message: String

    /// Creates a problem.
    public init(source: SettingSource, key: String? = nil, message: String) {
        self.source = source
        self.key = key
        self.message = message
    }

    /// One line: the source, the key, the message.
    public var description: String {
        switch source {
        case .file(let path, let line):
            join([line > 0 ? "\(path):\(line)" : path, key, message])
        case .environment(let variable):
            join(["environment variable \(variable)", message])
        case .commandLine(let option):
            join([option, "--" + (key ?? "") == option ? nil : key, message])
        case .pool(let name):
            join(["pool \(name)", key, message])
        case .invocation:
            join([key, message])
        }
    }

    private func join(_ parts: [String?]) -> String {
        parts.compactMap { $0 }.joined(separator: ": ")
    }
}

/// All problems with the settings. The exit code is 2.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// At least one problem; those of a file are in the order of its lines.
    public let problems: [SettingsProblem]

    /// Creates an error; equal problems are reported once.
    public init(_ problems: [SettingsProblem]) {
        self.problems = SettingsProblem.inReadingOrder(problems)
    }

    /// One problem per line.
    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

extension SettingsProblem {
    /// Removes duplicates and sorts: files in the order of their first problem, each by line, then the rest.
    static func inReadingOrder(_ problems: [SettingsProblem]) -> [SettingsProblem] {
        var seen: Set<SettingsProblem> = []
        var paths: [String: Int] = [:]
        var placed: [(file: Int, line: Int, order: Int, problem: SettingsProblem)] = []
        for problem in problems where seen.insert(problem).inserted {
            var (file, line) = (Int.max, 0)
            if case .file(let path, let written) = problem.source {
                file = paths[path] ?? paths.count
                paths[path] = file
                line = written
            }
            placed.append((file, line, placed.count, problem))
        }
        placed.sort { ($0.file, $0.line, $0.order) < ($1.file, $1.line, $1.order) }
        return placed.map(\.problem)
    }
}
