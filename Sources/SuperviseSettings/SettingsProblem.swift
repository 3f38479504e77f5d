/// Where a setting was written.
public enum SettingSource: Hashable, Sendable {
    /// A line of a config file or env-file, counted from 1; 0 is the file as a whole.
    case file(path: String, line: Int)
    /// An environment variable.
    case environment(variable: String)
    /// An option or word of the command line, as it was written.
    case commandLine(option: String)
    /// A pool as a whole: what is wrong stands on no single line.
    case pool(String)
    /// The command line as a whole.
    case invocation
}

/// One thing that is wrong with the settings, and where.
public struct SettingsProblem: Hashable, Sendable, CustomStringConvertible {
    /// Where it stands.
    public let source: SettingSource
    /// The setting that it is about, if it is about one.
    public let key: String?
    /// What was read and what is allowed.
    public let message: String

    /// A problem at a place.
    public init(source: SettingSource, key: String? = nil, message: String) {
        self.source = source
        self.key = key
        self.message = message
    }

    /// One line: the place, the key, the message.
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

/// Everything that is wrong with the settings, in one go. The exit code is 2.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// At least one problem, those of a file in the order of its lines.
    public let problems: [SettingsProblem]

    /// An error of these problems; equal ones are told once.
    public init(_ problems: [SettingsProblem]) {
        self.problems = SettingsProblem.inReadingOrder(problems)
    }

    /// One problem a line.
    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

extension SettingsProblem {
    /// Each problem once; files in the order of their first problem, each by line, then the rest.
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
