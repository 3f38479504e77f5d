import SuperviseCore
import SuperviseLinux

/// `reload --wait`, `stop --wait` and `upgrade`.
extension Client {
    /// Follows the reload until its verdict: 0 when every worker is new, else 1, and why.
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
                guard case .silent = error, let timeout else { throw error }
                progress.end()
                complain(
                    "the reload is not done after \(Units.seconds(timeout.seconds)) (\(last)); "
                        + "it goes on")
                return ExitCode.failed
            }
            guard let line else {
                progress.end()
                complain("the master is gone")
                return ExitCode.failed
            }
            guard let step = JSONValue(line) else { throw .garbled }
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
        case "trial": "generation \(step.integerText("generation")): trying the first new worker"
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
        if result == "complete" { return say("\(generation)rolled out\n") }
        let said =
            switch result {
            case "aborted": "the reload was aborted, everything runs on as before"
            case "stalled":
                "the reload stalls: the old workers that are left serve on, and it is tried again"
            case "failed": "the configuration has errors, everything runs on as before"
            case "superseded": "a newer reload superseded this one"
            case "stopped": "the master was told to stop"
            default: "the reload failed"
            }
        complain(said)
        for reason in reasons { complain("  \(reason)") }
        return ExitCode.failed
    }

    /// Waits for the verdict on an upgrade: 0 when the master goes on as the new program, else 1, and
    /// why.
    func upgrade() throws(ControlFailure) -> Int32 {
        let client = try request("POST", "/upgrade?wait")
        guard client.status == 200 else { return refused(client.status, try client.wholeBody()) }
        while let line = try client.nextLine(timeoutMilliseconds: -1) {
            guard let step = JSONValue(line) else { throw .garbled }
            guard step["stage"]?.text == "verdict" else { continue }
            if step["result"]?.text == "complete" {
                return say(
                    "version \(step["version"]?.text?.printable ?? "?"), before "
                        + "\(step["from"]?.text?.printable ?? "?")\n")
            }
            complain("no upgrade, the master goes on as before")
            if let reason = step["reason"]?.text { complain("  \(reason.printable)") }
            return ExitCode.failed
        }
        complain("the master is gone")
        return ExitCode.failed
    }

    /// Waits until the master is gone.
    func stopAndWait(_ target: String) throws(ControlFailure) -> Int32 {
        let client = try request("POST", target + "&wait=yes")
        guard client.status == 200 else { return refused(client.status, try client.wholeBody()) }
        while let line = try client.nextLine(timeoutMilliseconds: -1) {
            guard let code = JSONValue(line)?["exit_code"]?.integer else { continue }
            // The end of the connection follows when the process is gone.
            while try client.nextLine(timeoutMilliseconds: -1) != nil {}
            if code != 0 { complain("the master ended with exit code \(code)") }
            return ExitCode.done
        }
        complain("the master was killed")
        return ExitCode.failed
    }
}

/// A line on a terminal that changes. Elsewhere nothing is shown: what counts is the verdict.
private final class Progress {
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
