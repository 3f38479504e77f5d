import SuperviseCore
import SuperviseLinux

/// A look at a worker that is planned.
struct Look {
    let id: WorkerID
    /// What it was started by. It holds listeners, which a reload may remove meanwhile.
    private(set) weak var blueprint: Blueprint?
    let at: Instant
}

/// Workers that are ready by their word, by time or by exec, and serve no listener of ours: their
/// program took the address from its own configuration, or any port, and all looks well.
extension Master {
    /// So long after it got ready a program has opened its sockets.
    private static let lookAfter = TimeSpan.seconds(5)

    /// Plans one look at one worker of each pool and generation, unless it was seen to wait on a
    /// listener.
    func scheduleLook(at id: WorkerID, readyBy rule: ReadyRule) {
        guard let worker = workers[id], !worker.blueprint.isLookedAt,
            !worker.blueprint.listeners.isEmpty
        else { return }
        switch rule {
        case .listening: return
        case .notify where worker.blueprint.policy.readiness == .auto:
            guard service.member(id.pool)?.pool.worker(id)?.isUnproven == true else { return }
        case .notify, .exec, .time, .assumed: break
        }
        worker.blueprint.isLookedAt = true
        // The same time for all, so the list is in order.
        looks.append(Look(id: id, blueprint: worker.blueprint, at: now + Master.lookAfter))
    }

    func lookWhereItListens(_ look: Look) {
        guard let blueprint = look.blueprint else { return }
        guard let worker = workers[look.id], !worker.hasExited,
            service.member(look.id.pool)?.pool.worker(look.id)?.isReady == true
        else {
            // The next one will be looked at.
            blueprint.isLookedAt = false
            return
        }
        let ours = blueprint.listeners.map(\.socket.identity)
        let tree = [worker.pid] + ProcessTree.descendants(of: worker.pid)
        guard let held = HeldListeners.look(at: tree, known: ours) else { return }
        // What it inherited it holds, whether it knows or not; so who holds ours is only suspected
        // when it listens on something else.
        if held.includeKnown {
            guard !held.others.isEmpty,
                AcceptEvidence.observe(tree: tree, listeners: ours) == .notYet
            else { return }
        }
        log.write(
            line(.warning, "listens-elsewhere", worker)
                .with(
                    "listens_on",
                    held.others.isEmpty ? "nothing" : held.others.joined(separator: ",")
                )
                .with("message", Master.elsewhereAdvice))
    }

    private static let elsewhereAdvice =
        "it is ready, but waits on none of the pool's listeners, so it serves no client of theirs. "
        + "Let it take the descriptor {fd}, or listen on the very address of the pool (see adopt)"
}
