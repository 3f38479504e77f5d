/// A Procfile: a line `NAME: COMMAND` for each process type, which becomes a pool.
enum ProcfileImport {
    /// The port of the first process type in foreman; the next ones add 100.
    private static let firstPort = 5000

    static func draft(_ lines: [String]) -> ImportDraft {
        var draft = ImportDraft()
        for (index, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let name = SettingsLines.trimmed(parts[0])
            let command = parts.count == 2 ? SettingsLines.trimmed(parts[1]) : ""
            guard isPoolName(name), !command.isEmpty else {
                draft.note("Line \(index + 1) is not \"NAME: COMMAND\": \(line.prefix(60))")
                continue
            }
            if name == "release" {
                draft.note(
                    "\(line.prefix(200)): runs once per deployment. Run it before supervise reload."
                )
                continue
            }
            add(name, command, number: draft.pools.count, &draft)
        }
        if draft.pools.isEmpty {
            draft.note("There is no process type, so there is no pool and no command.")
        }
        return draft
    }

    private static func add(
        _ name: String, _ command: String, number: Int, _ draft: inout ImportDraft
    ) {
        let source = "\(name): \(command.prefix(60))"
        draft.addPool(name)
        let port = firstPort + 100 * (number % 100)
        if name == "web" || command.contains("$PORT") || command.contains("${PORT") {
            draft.set("bind", "0.0.0.0:\(port)", from: source)
            draft.setVariable("PORT", "\(port)", from: source)
            draft.note(
                "\(name): the port \(port) is foreman's default. Change it in both bind and env, "
                    + "or run a single pool with PORT in the environment.")
        }
        if needsShell(command) {
            let isSimple = !command.contains { "|&;<>()\n".contains($0) }
            draft.setCommand(["sh", "-c", (isSimple ? "exec " : "") + command])
        } else {
            draft.set("command", command, from: source)
        }
    }

    /// Whether words and quotes are not enough: the master expands nothing.
    private static func needsShell(_ command: String) -> Bool {
        if command.contains(where: { "$|&;<>()`*?~#".contains($0) }) { return true }
        // VARIABLE=value before the program.
        let first = command.prefix { $0 != " " }
        return first.contains("=")
    }
}
