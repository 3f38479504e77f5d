import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The one interpreter of actions.
extension Master {
    /// Performs actions in their order. Workers that end may release what a start lacked, so that
    /// start is retried after all other actions.
    func perform(_ actions: [Service.Action]) {
        var lacking: [(id: WorkerID, order: StartOrder)] = []
        var hasStarted = false
        for action in actions {
            guard case .perform(.start(let id, let order)) = action else {
                // Yields once after consecutive starts.
                if hasStarted { spawnYield.yieldToChild() }
                hasStarted = false
                perform(action)
                continue
            }
            hasStarted = true
            let failure = start(id, order)
            announce()
            guard let failure else { continue }
            if failure.isTransient {
                lacking.append((id, order))
            } else {
                enqueue(id, .startFailed(failure))
            }
        }
        if hasStarted { spawnYield.yieldToChild() }
        for (id, order) in lacking {
            if let failure = start(id, order) { enqueue(id, .startFailed(failure)) }
        }
    }

    private func perform(_ action: Service.Action) {
        switch action {
        case .perform(let action): perform(action)
        case .activate(let generation): activate(generation: generation)
        case .discard(let generation): discard(generation)
        case .closeListeners(let pool): closeListeners(ofPool: pool)
        case .sampleListeners(let pool): sampleListeners(ofPool: pool)
        case .releaseListeners(let pool): closingListeners.release(pool: pool)
        case .exit(let code): exitCode = code
        }
    }

    private func perform(_ action: Action) {
        switch action {
        case .start: preconditionFailure("starts are performed with what follows them")
        case .startMold(let id): startMold(id)
        case .endMold(let id): endMold(id)
        case .killMold(let id): killMold(id)
        case .signal(let id, let signal): send(signal, to: id)
        case .drain(let id): drain(id)
        case .sampleConnections(let id, let endsIdle):
            sampleConnections(of: id, endsIdle: endsIdle)
        case .interruptAcceptors(let id): interruptAcceptors(of: id)
        case .signalTree(let id): signalOrphans(of: id)
        case .kill(let id): kill(id)
        case .observe(let id): observe(id)
        case .measure(let id): sampler.measure(id)
        case .sample(let pool, let contents): sampler.sample(pool: pool, contents)
        case .awaitConnection(let pool): awaitConnection(ofPool: pool)
        case .gatherEvidence(let id, let cause, let facts): gatherEvidence(of: id, cause, facts)
        case .setNotifyThreshold(let id, let requests): setNotifyThreshold(requests, of: id)
        case .planRun(let pool, let last): planRun(ofPool: pool, after: last)
        case .sampleHunt(let id): sampleHunt(of: id)
        case .note(let notice): note(notice)
        }
    }

    private func note(_ notice: Notice) {
        // The failure of its start is an event that follows.
        if case .mold(.started(let id)) = notice, molds[id] == nil { return }
        var line = line(of: notice)
        var finalOutput: String?
        if case .exited(let id, _, let ending, _) = notice {
            finalOutput = self.finalOutput(of: id, ending)
            line = line.with("output", finalOutput)
        }
        if case .mold(.failed(let id, let failure)) = notice, failure.isShownInOutput {
            line = line.with("output", molds.output(of: id))
        }
        log.write(line)
        reloader.follow(notice)
        if case .ready(let id, let rule, _) = notice {
            huntedWorkerIsReady(id)
            proveAdoption(by: id)
            restoreBacklog(for: id)
            resumeArrivals(ofPool: id.pool)
            warnIfUncounted(id, readyBy: rule)
            scheduleListenCheck(at: id, readyBy: rule)
            scheduleWatchdogCheck(at: id)
            scheduleCountCheck(at: id)
        }
        if case .hunt(let notice) = notice { follow(notice) }
        if case .ended(let pool) = notice, service.haste == nil {
            reaper.forget(pool: pool)
            leaks.forget(pool: pool)
            poolEnded()
        }
        if case .exited(let id, _, let ending, _) = notice, let worker = workers[id] {
            checkForUnboundListener(whenEnded: id, ending)
            if let pid = worker.pid { reaper.record(id, pid: pid, output: finalOutput) }
            if worker.orphans.isEmpty { release(worker) }
        }
    }

    /// Its lookups use copies, which are as cheap as references while the original does not change.
    /// None of them may outlive this function.
    private func line(of notice: Notice) -> LogLine {
        let subjects = LogSubjects(
            poolName: { [service] in service.member($0)?.name ?? "number \($0)" },
            pid: { [workers, reaper] in
                workers[$0]?.pid ?? reaper.exited.process(of: $0)?.pid
            },
            moldPID: { [molds] in molds.pid(of: $0) },
            wasKilled: { [workers] in workers[$0]?.wasKilled ?? false },
            policy: { [service] in service.member($0)?.pool.policy },
            bootAttempts: { [service] in
                let numbers = Set(service.members.map(\.pool.policy.bootAttempts))
                return numbers.count == 1 ? numbers.first : nil
            })
        return LogLine(notice, subjects)
    }

    /// A worker's own listen() with a small backlog would shrink the queue that all workers share.
    private func restoreBacklog(for id: WorkerID) {
        guard let worker = workers[id] else { return }
        endInterference(with: worker.blueprint.listeners.map(\.socket))
        for listener in worker.blueprint.listeners where !listener.socket.isAdopted {
            do throws(SystemCallError) {
                try listener.socket.resetBacklog(Int32(clamping: worker.blueprint.settings.backlog))
            } catch {
                log.write(
                    LogLine(.warning, "backlog-failed").with("address", listener.socket.address)
                        .with("error", error.description))
            }
        }
    }
}
