import SuperviseCore
import SuperviseLinux

/// Draining workers.
extension Master {
    /// Stops the worker from accepting connections.
    func drain(_ id: WorkerID) {
        guard let worker = workers[id] else { return }
        do throws(SystemCallError) {
            if try drainer.close(worker) { return }
        } catch {
            log.write(LogLine(.warning, "page-failed", worker).with("error", error.description))
        }
        enqueue(id, .undrainable)
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

    /// Reports the samples that the previous program awaited as missing.
    func resumeDrains() {
        for worker in workers.bySerial.values.sorted(by: { $0.serial < $1.serial })
        where core.worker(worker.id)?.awaitsSample == true {
            enqueue(worker.id, .connectionSample(nil))
        }
    }
}
