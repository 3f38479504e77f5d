/// The example config file: every setting as a comment, followed by two pools that run unchanged.
public enum ExampleConfiguration {
    /// The text of `conf/supervise.conf`, as `supervise help conf` prints it.
    public static var text: String {
        (introduction + reference + pools).joined(separator: "\n") + "\n"
    }

    private static let introduction = [
        "# Example configuration of supervise: every setting with its default, and two pools. To try it:",
        "#",
        "#     swift build -c release",
        "#     .build/release/supervise --config conf/supervise.conf",
        "#     curl http://127.0.0.1:8000/",
        "#",
        "# supervise help conf prints this file. To set a key, remove the # before it.",
        "# Details of a key: supervise help KEY. Syntax: supervise help config.",
        "",
    ]

    private static var reference: [String] {
        var lines = ["# The master. Its settings come before the first section.", ""]
        lines += settings(in: .master)
        lines.append(
            "# The pools. A setting before the first section is the default of every pool."
        )
        lines.append("")
        for group in Setting.Group.allCases where group != .master {
            lines += ["## \(group.title)", ""] + settings(in: group)
        }
        return lines
    }

    private static func settings(in group: Setting.Group) -> [String] {
        Setting.all(in: group).flatMap { setting in
            let remark = setting.defaultRemark.map { " (default: \($0))" } ?? ""
            return PlainText.wrap(HelpText.summary(of: setting) + remark, width: 90).map {
                "# " + $0
            } + [
                "#\(setting.key) = \(sample(of: setting))", "",
            ]
        }
    }

    /// The default, or a placeholder if the default is not a literal value.
    private static func sample(of setting: Setting) -> String {
        setting.defaultRemark != nil || setting.defaultText == "none"
            ? setting.placeholder : setting.defaultText
    }

    private static let pools = [
        "# A web server: two workers share the listener. Each is recycled after 1000 to 1100",
        "# requests, or when its memory exceeds 512 MB. Its replacement is ready first.",
        "[pool web]",
        "bind = 127.0.0.1:8000",
        "workers = 2",
        "max-requests = 1000",
        "max-requests-jitter = 100",
        "max-rss = 512M",
        "command = .build/release/hello-worker",
        "",
        "# Jobs: one worker without a listener, replaced every minute.",
        "[pool jobs]",
        "max-lifetime = 60s",
        "command = sh -c 'while :; do sleep 1; done'",
    ]
}
