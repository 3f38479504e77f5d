/// The text of `supervise status`, formatted from the JSON of the master.
struct StatusText {
    let report: JSONValue
    let style: Style
    /// The user of the master, if it is another user.
    var user: String?
    /// The only pool to show; nil for all.
    var pool: String?
    /// The number of lines of final output to show.
    private static let outputLines = 10
    /// The number of exits to show.
    var exits = 5

    /// The formatted lines.
    var lines: [String] {
        var lines = head
        for pool in report["pools"]?.elements ?? []
        where self.pool == nil || pool["name"]?.text == self.pool {
            lines += [""] + poolLines(pool)
        }
        return lines
    }

    private var head: [String] {
        let master = report["master"] ?? .null
        let isReady = master["ready"]?.boolean ?? false
        let state = master["state"]?.text ?? "unknown"
        let word = state == "running" ? (isReady ? "ready" : "not ready") : state
        let facts = [
            user.map { "user \($0)" },
            "generation \(master.integerText("generation"))", "up \(master.time("uptime_seconds"))",
            "pid \(master.integerText("pid"))", "supervise \(master["version"]?.text ?? "?")",
            master["memory_bytes"]?.number.map { Units.bytes($0) },
        ].compactMap { $0 }.joined(separator: ", ")
        let name = style.paint(master["name"]?.text?.printable ?? "?", .bold)
        let painted = style.paint(
            word, word == "ready" ? .green : state == "running" ? .red : .yellow)
        return ["\(name): \(painted), \(facts)"] + reloadLines
    }

    private var reloadLines: [String] {
        guard let reload = report["reload"], let state = reload["state"]?.text else { return [] }
        let reasons = (reload["reasons"]?.elements ?? []).compactMap(\.text).map(\.printable)
        let generation = reload["generation"]?.integer.map { "generation \($0)" }
        let ago = reload["age_seconds"]?.number.map { "\(Units.seconds($0)) ago" }
        let progress = "\(reload.integerText("replaced")) of \(reload.integerText("of")) replaced"
        let outcome: String =
            switch state {
            case "canary": "waiting for the canaries"
            case "rolling": progress
            case "stalled": style.paint("stalled, \(progress); new workers fail repeatedly", .red)
            case "complete": "rolled out in \(reload.time("took_seconds"))"
            case "aborted": style.paint("aborted; the previous generation keeps running", .red)
            case "failed": style.paint("failed; the previous configuration stays in force", .red)
            default: state
            }
        let facts = [generation, ago].compactMap { $0 }.joined(separator: ", ")
        return ["last reload: \(outcome)\(facts.isEmpty ? "" : " (\(facts))")"]
            + reasons.map { "  \($0)" }
    }

    private func poolLines(_ pool: JSONValue) -> [String] {
        let serving = pool["serving"]?.integer ?? 0
        let size = pool["workers"]?.integer ?? 0
        let state = pool["state"]?.text ?? ""
        let surplus = serving - size
        let extra =
            surplus > 0 ? " (+\(surplus) \(surplus == 1 ? "replacement" : "replacements"))" : ""
        let count = style.paint(
            "\(min(serving, size)) of \(size) ready\(extra)\(boundsText(pool))",
            serving >= size ? .green : pool["ready"]?.boolean == true ? .yellow : .red)
        let name = style.paint(pool["name"]?.text ?? "?", .bold)
        if let runs = pool["runs"] {
            return ["\(name): \(runLine(runs, state))"] + runLines(runs)
                + slots(pool).lines(style) + exitLines(pool)
        }
        var lines = ["\(name): \(count)\(state == "running" ? "" : ", \(state)")"]
        for listener in pool["listeners"]?.elements ?? [] {
            lines.append("  \(listenerText(listener))")
        }
        for mold in pool["molds"]?.elements ?? [] { lines.append("  \(moldText(mold))") }
        lines += slots(pool).lines(style)
        lines += exitLines(pool)
        return lines
    }

    /// The bounds of an elastic pool, its busy workers, and what prevents more.
    private func boundsText(_ pool: JSONValue) -> String {
        guard let least = pool["min_workers"]?.integer, let most = pool["max_workers"]?.integer
        else { return "" }
        let busy = pool["busy_workers"]?.integer.map { ", \($0) busy" } ?? ""
        let block = pool["scale_blocked"]?.text.map { ", more blocked by \($0)" } ?? ""
        return " (\(least)..\(most)\(busy)\(block))"
    }

    private func listenerText(_ listener: JSONValue) -> String {
        let address = listener["address"]?.text?.printable ?? "?"
        guard let waiting = listener["queue"]?.integer, let limit = listener["queue_limit"]?.integer
        else { return address }
        let queue = "\(waiting) of \(limit) waiting"
        return "\(address), \(waiting * 2 > limit ? style.paint(queue, .red) : queue)"
    }

    private func moldText(_ mold: JSONValue) -> String {
        let facts = [
            mold["state"]?.text, "generation \(mold.integerText("generation"))",
            mold["pid"].map { _ in "pid \(mold.integerText("pid"))" },
            mold["memory_bytes"]?.number.map(Units.bytes),
        ]
        return "mold: " + facts.compactMap { $0 }.joined(separator: ", ")
    }

    private func slots(_ pool: JSONValue) -> TextTable {
        let unit = CountTitle(rows: pool["slots"]?.elements ?? [])
        var table = TextTable([
            .init("SLOT", 0), .init("PID", 1), .init("STATE", 2, isNumber: false),
            .init("GEN", 9), .init("AGE", 3), .init(unit.title, 5), .init("LEFT", 6),
            .init("MEMORY", 4), .init("OWN", 15), .init("CAP", 8), .init(unit.rateTitle, 10),
            .init("PER HOUR", 11), .init("CAP IN", 7), .init("BOOT", 12),
            .init("NOW", 14, isNumber: false),
            .init("STATUS", 13, isNumber: false),
        ])
        for slot in pool["slots"]?.elements ?? [] {
            let (state, colour) = stateText(slot)
            let requests = slot["requests"]?.number
            let counts = requests ?? 0 > 0 || slot["request_limit"] != nil
            table.add(
                [
                    slot.integerText("slot"), slot["pid"] == nil ? nil : slot.integerText("pid"),
                    state, slot["generation"].map { _ in slot.integerText("generation") },
                    slot["age_seconds"]?.number.map(Units.seconds),
                    counts ? requests.map { unit.text($0, of: slot) } : nil,
                    slot["requests_left"]?.number.map(Units.count),
                    slot["memory_bytes"]?.number.map(Units.bytes),
                    slot["own_bytes"]?.number.map(Units.bytes),
                    slot["memory_limit_bytes"]?.number.map(Units.bytes),
                    slot["growth_bytes_per_request"]?.number.map(Units.bytes),
                    slot["growth_bytes_per_hour"]?.number.map(Units.bytes),
                    slot["memory_limit_in_seconds"]?.number.map(Units.seconds),
                    slot["boot_seconds"]?.number.map(Units.seconds), nowText(slot),
                    slot["status"]?.text?.printable,
                ], colour: colour)
        }
        return table
    }

    /// The oldest request in flight, its age, and the number of others.
    private func requestText(_ requests: JSONValue?) -> String? {
        guard let requests else { return nil }
        let route = requests["route"]?.text?.printable ?? "a request"
        let others = (requests["count"]?.integer ?? 1) - 1
        return "\(route) \(requests.time("age_seconds"))" + (others > 0 ? " (+\(others))" : "")
    }

    private func nowText(_ slot: JSONValue) -> String? {
        slot["requests_visible"]?.boolean == false
            ? "requests: not visible" : requestText(slot["current"])
    }

    private func stateText(_ slot: JSONValue) -> (String, Style.Colour?) {
        let state = slot["state"]?.text ?? "?"
        switch state {
        case "ready":
            if let due = slot["due"]?.text { return ("ready, due: \(due)", .yellow) }
            if slot["hunted"]?.boolean == true { return ("hunted", .cyan) }
            return (slot["replacement"]?.boolean == true ? "ready to take over" : "ready", nil)
        case "starting", "booting":
            return (slot["replacement"]?.boolean == true ? "\(state) (replacement)" : state, .cyan)
        case "draining":
            let open = slot["connections"]?.integer.map { ", \($0) open" } ?? ""
            return ("draining: \(slot["cause"]?.text ?? "?")\(open)", .dim)
        case "retiring": return ("retiring: \(slot["cause"]?.text ?? "?")", .dim)
        case "backoff":
            return (
                "failed \(slot.integerText("failures")) times, next in "
                    + slot.time("starts_in_seconds"), .red
            )
        case "failed": return ("failed", .red)
        case "scheduled": return ("until the next run", .dim)
        case "waiting": return ("waiting for the budget", .yellow)
        default: return (state, .dim)
        }
    }

    private func exitLines(_ pool: JSONValue) -> [String] {
        let totals = (pool["totals"]?["exits"]?.members ?? []).map {
            "\($0.value.integer ?? 0) \($0.key)"
        }
        guard !totals.isEmpty else { return [] }
        var lines = ["  exits: " + totals.joined(separator: ", ")]
        let shown = (pool["exits"]?.elements ?? []).prefix(exits)
        let unit = CountTitle(rows: Array(shown))
        var table = TextTable([
            .init("AGO", 0), .init("SLOT", 1), .init("PID", 2), .init("CAUSE", 0, isNumber: false),
            .init("END", 3, isNumber: false), .init("AGE", 4), .init(unit.title, 5),
            .init("MEMORY", 6), .init("BOOT", 7), .init("DURING", 8, isNumber: false),
        ])
        for exit in shown {
            let cause = exit["cause"]?.text ?? "?"
            table.add(
                [
                    exit["ago_seconds"]?.number.map(Units.seconds), exit.integerText("slot"),
                    exit["pid"].map { _ in exit.integerText("pid") }, cause, exit.endText,
                    exit["age_seconds"]?.number.map(Units.seconds),
                    exit["requests"]?.number.flatMap { $0 > 0 ? unit.text($0, of: exit) : nil },
                    exit["memory_bytes"]?.number.map(Units.bytes),
                    exit["boot_seconds"]?.number.map(Units.seconds),
                    requestText(exit["during"]),
                ], colour: ["crashed", "boot-failed"].contains(cause) ? .red : nil)
        }
        lines += table.lines(style)
        return lines + finalOutput(of: shown)
    }

    /// The final output of the newest exit that has one.
    private func finalOutput(of exits: ArraySlice<JSONValue>) -> [String] {
        guard let exit = exits.first(where: { $0["output"] != nil }),
            let output = exit["output"]?.elements
        else { return [] }
        let slot = exit.integerText("slot")
        let ago = exit.time("ago_seconds")
        return ["  final output of slot \(slot), \(ago) ago:"]
            + output.suffix(StatusText.outputLines).map { "    \($0.text?.printable ?? "")" }
    }
}

/// The unit of the counts in a table: in the title if all rows have the same unit, otherwise in the cells.
private struct CountTitle {
    private let isConnections: Bool
    private let isMixed: Bool

    init(rows: [JSONValue]) {
        let units = Set(rows.compactMap { $0["requests_unit"]?.text })
        isConnections = units == ["connections"]
        isMixed = units.count > 1
    }

    var title: String { isConnections ? "CONNS" : "REQUESTS" }
    var rateTitle: String { isConnections ? "PER CONN" : "PER REQ" }

    func text(_ count: Double, of row: JSONValue) -> String {
        let isOther = isMixed && row["requests_unit"]?.text == "connections"
        return Units.count(count) + (isOther ? " conns" : "")
    }
}

extension JSONValue {
    func integerText(_ key: String) -> String { self[key]?.integer.map { "\($0)" } ?? "?" }

    func time(_ key: String) -> String { self[key]?.number.map(Units.seconds) ?? "?" }

    /// The signal or the status of an exit.
    var endText: String? {
        self["signal"]?.text ?? self["status"]?.integer.map { "status \($0)" }
    }
}
