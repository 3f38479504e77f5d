import SuperviseCore

// Faults and operator actions. This file contains everything about a fault. To add one, add:
//
// 1. a case of `Fault`,
// 2. its effect, in `World.befall`,
// 3. its smaller form, in `Fault.halved`,
// 4. its draw, a line of `FaultKind.all`.
//
// The compiler requires the second and the third, a test the fourth. The printer, the shrinker and
// the traces need no change. A worker's own behaviour, without an external cause, is a field of
// `Program` instead.

/// A fault and its time in milliseconds.
package struct TimedFault: Equatable, Sendable {
    package var at: Int
    package var fault: Fault

    package init(_ at: Int, _ fault: Fault) {
        self.at = at
        self.fault = fault
    }
}

/// Faults and operator actions. A worker is identified by its index among the running workers;
/// times are in milliseconds.
package enum Fault: Equatable, Sendable {
    /// The worker's process ends with this signal or, if it is 0, with this exit status.
    case end(pool: Int, worker: Int, signal: Int32 = 0, status: Int32 = 0)
    /// It sends `STOPPING=1` and ends.
    case announce(pool: Int, worker: Int, status: Int32 = 0)
    /// It sends `X_RECYCLE=1`.
    case ask(pool: Int, worker: Int)
    /// It sends `X_HOLD` for this time.
    case hold(pool: Int, worker: Int, Int)
    /// It serves this many requests at the same time.
    case burst(pool: Int, worker: Int, Int)
    /// It grows by this many MiB.
    case grow(pool: Int, worker: Int, Int)
    /// It sends `WATCHDOG=1` once.
    case beat(pool: Int, worker: Int)
    /// It keeps serving, but no longer sends `WATCHDOG=1`.
    case mute(pool: Int, worker: Int)
    /// It no longer does or sends anything.
    case hang(pool: Int, worker: Int)
    /// It sends `WATCHDOG=trigger`.
    case trigger(pool: Int, worker: Int)
    /// It sends `EXTEND_TIMEOUT_USEC` for this time.
    case extend(pool: Int, worker: Int, Int)
    /// It gets a request without a response for this time.
    case stick(pool: Int, worker: Int, Int)
    /// Every worker of the pool does.
    case outage(pool: Int, Int)
    /// Every worker of the pool serves this many requests one after the other, each for this time.
    case slow(pool: Int, count: Int, Int)
    /// Connections wait to be accepted for this time.
    case queue(pool: Int, Int)
    /// The system refuses to create processes for this time.
    case refuseForks(Int)
    /// The program cannot be executed for this time.
    case breakExec(Int)
    /// The master does not run for this time.
    case stall(Int)
    /// No process runs for this time, as in a frozen control group.
    case suspend(Int)
    /// Every exit so far is reported again.
    case repeatExits
    /// The number of workers changes by this much.
    case resize(pool: Int, by: Int)
    /// The operator requests a replacement for the worker of this slot, or of all slots if it is
    /// negative.
    case recycle(pool: Int, slot: Int)
    /// All workers retire.
    case park
    /// The configuration and the program change.
    case reload([Service.Plan], Program)
    /// The service stops.
    case stop(Haste)
    /// The master gets a signal to stop.
    case signal(Service.StopSignal)
}

/// The way to draw a kind of fault.
package struct FaultKind: Sendable {
    /// The pools and workers that a fault can affect.
    struct Scene {
        let pools: [Service.Plan]
        let program: Program
        let pool: Int
        let worker: Int
    }

    /// The name of the case.
    package let name: String
    let draw: @Sendable (inout Swarm, Scene) -> Fault

    private init(_ name: String, _ draw: @escaping @Sendable (inout Swarm, Scene) -> Fault) {
        self.name = name
        self.draw = draw
    }

    /// Kinds that are listed twice are drawn twice as often.
    package static let all: [FaultKind] = [
        FaultKind("end") {
            .end(pool: $1.pool, worker: $1.worker, signal: $0.draws.pick([6, 9, 11]))
        },
        FaultKind("end") {
            .end(pool: $1.pool, worker: $1.worker, status: $0.draws.pick([0, 0, 1]))
        },
        FaultKind("announce") {
            .announce(pool: $1.pool, worker: $1.worker, status: $0.draws.pick([0, 1]))
        },
        FaultKind("ask") { .ask(pool: $1.pool, worker: $1.worker) },
        FaultKind("hold") {
            .hold(pool: $1.pool, worker: $1.worker, $0.draws.pick([0, 500, 3_000, 20_000]))
        },
        FaultKind("burst") { .burst(pool: $1.pool, worker: $1.worker, $0.draws.between(1, 80)) },
        FaultKind("grow") { .grow(pool: $1.pool, worker: $1.worker, $0.draws.between(20, 500)) },
        FaultKind("beat") { .beat(pool: $1.pool, worker: $1.worker) },
        FaultKind("mute") { .mute(pool: $1.pool, worker: $1.worker) },
        FaultKind("hang") { .hang(pool: $1.pool, worker: $1.worker) },
        FaultKind("trigger") { .trigger(pool: $1.pool, worker: $1.worker) },
        FaultKind("extend") {
            .extend(pool: $1.pool, worker: $1.worker, $0.draws.pick([200, 2_000, 8_000]))
        },
        FaultKind("queue") { .queue(pool: $1.pool, $0.draws.between(500, 20_000)) },
        FaultKind("refuseForks") { swarm, _ in .refuseForks(swarm.draws.between(100, 3_000)) },
        FaultKind("breakExec") { swarm, _ in .breakExec(swarm.draws.between(100, 2_000)) },
        FaultKind("stall") { swarm, _ in .stall(swarm.draws.between(100, 6_000)) },
        FaultKind("suspend") { swarm, _ in .suspend(swarm.draws.between(100, 20_000)) },
        FaultKind("repeatExits") { _, _ in .repeatExits },
        FaultKind("resize") {
            // The removed slots of a pool that finishes its work cannot be observed.
            $1.pools[$1.pool].policy.restart == .always
                ? .resize(pool: $1.pool, by: $0.draws.pick([-2, -1, 1, 2])) : .repeatExits
        },
        FaultKind("recycle") { .recycle(pool: $1.pool, slot: $0.draws.pick([-1, 0, 1, 2])) },
        FaultKind("park") { _, _ in .park },
        FaultKind("reload") { $0.reload($1.pools, $1.program) },
        FaultKind("reload") { $0.reload($1.pools, $1.program) },
        FaultKind("reload") { $0.reload($1.pools, $1.program) },
        FaultKind("stop") { swarm, scene in
            swarm.draws.chance(500)
                ? .stop(swarm.draws.pick([.graceful, .quick, .immediate]))
                : swarm.reload(scene.pools, scene.program)
        },
        FaultKind("signal") { swarm, scene in
            swarm.draws.chance(300)
                ? .signal(swarm.draws.pick([.terminate, .terminate, .interrupt, .quit]))
                : swarm.reload(scene.pools, scene.program)
        },
    ]

    /// Faults of requests, drawn separately for pools with `request-timeout`, so that they leave all
    /// other draws of a seed unchanged.
    package static let ofRequests: [FaultKind] = [
        FaultKind("stick") {
            .stick(pool: $1.pool, worker: $1.worker, $0.requests.between(500, 20_000))
        },
        FaultKind("outage") { .outage(pool: $1.pool, $0.requests.between(500, 20_000)) },
        FaultKind("slow") {
            .slow(
                pool: $1.pool, count: $0.requests.between(2, 12), $0.requests.between(300, 3_000))
        },
    ]
}

extension Fault {
    /// The same fault with half its number; itself if it has none.
    var halved: Fault {
        switch self {
        case .hold(let pool, let worker, let time): .hold(pool: pool, worker: worker, time / 2)
        case .burst(let pool, let worker, let count): .burst(pool: pool, worker: worker, count / 2)
        case .grow(let pool, let worker, let size): .grow(pool: pool, worker: worker, size / 2)
        case .extend(let pool, let worker, let time): .extend(pool: pool, worker: worker, time / 2)
        case .stick(let pool, let worker, let time): .stick(pool: pool, worker: worker, time / 2)
        case .outage(let pool, let time): .outage(pool: pool, time / 2)
        case .slow(let pool, let count, let time): .slow(pool: pool, count: count, time / 2)
        case .queue(let pool, let time): .queue(pool: pool, time / 2)
        case .refuseForks(let time): .refuseForks(time / 2)
        case .breakExec(let time): .breakExec(time / 2)
        case .stall(let time): .stall(time / 2)
        case .suspend(let time): .suspend(time / 2)
        case .end, .announce, .ask, .beat, .mute, .hang, .trigger, .repeatExits, .resize, .recycle,
            .park, .reload, .stop, .signal:
            self
        }
    }
}

extension World {
    /// Applies a fault. Returns the immediate events for the master.
    mutating func apply(_ fault: Fault, at now: Instant) -> [Service.Event] {
        switch fault {
        case .end(let pool, let worker, let signal, let status):
            guard let id = living(pool, worker) else { return [] }
            let end: ExitStatus =
                signal == 0
                ? .code(status)
                : signal == 9 ? .outOfMemory : .signal(Signal(number: signal))
            die(id, end, at: now)
            return []
        case .announce(let pool, let worker, let status):
            guard let id = living(pool, worker), var process = processes[id] else { return [] }
            let drain = Int64(process.draws.between(0, process.program.drain))
            processes[id] = process
            agenda.enter(
                .died(id, .code(status), byItself: false), at: now + .milliseconds(drain))
            return [.worker(id, .stopping)]
        case .ask(let pool, let worker): return send(pool, worker, .recycleRequested)
        case .hold(let pool, let worker, let time):
            return send(pool, worker, .hold(.milliseconds(Int64(time))))
        case .burst(let pool, let worker, let count):
            return living(pool, worker).map { serve(count, by: $0) } ?? []
        case .grow(let pool, let worker, let size):
            if let id = living(pool, worker) { processes[id]?.extraMemory += size }
        case .beat(let pool, let worker): return send(pool, worker, .watchdog)
        case .mute(let pool, let worker):
            if let id = living(pool, worker) { processes[id]?.isMute = true }
        case .hang(let pool, let worker):
            if let id = living(pool, worker) { processes[id]?.isHung = true }
        case .trigger(let pool, let worker): return send(pool, worker, .watchdogTriggered)
        case .extend(let pool, let worker, let time):
            return send(pool, worker, .extendTimeout(.milliseconds(Int64(time))))
        case .stick(let pool, let worker, let time):
            if let id = living(pool, worker) { stick(id, for: time, at: now) }
        case .outage(let pool, let time):
            for id in present where id.pool == pool && isRunning(id) {
                stick(id, for: time, at: now)
            }
        case .slow(let pool, let count, let time):
            for id in present where id.pool == pool && isRunning(id) {
                serveSlowly(id, for: time, count: count, at: now)
            }
        case .queue(let pool, let time): queuesUntil[pool] = now + .milliseconds(Int64(time))
        case .refuseForks(let time): forksRefusedUntil = now + .milliseconds(Int64(time))
        case .breakExec(let time): execBrokenUntil = now + .milliseconds(Int64(time))
        case .stall(let time):
            stalledUntil = max(stalledUntil, now + .milliseconds(Int64(time)))
        case .suspend(let time): suspend(for: .milliseconds(Int64(time)), at: now)
        case .repeatExits: return repeatedExits
        case .resize(let pool, let change): return [.resize(pool: pool, by: change)]
        case .recycle(let pool, let slot):
            return [.recycle(pool: pool, slot: slot < 0 ? nil : slot)]
        case .park: return [.park]
        case .reload(let plans, let program):
            programs.append(program)
            return [.reload(plans)]
        case .stop(let haste): return [.stop(haste)]
        case .signal(let signal): return [.stopSignal(signal)]
        }
        return []
    }

    private var repeatedExits: [Service.Event] {
        reapedIDs.suffix(8).flatMap { id -> [Service.Event] in
            let exit = Service.Event.worker(id, .exited(.code(1), leavesTree: false))
            return processes[id] == nil ? [exit, .worker(id, .treeGone)] : [exit]
        }
    }

    /// Postpones all planned actions of the processes. Overlapping suspensions count once.
    private mutating func suspend(for span: TimeSpan, at now: Instant) {
        let since = max(now, frozenUntil)
        let until = now + span
        guard until > since else { return }
        frozenUntil = until
        stalledUntil = max(stalledUntil, until)
        agenda.postpone(by: until - since) { $0.isOfProcesses }
    }

    private func living(_ pool: Int, _ worker: Int) -> WorkerID? {
        let living = present.filter { $0.pool == pool && isRunning($0) }
        return living.isEmpty ? nil : living[worker % living.count]
    }

    private func isRunning(_ id: WorkerID) -> Bool {
        guard let process = processes[id] else { return false }
        return process.isAlive && process.hasExecuted
    }

    private func send(_ pool: Int, _ worker: Int, _ news: WorkerEvent) -> [Service.Event] {
        living(pool, worker).map { [.worker($0, news)] } ?? []
    }
}
