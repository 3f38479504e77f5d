import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The loop: events of the kernel go to the service, and the resulting actions are performed in
/// order. It uses one thread and blocks only on the epoll set.
///
/// The core makes all decisions. The kernel's side of a worker is in `Master+Workers`, of its end
/// in `Master+Reaping`, of a reload in `Master+Reload`.
final class Master {
    private static let batchesPerTurn = 64
    /// The number of simultaneous starts or events whose memory is released afterwards.
    private static let burst = 64
    /// A turn that begins later than this after a deadline was prevented from running.
    private static let toleratedLateness = TimeSpan.milliseconds(500)

    let poll: EventPoll
    let signals: SignalDescriptor
    let timer: TimerDescriptor
    let log: Log
    let context: ProcessContext
    let launch: Launch
    let core: Core
    let listeners: Listeners
    let generations = Generations()
    let workers = WorkerTable()
    let molds = MoldTable()
    /// The filters on bind(2), by the serial of the worker that they were made for.
    var bindFilters: [UInt64: BindFilter] = [:]
    let starter: Starter
    /// The output of the workers that the master reads.
    let output: OutputRelay
    let sampler: Sampler
    /// The process that takes samples that may block on a worker.
    let observer: Observer
    let reaper: Reaper
    /// Scheduled checks of workers, such as whether they serve one of our listeners.
    var checks: [WorkerCheck] = []
    /// Commands that run beside the workers.
    let commands: SideCommands
    var spawnYield = SpawnYield()
    let reloader: Reloader
    let upgrader: Upgrader
    /// The commands that run before the workers of a generation, while they run.
    var preparation: Preparation?
    /// The sockets for monitoring and control.
    let control: ControlServer
    /// The service manager that receives reports, if any.
    let serviceManager: ServiceManagerLink?
    /// The commands of `on-event`.
    let hooks: HookRunner
    /// Responses rendered in this turn.
    var renderings = Renderings()
    /// The figures of the last hour.
    let recorder = Recorder()
    /// The start of the master, in its first program.
    let start: MasterState.Start
    var armedFor: Int64?
    /// The serial of the last worker when memory was last released.
    private var lastTidied: UInt64 = 0
    /// The begin of the current turn of the loop, when the events of the last wait had arrived.
    private var turnBeganAt = Instant(nanoseconds: 0)
    var exitCode: Int32?
    /// Listeners that accept no new connections.
    let closingListeners: ClosingListeners
    var watchedListeners = WatchedListeners()
    /// Announces connections to elastic pools; nil until there is one.
    var arrivals: ArrivalWatch?
    let drainer = Drainer()
    let hunts = Hunts()
    /// The connections of overdue requests that the kernel knew last.
    var knownConnections: KnownConnections?
    /// Detects that the clock is set, once a schedule depends on the time of day.
    var clockWatch: ClockWatch?
    /// All parts with a deadline, except the core.
    private lazy var parts: [any Expiring] = allParts()
    lazy var diagnosis: SocketDiagnosis? = openDiagnosis()

    /// Creates a master that watches all its descriptors, with no generation yet.
    init(
        launch: Launch, start: MasterState.Start, log: Log, context: ProcessContext,
        listeners: Listeners, control: ControlServer, poll: EventPoll,
        signals: consuming SignalDescriptor, service: Service
    ) throws {
        self.log = log
        self.context = context
        self.launch = launch
        self.start = start
        self.listeners = listeners
        closingListeners = ClosingListeners(listeners, log)
        self.control = control
        core = Core(service)
        serviceManager = Master.serviceManager(launch, log: log, at: .now)
        commands = SideCommands(
            openFilesLimit: context.openFilesLimit, environment: context.environment)
        output = OutputRelay(log, in: poll)
        starter = Starter(
            core: core, workers: workers, poll: poll, log: log, output: output,
            notifyFolders: NotifyFolders(launch))
        sampler = Sampler(
            core: core, workers: workers, molds: molds, log: log, cgroup: context.cgroup)
        observer = Observer(environment: launch.environment, in: poll)
        hooks = HookRunner(commands: commands)
        reloader = Reloader(
            launch: launch, core: core, poll: poll, log: log, control: control,
            serviceManager: serviceManager)
        upgrader = Upgrader(launch: launch, core: core, poll: poll, log: log, control: control)
        reaper = Reaper(
            core: core, workers: workers, starter: starter, output: output, poll: poll, log: log,
            cgroup: context.cgroup, owners: [commands, observer, reloader, upgrader, molds])
        self.poll = poll
        self.signals = signals
        timer = try TimerDescriptor()
        try poll.add(self.signals.rawValue, .readable, token: Token.signals)
        try poll.add(timer.rawValue, .readable, token: Token.timer)
        try control.watch()
        connectParts()
    }

    /// Runs a service from its start until it ends. Returns the exit code.
    func run(
        _ resolved: ResolvedConfiguration, seed: UInt64
    ) throws -> Int32 {
        try begin(resolved, seed: seed)
        listenToEvents()
        if let first = generations[1] { prepare(first, isFirst: true) }
        return try loop()
    }

    private func begin(_ resolved: ResolvedConfiguration, seed: UInt64) throws(PrepareError) {
        let first = try Generation(1, resolved, listeners, context)
        generations.add(first)
        watchListeners()
        core.begin(Service(first.plans(), seed: seed))
    }

    /// Continues a service until it ends. Returns the exit code. First reads the events that
    /// occurred in between, such as the exit of a child.
    func resume(_ resumption: Upgrader.Resumption) throws -> Int32 {
        reaper.watchForMemoryKills()
        upgrader.report(resumption, workers: workers.bySerial.count)
        reviewRuns()
        reaper.reap()
        return try loop()
    }

    private func loop() throws(SystemCallError) -> Int32 {
        turnBeganAt = now
        while true {
            renderings = Renderings()
            control.beginTurn()
            performPending()
            if let exitCode {
                observer.endWithMaster()
                removeFolders()
                notifyServiceManager()
                reportExit(exitCode)
                endSteeredListeners()
                output.finish(at: now)
                return exitCode
            }
            upgrader.perform()
            settleControl()
            notifyServiceManager()
            output.settle()
            armTimer()
            try takeEvents()
            reportLostTime()
            // Events come before deadlines: a worker that becomes ready in the turn of its deadline
            // is ready.
            performPending()
            reportDeadline()
        }
    }

    /// Handles pending events up to a limit, so that continuous events cannot delay deadlines.
    private func takeEvents() throws(SystemCallError) {
        var batch = try poll.wait(timeoutMilliseconds: control.isPending ? 0 : -1)
        for _ in 0..<Master.batchesPerTurn {
            for ready in batch { dispatch(ready) }
            guard batch.count == EventPoll.batch else { return }
            batch = try poll.wait(timeoutMilliseconds: 0)
        }
    }

    func performPending() {
        takeObservations()
        while let actions = core.handleNext(at: now, keptCapacity: Master.burst) {
            perform(actions)
            renderings = Renderings()
            serviceManager?.report.observe(service)
            // A request that cannot be sent has its outcome immediately.
            if core.isSettled { takeObservations() }
        }
        returnMemoryAfterBurst()
    }

    /// Temporary memory of many starts is fragmented by memory that stays allocated.
    private func returnMemoryAfterBurst() {
        guard workers.lastSerial - lastTidied >= Master.burst else { return }
        lastTidied = workers.lastSerial
        ThisProcess.returnFreeMemory()
    }

    private func dispatch(_ ready: Ready) {
        switch ready.token {
        case Token.signals:
            for signal in signals.read() { handle(signal) }
        case Token.timer:
            timer.acknowledge()
            armedFor = nil
        case Token.loader: reloader.read()
        case Token.probe:
            upgrader.read()
        case Token.observer: observer.read(at: now)
        case Token.clock: clockWasSet()
        case Token.arrivals: takeArrivals()
        case Token.standardError: output.writable(at: now)
        case Token.memoryKills: reaper.acknowledgeMemoryKills()
        default:
            let serial = ready.token & ~Token.kindMask
            switch ready.token & Token.kindMask {
            case Token.notify: readNotifications(serial: serial)
            case Token.start: starter.read(serial: serial)
            case Token.bindFilter: answerBinds(serial: serial, ready.events)
            case Token.control: serveControl(serial: serial)
            case Token.listener: listenerEnded(serial: serial)
            case Token.output: readOutput(serial: serial)
            case Token.mold: readMold(serial: serial)
            default: preconditionFailure("nothing was added to the epoll set as \(ready.token)")
            }
        }
    }

    private var nextDeadline: Instant? {
        parts.reduce(service.nextDeadline) { earliest, part in
            [earliest, part.deadline].compactMap { $0 }.min()
        }
    }

    /// Reports the time since the last turn as lost. The moment at which the machine stopped is
    /// unknown, so all of the time is returned: a deadline is at most twice as late, and no worker
    /// is killed without a chance to respond. This comes first, because a deadline set by an event
    /// of this turn has lost nothing.
    private func reportLostTime() {
        let now = now
        defer { turnBeganAt = now }
        let deadlines = [service.nextDeadline, starter.deadline].compactMap { $0 }
        guard let deadline = deadlines.min(), now - deadline > Master.toleratedLateness
        else { return }
        starter.shiftDeadlines(by: now - turnBeganAt)
        core.enqueueFirst(.late(by: now - turnBeganAt))
    }

    private func reportDeadline() {
        let now = now
        if let deadline = service.nextDeadline, deadline <= now { enqueue(.deadline) }
        for part in parts {
            if let deadline = part.deadline, deadline <= now { part.expire(at: now) }
        }
    }

    /// The timer is set only if the deadline changes, which never happens in an idle master.
    private func armTimer() {
        let deadline = nextDeadline?.nanoseconds
        guard deadline != armedFor else { return }
        timer.arm(atNanoseconds: deadline)
        armedFor = deadline
    }
}
