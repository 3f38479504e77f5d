/// The settings as a Markdown table, for the README.
public enum SettingsTable {
    /// The table, in the order of the groups, with a trailing line break.
    public static var markdown: String {
        var text = "| key | default | meaning |\n|---|---|---|\n"
        for group in Setting.Group.allCases {
            for setting in Setting.all(in: group) {
                let value = escaped(setting.defaultText)
                let meaning = escaped(HelpText.summary(of: setting))
                text += "| `\(setting.key)` | \(value) | \(meaning) |\n"
            }
        }
        return text
    }

    private static func escaped(_ text: String) -> String {
        text.substituting(["\\": "\\\\", "|": "\\|", "<": "&lt;"])
    }
}
