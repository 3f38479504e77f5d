import SuperviseCore

/// `hunt`.
extension Client {
    /// Follows a hunt and prints its result. Returns 0 if it ran to its end.
    func hunt(_ order: HuntOrder, _ pool: String?, json: Bool) throws(ControlFailure) -> Int32 {
        func seconds(_ span: TimeSpan) -> Int64 { span.nanoseconds / 1_000_000_000 }
        let client = try request(
            "POST",
            "/hunt?requests=\(order.requests)&seconds=\(seconds(order.time))"
                + "&exclusive=\(order.pause.map(seconds) ?? 0)&trace=\(order.traces ? "yes" : "no")"
                + query(pool))
        guard client.status == 200 else { return refused(client.status, try client.wholeBody()) }
        let progress = Progress()
        while let line = try client.nextLine(timeoutMilliseconds: -1) {
            guard let step = JSONValue(line)?.printable else { throw .invalidResponse }
            guard step["stage"]?.text == "verdict" else {
                progress.show(
                    "\(step.integerText("requests")) of \(step.integerText("of")) requests, "
                        + Units.seconds(step["seconds"]?.number ?? 0))
                continue
            }
            progress.end()
            let isComplete =
                ["finished", "timeout"].contains(step["reason"]?.text)
                && step["requests"]?.integer ?? 0 > 0
            let text =
                json
                ? String(decoding: line, as: UTF8.self)
                : HuntText(step, style).lines.joined(separator: "\n")
            guard writeOutput(text + "\n") == ExitCode.done else { return ExitCode.failed }
            return isComplete ? ExitCode.done : ExitCode.failed
        }
        progress.end()
        writeError("lost the connection to the master")
        return ExitCode.failed
    }
}

/// The result of a hunt for a terminal.
struct HuntText {
    private let result: JSONValue
    private let style: Style

    init(_ result: JSONValue, _ style: Style) {
        self.result = result
        self.style = style
    }

    var lines: [String] {
        var lines = [title]
        if let message = result["message"]?.text { lines.append("\(message)") }
        lines += table
        let grown = result["lines"]?.elements ?? []
        if !grown.isEmpty {
            let shown = grown.map { line in
                "\(HuntText.shortened(line["line"]?.text ?? "?")) "
                    + "(\(Units.bytes(line["bytes"]?.number ?? 0)))"
            }
            lines.append("most at: " + shown.joined(separator: ", "))
        }
        if hasMeasured, !routes.contains(where: { $0["leaks"]?.boolean == true }) {
            lines.append("no route leaks")
        }
        lines += (result["notes"]?.elements ?? []).compactMap(\.text).map { "note: \($0)" }
        return lines
    }

    private var routes: [JSONValue] { result["routes"]?.elements ?? [] }
    private var hasMeasured: Bool { result["requests"]?.integer ?? 0 > 0 }

    private var title: String {
        let how =
            result["method"]?.text == "exact"
            ? "each alone, live objects after collection"
            : "each alone, resident memory by regression"
        return
            "\(result["pool"]?.text ?? "?"): \(result.integerText("requests")) requests of one worker in "
            + "\(Units.seconds(result["seconds"]?.number ?? 0))" + (hasMeasured ? ", \(how)" : "")
    }

    private var table: [String] {
        var table = TextTable([
            .init("ROUTE", 0, isNumber: false), .init("REQUESTS", 3),
            .init("RETAINED/REQUEST", 1, isNumber: false), .init("STEADY", 2, isNumber: false),
            .init("SHARE OF GROWTH", 4),
        ])
        for route in routes {
            table.add(
                [
                    route["route"]?.text ?? "?", route.integerText("requests"),
                    HuntText.retained(route), HuntText.course(route),
                    route["share"]?.number.map { "\(Int(($0 * 100).rounded())) %" },
                ],
                colour: route["leaks"]?.boolean == true ? .yellow : nil)
        }
        return table.lines(style)
    }

    private static func retained(_ route: JSONValue) -> String {
        guard let bytes = route["retained_bytes"]?.number, let error = route["error_bytes"]?.number
        else { return "–" }
        let shown = abs(bytes) < error ? "0" : Units.bytes(bytes)
        return "\(shown) ±\(Units.bytes(error))"
    }

    private static func course(_ route: JSONValue) -> String {
        switch route["course"]?.text {
        case "steady": "yes"
        case "falling": "falling: a cache that fills"
        default: "–"
        }
    }

    /// The file and its folder.
    private static func shortened(_ line: String) -> String {
        line.split(separator: "/").suffix(2).joined(separator: "/")
    }
}
