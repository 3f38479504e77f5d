import SuperviseCore
import SuperviseLinux

/// SIGKILL, and processes that do not end.
extension Master {
    /// The maximum time, in nanoseconds, of the first search for processes that keep creating
    /// others. It doubles with each SIGKILL, up to `longestSearch`: on a busy machine such a
    /// process has often ended before its environment is read.
    private static let firstSearch: Int64 = 20_000_000
    private static let longestSearch: Int64 = 320_000_000
    /// The number of rounds without a new process after which the search ends.
    private static let quietRounds = 3
    /// The number of SIGKILLs after which the remaining worker is explained. The core repeats the
    /// signal every second.
    private static let explainedKill = 10

    /// Sends SIGKILL to all processes that are known to belong to the worker.
    func kill(_ id: WorkerID) {
        guard let worker = workers[id], !starter.cancel(worker) else { return }
        worker.wasKilled = true
        worker.kills += 1
        signalTree(of: worker, Signal.kill.number)
        // The first one is sufficient for nearly all workers.
        if worker.kills > 1 { killSuccessors(of: worker) }
        if worker.kills == Master.explainedKill { explain(worker) }
    }

    /// A process that leaves its group, creates another process and ends in a short time has ended
    /// before it is signalled from a list. Its child then becomes ours, so that child is searched
    /// for, moved into a group that its own children cannot leave, and killed.
    private func killSuccessors(of worker: RunningWorker) {
        let doublings = min(max(0, worker.kills - 2), 10)
        let longest = min(Master.firstSearch << Int64(doublings), Master.longestSearch)
        let end = MonotonicClock.nanoseconds() + longest
        var quiet = 0
        while quiet < Master.quietRounds, MonotonicClock.nanoseconds() < end {
            quiet += 1
            for pid in reaper.unknownChildren() {
                // There may be very many.
                guard MonotonicClock.nanoseconds() < end else { break }
                guard
                    case .known(let text?) = ProcessEnvironment.value(of: pid, ContractVariable.id),
                    Nonce(text) == worker.nonce
                else { continue }
                reaper.assign(pid, to: worker)
                withKillGroup(of: worker) { (group) throws(SystemCallError) in try group.add(pid) }
                signal(pid, Signal.kill.number, of: worker)
                quiet = 0
            }
            guard quiet == 0 else { continue }
            withKillGroup(of: worker) { (group) throws(SystemCallError) in try group.kill() }
        }
    }

    /// Uses the group in which the worker's processes are killed together with all that they create
    /// meanwhile.
    private func withKillGroup(
        of worker: RunningWorker, _ use: (KillGroup) throws(SystemCallError) -> Void
    ) {
        do throws(SystemCallError) {
            if let group = worker.killGroup { return try use(group) }
            let group = try KillGroup(in: context.cgroup, of: worker)
            worker.killGroup = group
            try use(group)
        } catch  where error.kind == .noSuchProcess {
            // It has exited, and its child is searched for next.
        } catch {
            guard log.isNew(.noKillGroup) else { return }
            log.write(
                LogLine(.warning, "kill-group-unavailable", worker)
                    .with("error", error.description).with("message", Master.killGroupAdvice))
        }
    }

    /// Continues with the groups of another program of this process, which would not be removed
    /// otherwise.
    func resumeKillGroups() {
        for worker in workers.bySerial.values where worker.hasKillGroup == true {
            withKillGroup(of: worker) { (_) throws(SystemCallError) in }
        }
    }

    private static let killGroupAdvice =
        "the worker's processes create others faster than they can be killed one by one, and the master "
        + "cannot move them into a control group to kill them together; under systemd, set "
        + "Delegate=yes and ProtectControlGroups=no"

    private func explain(_ worker: RunningWorker) {
        let waiting = worker.roots.first { ProcessStatus.read($0)?.state == "D" }
        let message =
            if let waiting {
                "process \(waiting) is in uninterruptible sleep (state D), where SIGKILL has no effect"
            } else if worker.hasExited {
                "its processes fork faster than they can be killed. A container, or a service manager "
                    + "that kills the whole cgroup (systemd: KillMode=control-group), can stop them"
            } else {
                "it is still running after \(worker.kills) SIGKILLs"
            }
        log.write(LogLine(.error, "kill-failed", worker).with("message", message))
    }
}

extension KillGroup {
    /// Creates the group of this worker, or opens it if it exists.
    fileprivate convenience init(
        in cgroup: Cgroup, of worker: RunningWorker
    ) throws(SystemCallError) {
        try self.init(in: cgroup, name: "supervise-\(ThisProcess.pid)-\(worker.serial)")
    }
}
