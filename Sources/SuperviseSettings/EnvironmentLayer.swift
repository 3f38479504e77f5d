/// The settings in the environment.
struct EnvironmentLayer {
    /// The values of `SUPERVISE_…` variables.
    private(set) var layer = Layer()
    /// Warnings about variables that look like settings but are not.
    private(set) var warnings: [SettingsProblem] = []
    /// `$WEB_CONCURRENCY` and `$PORT`, the defaults of a single pool `default`.
    private(set) var defaults = Layer()

    private static let prefix = "SUPERVISE_"
    /// The prefix of variables that a master sets for its workers. A worker can itself be a master.
    private static let workerPrefix = "SUPERVISE_WORKER_"

    /// The source of the default of `bind`.
    private static let portSource = SettingSource.environment(variable: "PORT")
    private static let anyHost = "0.0.0.0:"

    /// The settings' keys by variable.
    private static let keys = Dictionary(
        Setting.all.map { ($0.environmentVariable, $0.key) },
        uniquingKeysWith: { first, _ in first })

    init(_ environment: [String: String]) {
        let ours = environment.filter {
            $0.key.hasPrefix(EnvironmentLayer.prefix)
                && !$0.key.hasPrefix(EnvironmentLayer.workerPrefix)
        }
        for (variable, text) in ours.sorted(by: { $0.key < $1.key }) {
            let source = SettingSource.environment(variable: variable)
            if let key = EnvironmentLayer.keys[variable] {
                // An empty value counts as unset, as for PORT below, unless it clears a list.
                if text.isEmpty, Setting.named(key)?.isRepeatable != true { continue }
                layer.add(Assignment(key: key, text: text, source: source))
            } else {
                let prefix = EnvironmentLayer.prefix
                let hint = NearestName.hint(
                    String(variable.dropFirst(prefix.count)),
                    in: Setting.all.map { String($0.environmentVariable.dropFirst(prefix.count)) },
                    prefix: prefix)
                warnings.append(
                    SettingsProblem(source: source, message: "is not a setting" + hint))
            }
        }
        // An empty value counts as unset: `PORT=$PORT` in a compose file.
        if let text = environment["WEB_CONCURRENCY"], !text.isEmpty {
            let source = SettingSource.environment(variable: "WEB_CONCURRENCY")
            defaults.add(Assignment(key: "workers", text: text, source: source))
        }
        if let text = environment["PORT"], !text.isEmpty {
            defaults.add(
                Assignment(
                    key: "bind", text: EnvironmentLayer.anyHost + text,
                    source: EnvironmentLayer.portSource))
        }
    }

    /// The problem with an address that was derived from `$PORT`, in terms of `$PORT`.
    static func portProblem(_ assignment: Assignment) -> SettingsProblem? {
        guard assignment.source == portSource,
            let port = assignment.text.after(prefix: anyHost)
        else { return nil }
        return SettingsProblem(
            source: portSource, key: assignment.key,
            message: "\(shown(port)) is not a port number; allowed: 0 to 65535")
    }
}
