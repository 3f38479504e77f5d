import SuperviseCore
import SuperviseLinux

/// The final output of workers that failed.
extension Master {
    func readOutput(serial: UInt64) {
        let source =
            workers[serial: serial]?.output ?? molds[serial: serial]?.output
            ?? preparation?.output(serial: serial)
        if let source { output.read(source, at: now) }
    }

    /// Records the final output of a worker if its end was not requested.
    func finalOutput(of id: WorkerID, _ ending: Ending) -> String? {
        let isLate = ending == .retired(.recycle(.lifetime))
        let isLateRun = isLate && service.member(id.pool)?.pool.isScheduled == true
        guard ending.isUnexpected || isLateRun, let text = workers[id]?.output?.tail.text,
            !text.isEmpty
        else { return nil }
        return text
    }

    /// Returns the last output line that explains a failure notice.
    func lastLine(for notice: Notice) -> String? {
        if case .canaryFailed(let pool, let generation, .mold(let failure)) = notice {
            return failure.isShownInOutput
                ? molds.output(ofPool: pool, generation: generation)?.lastLine : nil
        }
        if case .canaryFailed(let pool, let generation, _) = notice {
            // A canary that was not ready in time still runs; others have exited.
            let canary = workers.ofPool(pool).last {
                core.worker($0.id)?.generation == generation
            }
            return canary?.output?.tail.lastLine ?? reaper.exited.lastLine(pool: pool)
        }
        var id: WorkerID?
        if case .exited(let worker, _, _, _) = notice { id = worker }
        if case .bootTimedOut(let worker, _) = notice { id = worker }
        if case .retiring(let worker, _, _) = notice { id = worker }
        return id.flatMap { workers[$0] }?.output?.tail.lastLine
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
            case .recycle, .announced, .scaledDown, .parked, .huntEnded, .superseded, .stop: false
            }
        case .finished: false
        }
    }
}

extension MoldFailure {
    /// Whether the output of the mold may explain its failure.
    var isShownInOutput: Bool {
        switch self {
        case .ended, .bootTimeout: true
        case .notStarted, .unusable, .forksFail, .workersFail: false
        }
    }
}

extension OutputTail {
    /// The last line; nil if there is none.
    var lastLine: String? { text.lastLine }
}
