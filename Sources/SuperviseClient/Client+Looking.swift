import SuperviseLinux

/// `status` and `events`.
extension Client {
    func status(json: Bool) throws(ControlFailure) -> Int32 {
        let client = try request("GET", "/status")
        let body = try client.wholeBody()
        guard client.status == 200 else { return refused(client.status, body) }
        guard let report = JSONValue(body)?.printable else { throw .garbled }
        if json { return say(String(decoding: body, as: UTF8.self)) }
        let others = others.map(\.title).joined(separator: ", ")
        if !others.isEmpty { complain("masters of other users: \(others)") }
        let text = StatusText(report: report, style: style, user: userName)
        return say(text.lines.joined(separator: "\n") + "\n")
    }

    /// The user of the master, where root looks at another user's.
    var userName: String? { found?.owner.map(MasterFinder.userName) }

    func events(follow: Bool, json: Bool) throws(ControlFailure) -> Int32 {
        let client = try request("GET", follow ? "/events?follow" : "/events")
        guard client.status == 200 else { return refused(client.status, try client.wholeBody()) }
        while let line = try client.nextLine(
            timeoutMilliseconds: follow ? -1 : ControlClient.patienceMilliseconds)
        {
            guard let event = JSONValue(line)?.printable else { throw .garbled }
            let text = json ? String(decoding: line, as: UTF8.self) : EventText.line(event, style)
            guard say(text + "\n") == ExitCode.done else { return ExitCode.failed }
        }
        if follow { complain("the master is gone") }
        return ExitCode.done
    }
}

/// An event for people.
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
        let pad = String(repeating: " ", count: max(0, 16 - name.count))
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
