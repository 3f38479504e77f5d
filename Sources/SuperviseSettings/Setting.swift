/// One setting: everything that the parsers, the help and the documents know about it. The table
/// `Setting.all` is the only list of settings.
public struct Setting: Sendable {
    /// What a setting belongs to.
    public enum Scope: Hashable, Sendable {
        /// The master, once.
        case master
        /// Each pool.
        case pool
    }

    /// When a reload makes a new value count.
    public enum Reload: Hashable, Sendable {
        /// As soon as the reload is committed.
        case live
        /// In the workers that the reload starts.
        case newWorkers
        /// In listeners that the reload adds.
        case newListeners
        /// Not before the master is started again.
        case restart
    }

    /// A heading of the help.
    public enum Group: String, Hashable, Sendable, CaseIterable {
        /// Sockets.
        case listening
        /// What runs, and as whom.
        case workers
        /// When a worker can serve.
        case readiness
        /// When and how healthy workers are replaced.
        case recycling
        /// How workers are ended.
        case stopping
        /// What happens when workers end by themselves.
        case failure
        /// The master itself.
        case master

        /// The heading.
        public var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
    }

    /// The name in the config file; with two dashes, the option.
    public let key: String
    /// The heading that it stands under.
    public let group: Group
    /// When a reload makes a new value count.
    public let reload: Reload
    /// The letter of a short option.
    public let shortOption: Character?
    /// What it does, in a line without a full stop.
    public let summary: String
    /// What it does, in a few sentences with an example.
    public let details: String
    /// The default in words, where there is no value for it.
    let defaultRemark: String?
    private let makeField: @Sendable () -> Field

    /// A start uses a few of all settings: what a field is made of (key paths, formats) waits until
    /// somebody asks for it.
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

    /// Where it is kept, and how it is read and written.
    var field: Field { makeField() }

    /// Whether it belongs to the master or to each pool.
    public var scope: Scope {
        switch field {
        case .master: .master
        case .pool: .pool
        }
    }

    /// Whether it may be given several times, and adds up.
    public var isRepeatable: Bool { traits.isRepeatable }

    /// Whether `--key` alone means yes.
    public var isFlag: Bool { traits.isFlag }

    /// What stands for its value in usage lines.
    public var placeholder: String { traits.placeholder }

    /// The allowed values, in words.
    public var allowed: String { traits.allowed }

    /// The default as it would be written, or in words.
    public var defaultText: String {
        if let defaultRemark { return defaultRemark }
        let texts =
            switch field {
            case .master(let field): field.texts(MasterSettings())
            case .pool(let field): field.texts(PoolSettings(name: ""))
            }
        return texts.isEmpty ? "none" : texts.joined(separator: " ")
    }

    /// The environment variable that sets it: `SUPERVISE_MAX_REQUESTS`.
    public var environmentVariable: String {
        "SUPERVISE_" + key.uppercased().substituting(["-": "_"])
    }

    /// The setting of a key.
    public static func named(_ key: String) -> Setting? {
        all.firstIndex { $0.key == key }.map { all[$0] }
    }

    /// The settings under a heading, in their order.
    public static func all(in group: Group) -> [Setting] { all.filter { $0.group == group } }

    static let keys = all.map(\.key)

    private var traits: FieldTraits {
        switch field {
        case .master(let field): field.traits
        case .pool(let field): field.traits
        }
    }
}

/// Where a setting is kept.
enum Field: Sendable {
    case master(FieldOf<MasterSettings>)
    case pool(FieldOf<PoolSettings>)
}

/// What a field's format tells about it.
struct FieldTraits: Sendable {
    let placeholder: String
    let allowed: String
    var isRepeatable = false
    var isFlag = false
}

/// A stored property together with its format.
struct FieldOf<Model: Sendable>: Sendable {
    let traits: FieldTraits
    /// Sets the property, or adds to a list.
    let store: @Sendable (String, inout Model) throws(ValueFault) -> Void
    /// Empties a list; nothing for other properties.
    let clear: @Sendable (inout Model) -> Void
    /// The values as a config file says them; none where nothing is set.
    let texts: @Sendable (Model) -> [String]

    /// A property that always has a value.
    static func value<Value>(
        _ path: WritableKeyPath<Model, Value> & Sendable, _ format: Format<Value>
    ) -> FieldOf {
        let traits = FieldTraits(
            placeholder: format.placeholder, allowed: format.allowed,
            isFlag: Value.self == Bool.self)
        return FieldOf(traits: traits) { text, model throws(ValueFault) in
            model[keyPath: path] = try format.value(of: text)
        } clear: { _ in
        } texts: {
            [format.print($0[keyPath: path])]
        }
    }

    /// A property that may have none, which an empty text says.
    static func optional<Value>(
        _ path: WritableKeyPath<Model, Value?> & Sendable, _ format: Format<Value>
    ) -> FieldOf {
        let traits = FieldTraits(placeholder: format.placeholder, allowed: format.allowed)
        return FieldOf(traits: traits) { text, model throws(ValueFault) in
            model[keyPath: path] = text.isEmpty ? nil : try format.value(of: text)
        } clear: { _ in
        } texts: {
            $0[keyPath: path].map { [format.print($0)] } ?? []
        }
    }

    /// A list, which every further value adds to and an empty text clears.
    static func list<Value>(
        _ path: WritableKeyPath<Model, [Value]> & Sendable, _ format: Format<Value>
    ) -> FieldOf {
        let traits = FieldTraits(
            placeholder: format.placeholder, allowed: format.allowed, isRepeatable: true)
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

    /// The command: a list of words in one value.
    static func words(
        _ path: WritableKeyPath<Model, [String]> & Sendable, _ format: Format<[String]>
    ) -> FieldOf {
        let traits = FieldTraits(placeholder: format.placeholder, allowed: format.allowed)
        return FieldOf(traits: traits) { text, model throws(ValueFault) in
            model[keyPath: path] = try format.value(of: text)
        } clear: { _ in
        } texts: {
            $0[keyPath: path].isEmpty ? [] : [format.print($0[keyPath: path])]
        }
    }
}
