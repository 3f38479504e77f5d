/// The manual page of the config file.
extension ManualPage {
    static func file(version: String) -> String {
        let title =
            ".TH SUPERVISE.CONF 5 \"\" \"supervise \(escaped(version))\" \"File Formats\""
        let lines =
            [title, ".SH NAME", "supervise.conf \\- config file of supervise(1)"]
            + [".SH SYNOPSIS", ".nf", ".B supervise \\-\\-config FILE", ".fi"]
            + [".SH DESCRIPTION"]
            + Fact.configFile.map { [text($0)] }.joined(separator: [".PP"])
            + keys + example + [".SH SEE ALSO", ".BR supervise (1)"]
        return lines.joined(separator: "\n") + "\n"
    }

    private static var keys: [String] {
        var lines = [
            ".SH KEYS",
            text(
                "Sizes are written 512M, 512MB, 512MiB, 1.5G or 65536 (bytes); K, M and G are powers "
                    + "of 1024. Durations are written 30 or 30s, 500ms, 1h30m, 1.5h or 2d."),
        ]
        for group in Setting.Group.allCases {
            lines.append(".SS \(group.title)")
            for setting in Setting.all(in: group) {
                lines += entry(
                    "\(setting.key) = \(setting.placeholder)",
                    HelpText.summary(of: setting) + ". " + setting.details)
                lines += [
                    ".br",
                    text(
                        "Allowed: \(setting.allowed). Default: \(setting.defaultText). Scope: "
                            + "\(HelpText.scope(of: setting)). Changes take effect "
                            + "\(HelpText.reload(of: setting))."),
                ]
            }
        }
        return lines
    }

    private static var example: [String] {
        let lines = [
            "max-lifetime = 1h", "", "[pool web]", "bind = 127.0.0.1:8000", "workers = 2",
            "max-requests = 1000", "max-requests-jitter = 100", "max-rss = 512M",
            "command = uvicorn shop:app --fd 3", "", "[pool jobs]", "max-lifetime = 60s",
            "command = python manage.py run_jobs",
        ]
        // An empty line would be a request for space.
        return [".SH EXAMPLE", ".nf"] + lines.map { $0.isEmpty ? ".PP" : escaped($0) } + [".fi"]
    }
}
