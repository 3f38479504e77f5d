import SuperviseCore

extension Configuration {
    /// The configuration as a config file that contains every value, so that neither defaults nor the
    /// environment affect its reader: `Configuration(canonicalText:)` restores the same value. A reload
    /// passes it from the process that reads files to the master.
    public var canonicalText: String {
        var text = ""
        for setting in Setting.all {
            guard case .master(let field) = setting.field else { continue }
            for value in field.texts(master) { text += "\(setting.key) = \(value)\n" }
        }
        for pool in pools {
            text += "\n[pool \(pool.name)]\n"
            for setting in Setting.all {
                guard case .pool(let field) = setting.field else { continue }
                for value in field.texts(pool) { text += "\(setting.key) = \(value)\n" }
            }
        }
        return text
    }

    /// The effective settings as `check` prints them, by group. A default that depends on other
    /// settings is printed with its effective value. The name may come from `configPath`.
    public func effectiveText(configPath: String? = nil) -> String {
        var text = "# The effective settings. Lines that begin with # have their default values.\n"
        var initial = MasterSettings()
        initial.name = Configuration.name(for: configPath, pools: pools)
        text += Configuration.lines(of: .master) { setting in
            guard case .master(let field) = setting.field else { return nil }
            return (field.texts(master), field.texts(initial))
        }
        for pool in pools {
            text += "\n[pool \(pool.name)]\n"
            let initial = PoolSettings(name: pool.name)
            let shown = pool.withEffectiveDefaults
            for group in Setting.Group.allCases where group != .master {
                text += Configuration.lines(of: group) { setting in
                    guard case .pool(let field) = setting.field else { return nil }
                    let texts = field.texts(pool)
                    return texts.isEmpty
                        ? (field.texts(shown), field.texts(shown))
                        : (texts, field.texts(initial))
                }
            }
        }
        return text
    }

    private static func lines(
        of group: Setting.Group, values: (Setting) -> (texts: [String], initial: [String])?
    ) -> String {
        var changed = ""
        var unchanged = ""
        for setting in Setting.all(in: group) {
            guard let (texts, initial) = values(setting) else { continue }
            for value in texts where texts != initial { changed += "\(setting.key) = \(value)\n" }
            guard texts == initial else { continue }
            unchanged += texts.map { "# \(setting.key) = \($0)\n" }.joined()
            if texts.isEmpty { unchanged += "# \(setting.key): \(setting.defaultText)\n" }
        }
        return "# \(group.title)\n" + changed + unchanged
    }
}

extension PoolSettings {
    /// The settings with the defaults that depend on other settings filled in.
    fileprivate var withEffectiveDefaults: PoolSettings {
        var pool = self
        pool.policy.maxSurge = policy.effectiveMaxSurge
        pool.policy.maxUnavailable = policy.effectiveMaxUnavailable
        pool.quickSignal = quickSignal ?? stopSignal
        return pool
    }
}

extension PoolPolicy {
    /// `max-surge`, or its default: 1 with listeners, which two workers can share.
    var effectiveMaxSurge: Amount { maxSurge ?? .count(hasListeners ? 1 : 0) }

    /// `max-unavailable`, or its default.
    var effectiveMaxUnavailable: Amount { maxUnavailable ?? .count(hasListeners ? 0 : 1) }
}
