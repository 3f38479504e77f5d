import SuperviseCore
import SuperviseLinux

/// Listener requests from processes of a worker that lost its listeners, such as the children of
/// npm and of Python's subprocess. The preload library in them requests a listener by its inode.
///
/// A process gets only what its worker already holds. The kernel identifies the sender, because it
/// stamps each datagram with the sender's process and user. The process must descend from the
/// worker, be alive, and still run as that user, so that a reused pid is useful only to a user who
/// could access that process anyway. Responses go only to abstract names, never block, and are
/// limited in number.
extension Master {
    /// The maximum number of responses per second to one worker.
    private static let answersPerSecond = 32

    func answer(_ datagram: NotifyDatagram, from worker: RunningWorker, asksFor inode: UInt64) {
        guard worker.listenerRequests.isAllowed(Master.answersPerSecond, at: now) else { return }
        let listener = worker.blueprint.held.map(\.socket).first {
            $0.identity.inode == inode
        }
        let isTrusted = belongs(datagram, to: worker)
        if !isTrusted || listener == nil {
            logInvalid(worker, "listener-refused") { $0.with("sender", datagram.pid) }
        }
        do throws(SystemCallError) {
            try worker.notify.answer(
                datagram, "LISTENER=\(inode)", with: isTrusted ? listener?.rawValue : nil)
            guard isTrusted, let listener, log.isNew(.adopted(pool: worker.id.pool)) else { return }
            log.write(
                LogLine(.info, "adopted", worker).with("process", datagram.pid)
                    .with("address", listener.address).with("by", Adoption.Way.preload.rawValue))
        } catch {
            // It stopped waiting, or does not read. It reports a failed adoption itself.
            log.write(
                LogLine(.debug, "listener-not-sent", worker).with("process", datagram.pid)
                    .with("error", error.description))
        }
    }

    private func belongs(_ datagram: NotifyDatagram, to worker: RunningWorker) -> Bool {
        guard let sender = ProcessOwner.read(datagram.pid), sender.uid == datagram.uid else {
            return false
        }
        if let asking = workers[pid: datagram.pid] { return asking.serial == worker.serial }
        if let owner = reaper.owner(ofOrphan: datagram.pid) { return owner == worker.serial }
        return owner(of: sender.parent) == worker.serial
    }

    func notAdopted(_ worker: RunningWorker, _ inode: UInt64) {
        let listener = worker.blueprint.listeners.first { $0.socket.identity.inode == inode }
        guard let address = listener?.socket.address,
            log.isNew(.notAdopted(pool: worker.id.pool, reason: address))
        else { return }
        log.write(
            LogLine(.warning, "not-adopted", worker).with("address", address)
                .with("message", Master.lostListenerAdvice))
    }

    /// Except for the family, the program runs as it would without the master.
    func alsoBinds(_ id: WorkerID, _ poolName: String, _ address: String) {
        guard log.isNew(.alsoBinds(pool: id.pool)) else { return }
        log.write(
            LogLine(.info, "bind-redirected").with("pool", poolName).with("slot", id.slot)
                .with("address", address)
                .with(
                    "message",
                    "the pool does not listen on this address, which differs from that of a "
                        + "listener only in its address family. The worker serves that listener "
                        + "instead. To serve both, add --bind \(address)"))
    }

    private static let lostListenerAdvice =
        "a process of this worker opens its own socket, but neither inherited the listener nor could "
        + "get it from the master, so its bind() fails. Set adopt = seccomp"
}

/// The requests in the current second.
struct RequestsPerSecond {
    private var begun: Instant?
    private var count = 0

    /// Counts one request. Returns false if there were already `limit` within a second.
    mutating func isAllowed(_ limit: Int, at now: Instant) -> Bool {
        if let begun, now - begun < .seconds(1) {
            count += 1
        } else {
            begun = now
            count = 1
        }
        return count <= limit
    }
}
