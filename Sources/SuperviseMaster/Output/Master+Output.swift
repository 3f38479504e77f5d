import SuperviseCore
import SuperviseLinux

/// The final output of workers that failed.
extension Master {
    func readOutput(serial: UInt64) {
        guard let worker = workers[serial: serial] else { return }
        output.read(worker, at: now)
    }

    /// Remembers the final output of a worker if nobody asked for its end.
    func finalOutput(of id: WorkerID, _ ending: Ending) -> String? {
        guard ending.isUnexpected, let text = workers[id]?.output?.tail.text, !text.isEmpty
        else { return nil }
        return text
    }

    /// The last line of output that explains a notice of a failure.
    func lastLine(for notice: Notice) -> String? {
        switch notice {
        case .exited(let id, _, _, _), .bootTimedOut(let id, _), .retiring(let id, _, _):
            return workers[id]?.output?.tail.lastLine
        case .canaryFailed(let pool, let generation, _):
            // A canary that was not ready in time still runs; another one has exited.
            let canary = workers.ofPool(pool).last {
                core.worker($0.id)?.generation == generation
            }
            return canary?.output?.tail.lastLine ?? exited.lastLine(pool: pool)
        default: return nil
        }
    }
}

extension Ending {
    /// Whether the output of the worker may explain its end.
    var isUnexpected: Bool {
        switch self {
        case .crashed, .bootFailed: true
        case .retired(let cause):
            switch cause {
            case .bootTimeout, .watchdog, .stalled, .killMemory: true
            case .recycle, .announced, .scaledDown, .parked, .superseded, .stop: false
            }
        case .finished: false
        }
    }
}

extension OutputTail {
    /// The last line; nil if there is none.
    var lastLine: String? { text.lastLine }
}
