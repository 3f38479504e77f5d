import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// `top`.
extension Client {
    private static let refreshNanoseconds: Int64 = 1_000_000_000

    /// Shows the status every second, until `q` or the end of the master. Output to a pipe gets it once.
    func top(pool: String?) throws(ControlFailure) -> Int32 {
        guard Terminal.isTerminal(1), Terminal.isTerminal(0) else {
            return try status(json: false, pool: pool)
        }
        let events = try requestAgain("/events?follow")
        let ending = MasterEnding(events: events.status == 200 ? events : nil)
        let code = onAlternateScreen {
            (signals: borrowing SignalDescriptor, mode: Terminal.Mode?) throws(SystemCallError) in
            try refresh(signals, ending, mode, pool)
        }
        guard let code else {
            let (text, code) = ending.report()
            writeError(text)
            return code
        }
        return code
    }

    /// Returns nil if the master exited.
    private func onAlternateScreen(
        _ body: (borrowing SignalDescriptor, Terminal.Mode?) throws(SystemCallError) -> Int32?
    ) -> Int32? {
        do throws(SystemCallError) {
            // Before the mode changes: a signal in between would leave it changed.
            let signals = try SignalDescriptor(blocking: Terminal.SignalMeaning.signals)
            let mode = Terminal.beginKeys(on: 0)
            guard enterScreen() else { return ExitCode.failed }
            defer { leaveScreen(mode) }
            return try body(signals, mode)
        } catch {
            writeError("\(error)")
            return ExitCode.failed
        }
    }

    private func enterScreen() -> Bool {
        // Disable wrapping: a wrapped line would scroll the first line off the screen.
        writeOutput("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l") == ExitCode.done
    }

    private func leaveScreen(_ mode: Terminal.Mode?) {
        _ = writeOutput("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        if let mode { Terminal.restore(mode, on: 0) }
    }

    /// Returns whether `top` continues after these signals.
    private func handle(_ signals: [ReceivedSignal], _ mode: Terminal.Mode?) -> Bool {
        for signal in signals {
            switch Terminal.SignalMeaning(signal) {
            case .resized: break
            case .suspended:
                leaveScreen(mode)
                Terminal.stopThisProcess()
            case .resumed:
                _ = Terminal.beginKeys(on: 0)
                guard enterScreen() else { return false }
            case .ended: return false
            }
        }
        return true
    }

    /// Returns nil if the master has exited.
    private func refresh(
        _ signals: borrowing SignalDescriptor, _ ending: MasterEnding, _ mode: Terminal.Mode?,
        _ pool: String?
    ) throws(SystemCallError) -> Int32? {
        var view = ScrolledLines()
        var keys = KeyReader()
        var refreshAt = MonotonicClock.nanoseconds()
        while true {
            let now = MonotonicClock.nanoseconds()
            if now >= refreshAt {
                do throws(ControlFailure) {
                    view.lines = try statusLines(pool)
                } catch {
                    return nil
                }
                refreshAt = now + Client.refreshNanoseconds
            }
            guard show(&view) else { return ExitCode.failed }
            let wait = Int32(clamping: max(0, refreshAt - MonotonicClock.nanoseconds()) / 1_000_000)
            let watched = [0, signals.rawValue] + (ending.descriptor.map { [$0] } ?? [])
            let ready = try Readiness.wait(watched, timeoutMilliseconds: wait + 1)
            if ready.contains(signals.rawValue), !handle(signals.read(), mode) {
                return ExitCode.done
            }
            if let descriptor = ending.descriptor, ready.contains(descriptor), ending.isOver() {
                return nil
            }
            guard ready.contains(0) else { continue }
            guard let bytes = try TextInput.keys(from: 0) else { return ExitCode.done }
            for key in keys.read(bytes) {
                if key == .quit { return ExitCode.done }
                view.move(by: key)
            }
        }
    }

    private func statusLines(_ pool: String?) throws(ControlFailure) -> [String] {
        let client = try requestAgain("/status")
        let body = try client.wholeBody()
        guard client.status == 200, let report = JSONValue(body)?.printable else {
            throw .invalidResponse
        }
        return StatusText(report: report, style: style, user: userName, pool: pool).lines
    }

    private func show(_ view: inout ScrolledLines) -> Bool {
        let size = Terminal.size(of: 1) ?? (columns: 80, rows: 24)
        view.rows = max(1, size.rows - 1)
        var lines = view.shown
        lines += Array(repeating: "", count: view.rows - lines.count)
        lines.append(style.paint(String(view.footer.prefix(size.columns)), .dim))
        // Clear each line to its end instead of the screen, to avoid flicker.
        let text = lines.map { "\($0)\u{1B}[K" }.joined(separator: "\r\n")
        return writeOutput("\u{1B}[H" + text + "\u{1B}[J") == ExitCode.done
    }
}

/// The end of a master, according to its last events.
private final class MasterEnding {
    private let events: ControlClient?
    private var isAtEnd = false
    private var exitCode: Int?
    private var reason: String?

    init(events: ControlClient?) {
        self.events = events
    }

    /// The descriptor that becomes readable when there are more events or the master has exited.
    var descriptor: Int32? { isAtEnd ? nil : events?.descriptor }

    /// Reads pending events; returns whether the master has exited.
    func isOver() -> Bool {
        read(timeoutMilliseconds: 0)
        return isAtEnd
    }

    private func read(timeoutMilliseconds: Int32) {
        guard let events, !isAtEnd else { return }
        do throws(ControlFailure) {
            while let line = try events.nextLine(timeoutMilliseconds: timeoutMilliseconds) {
                guard let event = JSONValue(line) else { continue }
                switch event["event"]?.text {
                case "master-stopped": exitCode = event["exit_code"]?.integer
                case "startup-failed": reason = event["message"]?.text ?? event["error"]?.text
                default: break
                }
            }
            isAtEnd = true
        } catch {
            guard case .timedOut = error else {
                isAtEnd = true
                return
            }
        }
    }

    /// The message about the end of the master, and the exit code.
    func report() -> (text: String, code: Int32) {
        read(timeoutMilliseconds: ControlClient.responseTimeoutMilliseconds)
        guard let exitCode else { return ("the master was killed", Client.ExitCode.failed) }
        let why = reason.map { ": \($0.printable)" } ?? ""
        return (
            "the master exited with status \(exitCode)\(why)",
            exitCode == 0 ? Client.ExitCode.done : Client.ExitCode.failed
        )
    }
}
