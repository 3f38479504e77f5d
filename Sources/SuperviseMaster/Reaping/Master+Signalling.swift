import SuperviseCore
import SuperviseLinux

/// Signals to all processes of a worker.
extension Master {
    /// Sends the stop-signal to the processes that an ended worker left behind, and to their
    /// descendants.
    func signalOrphans(of id: WorkerID) {
        guard let worker = workers[id] else { return }
        signalTree(of: worker, worker.blueprint.settings.stopSignal.number)
        signalTree(of: worker, Signal.continue.number)
    }

    /// Resumes a worker that was stopped (SIGSTOP, SIGTSTP), together with its group: a stopped
    /// process handles no signal but SIGKILL. For processes that run, this has no effect.
    func resumeStopped(_ worker: RunningWorker) {
        guard !worker.hasExited else { return }
        signalGroup(of: worker, Signal.continue.number)
        signalIgnoringExit(worker, Signal.continue.number)
    }

    /// Signals the worker, if it runs, and everything below it. A number is signalled only while it
    /// can belong to no other process: our own children are not reaped in between, and for others a
    /// pidfd is opened, and the process inspected again, before any parent of theirs has ended.
    func signalTree(of worker: RunningWorker, _ number: Int32) {
        let roots = worker.roots
        let below = roots.flatMap { ProcessTree.descendants(of: $0) }
        let tree = Set(roots + below)
        // If descriptors are short, children are signalled before their parents, one at a time.
        var unopened: [Int32] = []
        let processes = below.compactMap { pid in
            verified(pid, in: tree, of: worker) { unopened.append(pid) }
        }
        for pid in unopened.reversed() { signalAtOnce(pid, number, in: tree, of: worker) }
        if !worker.hasExited {
            signalGroup(of: worker, number)
            signalIgnoringExit(worker, number)
        }
        for pid in worker.orphans.sorted() { signal(pid, number, of: worker) }
        for process in processes {
            do throws(SystemCallError) {
                try process.signal(number)
            } catch {
                // It ended together with its group or its parent.
                continue
            }
        }
    }

    /// Calls `lacking` if there is no descriptor for it.
    func verified(
        _ pid: Int32, in tree: Set<Int32>, of worker: RunningWorker, orElse lacking: () -> Void
    ) -> ProcessDescriptor? {
        do throws(SystemCallError) {
            let process = try ProcessDescriptor.open(pid: pid)
            return belongs(pid, to: tree, of: worker) ? process : nil
        } catch  where error.kind == .noDescriptor {
            lacking()
            return nil
        } catch {
            // It ended after it was listed.
            return nil
        }
    }

    private func belongs(_ pid: Int32, to tree: Set<Int32>, of worker: RunningWorker) -> Bool {
        guard let status = ProcessStatus.read(pid) else { return false }
        return tree.contains(status.parent) || status.group == worker.pid
    }

    private func signalAtOnce(
        _ pid: Int32, _ number: Int32, in tree: Set<Int32>, of worker: RunningWorker
    ) {
        do throws(SystemCallError) {
            try ProcessDescriptor.signal(pid: pid, number) {
                belongs(pid, to: tree, of: worker)
            }
        } catch {
            // It ended after it was listed.
            return
        }
    }

    func signal(_ pid: Int32, _ number: Int32, of worker: RunningWorker) {
        do throws(SystemCallError) {
            try ProcessDescriptor.signal(pid: pid, number)
        } catch {
            signalFailed(worker, .warning, error, process: pid)
        }
    }

    /// The group keeps its number as long as the worker is not reaped.
    private func signalGroup(of worker: RunningWorker, _ number: Int32) {
        guard let pid = worker.livingPID else { return }
        do throws(SystemCallError) {
            try ProcessGroup.signal(pid, number)
        } catch {
            // The worker had not created its group yet, or left it.
            return
        }
    }
}
