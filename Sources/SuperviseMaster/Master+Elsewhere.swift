import SuperviseCore
import SuperviseLinux

/// Workers that are ready by their word, by time or by exec, and serve no listener of ours: their
/// program took the address from its own configuration, or any port, and all looks well.
extension Master {
    /// So long after it got ready a program has opened its sockets.
    private static let lookAfter = TimeSpan.seconds(5)

    /// Plans one look at one worker of each pool and generation.
    func scheduleLook(at id: WorkerID, readyBy rule: ReadyRule) {
        guard rule != .listening, let worker = workers[id], !worker.blueprint.isLookedAt,
            !worker.blueprint.listeners.isEmpty
        else { return }
        worker.blueprint.isLookedAt = true
        // The same time for all, so the list is in order.
        looks.append((id, worker.blueprint, now + Master.lookAfter))
    }

    func lookWhereItListens(_ id: WorkerID, _ blueprint: Blueprint) {
        guard let worker = workers[id], !worker.hasExited,
            service.member(id.pool)?.pool.worker(id)?.state == .ready
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
