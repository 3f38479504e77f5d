import SuperviseLinux

/// `status` and `events`.
extension Client {
    func status(json: Bool, pool: String?) throws(ControlFailure) -> Int32 {
        let client = try request("GET", "/status")
        let body = try client.wholeBody()
        guard client.status == 200 else { return refused(client.status, body) }
        guard let report = JSONValue(body)?.printable else { throw .invalidResponse }
        if let pool, !report.names(ofPool: pool) { return unknownPool(pool, report) }
        if json { return writeOutput(String(decoding: body, as: UTF8.self)) }
        let others = others.map(\.title).joined(separator: ", ")
        if !others.isEmpty { writeError("masters of other users: \(others)") }
        let text = StatusText(report: report, style: style, user: userName, pool: pool)
        return writeOutput(text.lines.joined(separator: "\n") + "\n")
    }

    /// Reports a pool that the master does not have.
    func unknownPool(_ name: String, _ report: JSONValue) -> Int32 {
        let names = (report["pools"]?.elements ?? []).compactMap { $0["name"]?.text }
        writeError("unknown pool \(name); the pools are \(names.joined(separator: ", "))")
        return ExitCode.failed
    }

    /// The user of the master, if root reads that of another user.
    var userName: String? { found?.owner.map(MasterFinder.userName) }

    func events(follow: Bool, json: Bool) throws(ControlFailure) -> Int32 {
        let client = try request("GET", follow ? "/events?follow" : "/events")
        guard client.status == 200 else { return refused(client.status, try client.wholeBody()) }
        while let line = try client.nextLine(
            timeoutMilliseconds: follow ? -1 : ControlClient.responseTimeoutMilliseconds)
        {
            guard let event = JSONValue(line)?.printable else { throw .invalidResponse }
            let text = json ? String(decoding: line, as: UTF8.self) : EventText.line(event, style)
            guard writeOutput(text + "\n") == ExitCode.done else { return ExitCode.failed }
        }
        if follow { writeError("the master exited") }
        return ExitCode.done
    }
}

/// The text form of an event.
enum EventText {
    static func line(_ event: JSONValue, _ style: Style) -> String {
        let time = (event["time"]?.text ?? "").dropFirst(11).dropLast()
        let name = event["event"]?.text?.printable ?? "?"
        let colour: Style.Colour? =
            switch event["level"]?.text {
            case "error": .red
            case "warning": .yellow
            default: nil
            }
        let known = ["schema", "sequence", "time", "level", "event", "units"]
        let units = event["units"]
        let facts = event.members.filter { !known.contains($0.key) }.map {
            "\($0.key)=\(text($0.value, unit: units?[$0.key]?.text))"
        }
        let pad = String(repeating: " ", count: max(0, 17 - name.count))
        return "\(time) \(style.paint(name, colour))\(pad) \(facts.joined(separator: " "))"
    }

    private static func text(_ value: JSONValue, unit: String?) -> String {
        switch value {
        case .text(let text):
            let bare = text.printable
            return bare.contains(" ") ? "\"\(bare)\"" : bare
        case .number(let number):
            if let unit, unit.hasPrefix("bytes") {
                return Units.bytes(number) + unit.dropFirst("bytes".count)
            }
            if unit == "seconds" { return Units.seconds(number) }
            return Int(exactly: number).map { "\($0)" } ?? "\(number)"
        case .null, .boolean, .array, .object: return "\(value)"
        }
    }
}

extension JSONValue {
    /// Whether a report contains a pool of this name.
    func names(ofPool name: String) -> Bool {
        (self["pools"]?.elements ?? []).contains { $0["name"]?.text == name }
    }
}
