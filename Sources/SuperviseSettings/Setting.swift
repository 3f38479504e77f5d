/// One setting, as used by the parsers, the help and the documentation. The table `Setting.all` is the
/// only list of settings.
public struct Setting: Sendable {
    /// The scope of a setting.
    public enum Scope: Hashable, Sendable {
        /// The master.
        case master
        /// Each pool.
        case pool
    }

    /// When a new value takes effect.
    public enum Reload: Hashable, Sendable {
        /// As soon as the reload is committed.
        case live
        /// In workers that start after the reload.
        case newWorkers
        /// In listeners that the reload adds.
        case newListeners
        /// After a restart of the master.
        case restart
    }

    /// A group of settings in the help.
    public enum Group: String, Hashable, Sendable, CaseIterable {
        /// Sockets.
        case listening
        /// The program and its environment.
        case workers
        /// When a worker is ready.
        case readiness
        /// When and how workers are recycled.
        case recycling
        /// How workers are stopped.
        case stopping
        /// How failures are handled.
        case failure
        /// The master itself.
        case master

        /// The title in the help.
        public var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
    }

    /// The name in the config file and, with two dashes, on the command line.
    public let key: String
    /// The group that the setting belongs to.
    public let group: Group
    /// When a new value takes effect.
    public let reload: Reload
    /// The letter of the short option, if any.
    public let shortOption: Character?
    /// A one-line summary without a full stop.
    public let summary: String
    /// A description of a few sentences with an example.
    public let details: String
    /// A description of the default if it is not a literal value.
    let defaultRemark: String?
    private let makeField: @Sendable () -> Field

    /// Creates a setting. The field is created on first use, because a start uses only a few settings.
    init(
        _ key: String, in group: Group, _ field: @autoclosure @escaping @Sendable () -> Field,
        reload: Reload, short: Character? = nil, default defaultRemark: String? = nil,
        summary: String, details: String
    ) {
        self.key = key
        self.group = group
        makeField = field
        self.reload = reload
        self.shortOption = short
        self.defaultRemark = defaultRemark
        self.summary = summary
        self.details = details
    }

    /// The property that stores the value, and its format.
    var field: Field { makeField() }

    /// Whether the setting belongs to the master or to each pool.
    public var scope: Scope {
        switch field {
        case .master: .master
        case .pool: .pool
        }
    }

    /// Whether the setting can be given several times and accumulates.
    public var isRepeatable: Bool { traits.isRepeatable }

    /// Whether `--key` without a value means yes.
    public var isFlag: Bool { traits.isFlag }

    /// The placeholder for its value in usage lines.
    public var placeholder: String { traits.placeholder }

    /// The allowed values, as shown in messages.
    public var allowed: String { traits.allowed }

    /// The values that are words, such as `off` and `auto`.
    var words: [String] { traits.words }

    /// The default as a value or as a description.
    public var defaultText: String {
        if let defaultRemark { return defaultRemark }
        let texts =
            switch field {
            case .master(let field): field.texts(MasterSettings())
            case .pool(let field): field.texts(PoolSettings(name: ""))
            }
        return texts.isEmpty ? "none" : texts.joined(separator: " ")
    }

    /// The environment variable of the setting: `SUPERVISE_MAX_REQUESTS`.
    public var environmentVariable: String {
        "SUPERVISE_" + key.uppercased().substituting(["-": "_"])
    }

    /// The setting with a key.
    public static func named(_ key: String) -> Setting? {
        all.firstIndex { $0.key == key }.map { all[$0] }
    }

    /// The settings of a group, in order.
    public static func all(in group: Group) -> [Setting] { all.filter { $0.group == group } }

    static let keys = all.map(\.key)

    private var traits: FieldTraits {
        switch field {
        case .master(let field): field.traits
        case .pool(let field): field.traits
        }
    }
}

/// The property that stores a setting.
enum Field: Sendable {
    case master(FieldOf<MasterSettings>)
    case pool(FieldOf<PoolSettings>)
}

/// Properties of a field that follow from its format.
struct FieldTraits: Sendable {
    let placeholder: String
    let allowed: String
    let words: [String]
    var isRepeatable = false
    var isFlag = false
}

/// A stored property together with its format.
struct FieldOf<Model: Sendable>: Sendable {
    let traits: FieldTraits
    /// Sets the property, or appends to a list.
    let store: @Sendable (String, inout Model) throws(ValueFault) -> Void
    /// Empties a list; no effect on other properties.
    let clear: @Sendable (inout Model) -> Void
    /// The values as written in a config file; empty if nothing is set.
    let texts: @Sendable (Model) -> [String]

    /// A property that always has a value.
    static func value<Value>(
        _ path: WritableKeyPath<Model, Value> & Sendable, _ format: Format<Value>
    ) -> FieldOf {
        let traits = FieldTraits(
            placeholder: format.placeholder, allowed: format.allowed, words: format.words,
            isFlag: Value.self == Bool.self)
        return FieldOf(traits: traits) { text, model throws(ValueFault) in
            model[keyPath: path] = try format.value(of: text)
        } clear: { _ in
        } texts: {
            [format.print($0[keyPath: path])]
        }
    }

    /// An optional property; an empty text sets it to nil.
    static func optional<Value>(
        _ path: WritableKeyPath<Model, Value?> & Sendable, _ format: Format<Value>
    ) -> FieldOf {
        let traits = FieldTraits(
            placeholder: format.placeholder, allowed: format.allowed, words: format.words)
        return FieldOf(traits: traits) { text, model throws(ValueFault) in
            model[keyPath: path] = text.isEmpty ? nil : try format.value(of: text)
        } clear: { _ in
        } texts: {
            $0[keyPath: path].map { [format.print($0)] } ?? []
        }
    }

    /// A list. Each value is appended; an empty text clears the list.
    static func list<Value>(
        _ path: WritableKeyPath<Model, [Value]> & Sendable, _ format: Format<Value>
    ) -> FieldOf {
        let traits = FieldTraits(
            placeholder: format.placeholder, allowed: format.allowed, words: format.words,
            isRepeatable: true)
        return FieldOf(traits: traits) { text, model throws(ValueFault) in
            if text.isEmpty {
                model[keyPath: path] = []
            } else {
                model[keyPath: path].append(try format.value(of: text))
            }
        } clear: {
            $0[keyPath: path] = []
        } texts: {
            $0[keyPath: path].map(format.print)
        }
    }

    /// A command: a list of words in one value.
    static func words(
        _ path: WritableKeyPath<Model, [String]> & Sendable, _ format: Format<[String]>
    ) -> FieldOf {
        let traits = FieldTraits(
            placeholder: format.placeholder, allowed: format.allowed, words: format.words)
        return FieldOf(traits: traits) { text, model throws(ValueFault) in
            model[keyPath: path] = try format.value(of: text)
        } clear: { _ in
        } texts: {
            $0[keyPath: path].isEmpty ? [] : [format.print($0[keyPath: path])]
        }
    }
}
