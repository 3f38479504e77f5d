import SuperviseLinux

/// `status` and `events`.
extension Client {
    func status(json: Bool) throws(ControlFailure) -> Int32 {
        let client = try request("GET", "/status")
        let body = try client.wholeBody()
        guard client.status == 200 else { return refused(client.status, body) }
        guard let report = JSONValue(body)?.printable else { throw .invalidResponse }
        if json { return writeOutput(String(decoding: body, as: UTF8.self)) }
        let others = others.map(\.title).joined(separator: ", ")
        if !others.isEmpty { writeError("masters of other users: \(others)") }
        let text = StatusText(report: report, style: style, user: userName)
        return writeOutput(text.lines.joined(separator: "\n") + "\n")
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
        let known = ["schema", "sequence", "time", "level", "event"]
        let facts = event.members.filter { !known.contains($0.key) }.map {
            "\($0.key)=\(text($0.key, $0.value))"
        }
        let pad = String(repeating: " ", count: max(0, 17 - name.count))
        return "\(time) \(style.paint(name, colour))\(pad) \(facts.joined(separator: " "))"
    }

    private static func text(_ key: String, _ value: JSONValue) -> String {
        switch value {
        case .text(let text):
            let bare = text.printable
            return bare.contains(" ") ? "\"\(bare)\"" : bare
        case .number(let number):
            if key == "rss" || key == "limit" { return Units.bytes(number) }
            if ["age", "after", "delay"].contains(key) { return Units.seconds(number) }
            return Int(exactly: number).map { "\($0)" } ?? "\(number)"
        case .null, .boolean, .array, .object: return "\(value)"
        }
    }
}
