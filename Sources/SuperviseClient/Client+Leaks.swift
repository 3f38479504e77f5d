/// `leaks`.
extension Client {
    func leaks(json: Bool, pool: String?) throws(ControlFailure) -> Int32 {
        let query = pool.map { "?pool=" + Client.escaped($0) } ?? ""
        let client = try request("GET", "/leaks" + query)
        let body = try client.wholeBody()
        guard client.status == 200 else { return refused(client.status, body) }
        guard let report = JSONValue(body)?.printable else { throw .invalidResponse }
        if json { return writeOutput(String(decoding: body, as: UTF8.self)) }
        let text = LeaksText(report: report, style: style)
        return writeOutput(text.lines.joined(separator: "\n") + "\n")
    }
}

/// The text of `supervise leaks`, formatted from the JSON of the master.
struct LeaksText {
    let report: JSONValue
    let style: Style

    /// The formatted lines.
    var lines: [String] {
        Array((report["pools"]?.elements ?? []).map(lines).joined(separator: [""]))
    }

    private func lines(_ pool: JSONValue) -> [String] {
        let name = style.paint(pool["name"]?.text ?? "?", .bold)
        let state = pool["state"]?.text ?? "?"
        let message = pool["message"]?.text ?? state
        let colour: Style.Colour? = state == "suspects" ? .red : nil
        return ["\(name): \(facts(pool))"] + table(pool).lines(style)
            + wrapped(message).map { "  " + style.paint($0, colour) }
    }

    private func facts(_ pool: JSONValue) -> String {
        let workers = pool["workers"]?.integer ?? 0
        var facts: [String] = []
        if workers > 0 {
            let requests = pool["requests"]?.number ?? 0
            facts = [
                "\(Units.count(requests)) requests of \(workers) "
                    + (workers == 1 ? "worker" : "workers") + " in \(pool.time("age_seconds"))"
            ]
        } else {
            facts = ["no evidence"]
        }
        let grows = pool["state"]?.text != "no-growth"
        if grows, let growth = pool["growth_bytes_per_hour"]?.number {
            facts.append("a worker grows by \(Units.bytes(growth)) per hour")
        }
        return facts.joined(separator: ", ")
    }

    private func table(_ pool: JSONValue) -> TextTable {
        var table = TextTable([
            .init("ROUTE", 0, isNumber: false), .init("REQUESTS", 3),
            .init("RETAINED/REQUEST", 0), .init("CONFIDENCE", 1, isNumber: false),
            .init("SHARE OF GROWTH", 2),
        ])
        for route in pool["routes"]?.elements ?? [] {
            let standing = route["standing"]?.text ?? "?"
            table.add(
                [
                    route["route"]?.text ?? "(other routes)",
                    route["requests"]?.number.map(Units.count), retained(route, standing),
                    confidence(route, standing),
                    standing == "clear"
                        ? nil : route["share"]?.number.map { "\(Int(($0 * 100).rounded())) %" },
                ], colour: standing == "suspect" ? .red : standing == "clear" ? .dim : nil)
        }
        return table
    }

    private func retained(_ route: JSONValue, _ standing: String) -> String {
        let error = route["error_bytes"]?.number ?? 0
        // An estimate below zero, or within its error, is that of chance.
        let bytes = route["bytes_per_request"]?.number ?? 0
        let shown = standing == "clear" && abs(bytes) < 3 * error ? 0 : bytes
        return "\(Units.bytes(shown)) ±\(Units.bytes(error))"
    }

    private func confidence(_ route: JSONValue, _ standing: String) -> String {
        let errors = Units.count((route["confidence"]?.number ?? 0).rounded(.down))
        return switch standing {
        case "suspect": "sure (z \(errors))"
        case "unsure": "unsure (z \(errors))"
        case "falling": "falls: a cache that fills"
        default: "–"
        }
    }

    /// Breaks a text into lines for the terminal.
    private func wrapped(_ text: String) -> [String] {
        let width = max(20, min(style.width, 80) - 2)
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + word.count < width {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
