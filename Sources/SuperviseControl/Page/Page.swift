/// The page for people at `/`: one file without outside resources, which asks `/status` again and
/// again and draws what it tells. What it remembers is in the browser alone; the master keeps
/// nothing for it.
enum Page {
    /// The whole page.
    static let html = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>supervise</title>
        <link rel="icon" href="data:,">
        <style>\(style)</style>
        </head>
        \(body)
        <script>\(script)</script>
        </html>

        """

    /// All of its program, in the order in which one reads it.
    static let script = historyScript + figuresScript + drawingScript + viewScript + loopScript

    /// What the page may do: run this one script, wear this one style, ask where it came from. A
    /// text of a worker that got into the markup would still not run.
    static let policy = [
        "default-src 'none'", "script-src 'sha256-\(scriptHash)'",
        "style-src 'sha256-\(styleHash)'", "img-src data:", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    /// The base64 of the script's SHA-256. A test tells the new one after a change.
    static let scriptHash = "sCs+eChGeItR30Yfhw8asPeGJX2OAnkCwPllPb42pis="
    /// The same of the style.
    static let styleHash = "7Y8JOJn8xq+mIrDxqKfWTldRAeeSZncO3kG7j6Wenck="
}

extension StatusReport {
    /// The answer to `/` for those who take HTML.
    public static let page = HTTPResponse(.ok, .page, Array(Page.html.utf8))
}
