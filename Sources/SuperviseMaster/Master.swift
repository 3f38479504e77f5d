import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The loop: what the kernel tells goes into the service as events, and the actions that come out are
/// performed, in order. All of it on one thread; nothing here waits for anything but the epoll set.
///
/// What is decided is decided in the core. What belongs to the kernel's side of a worker stands in
/// `Master+Workers`, of its end in `Master+Reaping`, of a reload in `Master+Reload`.
final class Master {
    private static let batchesPerTurn = 64
    /// As many starts or events at a time are a burst, whose room nobody needs again.
    private static let burst = 64
    /// A turn that begins later than this after a deadline was kept from running.
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
    /// The filters on bind(2), by the serial of the worker that they were made for.
    var bindFilters: [UInt64: BindFilter] = [:]
    let starter: Starter
    /// The output of the workers that the master reads.
    let output: OutputRelay
    let sampler: Sampler
    /// What takes the samples that can wait for a worker.
    let observer: Observer
    /// Processes that ended workers left behind, with the serial of the worker.
    var orphans: [Int32: UInt64] = [:]
    /// The master's own children, whoever's they are.
    let children = ChildList()
    /// Children that belong to no worker; told once, so that they are not looked at again.
    var strangers: Set<Int32> = []
    /// Workers to be looked at, whether they serve a listener of ours at all.
    var looks: [Look] = []
    /// Commands that run beside the workers.
    let commands: SideCommands
    var rightOfWay = RightOfWay()
    /// Who tells that the kernel killed for memory, once there is a worker.
    var memoryKills: MemoryKills?
    /// The process that reads the configuration for a reload.
    var loader: ConfigurationLoader?
    /// The commands that run before the workers of a generation, while they do.
    var preparation: Preparation?
    /// The sockets for those who look and steer.
    let control: ControlServer
    /// The service manager that wants to hear of the service, if any.
    let serviceManager: ServiceManagerLink?
    /// The commands of `on-event`.
    let hooks: HookRunner
    /// What becomes of the reload under way, for those who wait for it.
    var reloadFollower = ReloadFollower()
    var reloads = ReloadCounts()
    /// The upgrade under way, if any.
    var upgrade: Upgrade?
    var upgrades = UpgradeCounts()
    var exited = ExitedProcesses()
    /// Answers rendered in this turn.
    var renderings = Renderings()
    /// How the master, as whatever program, was started.
    let start: MasterState.Start
    var armedFor: Int64?
    /// The serial of the last worker when memory was last given back.
    private var lastTidied: UInt64 = 0
    /// When the current turn of the loop began: the events of the last wait had arrived. The master may
    /// be kept from running in the middle of a turn too.
    private var turnBeganAt = Instant(nanoseconds: 0)
    var exitCode: Int32?
    /// Listeners that take no new connections.
    let closingListeners: ClosingListeners
    var watchedListeners = WatchedListeners()
    let drainer = Drainer()
    /// All that has a deadline beside the core.
    private lazy var parts: [any Expiring] = allParts()
    /// Opened when first needed.
    lazy var diagnosis: SocketDiagnosis? = openDiagnosis()

    /// A master with an ear for everything, and no generation yet.
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
        let now = Instant(nanoseconds: MonotonicClock.nanoseconds())
        serviceManager = Master.serviceManager(launch, log: log, at: now)
        commands = SideCommands(
            openFilesLimit: context.openFilesLimit, environment: context.environment)
        output = OutputRelay(log, in: poll)
        starter = Starter(
            core: core, workers: workers, poll: poll, log: log, output: output,
            notifyFolders: NotifyFolders(launch))
        sampler = Sampler(core: core, workers: workers, log: log, cgroup: context.cgroup)
        observer = Observer(environment: launch.environment, in: poll)
        hooks = HookRunner(commands: commands)
        self.poll = poll
        self.signals = signals
        timer = try TimerDescriptor()
        try poll.add(self.signals.rawValue, .readable, token: Token.signals)
        try poll.add(timer.rawValue, .readable, token: Token.timer)
        try control.watch()
        starter.programRuns = { [unowned self] worker throws(SystemCallError) in
            try takeFilter(of: worker)
        }
        sampler.readCount = { [unowned self] in readCount(of: $0) }
        sampler.currentCount = { [unowned self] in currentCount(of: $0) }
        starter.release = { [unowned self] in release($0) }
    }

    /// Runs a service from its beginning until it ends; the exit code.
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

    /// Goes on with a service until it ends; the exit code. What happened while there was nobody to
    /// hear of it, such as the end of a child, is found out first.
    func resume(_ resumption: Resumption) throws -> Int32 {
        watchForMemoryKills()
        tell(resumption)
        reap()
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
                starter.notifyFolders.remove()
                tellServiceManager()
                tellEnd(exitCode)
                endSteeredListeners()
                output.finish(at: now)
                return exitCode
            }
            performUpgrade()
            settleControl()
            tellServiceManager()
            output.settle()
            armTimer()
            try takeEvents()
            tellLostTime()
            // What happened comes before what is due: a worker that is ready in the same turn in
            // which its time runs out is ready.
            performPending()
            tellDeadline()
        }
    }

    /// All that is pending, up to a bound: what keeps coming must not keep deadlines from their turn.
    private func takeEvents() throws(SystemCallError) {
        var batch = try poll.wait(timeoutMilliseconds: control.isPending ? 0 : -1)
        for _ in 0..<Master.batchesPerTurn {
            for ready in batch { dispatch(ready) }
            guard batch.count == EventPoll.batch else { return }
            batch = try poll.wait(timeoutMilliseconds: 0)
        }
    }

    var service: Service { core.service }

    func tell(_ event: Service.Event) {
        core.tell(event)
    }

    func tell(_ id: WorkerID, _ news: WorkerEvent) {
        core.tell(id, news)
    }

    func performPending() {
        takeObservations()
        while let actions = core.handleNext(at: now, keptCapacity: Master.burst) {
            perform(actions)
            renderings = Renderings()
            serviceManager?.report.observe(service)
            // A request that cannot be sent has its outcome at once.
            if core.isSettled { takeObservations() }
        }
        returnMemoryAfterBurst()
    }

    /// What many starts needed on their way lies in pieces between what stays of them.
    private func returnMemoryAfterBurst() {
        guard workers.lastSerial - lastTidied >= Master.burst else { return }
        lastTidied = workers.lastSerial
        ThisProcess.returnFreeMemory()
    }

    var now: Instant { Instant(nanoseconds: MonotonicClock.nanoseconds()) }

    private func dispatch(_ ready: Ready) {
        switch ready.token {
        case Token.signals:
            for signal in signals.read() { handle(signal) }
        case Token.timer:
            timer.acknowledge()
            armedFor = nil
        case Token.loader:
            readLoader()
        case Token.probe:
            readProbe()
        case Token.observer:
            observer.read(at: now)
        case Token.standardError:
            output.writable(at: now)
        case Token.memoryKills:
            memoryKills?.acknowledge()
        default:
            let serial = ready.token & ~Token.kindMask
            switch ready.token & Token.kindMask {
            case Token.notify: readNotifications(serial: serial)
            case Token.start: starter.read(serial: serial)
            case Token.bindFilter: answerBinds(serial: serial, ready.events)
            case Token.control: serveControl(serial: serial)
            case Token.listener: listenerEnded(serial: serial)
            case Token.output: readOutput(serial: serial)
            default: preconditionFailure("nothing was added to the epoll set as \(ready.token)")
            }
        }
    }

    private var nextDeadline: Instant? {
        parts.reduce(service.nextDeadline) { earliest, part in
            [earliest, part.deadline].compactMap { $0 }.min()
        }
    }

    /// When in the time since the last turn the machine stood still cannot be told, so all of it is
    /// given back: a deadline is twice as late at worst, and nobody killed unheard. This comes first,
    /// since a deadline that an event of this turn sets has lost nothing.
    private func tellLostTime() {
        let now = now
        defer { turnBeganAt = now }
        guard let deadline = service.nextDeadline, now - deadline > Master.toleratedLateness
        else { return }
        core.tellFirst(.late(by: now - turnBeganAt))
    }

    private func tellDeadline() {
        let now = now
        if let deadline = service.nextDeadline, deadline <= now { tell(.deadline) }
        for part in parts {
            if let deadline = part.deadline, deadline <= now { part.expire(at: now) }
        }
    }

    /// The timer is set only when the deadline moves, which an idle master never does.
    private func armTimer() {
        let deadline = nextDeadline?.nanoseconds
        guard deadline != armedFor else { return }
        timer.arm(atNanoseconds: deadline)
        armedFor = deadline
    }
}
