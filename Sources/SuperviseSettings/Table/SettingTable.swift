extension Setting {
    /// Every setting, in the order of the help. The command line, the config file, the environment,
    /// the help, the manual page, `check`, the README's table and the example file are generated
    /// from it. A new setting needs only a row here and a property that stores it.
    public static let all =
        listening + workers + scaling + schedule + output + readiness + recycling + stopping
        + failure
        + master
        + control
}
