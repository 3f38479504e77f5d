import SuperviseCore
import SuperviseLinux

/// Checks whether workers wait on a listener. The observer makes those that can block.
extension Master {
    /// The library in the worker reports by itself, so a thorough sample is only the fallback.
    private static let thoroughGap = TimeSpan.seconds(1)

    /// Checks whether the worker, or any process below it, waits on a listener.
    func observe(_ id: WorkerID) {
        guard let worker = workers[id], let pid = worker.livingPID else { return }
        if report(of: worker) == .waits { return enqueue(id, .listening) }
        guard worker.isSampled else { return isUnobservable(worker) }
        take(
            AcceptEvidence.observe(
                from: pid, listeners: worker.blueprint.listeners.map(\.socket.identity),
                depth: .cautious, within: .onLoop()), of: worker)
    }

    private func take(_ evidence: AcceptEvidence, of worker: RunningWorker) {
        switch evidence {
        case .waiting: enqueue(worker.id, .listening)
        case .notYet: break
        case .unreadable: isUnobservable(worker)
        case .needsMore: askForEvidence(of: worker)
        case .tooLarge:
            worker.isSampled = false
            warnOfSampling(worker, "too-large", Advice.tooLarge)
            isUnobservable(worker)
        }
    }

    private func isUnobservable(_ worker: RunningWorker) {
        enqueue(worker.id, .unobservable(mayReport: report(of: worker) != .none))
    }

    /// Returns the report of the preload library in the worker.
    private func report(of worker: RunningWorker) -> RequestPage.Report {
        worker.page?.report() ?? .none
    }

    private func askForEvidence(of worker: RunningWorker) {
        guard !worker.isBeingObserved, worker.observeAgainAt.map({ $0 <= now }) ?? true else {
            return
        }
        if report(of: worker) == .loaded, worker.observeAgainAt == nil {
            worker.observeAgainAt = now + Master.thoroughGap
            return
        }
        guard let request = evidenceRequest(for: worker) else { return }
        worker.isBeingObserved = true
        ask(
            Observer.Job(
                pool: worker.id.pool, purpose: .readiness(worker.id), request: request))
    }

    func evidenceRequest(for worker: RunningWorker) -> ObservationRequest? {
        worker.livingPID.map {
            .evidence(root: $0, listeners: worker.blueprint.listeners.map(\.socket.identity))
        }
    }

    func ask(_ job: Observer.Job) {
        observer.ask(job, at: now)
    }

    /// Handles the observer's results.
    func takeObservations() {
        while case let outcomes = observer.take(), !outcomes.isEmpty {
            for outcome in outcomes { take(outcome) }
        }
        if observer.isBroken, log.isNew(.observerBroken) {
            log.write(LogLine(.warning, "sampler-failed").with("message", Advice.broken))
        }
    }

    private func take(_ outcome: Observer.Outcome) {
        if outcome.isStuck { warnOfStuck(outcome.job) }
        switch outcome.job.purpose {
        case .readiness(let id):
            guard let worker = workers[id], !worker.hasExited else { return }
            worker.isBeingObserved = false
            worker.observeAgainAt =
                report(of: worker) == .loaded ? now + Master.thoroughGap : nil
            guard case .evidence(let evidence) = outcome.reply else {
                worker.isSampled = false
                return isUnobservable(worker)
            }
            take(evidence == .needsMore ? .unreadable : evidence, of: worker)
        case .listensElsewhere(let id, let held):
            guard case .evidence(.notYet) = outcome.reply, let worker = workers[id] else { return }
            warnOfListeningElsewhere(worker, held)
        case .connections(let id):
            guard let worker = workers[id] else { return }
            if case .connections(let reply) = outcome.reply {
                enqueue(id, drainer.take(reply, of: worker, stuck: stuckRequests(of: worker)))
            } else {
                let isHopeless = observer.isBroken(for: outcome.job)
                enqueue(id, drainer.take(isHopeless ? .unreadable : nil, of: worker))
            }
        case .bind(let serial, let call):
            guard case .bind(let answer) = outcome.reply else {
                bindFilters[serial]?.binds.leave(call)
                return
            }
            bindFilters[serial].map { take(answer, of: $0) }
        case .mold(let serial):
            take(outcome, ofMold: serial)
        }
    }

    private func warnOfStuck(_ job: Observer.Job) {
        let id: WorkerID? =
            switch job.purpose {
            case .readiness(let id), .listensElsewhere(let id, _), .connections(let id): id
            case .bind(let serial, _): bindFilters[serial]?.worker
            case .mold: nil
            }
        if let worker = id.flatMap({ workers[$0] }) {
            warnOfSampling(worker, "stuck", Advice.stuck)
        } else if log.isNew(.unobservable(pool: job.pool, reason: "stuck")) {
            log.write(
                LogLine(.warning, "sampling-failed").with("pool", service.member(job.pool)?.name)
                    .with("reason", "stuck").with("message", Advice.stuck))
        }
    }

    private func warnOfSampling(_ worker: RunningWorker, _ reason: String, _ advice: String) {
        guard log.isNew(.unobservable(pool: worker.id.pool, reason: reason)) else { return }
        log.write(
            LogLine(.warning, "sampling-failed", worker).with("reason", reason)
                .with("message", advice))
    }

    private enum Advice {
        static let tooLarge =
            "this worker has more descriptors, threads or epoll items than a sample inspects, so only "
            + "READY=1 can show that it is ready (see ready)"
        static let stuck =
            "a sample of this worker did not return within 3 s, for example because its memory is "
            + "mapped from a file system that does not respond; until it returns, the master samples "
            + "no worker of this pool"
        static let broken =
            "the process that inspects workers cannot run, for example under a system call filter "
            + "without pidfd_getfd and process_vm_readv; readiness is determined only from messages, "
            + "epoll sets and accept calls of the workers"
    }
}
