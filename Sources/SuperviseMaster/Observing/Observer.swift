import SuperviseCore
import SuperviseLinux
import SuperviseState

/// A child of the master that takes samples which may block on the sampled process: the owner of
/// that process controls the duration, and the loop must not wait. It runs the same program with
/// its own argument while there are requests, and ends some time later.
///
/// It handles one request at a time. If one takes too long, it gets SIGKILL, which may not end it
/// before the kernel's own wait ends. Until then, there are no more requests for that pool.
final class Observer: Expiring, ChildOwner {
    /// The argument that selects the observer. Internal.
    static let verb = "__observe"
    /// The descriptor of its end of the connection.
    static let socketDescriptor: Int32 = 3
    /// The longest time for one response, including the start of the process.
    private static let responseTimeout = TimeSpan.seconds(3)
    /// The time without a request after which it ends.
    private static let idleTime = TimeSpan.seconds(10)
    /// The number of consecutive ends by itself after which an observer counts as unusable here.
    private static let mostFailures = 3

    /// A request about a worker of a pool, and its purpose.
    struct Job {
        let pool: Int
        let purpose: ObservationPurpose
        let request: ObservationRequest
        /// The descriptors to send with it, kept open until it is sent.
        var descriptors: [OwnedDescriptorReference] = []
    }

    /// The end of a job. Without a reply the result is unknown.
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
    /// The numbers of consecutive failures by kind of request.
    private var failures: [ObservationPurpose.Kind: Int] = [:]
    /// Processes that got SIGKILL and have not ended, with the pool of their last request.
    private var ending: [Int32: Int?] = [:]
    private var outcomes: [Outcome] = []

    /// Starts without a process. A process gets this environment.
    init(environment: [String], in poll: EventPoll) {
        self.environment = environment
        self.poll = poll
    }

    /// Whether a response is pending that would not be requested again.
    var owesAnswer: Bool {
        (queue + outcomes.map(\.job)).contains { job in
            if case .connections = job.purpose { false } else { true }
        }
    }

    var deadline: Instant? { deadlineOfAnswer ?? idleUntil }

    /// Returns whether this process is one of them.
    func owns(_ pid: Int32) -> Bool { running?.pid == pid || ending[pid] != nil }

    /// Queues a job. Its outcome is returned by `take`.
    func ask(_ job: Job, at now: Instant) {
        guard !isBroken(for: job), !isStuck(with: job.pool) else {
            outcomes.append(Outcome(job: job, reply: nil, isStuck: false))
            return
        }
        queue.append(job)
        advance(at: now)
    }

    /// Starts the process in advance, for a job that will follow.
    func prepare(at now: Instant) {
        guard running == nil else { return }
        guard start() else { return }
        idleUntil = now + Observer.idleTime
    }

    /// Returns the outcomes since the last call.
    func take() -> [Outcome] {
        defer { outcomes = [] }
        return outcomes
    }

    /// Reads the messages of the process.
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

    /// Ends a process that takes too long or has been idle too long.
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

    /// Handles the end of a process, before it is reaped. The running one is reported by its
    /// socket.
    func ended(_ pid: Int32, _ status: ChildStatus) {
        ending[pid] = nil
    }

    /// Ends it immediately, and waits a short time until it has ended.
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
            deadlineOfAnswer = now + Observer.responseTimeout
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

    /// Handles an end by itself, as under a filter that kills for one of its calls.
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

    /// Returns whether it ended by itself at such requests so often that they are no longer made.
    func isBroken(for job: Job) -> Bool {
        (failures[job.purpose.kind] ?? 0) >= Observer.mostFailures
    }

    /// Whether there are such requests.
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

    /// ESRCH: it has already ended.
    private func kill(_ running: Running) {
        do throws(SystemCallError) {
            try running.process.signal(Signal.kill.number)
        } catch {
            return
        }
    }
}
