import SuperviseCore
import SuperviseLinux

/// SIGKILL, and what does not end of it.
extension Master {
    /// The most time, in nanoseconds, that is spent on processes that keep making others.
    private static let longestHunt: Int64 = 20_000_000
    /// How often nothing new has to be found before all is taken for found.
    private static let quietRounds = 3
    /// The SIGKILL after which a worker that lingers is explained: the core repeats it every second.
    private static let explainedKill = 10

    /// SIGKILL for all that is known to be the worker's.
    func kill(_ id: WorkerID) {
        guard let worker = workers[id], !starter.cancel(worker) else { return }
        worker.wasKilled = true
        worker.kills += 1
        signalTree(of: worker, Signal.kill.number)
        // The first one is enough for nearly all.
        if worker.kills > 1 { killSuccessors(of: worker) }
        if worker.kills == Master.explainedKill { explain(worker) }
    }

    /// A process that leaves its group, makes another one and ends, all within a moment, is gone before it
    /// is signalled from a list. Its successor is our child as soon as it is gone, so that one is
    /// looked for and killed at once.
    private func killSuccessors(of worker: RunningWorker) {
        let end = MonotonicClock.nanoseconds() + Master.longestHunt
        var quiet = 0
        while quiet < Master.quietRounds, MonotonicClock.nanoseconds() < end {
            quiet += 1
            for pid in children.numbers() where !isKnown(pid) {
                guard
                    case .known(let text?) = ProcessEnvironment.value(of: pid, ContractVariable.id),
                    Nonce(text) == worker.nonce
                else { continue }
                adopt(pid, for: worker)
                signal(pid, Signal.kill.number, of: worker)
                quiet = 0
            }
        }
    }

    private func explain(_ worker: RunningWorker) {
        let waiting = worker.roots.first { ProcessStatus.read($0)?.state == "D" }
        let message =
            if let waiting {
                "process \(waiting) is in uninterruptible sleep (state D), where SIGKILL has no effect"
            } else if worker.hasExited {
                "its processes fork faster than they can be killed, and the worker has no cgroup of "
                    + "its own. A container, or a service manager that kills the whole cgroup (systemd: "
                    + "KillMode=control-group), can stop them"
            } else {
                "it is still running after \(worker.kills) SIGKILLs"
            }
        log.write(LogLine(.error, "kill-failed", worker).with("message", message))
    }
}
