/// The page for people at `/`: one document without outside resources, which polls `/status` and draws
/// the result. Its history is kept in the browser alone.
///
/// Its parts are files of their own in this folder, so that editors and linters can process them; the
/// package manager embeds them in the program.
enum Page {
    /// The whole page.
    static let html = PackageResources.page_html
        .inserting(style, behind: "<style>").inserting(script, behind: "<script>")

    /// The style sheet.
    static let style = PackageResources.style_css

    /// The program, in the order in which one reads it.
    static let script =
        PackageResources.history_js + PackageResources.figures_js + PackageResources.drawing_js
        + PackageResources.view_js + PackageResources.loop_js

    /// What the page may do: run this one script, apply this one style sheet, and request data from
    /// where it came from (Content-Security-Policy). If a worker's text ever got into the markup, it
    /// would still not run.
    static let policy = [
        "default-src 'none'", "script-src 'sha256-\(scriptHash)'",
        "style-src 'sha256-\(styleHash)'", "img-src data:", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    /// The base64 of the script's SHA-256. After a change, a failing test prints the new one.
    static let scriptHash = "Tx5RgPUIG+u5c/RJXdnJ22u6BmWV7MUDNYBYiTDUNKA="
    /// The same of the style sheet.
    static let styleHash = "80CIlrdTfEMvHx9edgILPzq1I0DsLT5L56WOYx6BXmw="
}

extension [UInt8] {
    /// The text with another one inserted behind the first occurrence of `tag`.
    fileprivate func inserting(_ text: [UInt8], behind tag: StaticString) -> [UInt8] {
        tag.withUTF8Buffer { tag in
            guard let start = indices.first(where: { self[$0...].starts(with: tag) }) else {
                preconditionFailure("page.html has the tag")
            }
            return self[..<(start + tag.count)] + text + self[(start + tag.count)...]
        }
    }
}

extension StatusReport {
    /// The response to `GET /` for clients that accept HTML.
    public static let page = HTTPResponse(.ok, .page, Page.html)
}
