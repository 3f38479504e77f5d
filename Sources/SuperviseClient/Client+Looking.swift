import SuperviseLinux

/// `status`, `top` and `events`.
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

    /// The status every second, until `q`. What is piped away gets it once.
    func top() throws(ControlFailure) -> Int32 {
        guard Terminal.isTerminal(1), Terminal.isTerminal(0) else { return try status(json: false) }
        let mode = Terminal.beginKeys(on: 0)
        let alternate = "\u{1B}[?1049h\u{1B}[?25l"
        guard say(alternate) == ExitCode.done else { return ExitCode.failed }
        defer {
            _ = say("\u{1B}[?25h\u{1B}[?1049l")
            if let mode { Terminal.restore(mode, on: 0) }
        }
        do throws(SystemCallError) {
            // Ctrl-C and a hang-up restore the terminal on their way.
            let signals = try SignalDescriptor(blocking: [1, 2, 15, 28])
            return try refresh(signals)
        } catch {
            complain("\(error)")
            return ExitCode.failed
        }
    }

    private func refresh(_ signals: borrowing SignalDescriptor) throws(SystemCallError) -> Int32 {
        while true {
            do throws(ControlFailure) {
                try show()
            } catch {
                return ExitCode.done
            }
            let ready = try Readiness.wait([0, signals.rawValue], timeoutMilliseconds: 1000)
            if ready.contains(signals.rawValue), signals.read().contains(where: { $0.number != 28 })
            {
                return ExitCode.done
            }
            if ready.contains(0),
                try TextInput.key(from: 0).map({ $0 == UInt8(ascii: "q") }) ?? true
            {
                return ExitCode.done
            }
        }
    }

    private func show() throws(ControlFailure) {
        let client = try requestAgain("/status")
        let body = try client.wholeBody()
        guard client.status == 200, let report = JSONValue(body)?.printable else { throw .garbled }
        let size = Terminal.size(of: 1) ?? (columns: 80, rows: 24)
        var lines = StatusText(report: report, style: style, user: userName).lines
        if lines.count > size.rows - 1 {
            let hidden = lines.count - (size.rows - 2)
            lines = lines.prefix(size.rows - 2) + [style.paint("… \(hidden) more lines", .dim)]
        }
        lines += Array(repeating: "", count: max(0, size.rows - 1 - lines.count))
        lines.append(style.paint("q: quit", .dim))
        // Each line clears what was behind it, so that nothing flickers.
        let text = lines.map { "\($0)\u{1B}[K" }.joined(separator: "\r\n")
        if say("\u{1B}[H" + text + "\u{1B}[J") != ExitCode.done { throw .garbled }
    }

    /// The user of the master, where root looks at another user's.
    private var userName: String? { found?.owner.map(MasterFinder.userName) }

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
