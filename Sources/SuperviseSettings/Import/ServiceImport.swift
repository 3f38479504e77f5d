/// A configuration made from that of another program. Parsers are total: a line that cannot be used
/// becomes a note, and every line of the result is accepted by its setting.
public enum ServiceImport {
    /// The program whose configuration is read.
    public enum Source: String, CaseIterable, Sendable {
        /// The output of `gunicorn --print-config`.
        case gunicorn
        /// An ini file of uWSGI.
        case uwsgi
        /// A Procfile, as for foreman and Heroku.
        case procfile
    }

    /// The result of an import.
    public struct Result: Equatable, Sendable {
        /// A config file, with the notes as comments at its end.
        public let text: String
        /// The number of notes.
        public let notes: Int
    }

    /// Converts the content of a file. `path` is mentioned in the result.
    public static func convert(_ source: Source, _ bytes: [UInt8], path: String) -> Result {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { line in
                let text = String(decoding: line, as: UTF8.self)
                return SettingsLines.trimmed(
                    String(text.unicodeScalars.map { isControl($0) ? " " : Character($0) }))
            }
        let draft =
            switch source {
            case .gunicorn: GunicornImport.draft(lines)
            case .uwsgi: UWSGIImport.draft(lines)
            case .procfile: ProcfileImport.draft(lines)
            }
        return draft.result(source, path: path)
    }

    /// Characters that a line of the result must not contain: controls, and the line separators of
    /// Unicode.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar == "\u{2028}"
            || scalar == "\u{2029}"
    }
}

/// A configuration that is being made.
struct ImportDraft {
    /// A pool, or the settings that all pools share.
    struct Section {
        let name: String
        var lines: [String] = []
        /// The comment above the lines.
        var comment: String?
    }

    private(set) var master = Section(name: "")
    private(set) var pools: [Section] = []
    /// What the user has to decide, or what is different.
    private(set) var notes: [String] = []

    /// Adds a pool; later settings belong to it. An invalid name becomes a valid one.
    mutating func addPool(_ name: String, comment: String? = nil) {
        let valid = String(
            name.map { isPoolName(String($0)) ? $0 : "-" }.prefix(48))
        var unique = valid.isEmpty ? "pool" : valid
        var number = 2
        while pools.contains(where: { $0.name == unique }) {
            unique = "\(valid)-\(number)"
            number += 1
        }
        pools.append(Section(name: unique, comment: comment))
    }

    /// Adds a note; equal notes are listed once.
    mutating func note(_ text: String) {
        if !notes.contains(text) { notes.append(text) }
    }

    /// Sets a setting to a raw value, or adds a note if the setting rejects it.
    mutating func set(_ key: String, _ value: String, from written: String) {
        guard let setting = Setting.named(key) else { return }
        let quoted =
            switch setting.placeholder {
            case "FILE", "DIR", "USER", "GROUP", "ADDRESS", "USER[:GROUP]": Quoting.quote(value)
            default: value
            }
        do throws(ValueFault) {
            let line = "\(key) = " + (try setting.canonical(quoted))
            if setting.scope == .master || pools.isEmpty {
                ImportDraft.append(line, of: setting, to: &master.lines)
            } else {
                ImportDraft.append(line, of: setting, to: &pools[pools.count - 1].lines)
            }
        } catch {
            note("\(written): \(key) does not accept it; allowed: \(setting.allowed).")
        }
    }

    /// The last value of a setting counts, as in the files that are read.
    private static func append(_ line: String, of setting: Setting, to lines: inout [String]) {
        if !setting.isRepeatable { lines.removeAll { $0.hasPrefix("\(setting.key) = ") } }
        if !lines.contains(line) { lines.append(line) }
    }

    /// Sets a variable of the workers.
    mutating func setVariable(_ name: String, _ value: String, from written: String) {
        set("env", "\(name)=\(Quoting.quote(value))", from: written)
    }

    /// Sets the command.
    mutating func setCommand(_ words: [String]) {
        set("command", ShellWords.join(words), from: "command")
    }

    /// The config file.
    func result(_ source: ServiceImport.Source, path: String) -> ServiceImport.Result {
        let name = shown(path)
        var lines = [
            "# Made by: supervise import \(source.rawValue) \(name)",
            "# Check it with: supervise check --config FILE",
        ]
        lines += master.lines
        for pool in pools {
            // One pool needs no section.
            if pools.count > 1 { lines += ["", "[pool \(pool.name)]"] }
            lines += pool.comment.map { PlainText.wrap($0, width: 94).map { "# " + $0 } } ?? []
            lines += pool.lines
        }
        if !notes.isEmpty {
            lines += ["", "# Settings that have no equivalent or need a decision:"]
            for note in notes {
                let wrapped = PlainText.wrap(note, width: 94)
                lines += wrapped.enumerated().map {
                    ($0.offset == 0 ? "# - " : "#   ") + $0.element
                }
            }
        }
        return ServiceImport.Result(
            text: lines.joined(separator: "\n") + "\n", notes: notes.count)
    }
}

extension Setting {
    /// The canonical form of a value as in a config file.
    func canonical(_ text: String) throws(ValueFault) -> String {
        switch field {
        case .master(let field):
            var model = MasterSettings()
            try field.store(text, &model)
            return field.texts(model).last ?? ""
        case .pool(let field):
            var model = PoolSettings(name: "")
            try field.store(text, &model)
            return field.texts(model).last ?? ""
        }
    }
}
