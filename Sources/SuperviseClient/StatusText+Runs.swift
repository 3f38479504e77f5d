/// The runs of a pool with a schedule.
extension StatusText {
    /// The schedule, the state and the time of the next run.
    func runLine(_ runs: JSONValue, _ state: String) -> String {
        let isRunning = runs["running"]?.boolean ?? false
        var facts = [isRunning ? style.paint("running", .cyan) : "idle"]
        if runs["queued"]?.boolean == true { facts.append("one run waits") }
        if let next = runs["next_in_seconds"]?.number {
            facts.append("next in \(Units.seconds(next))")
        }
        if state != "running" { facts.append(state) }
        return facts.joined(separator: ", ") + " (\(runs["schedule"]?.text?.printable ?? "?"))"
    }

    /// The last run and the counts.
    func runLines(_ runs: JSONValue) -> [String] {
        var counts = (runs["outcomes"]?.members ?? []).filter { $0.value.integer ?? 0 > 0 }
            .map { "\($0.value.integer ?? 0) \($0.key)" }
        if let skips = runs["skipped"]?.integer, skips > 0 { counts.append("\(skips) skipped") }
        var lines: [String] = []
        if let last = runs["last"] { lines.append("  last run: " + lastRun(last)) }
        if !counts.isEmpty { lines.append("  runs: " + counts.joined(separator: ", ")) }
        return lines
    }

    private func lastRun(_ run: JSONValue) -> String {
        let outcome = run["outcome"]?.text ?? "?"
        let colour: Style.Colour? =
            switch outcome {
            case "success": .green
            case "stopped": .yellow
            default: .red
            }
        let facts = [
            run["cause"]?.text, run.endText, "took \(run.time("duration_seconds"))",
            "\(run.time("ago_seconds")) ago",
            run["trigger"]?.text == "operator" ? "by run-now" : nil,
        ].compactMap { $0 }
        return style.paint(outcome, colour) + ", " + facts.joined(separator: ", ")
    }
}
