import SuperviseCore
import SuperviseLinux

/// `reload --wait`, `stop --wait` and `upgrade`.
extension Client {
    /// Follows the reload until its verdict. Returns 0 if every worker is new; otherwise prints the reason
    /// and returns 1.
    func reloadAndWait(_ timeout: TimeSpan?) throws(ControlFailure) -> Int32 {
        let end = timeout.map { MonotonicClock.nanoseconds() + $0.nanoseconds }
        let client = try request("POST", "/reload?wait")
        guard client.status == 200 else { return refused(client.status, try client.wholeBody()) }
        let progress = Progress()
        var last = ""
        while true {
            let left = end.map { max(0, $0 - MonotonicClock.nanoseconds()) / 1_000_000 }
            let line: [UInt8]?
            do throws(ControlFailure) {
                line = try client.nextLine(
                    timeoutMilliseconds: left.map { Int32(clamping: $0) } ?? -1)
            } catch {
                guard case .timedOut = error, let timeout else { throw error }
                progress.end()
                writeError(
                    "the reload has not finished after \(Units.seconds(timeout.seconds)) "
                        + "(\(last)); it continues")
                return ExitCode.failed
            }
            guard let line else {
                progress.end()
                writeError("lost the connection to the master")
                return ExitCode.failed
            }
            guard let step = JSONValue(line) else { throw .invalidResponse }
            if step["stage"]?.text == "verdict" {
                progress.end()
                return verdict(step)
            }
            last = Client.text(of: step)
            progress.show(last)
        }
    }

    private static func text(of step: JSONValue) -> String {
        switch step["stage"]?.text {
        case "reading": "reading the configuration"
        case "canary": "generation \(step.integerText("generation")): waiting for the canary"
        case "rolling":
            "generation \(step.integerText("generation")): \(step.integerText("replaced")) of "
                + "\(step.integerText("of")) replaced"
        default: step["stage"]?.text?.printable ?? "?"
        }
    }

    private func verdict(_ step: JSONValue) -> Int32 {
        let reasons = (step["reasons"]?.elements ?? []).compactMap(\.text).map(\.printable)
        let generation = step["generation"]?.integer.map { "generation \($0) " } ?? ""
        let result = step["result"]?.text
        if result == "complete" { return writeOutput("\(generation)rolled out\n") }
        let outcome =
            switch result {
            case "aborted": "reload aborted; the current generation keeps running"
            case "stalled":
                "reload stalled: the remaining old workers keep serving; retrying"
            case "failed": "reload failed; the current configuration stays in force"
            case "superseded": "a newer reload superseded this one"
            case "stopped": "the master was stopped"
            default: "the reload failed"
            }
        writeError(outcome)
        for reason in reasons { writeError("  \(reason)") }
        return ExitCode.failed
    }

    /// Waits for the result of an upgrade. Returns 0 if the new version runs; otherwise prints the reason
    /// and returns 1.
    func upgrade() throws(ControlFailure) -> Int32 {
        let client = try request("POST", "/upgrade?wait")
        guard client.status == 200 else { return refused(client.status, try client.wholeBody()) }
        while let line = try client.nextLine(timeoutMilliseconds: -1) {
            guard let step = JSONValue(line) else { throw .invalidResponse }
            guard step["stage"]?.text == "verdict" else { continue }
            if step["result"]?.text == "complete" {
                return writeOutput(
                    "upgraded from version \(step["from"]?.text?.printable ?? "?") to "
                        + "\(step["version"]?.text?.printable ?? "?")\n")
            }
            writeError("upgrade failed; the master keeps running the old version")
            if let reason = step["reason"]?.text { writeError("  \(reason.printable)") }
            return ExitCode.failed
        }
        writeError("lost the connection to the master")
        return ExitCode.failed
    }

    /// Waits until the master has exited.
    func stopAndWait(_ target: String) throws(ControlFailure) -> Int32 {
        let client = try request("POST", target + "&wait=yes")
        guard client.status == 200 else { return refused(client.status, try client.wholeBody()) }
        while let line = try client.nextLine(timeoutMilliseconds: -1) {
            guard let code = JSONValue(line)?["exit_code"]?.integer else { continue }
            // The connection ends when the process has exited.
            while try client.nextLine(timeoutMilliseconds: -1) != nil {}
            if code != 0 { writeError("the master exited with status \(code)") }
            return ExitCode.done
        }
        writeError("the master was killed")
        return ExitCode.failed
    }
}

/// A progress line on a terminal. Other outputs get only the verdict.
final class Progress {
    private let isShown = Terminal.isTerminal(2)
    private var hasLine = false

    func show(_ text: String) {
        guard isShown else { return }
        write("\r\u{1B}[K\(text)…")
        hasLine = true
    }

    func end() {
        if hasLine { write("\r\u{1B}[K") }
        hasLine = false
    }

    private func write(_ text: String) {
        do throws(SystemCallError) {
            try TextOutput.write(text, to: 2)
        } catch {
            return
        }
    }
}
