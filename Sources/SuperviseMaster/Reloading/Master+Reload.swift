import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Generations of settings: prepared before anything depends on them, then activated or discarded.
extension Master {
    /// Handles HUP. A reload during the commands of another one begins once they have ended.
    func reload() {
        guard service.haste == nil else { return }
        if let preparation {
            preparation.isReloadWanted = true
            return
        }
        reloader.begin()
    }

    /// Prepares the reload to a configuration that was read.
    func roll(to loaded: ResolvedConfiguration) throws(PrepareError) {
        var resolved = loaded
        resolved.use(listeners.passed)
        warn(about: resolved)
        do throws(PrepareError) {
            let current = generations[service.generation]
            let generation = try Generation(
                service.lastGeneration + 1, resolved, listeners, context, after: current)
            prepare(generation, isFirst: false)
        } catch {
            closeUnused()
            throw error
        }
    }

    /// Activates a prepared generation.
    func activate(_ generation: Generation, isFirst: Bool) {
        guard !isFirst else { return enqueue(.start) }
        let current = generations[service.generation]
        closingListeners.expect(at: now)
        generations.add(generation)
        countBooting()
        enqueue(.reload(generation.plans(after: current)))
    }

    private func warn(about resolved: ResolvedConfiguration) {
        for warning in resolved.warnings {
            log.write(LogLine(.warning, "config-warning").with("message", warning))
        }
        guard let current = generations[service.generation]?.resolved?.configuration
        else { return }
        for key in resolved.configuration.keysWaitingForRestart(since: current) {
            log.write(
                LogLine(.warning, "config-warning").with("key", key)
                    .with(
                        "message",
                        "changed, but a reload does not apply it; restart the master to apply it"))
        }
    }

    /// Makes the generation current. Older ones no longer start workers.
    func activate(generation: Int) {
        announceListeners(of: generation)
        announceAdoption(of: generation)
        generations.supersede(before: generation, service)
        if let master = generations[generation]?.master {
            log.apply(master)
            applyHooks(master)
        }
        readmitListeners(of: generation)
        reopenMemoryLogs()
        closeUnused()
        watchListeners()
        reviewRuns()
    }

    /// Handles the end of a pool's last process. If the pool was removed, its resources are
    /// released.
    func poolEnded() {
        generations.supersede(before: service.generation, service)
        closeUnused()
    }

    /// Handles an abandoned generation.
    func discard(_ generation: Int) {
        generations.remove(generation)
        closeUnused()
    }

    /// Releases the sockets that no generation needs.
    func closeUnused() {
        let prepared = preparation.map { Array($0.generation.blueprints.values) } ?? []
        let used = (generations.blueprints + prepared).flatMap { $0.held.map(\.socket) }
        for failure in listeners.keep(used) {
            log.write(LogLine(.warning, "unlink-failed").with("error", failure.description))
        }
    }
}
