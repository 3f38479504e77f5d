import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The number of reloads by their result.
struct ReloadCounts: Codable {
    var complete: UInt64 = 0
    var aborted: UInt64 = 0
    var failed: UInt64 = 0
    /// The errors in the newest configuration, if it was not applied.
    var problems: [String] = []
    /// The last line of output of the canaries that failed, by pool.
    var canaryOutputs: [String: String] = [:]
}

/// Reloads, from the request to the verdict. A child reads the configuration, because files and
/// names may be slow to come. A request while it is being read starts over.
final class Reloader: Expiring, ChildOwner {
    /// All of it, for another program of this process to continue with.
    struct State: Codable {
        var follower = ReloadFollower()
        var counts = ReloadCounts()
    }

    private let launch: Launch
    private let core: Core
    private let poll: EventPoll
    private let log: Log
    private let control: ControlServer
    private let serviceManager: ServiceManagerLink?
    private(set) var state = State()
    private var loader: HelperChild?
    /// Called when a reload was requested, before anything is read.
    var willRead: () -> Void = {}
    /// Orders the reload to a configuration that was read.
    var roll: (ResolvedConfiguration) throws(PrepareError) -> Void = {
        (_) throws(PrepareError) in
    }

    /// The last line of output of the worker that a notice is about.
    var lastLine: (Notice) -> String? = { _ in nil }

    init(
        launch: Launch, core: Core, poll: EventPoll, log: Log, control: ControlServer,
        serviceManager: ServiceManagerLink?
    ) {
        self.launch = launch
        self.core = core
        self.poll = poll
        self.log = log
        self.control = control
        self.serviceManager = serviceManager
    }

    func resume(_ state: State) { self.state = state }

    var counts: ReloadCounts { state.counts }

    /// The number of the next reload.
    var upcoming: Int { state.follower.upcoming }

    /// Whether a configuration is being read.
    var isReading: Bool { loader != nil }

    /// Begins a reload.
    func begin() {
        guard core.service.haste == nil else { return }
        endLoader()
        willRead()
        publish([state.follower.beginReading()])
        do throws(HelperChild.Failure) {
            loader = try ConfigurationLoader.start(launch, in: poll, at: .now)
        } catch {
            fail(["cannot start the process that reads the configuration: \(error.error)"])
        }
    }

    /// Reads what the loader wrote.
    func read() {
        guard let answer = loader?.read() else { return }
        loader = nil
        switch ConfigurationLoader.outcome(of: answer) {
        case .loaded(let resolved):
            do throws(PrepareError) {
                try roll(resolved)
            } catch {
                fail([error.description])
            }
        case .problems(let problems): fail(problems)
        }
    }

    var deadline: Instant? { loader?.deadline }

    /// Gives up a loader that takes too long.
    func expire(at now: Instant) {
        endLoader()
        fail([ConfigurationLoader.timeoutMessage])
    }

    /// The master stops. A configuration that is still being read would open sockets for nothing.
    func stop() {
        endLoader()
        publish(state.follower.stop())
    }

    private func endLoader() {
        loader?.end()
        loader = nil
    }

    /// Reports that nothing comes of the configuration.
    func fail(
        _ problems: [String],
        message: String = "the configuration has errors; the current configuration stays in force"
    ) {
        for problem in problems {
            log.write(LogLine(.error, "config-error").with("message", problem))
        }
        log.write(LogLine(.error, "reload-failed").with("message", message))
        state.counts.failed += 1
        state.counts.problems = problems
        publish([state.follower.fail(problems)].compactMap { $0 })
    }

    /// Counts what a notice reports, and passes it to the clients that wait for a verdict.
    func follow(_ notice: Notice) {
        count(notice)
        let service = core.service
        let steps = state.follower.follow(
            notice, poolName: { service.member($0)?.name ?? "number \($0)" },
            progress: {
                let kept = service.members.filter { !$0.isRemoved }
                return (
                    kept.reduce(0) { $0 + $1.pool.renewedCount },
                    kept.reduce(0) { $0 + $1.pool.size }
                )
            }, lastLine: { [lastLine] in lastLine(notice) })
        publish(steps)
    }

    private func count(_ notice: Notice) {
        if case .reloadBegun = notice {
            state.counts.problems = []
            state.counts.canaryOutputs = [:]
        }
        if case .canaryFailed(let pool, _, _) = notice, let name = core.service.member(pool)?.name {
            state.counts.canaryOutputs[name] = lastLine(notice)
        }
        if case .reloadComplete = notice {
            state.counts.problems = []
            state.counts.complete += 1
        }
        if case .reloadAborted(_, let isSuperseded) = notice {
            state.counts.problems = []
            if !isSuperseded { state.counts.aborted += 1 }
        }
    }

    private func publish(_ steps: [ReloadFollower.Step]) {
        for step in steps {
            if step.isVerdict, state.follower.isIdle {
                serviceManager?.report.endReload(isComplete: step.isComplete)
            }
            control.publish(.reload(step.reload), step.line, last: step.isVerdict, at: .now)
        }
    }

    func owns(_ pid: Int32) -> Bool { loader?.pid == pid }
}
