import SuperviseLinux
import SuperviseSettings

/// A loader's report to the master: a configuration with all names resolved, or errors. It consists
/// of lines of words; the configuration itself is a configuration file. The last line proves that
/// it is complete.
enum LoaderReport {
    private static let settingsHead = "settings"
    private static let problemsHead = "problems"
    private static let end = "# end\n"

    static func encode(_ resolved: ResolvedConfiguration) -> String {
        var lines = [settingsHead]
        let names = resolved.names
        for (host, addresses) in names.hosts.sorted(by: { $0.key < $1.key }) {
            lines += addresses.map { "host \(host) \($0)" }
        }
        for (pool, account) in names.accounts.sorted(by: { $0.key < $1.key }) {
            let groups = account.credentials.supplementaryGroups.map { "\($0)" }
            lines.append(
                "account \(pool) \(account.credentials.uid) \(account.credentials.gid) "
                    + "\(groups.joined(separator: ",")) \(account.name ?? "") "
                    + "\(account.homeDirectory ?? "")")
        }
        for (pool, owner) in names.socketOwners.sorted(by: { $0.key < $1.key }) {
            lines.append(
                "owner \(pool) \(owner.uid.map(String.init) ?? "") "
                    + "\(owner.gid.map(String.init) ?? "")")
        }
        if let owner = names.controlOwner {
            lines.append(
                "control-owner \(owner.uid.map(String.init) ?? "") "
                    + "\(owner.gid.map(String.init) ?? "")")
        }
        for warning in resolved.warnings {
            lines.append("warning \(warning.substituting(["\n": " "]))")
        }
        lines.append("")
        return lines.joined(separator: "\n") + "\n" + resolved.configuration.canonicalText + end
    }

    static func encode(_ error: SettingsError) -> String {
        let problems = error.problems.map { $0.description.substituting(["\n": " "]) }
        return ([problemsHead] + problems).joined(separator: "\n") + "\n" + end
    }

    /// Returns the content of a complete report; nil if it is incomplete.
    static func decode(_ bytes: [UInt8]) -> ConfigurationLoader.Outcome? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasSuffix("\n" + end) else { return nil }
        let body = text.dropLast(end.count)
        guard let headEnd = body.firstIndex(of: "\n") else { return nil }
        switch body[..<headEnd] {
        case problemsHead:
            return .problems(
                body[body.index(after: headEnd)...].split(separator: "\n").map(String.init))
        case settingsHead:
            return decodeSettings(body[body.index(after: headEnd)...])
        default:
            return nil
        }
    }

    private static func decodeSettings(_ body: Substring) -> ConfigurationLoader.Outcome? {
        var rest = body
        var names = ResolvedNames()
        var warnings: [String] = []
        while let lineEnd = rest.firstIndex(of: "\n") {
            let line = rest[..<lineEnd]
            rest = rest[rest.index(after: lineEnd)...]
            if line.isEmpty { break }
            if line.hasPrefix("warning ") {
                warnings.append(String(line.dropFirst("warning ".count)))
            } else if !decodeName(line, into: &names) {
                return nil
            }
        }
        do throws(SettingsError) {
            return .loaded(
                ResolvedConfiguration(
                    configuration: try Configuration(canonicalText: Array(rest.utf8)),
                    names: names, warnings: warnings))
        } catch {
            return .problems(error.problems.map(\.description))
        }
    }

    private static func decodeName(_ line: Substring, into names: inout ResolvedNames) -> Bool {
        let words = line.split(separator: " ", maxSplits: 6, omittingEmptySubsequences: false)
            .map(String.init)
        switch (words.first, words.count) {
        case ("host", 3):
            names.hosts[words[1], default: []].append(words[2])
        case ("owner", 4):
            names.socketOwners[words[1]] = .init(uid: UInt32(words[2]), gid: UInt32(words[3]))
        case ("control-owner", 3):
            names.controlOwner = .init(uid: UInt32(words[1]), gid: UInt32(words[2]))
        case ("account", 7):
            guard let uid = UInt32(words[2]), let gid = UInt32(words[3]) else { return false }
            names.accounts[words[1]] = WorkerAccount(
                name: words[5].isEmpty ? nil : words[5],
                homeDirectory: words[6].isEmpty ? nil : words[6],
                credentials: Credentials(
                    uid: uid, gid: gid,
                    supplementaryGroups: words[4].split(separator: ",").compactMap {
                        UInt32($0)
                    }))
        default:
            return false
        }
        return true
    }
}
