import SuperviseCore

/// Molds, as far as the machine can see them.
extension World {
    /// A mold's process.
    struct Mold {
        var draws: Draws
        /// Whether it answers no orders.
        var isDeaf: Bool
    }

    mutating func startMold(_ id: MoldID, at now: Instant) {
        var draws = Draws(seed: seed, 11, id.pool, id.generation, id.incarnation)
        let given = programs[min(id.generation, programs.count) - 1]
        let program = isHealed ? given.healed : given
        let boot = now + .milliseconds(Int64(draws.between(program.moldBoot / 4, program.moldBoot)))
        if now < forksRefusedUntil {
            let failure = StartFailure(step: "fork", message: "EAGAIN", isTransient: true)
            agenda.enter(.moldNews(id, .notStarted(failure)), at: now)
            return
        }
        molds[id] = Mold(draws: draws, isDeaf: draws.chance(program.moldDeaf))
        if draws.chance(program.moldFailing) {
            agenda.enter(.moldDied(id, .code(1)), at: boot)
        } else if draws.chance(program.moldHanging) {
            return
        } else if draws.chance(program.moldRefused) {
            agenda.enter(.moldNews(id, .unusable("a connection")), at: boot)
        } else {
            agenda.enter(.moldNews(id, .warm), at: boot)
            if program.moldCrashing > 0 {
                let life = Int64(draws.between(0, program.moldCrashing))
                agenda.enter(.moldDied(id, .signal(.abort)), at: boot + .milliseconds(life))
            }
        }
    }

    func moldNews(_ id: MoldID, _ news: MoldEvent) -> [Service.Event] {
        if case .notStarted = news { return [.mold(id, news)] }
        return molds[id] == nil ? [] : [.mold(id, news)]
    }

    /// It answers no news after that, and is reaped a moment later.
    mutating func moldDies(_ id: MoldID, _ status: ExitStatus, at now: Instant) {
        guard molds[id] != nil else { return }
        agenda.enter(.moldDied(id, status), at: now + .milliseconds(1))
    }

    /// When the start of a worker fails because of its mold; nil if it does not, or has none.
    mutating func failedFork(_ id: WorkerID, _ order: StartOrder, at now: Instant) -> Instant? {
        guard let mold = order.mold else { return nil }
        guard let living = molds[mold] else { return now }
        return living.isDeaf && !isHealed ? now + .seconds(5) : nil
    }
}
