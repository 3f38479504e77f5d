/// The settings of a pool and their sources.
struct PoolDraft {
    var settings: PoolSettings
    /// The source of each given value; for a repeatable key, in the order of its list.
    var sources: [String: [SettingSource]] = [:]
    /// The keys whose value comes from the part of the file that all pools share.
    var sharedKeys: Set<String> = []

    /// The source of the first of these keys that was given, or else the pool.
    func source(of keys: String...) -> SettingSource {
        for key in keys {
            if let source = sources[key]?.last { return source }
        }
        return .pool(settings.name)
    }
}

/// Merges the layers.
struct LayerResolver {
    private let reader: ConfigFileReader
    private let variables: EnvironmentLayer
    private let overrides: Overrides
    private let pools: [ConfigFileReader.PoolSection]
    /// The problems found so far, including those of the files.
    private(set) var problems: [SettingsProblem]

    init(reader: ConfigFileReader, variables: EnvironmentLayer, overrides: Overrides) {
        self.reader = reader
        self.variables = variables
        self.overrides = overrides
        problems = reader.problems
        pools =
            reader.pools.isEmpty
            ? [.init(name: Configuration.defaultPoolName, source: .invocation)] : reader.pools
        let given =
            variables.layer.assignments + overrides.layer.assignments
            + overrides.pools.map(\.assignment)
        problems += given.compactMap(\.problem)
    }

    /// Rejects pool settings that do not name one of several pools.
    mutating func checkScopes() {
        let names = pools.map(\.name)
        if names.count > 1 {
            for assignment in variables.layer.assignments + overrides.layer.assignments
            where Setting.named(assignment.key)?.scope == .pool {
                problems.append(
                    SettingsProblem(
                        source: assignment.source, key: assignment.key,
                        message: "is ambiguous, because there are several pools: "
                            + names.joined(separator: ", ")
                            + "; write --pool \(names[0]).\(assignment.key)=…"))
            }
        }
        for override in overrides.pools where !names.contains(override.pool) {
            problems.append(
                SettingsProblem(
                    source: override.assignment.source,
                    message: "unknown pool \(shown(override.pool))"
                        + NearestName.hint(override.pool, in: names)
                        + "; the pools are: " + names.joined(separator: ", ")))
        }
    }

    /// The settings of the master. Invalid values are replaced by defaults.
    func master() -> MasterSettings {
        var settings = MasterSettings()
        for setting in Setting.all {
            guard
                let (_, values) = winner(
                    of: setting.key, among: [reader.shared, variables.layer, overrides.layer]),
                case .master(let field) = setting.field
            else { continue }
            _ = LayerResolver.apply(values, to: &settings, by: field)
        }
        return settings
    }

    /// The settings of the pools. Invalid values are replaced by defaults.
    mutating func drafts() -> [PoolDraft] {
        pools.map { draft(of: $0) }
    }

    private mutating func draft(of pool: ConfigFileReader.PoolSection) -> PoolDraft {
        let isSingleDefault = pools.count == 1 && pool.name == Configuration.defaultPoolName
        let layers = [
            isSingleDefault ? variables.defaults : Layer(), reader.shared, pool.layer,
            variables.layer, overrides.layer, overrides.layer(of: pool.name),
        ]
        var draft = PoolDraft(settings: PoolSettings(name: pool.name))
        for setting in Setting.all {
            guard let (layer, values) = winner(of: setting.key, among: layers),
                case .pool(let field) = setting.field
            else { continue }
            if layer == 0 {
                // Report an invalid default only if it is in effect.
                problems += values.compactMap(\.problem)
            }
            if layer == 1 { draft.sharedKeys.insert(setting.key) }
            draft.sources[setting.key] = LayerResolver.apply(
                values, to: &draft.settings, by: field)
        }
        return draft
    }

    /// The highest layer that contains a key, and its values.
    private func winner(
        of key: String, among layers: [Layer]
    ) -> (layer: Int, values: [Assignment])? {
        for index in layers.indices.reversed() {
            let values = layers[index].values(of: key)
            if !values.isEmpty { return (index, values) }
        }
        return nil
    }

    /// Stores values and returns the sources of those that take effect.
    private static func apply<Model>(
        _ values: [Assignment], to model: inout Model, by field: FieldOf<Model>
    ) -> [SettingSource] {
        field.clear(&model)
        var sources: [SettingSource] = []
        for value in values {
            do throws(ValueFault) {
                try field.store(value.text, &model)
                if field.traits.isRepeatable, value.text.isEmpty {
                    sources = []
                } else {
                    sources.append(value.source)
                }
            } catch {
                // Already reported when the value was read.
            }
        }
        return sources
    }
}
