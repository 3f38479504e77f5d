import SuperviseCore
import SuperviseLinux
import SuperviseState

/// A child of the master that takes the samples which can wait for the process that is sampled: whoever
/// controls that process controls how long, and the loop must not wait. It is the same program with a
/// word of its own, runs while there is something to ask, and ends some time after.
///
/// It answers one request at a time. One that takes too long gets SIGKILL, which may not end it before
/// the kernel's own wait ends; nothing more is asked about that pool until it has.
final class Observer: Expiring {
    /// The word that makes the program an observer. Not for people.
    static let verb = "__observe"
    /// The descriptor of its end of the connection.
    static let socketDescriptor: Int32 = 3
    /// The longest time for one answer, with the start of the process.
    private static let patience = TimeSpan.seconds(3)
    /// How long it stays without a request.
    private static let idleTime = TimeSpan.seconds(10)
    /// An observer that ends by itself so often in a row cannot run here at all.
    private static let mostFailures = 3

    /// What is asked about a worker of a pool, and what for.
    struct Job {
        let pool: Int
        let purpose: ObservationPurpose
        let request: ObservationRequest
        /// What goes along with it, kept open until it is sent.
        var descriptors: [OwnedDescriptorReference] = []
    }

    /// The end of a job. Without a reply nothing could be found out.
    struct Outcome {
        let job: Job
        let reply: ObservationReply?
        /// Whether the sample did not return.
        let isStuck: Bool
    }

    private struct Running {
        let pid: Int32
        let process: ProcessDescriptor
        let socket: MessageSocket
    }

    private let environment: [String]
    private let poll: EventPoll
    private var running: Running?
    private var queue: [Job] = []
    private var isWaiting = false
    private var deadlineOfAnswer: Instant?
    private var idleUntil: Instant?
    /// In a row, by what was asked.
    private var failures: [ObservationPurpose.Kind: Int] = [:]
    /// Those that got SIGKILL and have not ended, with the pool that they were asked about.
    private var ending: [Int32: Int?] = [:]
    private var outcomes: [Outcome] = []

    /// None runs yet. It gets this environment.
    init(environment: [String], in poll: EventPoll) {
        self.environment = environment
        self.poll = poll
    }

    /// Whether an answer is under way that is not asked for again.
    var owesAnswer: Bool {
        (queue + outcomes.map(\.job)).contains { job in
            if case .connections = job.purpose { false } else { true }
        }
    }

    var deadline: Instant? { deadlineOfAnswer ?? idleUntil }

    /// Whether this process is one of them.
    func owns(_ pid: Int32) -> Bool { running?.pid == pid || ending[pid] != nil }

    /// Takes a job; its outcome comes from `take`.
    func ask(_ job: Job, at now: Instant) {
        guard !isBroken(for: job), !isStuck(with: job.pool) else {
            outcomes.append(Outcome(job: job, reply: nil, isStuck: false))
            return
        }
        queue.append(job)
        advance(at: now)
    }

    /// Starts the process already, for a job that is about to come.
    func prepare(at now: Instant) {
        guard running == nil else { return }
        guard start() else { return }
        idleUntil = now + Observer.idleTime
    }

    /// What is settled since the last call.
    func take() -> [Outcome] {
        defer { outcomes = [] }
        return outcomes
    }

    /// Reads what the process has sent.
    func read(at now: Instant) {
        guard let running else { return }
        do throws(SystemCallError) {
            let message = try running.socket.receive(waits: false)
            guard !message.bytes.isEmpty, isWaiting else { return fail(at: now) }
            let reply = try reply(message.bytes)
            queue.first.map { failures[$0.purpose.kind] = nil }
            settle(reply, isStuck: false)
        } catch  where error.kind == .notNow {
            return
        } catch {
            return fail(at: now)
        }
        advance(at: now)
    }

    private func reply(_ bytes: [UInt8]) throws(SystemCallError) -> ObservationReply {
        do throws(StateFault) {
            return try State.decode(ObservationReply.self, from: bytes)
        } catch {
            throw SystemCallError(call: Observer.verb, code: 0)
        }
    }

    /// Ends what takes too long, and what has nothing to do.
    func expire(at now: Instant) {
        if let deadlineOfAnswer, deadlineOfAnswer <= now {
            let pool = queue.first?.pool
            end(because: pool)
            settle(nil, isStuck: true)
            giveUp { $0.pool == pool }
            advance(at: now)
        } else if let idleUntil, idleUntil <= now {
            end(because: nil)
        }
    }

    /// A process has ended and is to be reaped. Of the one that runs, its socket tells.
    func ended(_ pid: Int32) {
        ending[pid] = nil
    }

    /// Ends it at once, and waits for a moment until it is gone.
    func endWithMaster() {
        guard let running else { return }
        self.running = nil
        kill(running)
        running.process.waitForExit(milliseconds: 200)
    }

    private func isStuck(with pool: Int) -> Bool { ending.values.contains(pool) }

    private func advance(at now: Instant) {
        guard !isWaiting else { return }
        guard let job = queue.first else {
            deadlineOfAnswer = nil
            idleUntil = now + Observer.idleTime
            return
        }
        do throws(SystemCallError) {
            guard running != nil || start(), let running else {
                return giveUp { _ in true }
            }
            try running.socket.send(
                job.request.bytes, job.descriptors.map(\.number), waits: false)
            isWaiting = true
            idleUntil = nil
            deadlineOfAnswer = now + Observer.patience
        } catch {
            fail(at: now)
        }
    }

    private func start() -> Bool {
        do {
            let (own, other) = try MessageSocket.pair()
            var attributes = SpawnAttributes()
            attributes.deathSignal = Signal.kill.number
            let plan = try SpawnPlan(
                arguments: ["/proc/self/exe", Observer.verb], searchPath: nil,
                attributes: attributes)
            let spawned = try plan.spawn(
                environment: environment, descriptors: [other.rawValue])
            let started = Running(pid: spawned.pid, process: spawned.process, socket: own)
            do {
                try poll.add(own.rawValue, .readable, token: Master.Token.observer)
            } catch {
                ending[started.pid] = .some(nil)
                kill(started)
                return false
            }
            running = started
            return true
        } catch {
            return false
        }
    }

    /// It has ended by itself, as under a filter that kills for one of its calls.
    private func fail(at now: Instant) {
        let failed = queue.first
        end(because: nil)
        if let failed {
            failures[failed.purpose.kind, default: 0] += 1
            settle(nil, isStuck: false)
            if isBroken(for: failed) { giveUp { $0.purpose.kind == failed.purpose.kind } }
        }
        advance(at: now)
    }

    /// Whether it ended by itself at such requests so often that it is not asked again.
    func isBroken(for job: Job) -> Bool {
        (failures[job.purpose.kind] ?? 0) >= Observer.mostFailures
    }

    /// Whether there are any such requests.
    var isBroken: Bool { failures.values.contains { $0 >= Observer.mostFailures } }

    private func giveUp(where isHopeless: (Job) -> Bool) {
        outcomes += queue.filter(isHopeless).map { Outcome(job: $0, reply: nil, isStuck: false) }
        queue.removeAll(where: isHopeless)
    }

    private func settle(_ reply: ObservationReply?, isStuck: Bool) {
        isWaiting = false
        deadlineOfAnswer = nil
        guard !queue.isEmpty else { return }
        outcomes.append(Outcome(job: queue.removeFirst(), reply: reply, isStuck: isStuck))
    }

    private func end(because pool: Int?) {
        idleUntil = nil
        guard let running else { return }
        self.running = nil
        poll.unwatch(running.socket.rawValue)
        ending[running.pid] = .some(pool)
        kill(running)
    }

    /// ESRCH: it is gone already.
    private func kill(_ running: Running) {
        do throws(SystemCallError) {
            try running.process.signal(Signal.kill.number)
        } catch {
            return
        }
    }
}
