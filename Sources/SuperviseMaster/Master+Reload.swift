import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Generations of settings: made ready before anything depends on them, then adopted or discarded.
extension Master {
    /// What a configuration comes to before any of its workers starts.
    struct Prepared {
        var plans: [Service.Plan]
        var blueprints: [String: Blueprint]
    }

    /// Why a configuration cannot be put to work.
    enum PrepareError: Error, CustomStringConvertible {
        case listen(pool: String, ListenFailure)
        case memory(SystemCallError)

        var description: String {
            switch self {
            case .listen(_, let failure): failure.description
            case .memory(let error): error.description
            }
        }
    }

    /// Opens what is not open yet and makes what starts the workers. Nothing is closed.
    func prepare(
        _ resolved: ResolvedConfiguration, onTrial: Bool = false
    ) throws(PrepareError) -> Prepared {
        var prepared = Prepared(plans: [], blueprints: [:])
        for pool in resolved.configuration.pools {
            let opened: [PoolListener]
            do throws(ListenFailure) {
                opened = try listeners.open(pool, names: resolved.names, onTrial: onTrial)
            } catch {
                throw PrepareError.listen(pool: pool.name, error)
            }
            let policy = policy(of: pool, hasListeners: !opened.isEmpty)
            do throws(SystemCallError) {
                let blueprint = try Blueprint(
                    pool, policy: policy, listeners: opened,
                    account: resolved.names.accounts[pool.name], context: context)
                resumeAdoption(by: blueprint)
                prepared.blueprints[pool.name] = blueprint
            } catch {
                throw PrepareError.memory(error)
            }
            let current = blueprints[service.generation]?[pool.name]?.listeners ?? []
            let kept = Set(opened.map(\.socket.identity))
            prepared.plans.append(
                Service.Plan(
                    name: pool.name, policy: policy,
                    dropsListeners: current.contains { !kept.contains($0.socket.identity) }))
        }
        return prepared
    }

    /// What the core is told of a pool's settings.
    func policy(of pool: PoolSettings, hasListeners: Bool) -> PoolPolicy {
        var policy = pool.policy
        policy.hasListeners = hasListeners
        if pool.workers == .auto { policy.workers = Processors.allowed(cgroup: cgroup) }
        if policy.usesMemoryLimit {
            policy.memoryLimitBytes = MemoryLimit.ofThisProcess(cgroup).bytes
        }
        policy.runsBeforeRecycle = !pool.beforeRecycle.isEmpty
        policy.sendsEvidenceSignal = pool.evidenceSignal != nil
        policy.memoryLogInterval = pool.memoryLog == nil ? nil : pool.memoryLogInterval
        return policy
    }

    /// HUP: a process of its own reads the configuration, since files and names may be slow to come.
    /// A reload while one is read starts over.
    func reload() {
        guard service.haste == nil else { return }
        if loader != nil { abandonLoader(because: nil) }
        tellReloading()
        tellReload([reloadFollower.beginReading()])
        do throws(StartOfLoaderError) {
            let loader = try ConfigurationLoader(launch, startedAt: now)
            self.loader = loader
            try loader.watch(in: poll, token: Token.loader)
        } catch {
            loader = nil
            reloadFailed([error.description])
        }
    }

    func readLoader() {
        guard let loader, let outcome = loader.read() else { return }
        poll.unwatch(loader.descriptor)
        self.loader = nil
        switch outcome {
        case .loaded(let resolved): roll(to: resolved)
        case .problems(let problems): reloadFailed(problems)
        }
    }

    /// The loader takes too long, or a newer one is to start.
    func abandonLoader(because reason: String? = ConfigurationLoader.timeoutMessage) {
        guard let loader else { return }
        poll.unwatch(loader.descriptor)
        loader.kill()
        self.loader = nil
        if let reason { reloadFailed([reason]) }
    }

    private func reloadFailed(_ problems: [String]) {
        for problem in problems {
            log.write(LogLine(.error, "config-error").with("message", problem))
        }
        log.write(
            LogLine(.error, "reload-failed").with(
                "message", "the configuration has errors; everything runs on as before"))
        reloads.failed += 1
        reloads.problems = problems
        tellReload([reloadFollower.fail(problems)].compactMap { $0 })
    }

    private func roll(to loaded: ResolvedConfiguration) {
        var resolved = loaded
        resolved.use(listeners.passed)
        warn(about: resolved)
        do throws(PrepareError) {
            let prepared = try prepare(resolved, onTrial: true)
            expectShutting()
            let generation = service.lastGeneration + 1
            blueprints[generation] = prepared.blueprints
            configurations[generation] = resolved
            countBooting()
            tell(.reload(prepared.plans))
        } catch {
            closeUnused()
            reloadFailed([error.description])
        }
    }

    private func warn(about resolved: ResolvedConfiguration) {
        for warning in resolved.warnings {
            log.write(LogLine(.warning, "config-warning").with("message", warning))
        }
        guard let current = configurations[service.generation]?.configuration else { return }
        for key in resolved.configuration.keysWaitingForRestart(since: current) {
            log.write(
                LogLine(.warning, "config-warning").with("key", key)
                    .with("message", "changed, but a reload does not apply it; restart to do so"))
        }
    }

    /// The generation is in force: older ones start no worker any more.
    func adopt(_ generation: Int) {
        announceListeners(of: generation)
        announceAdoption(of: generation)
        forgetBlueprints(before: generation)
        configurations = configurations.filter { $0.key >= generation }
        if let master = configurations[generation]?.configuration.master {
            log.adopt(master)
            adoptHooks(master)
        }
        readmitListeners(of: generation)
        reopenMemoryLogs()
        closeUnused()
        watchListeners()
    }

    /// A pool that the reload removed may serve on for a while, in the generation that it had.
    private func forgetBlueprints(before generation: Int) {
        for old in blueprints.keys where old < generation {
            let needed = service.members.filter { $0.isRemoved && $0.pool.generation == old }
            blueprints[old] = blueprints[old]?.filter { entry in
                needed.contains { $0.name == entry.key }
            }
        }
        blueprints = blueprints.filter { !$0.value.isEmpty }
    }

    /// The last process of a pool is gone; if the pool is, so is what it needed.
    func poolEnded() {
        forgetBlueprints(before: service.generation)
        closeUnused()
    }

    /// The generation was given up.
    func discard(_ generation: Int) {
        blueprints[generation] = nil
        configurations[generation] = nil
        closeUnused()
    }

    /// Lets go of the sockets that no generation needs.
    private func closeUnused() {
        let used = blueprints.values.flatMap(\.values).flatMap { $0.held.map(\.socket) }
        for failure in listeners.keep(used) {
            log.write(LogLine(.warning, "unlink-failed").with("error", failure.description))
        }
    }
}
