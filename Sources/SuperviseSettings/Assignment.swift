import SuperviseCore

/// The written value of a setting and its source.
struct Assignment: Equatable, Sendable {
    let key: String
    let text: String
    let source: SettingSource

    /// The settings whose values are passed to the workers unchanged and may contain any bytes.
    private static let keysOfAnyBytes: Set<String> = ["command", "env", "chdir"]

    /// The problem with the value on its own, if any.
    var problem: SettingsProblem? {
        guard let setting = Setting.named(key) else { return nil }
        if text.hasUndecodedBytes, !Assignment.keysOfAnyBytes.contains(key) {
            return SettingsProblem(
                source: source, key: key, message: "\(shown(text)) is not valid UTF-8")
        }
        do throws(ValueFault) {
            switch setting.field {
            case .master(let field):
                var scratch = MasterSettings()
                try field.store(text, &scratch)
            case .pool(let field):
                var scratch = PoolSettings(name: "")
                try field.store(text, &scratch)
            }
            return nil
        } catch {
            return EnvironmentLayer.portProblem(self)
                ?? SettingsProblem(
                    source: source, key: key,
                    message: "\(error); allowed: \(setting.allowed)" + commentHint)
        }
    }

    /// A hint for a value that seems to end with a comment, which other config formats allow.
    private var commentHint: String {
        guard case .file = source,
            zip(text, text.dropFirst()).contains(where: { $0 == " " && ($1 == "#" || $1 == ";") })
        else { return "" }
        return "; a comment needs a line of its own"
    }
}

/// The values of one layer for one section.
struct Layer: Equatable, Sendable {
    /// The values of each key, in order.
    private var byKey: [String: [Assignment]] = [:]

    /// All values, in the order of the table.
    var assignments: [Assignment] {
        Setting.keys.flatMap { byKey[$0] ?? [] }
    }

    /// The values of a key in this layer, in order. Only a repeatable key has several.
    func values(of key: String) -> [Assignment] {
        byKey[key] ?? []
    }

    /// The first value of a key.
    func first(_ key: String) -> Assignment? {
        byKey[key]?.first
    }

    mutating func add(_ assignment: Assignment) {
        byKey[assignment.key, default: []].append(assignment)
    }

    /// Replaces earlier values of the key.
    mutating func replace(_ assignment: Assignment) {
        byKey[assignment.key] = [assignment]
    }
}

extension String {
    /// Whether the text came from the system and contains bytes that are not valid UTF-8.
    var hasUndecodedBytes: Bool { unicodeScalars.contains { $0.undecodedByte != nil } }
}
