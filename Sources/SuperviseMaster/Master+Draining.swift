import SuperviseCore
import SuperviseLinux

/// Draining workers.
extension Master {
    /// Closes the worker to new connections.
    func drain(_ id: WorkerID) {
        guard let worker = workers[id] else { return }
        do throws(SystemCallError) {
            if try drainer.close(worker) { return }
        } catch {
            log.write(LogLine(.warning, "page-failed", worker).with("error", error.description))
        }
        tell(id, .undrainable)
    }

    func sampleConnections(of id: WorkerID, endsIdle: Bool) {
        guard let worker = workers[id] else { return }
        ask(
            Observer.Job(
                pool: id.pool, purpose: .connections(id),
                request: .connections(drainer.request(for: worker, endsIdle: endsIdle))))
    }

    func interruptAcceptors(of id: WorkerID) {
        if let worker = workers[id] { drainer.interruptAcceptors(of: worker) }
    }

    /// A sample that the program before this one awaited never comes.
    func resumeDrains() {
        for worker in workers.bySerial.values.sorted(by: { $0.serial < $1.serial })
        where service.member(worker.id.pool)?.pool.worker(worker.id)?.awaitsSample == true {
            tell(worker.id, .connectionSample(nil))
        }
    }

    /// The worker, if it lives, what it left behind, and all below, parents first.
    func tree(of worker: RunningWorker) -> [Int32] {
        let roots = (worker.hasExited ? [] : [worker.pid]) + worker.orphans.sorted()
        return roots + roots.flatMap { ProcessTree.descendants(of: $0) }
    }
}
