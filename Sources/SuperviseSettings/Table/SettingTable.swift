extension Setting {
    /// Every setting, in the order of the help. The command line, the config file, the environment,
    /// the help, the manual page, `check`, the README's table and the example file are made from
    /// it; a row here and a property to keep it in are all that a new setting takes.
    public static let all =
        listening + workers + readiness + recycling + stopping + failure + master
        + looking
}
