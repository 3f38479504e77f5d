/// Reads a config file and its includes into layers, and collects the problems.
struct ConfigFileReader {
    /// A `[pool NAME]` section.
    struct PoolSection: Equatable {
        let name: String
        let source: SettingSource
        var layer = Layer()
    }

    /// The keys before the first section: the master's settings and the defaults of every pool.
    private(set) var shared = Layer()
    /// The pools in the order of the file.
    private(set) var pools: [PoolSection] = []
    /// The problems found so far.
    private(set) var problems: [SettingsProblem] = []

    private let files: FileAccess
    /// The files being read, the outermost first.
    private var open: [String] = []
    private var filesRead = 0

    /// Limits that no real configuration reaches; without them, files that include each other twice
    /// would take exponential time.
    private static let maxIncludeDepth = 16
    private static let maxFiles = 1000

    /// Creates a reader that has read nothing.
    init(files: FileAccess) {
        self.files = files
    }

    /// The section that the next key belongs to.
    private enum Section {
        case shared
        case pool(Int)
        /// An invalid section; its keys are checked but not stored.
        case unknown
    }

    /// Reads a file and its includes.
    mutating func read(_ path: String) {
        read(path, from: nil, in: .shared)
    }

    /// Reads a text as if it were a file with this name.
    mutating func read(_ bytes: [UInt8], as path: String) {
        parse(bytes, path: path, in: .shared)
    }

    private mutating func read(_ path: String, from source: SettingSource?, in section: Section) {
        let normal = ConfigPath.normal(path)
        let include = source == nil ? nil : "include"
        let source = source ?? .file(path: path, line: 0)
        guard !open.contains(normal) else {
            let chain = (open + [normal]).joined(separator: " → ")
            report(source, include, "\(path) is included recursively (\(chain))")
            return
        }
        guard open.count < ConfigFileReader.maxIncludeDepth,
            filesRead < ConfigFileReader.maxFiles
        else {
            report(source, include, "too many nested or repeated includes")
            return
        }
        filesRead += 1
        switch files.read(path) {
        case .failure(let fault):
            report(source, include, include == nil ? "\(fault)" : "\(path): \(fault)")
        case .success(let bytes):
            open.append(normal)
            parse(bytes, path: path, in: section)
            open.removeLast()
        }
    }

    /// An included file starts in the section that includes it, and its own sections end with it.
    private mutating func parse(_ bytes: [UInt8], path: String, in initial: Section) {
        var section = initial
        let lines: [String]
        do throws(SettingsLines.Fault) {
            lines = try SettingsLines.split(bytes)
        } catch {
            problems.append(error.problem(in: path))
            return
        }
        for statement in ConfigStatement.parse(lines) {
            let source = SettingSource.file(path: path, line: statement.line)
            switch statement.content {
            case .section(let title):
                section = open(section: title, at: source)
            case .entry(key: "include", let pattern):
                include(pattern, path: path, at: source, in: section)
            case .entry(let key, let value):
                take(Assignment(key: key, text: value, source: source), in: section)
            case .unreadable(let text):
                report(
                    source, nil,
                    "\(shown(text)) is not \"key = value\" or \"[pool NAME]\""
                        + ConfigFileReader.hint(on: text))
            }
        }
    }

    /// Suggests a correction of a line without an equals sign: `workers: 2`, `workers 2`.
    private static func hint(on text: String) -> String {
        let parts = text.split(maxSplits: 1) { $0 == ":" || $0 == " " || $0 == "\t" }
        guard parts.count == 2, let setting = Setting.named(String(parts[0])) else { return "" }
        let value = SettingsLines.trimmed(parts[1].drop { $0 == ":" })
        return "; write \(shown("\(setting.key) = \(value)"))"
    }

    private mutating func open(section title: String, at source: SettingSource) -> Section {
        let words = title.split(separator: " ", maxSplits: 1).map(SettingsLines.trimmed)
        guard words.first == "pool" else {
            report(
                source, nil, "\(shown("[" + title + "]")) is not a section; allowed: [pool NAME]")
            return .unknown
        }
        guard words.count == 2, isPoolName(words[1]) else {
            report(
                source, nil,
                "\(shown(words.count == 2 ? words[1] : "")) is not a pool name; "
                    + "allowed: 1 to 64 letters, digits, _ and -")
            return .unknown
        }
        if let earlier = pools.first(where: { $0.name == words[1] }) {
            report(
                source, nil,
                "pool \(words[1]) already has a section (\(place(earlier.source)))")
            return .unknown
        }
        pools.append(PoolSection(name: words[1], source: source))
        return .pool(pools.count - 1)
    }

    private mutating func include(
        _ written: String, path: String, at source: SettingSource, in section: Section
    ) {
        let pattern: String
        do throws(ValueFault) {
            pattern = try Quoting.unquote(written)
        } catch {
            return report(source, "include", "\(error); allowed: a path or a pattern")
        }
        guard !pattern.isEmpty else {
            report(source, "include", "the value is empty; allowed: a path or a pattern")
            return
        }
        let full = ConfigPath.resolve(pattern, relativeTo: path)
        guard pattern.utf8.contains(where: ConfigPath.isWildcard) else {
            read(full, from: source, in: section)
            return
        }
        for match in files.glob(full).sorted() {
            read(match, from: source, in: section)
        }
    }

    private mutating func take(_ assignment: Assignment, in section: Section) {
        guard let setting = Setting.named(assignment.key) else {
            report(
                assignment.source, nil,
                "unknown key \(shown(assignment.key))"
                    + (ForeignName.hint(onSetting: assignment.key)
                        ?? NearestName.hint(assignment.key, in: Setting.keys + ["include"])))
            return
        }
        if let problem = assignment.problem { problems.append(problem) }
        let earlier: Assignment?
        switch section {
        case .shared:
            earlier = shared.first(setting.key)
            shared.add(assignment)
        case .pool(let index):
            guard belongsToPool(setting, assignment) else { return }
            earlier = pools[index].layer.first(setting.key)
            pools[index].layer.add(assignment)
        case .unknown:
            _ = belongsToPool(setting, assignment)
            earlier = nil
        }
        if let earlier, !setting.isRepeatable {
            report(
                assignment.source, setting.key,
                "already given in this section (\(place(earlier.source)))")
        }
    }

    private mutating func belongsToPool(_ setting: Setting, _ assignment: Assignment) -> Bool {
        guard setting.scope == .master else { return true }
        report(
            assignment.source, setting.key,
            "is a setting of the master, not of a pool; write it before the first section")
        return false
    }

    private mutating func report(_ source: SettingSource, _ key: String?, _ message: String) {
        problems.append(SettingsProblem(source: source, key: key, message: message))
    }

    private func place(_ source: SettingSource) -> String {
        if case .file(let path, let line) = source { "\(path):\(line)" } else { "elsewhere" }
    }
}

/// Lexical operations on paths of config files.
enum ConfigPath {
    /// Resolves the path against the directory of another file.
    static func resolve(_ path: String, relativeTo file: String) -> String {
        guard path.utf8.first != UInt8(ascii: "/"),
            let slash = file.utf8.lastIndex(of: UInt8(ascii: "/"))
        else { return path }
        return String(file[...slash]) + path
    }

    /// The path without `.` and `a/..`, which identifies a file.
    static func normal(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else {
                parts.append(part)
            }
        }
        return (path.utf8.first == UInt8(ascii: "/") ? "/" : "") + parts.joined(separator: "/")
    }

    /// The last component of the path without its extension: `shop` of `conf/shop.conf`.
    static func stem(_ path: String) -> String {
        let last = path.split(separator: "/").last.map(String.init) ?? ""
        guard let dot = last.utf8.lastIndex(of: UInt8(ascii: ".")), dot > last.startIndex else {
            return last
        }
        return String(last[..<dot])
    }

    static func isWildcard(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "[")
    }
}
