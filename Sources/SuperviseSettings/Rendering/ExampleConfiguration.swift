/// The example config file: every setting as a comment, and two pools that run as they stand.
public enum ExampleConfiguration {
    /// The text of `conf/supervise.conf`, as `supervise help conf` prints it.
    public static var text: String {
        (introduction + reference + pools).joined(separator: "\n") + "\n"
    }

    private static let introduction = [
        "# An example for supervise with two pools, and every setting with its default. Try it:",
        "#",
        "#     swift build -c release",
        "#     .build/release/supervise --config conf/supervise.conf",
        "#     curl http://127.0.0.1:8000/",
        "#",
        "# This file is what \"supervise help conf\" prints. Remove the # before a key to set it.",
        "# More about a key: supervise help KEY. More about the syntax: supervise help config.",
        "",
    ]

    private static var reference: [String] {
        var lines = ["# The master. Its settings stand before the first section.", ""]
        lines += settings(in: .master)
        lines.append(
            "# The pools. What stands here, before the first section, is the default of every pool."
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

    /// The default where it can be written, else what kind of value goes there.
    private static func sample(of setting: Setting) -> String {
        setting.defaultRemark != nil || setting.defaultText == "none"
            ? setting.placeholder : setting.defaultText
    }

    private static let pools = [
        "# A web server: two workers share the listener. Each is recycled after 1000 to 1100",
        "# requests, or when it has grown past 512 MB, once its replacement is ready.",
        "[pool web]",
        "bind = 127.0.0.1:8000",
        "workers = 2",
        "max-requests = 1000",
        "max-requests-jitter = 100",
        "max-rss = 512M",
        "command = .build/release/hello-worker",
        "",
        "# Jobs: one worker without a listener, started afresh every minute.",
        "[pool jobs]",
        "max-lifetime = 60s",
        "command = sh -c 'while :; do sleep 1; done'",
    ]
}
