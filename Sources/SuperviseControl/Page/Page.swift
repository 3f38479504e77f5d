/// The page at `/`: one document without external resources, which polls `/status` and draws the
/// result. It reads `/history` once and extends it by its own samples.
///
/// Its parts are separate files in this folder, so that editors and linters can process them. The
/// package manager embeds them in the program.
enum Page {
    /// The whole page.
    static let html = PackageResources.page_html
        .inserting(style, behind: "<style>").inserting(script, behind: "<script>")

    /// The style sheet.
    static let style = PackageResources.style_css

    /// The script, in reading order.
    static let script =
        [
            PackageResources.history_js, PackageResources.figures_js, PackageResources.drawing_js,
            PackageResources.chart_js, PackageResources.view_js, PackageResources.timeline_js,
            PackageResources.jobs_js, PackageResources.loop_js,
        ].flatMap { $0 }

    /// The Content-Security-Policy of the page: it allows only this script, this style sheet and requests
    /// to its own origin. A worker's text would not run even if it got into the markup.
    static let policy = [
        "default-src 'none'", "script-src 'sha256-\(scriptHash)'",
        "style-src 'sha256-\(styleHash)'", "img-src data:", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    /// The SHA-256 of the script in base64. After a change, a failing test prints the new one.
    static let scriptHash = "/87VDDWXW4swEM1L4eC1UEC+MO5o0iGdy6nWnT+ogo8="
    /// The SHA-256 of the style sheet in base64.
    static let styleHash = "gdDyQrXKUqNK3TyN1U5Kzeb2CyBU4GckfbCppEw0bIY="
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
