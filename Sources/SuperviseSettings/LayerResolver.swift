/// A pool's settings together with where they were written.
struct PoolDraft {
    var settings: PoolSettings
    /// Where each given value stands; those of a repeatable key in the order of its list.
    var sources: [String: [SettingSource]] = [:]
    /// The keys that have their value from the part of the file that all pools share.
    var sharedKeys: Set<String> = []

    /// Where a key was given, or the pool as a whole.
    func source(of keys: String...) -> SettingSource {
        for key in keys {
            if let source = sources[key]?.last { return source }
        }
        return .pool(settings.name)
    }
}

/// Lays the layers over each other.
struct LayerResolver {
    private let reader: ConfigFileReader
    private let variables: EnvironmentLayer
    private let overrides: Overrides
    private let pools: [ConfigFileReader.PoolSection]
    /// Everything wrong so far, that of the files included.
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

    /// Refuses what can't be told to belong to a pool.
    mutating func checkScopes() {
        let names = pools.map(\.name)
        if names.count > 1 {
            for assignment in variables.layer.assignments + overrides.layer.assignments
            where Setting.named(assignment.key)?.scope == .pool {
                problems.append(
                    SettingsProblem(
                        source: assignment.source, key: assignment.key,
                        message: "which pool? There are several: "
                            + names.joined(separator: ", ")
                            + "; write --pool \(names[0]).\(assignment.key)=…"))
            }
        }
        for override in overrides.pools where !names.contains(override.pool) {
            problems.append(
                SettingsProblem(
                    source: override.assignment.source,
                    message: "there is no pool \(shown(override.pool))"
                        + NearestName.hint(override.pool, in: names)
                        + "; the pools are: " + names.joined(separator: ", ")))
        }
    }

    /// The master's settings. Values that are wrong are left at their defaults.
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

    /// The pools' settings. Values that are wrong are left at their defaults.
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
                // Only a default that counts is worth an error.
                problems += values.compactMap(\.problem)
            }
            if layer == 1 { draft.sharedKeys.insert(setting.key) }
            draft.sources[setting.key] = LayerResolver.apply(
                values, to: &draft.settings, by: field)
        }
        return draft
    }

    /// The highest layer that gives a key, and what it gives.
    private func winner(
        of key: String, among layers: [Layer]
    ) -> (layer: Int, values: [Assignment])? {
        for index in layers.indices.reversed() {
            let values = layers[index].values(of: key)
            if !values.isEmpty { return (index, values) }
        }
        return nil
    }

    /// Stores values and gives back where those that are in force were written.
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
                // Reported where the value was read.
            }
        }
        return sources
    }
}
