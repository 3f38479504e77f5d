/// A configuration and the warnings about it.
public struct LoadedConfiguration: Equatable, Sendable {
    /// The configuration.
    public var configuration: Configuration
    /// Probable mistakes that do not prevent a start.
    public var warnings: [SettingsProblem]

    /// Creates a result of these parts.
    public init(configuration: Configuration, warnings: [SettingsProblem]) {
        self.configuration = configuration
        self.warnings = warnings
    }
}

extension Configuration {
    /// Loads the effective settings. The command line overrides the environment, which overrides the
    /// config file, which overrides the defaults. Env-files are not read; see
    /// `inliningEnvironmentFiles`.
    public static func load(
        _ overrides: Overrides, environment: [String: String], files: FileAccess
    ) throws(SettingsError) -> LoadedConfiguration {
        var reader = ConfigFileReader(files: files)
        if let path = overrides.configPath { reader.read(path) }
        let variables = EnvironmentLayer(environment)
        var resolver = LayerResolver(reader: reader, variables: variables, overrides: overrides)
        resolver.checkScopes()
        let drafts = resolver.drafts()
        var master = resolver.master()

        var validation = Validation(drafts: drafts)
        validation.configPath = overrides.configPath
        validation.receivesSockets = environment["LISTEN_FDS"] != nil
        validation.faultyKeys = Set(resolver.problems.compactMap(\.key))
        validation.mayLackCommands = !reader.problems.isEmpty
        validation.run()
        let problems = resolver.problems + validation.problems
        guard problems.isEmpty else { throw SettingsError(problems) }

        let pools = drafts.map(\.settings.withOneRun)
        master.name = master.name ?? name(for: overrides.configPath, pools: pools)
        return LoadedConfiguration(
            configuration: Configuration(master: master, pools: pools),
            warnings: variables.warnings + validation.warnings)
    }

    /// Parses the output of `canonicalText`. It opens no file, reads no variable, and does not repeat
    /// the checks of loading.
    public init(canonicalText bytes: [UInt8]) throws(SettingsError) {
        var reader = ConfigFileReader(files: .none)
        reader.read(bytes, as: "settings")
        var resolver = LayerResolver(
            reader: reader, variables: EnvironmentLayer([:]), overrides: Overrides())
        let drafts = resolver.drafts()
        self.init(master: resolver.master(), pools: drafts.map(\.settings))
        guard resolver.problems.isEmpty else { throw SettingsError(resolver.problems) }
    }

    /// The default of `name`: the stem of the config file, or else that of the command.
    static func name(for configPath: String?, pools: [PoolSettings]) -> String {
        let command = pools.first?.command.first ?? ""
        let written =
            configPath.map(ConfigPath.stem) ?? command.split(separator: "/").last.map(String.init)
        let name = (written ?? "").unicodeScalars.prefix(64).map { scalar in
            isMasterName(String(scalar)) ? String(scalar) : "-"
        }.joined()
        return name.isEmpty ? "supervise" : name
    }
}
