import SuperviseCore

/// A setting's value as it was written, and where.
struct Assignment: Equatable, Sendable {
    let key: String
    let text: String
    let source: SettingSource

    /// The settings whose values reach the workers as they are, whatever bytes they have.
    private static let keysOfAnyBytes: Set<String> = ["command", "env", "chdir"]

    /// What is wrong with the value by itself, if anything is.
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

    /// For those who know comments behind values from other config files.
    private var commentHint: String {
        guard case .file = source,
            zip(text, text.dropFirst()).contains(where: { $0 == " " && ($1 == "#" || $1 == ";") })
        else { return "" }
        return "; comments stand on lines of their own"
    }
}

/// The values that one layer gives to the settings of one section.
struct Layer: Equatable, Sendable {
    /// The values of each key, in order.
    private var byKey: [String: [Assignment]] = [:]

    /// All values, in the order of the table.
    var assignments: [Assignment] {
        Setting.keys.flatMap { byKey[$0] ?? [] }
    }

    /// The layer's values of a key, in order: several only where the key is repeatable.
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
    /// Whether it came from the system and has bytes that are no UTF-8.
    var hasUndecodedBytes: Bool { unicodeScalars.contains { $0.undecodedByte != nil } }
}
