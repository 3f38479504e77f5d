/// The settings on the command line. They override the file and the environment, also at a reload.
public struct Overrides: Equatable, Sendable {
    /// The config file, if one was given.
    public internal(set) var configPath: String?
    /// The values of options, and of the command after `--`.
    var layer = Layer()
    /// The values of `--pool NAME.key=value`, which override plain options.
    var pools: [PoolOverride] = []

    /// A value for one pool.
    struct PoolOverride: Equatable, Sendable {
        let pool: String
        let assignment: Assignment
    }

    /// No options at all.
    public init(configPath: String? = nil) {
        self.configPath = configPath
    }

    /// The values for one pool.
    func layer(of pool: String) -> Layer {
        var layer = Layer()
        for override in pools where override.pool == pool {
            layer.set(override.assignment)
        }
        return layer
    }
}

extension Layer {
    /// Adds a value. For a setting that is not repeatable, the value replaces the previous one.
    mutating func set(_ assignment: Assignment) {
        if Setting.named(assignment.key)?.isRepeatable == true {
            add(assignment)
        } else {
            replace(assignment)
        }
    }
}
