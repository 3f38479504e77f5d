import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Everything that is needed to start a worker of one pool and generation, prepared once: sockets
/// are open, names are resolved.
final class Blueprint {
    let settings: PoolSettings
    let policy: PoolPolicy
    /// The listeners that are announced to workers.
    let announced: [PoolListener]
    /// The listeners on demand, which follow the page.
    private let onDemand: [PoolListener]
    /// The listeners that accept connections.
    var listeners: [PoolListener] { announced + onDemand.filter(\.socket.isListening) }
    /// All listeners, including those that do not listen yet.
    var held: [PoolListener] { announced + onDemand }
    /// How its workers are adopted and counted.
    let adoption: Adoption
    /// The launcher of its workers' processes.
    let launcher: any Launcher
    /// What its workers are forked from.
    let mold: Mold
    /// The PATH of the workers; nil where they have none.
    let searchPath: String?
    /// The user of the workers; nil is the master's.
    var uid: UInt32? { account?.credentials.uid }
    /// The account of the workers; nil is the master's.
    let account: WorkerAccount?
    private let environment: [String]
    /// The names of variables whose values contain placeholders.
    private let templates: Set<String>
    /// The environment of commands that run in place of a worker.
    private let ownEnvironment: [String]
    private let attributes: SpawnAttributes
    /// Whether a check of a worker's listeners is scheduled or done (`Master+WorkerChecks`).
    var hasListenCheck = false
    /// Whether a check of a worker for WATCHDOG=1 is scheduled or done.
    var hasWatchdogCheck = false
    /// Whether a check of the workers' counts is scheduled or done.
    var hasCountCheck = false
    /// The number of crashes after which the listeners of other workers were checked.
    var crashChecks = 0
    /// Whether the master also handles binds, in case the program does not load the library.
    var filtersToo = false
    /// Whether a worker with this way of adoption became ready.
    var isAdoptionProven = false
    /// Whether requests of one of its workers were counted by any mechanism.
    var hasCounted = false

    /// The first descriptor of a worker that we pass (sd_listen_fds(3)).
    static let firstDescriptor: Int32 = 3

    init(
        _ settings: PoolSettings, listeners: [PoolListener], account: WorkerAccount?,
        context: ProcessContext, launcher: (any Launcher)? = nil
    ) throws(SystemCallError) {
        self.settings = settings
        policy = PoolPolicy(settings, hasListeners: !listeners.isEmpty, context)
        announced = listeners.filter { !$0.socket.listensOnDemand }
        onDemand = listeners.filter(\.socket.listensOnDemand)
        let base = WorkerEnvironment.base(
            settings, listeners: announced, account: account, inherited: context.environment)
        adoption = Adoption(
            settings, hasListeners: policy.hasListeners, account: account?.credentials,
            searchPath: WorkerEnvironment.path(in: base), library: context.library)
        let environment = WorkerEnvironment.adding(
            adoption, announced, onDemand: onDemand, to: base)
        self.environment = environment
        templates = Set(
            settings.environment.filter { Placeholder.occur(in: $0.value) }.map(\.name))
        ownEnvironment = WorkerEnvironment.base(
            settings, listeners: [], account: account, inherited: context.environment)
        self.account = account
        var attributes = Blueprint.attributes(settings, account: account, context: context)
        self.attributes = attributes
        attributes.interceptsBinds = adoption.way == .seccomp
        searchPath = WorkerEnvironment.path(in: environment)
        mold = Blueprint.mold(
            settings, adoption, environment, attributes,
            descriptorCount: announced.count
                + (Blueprint.hasPage(settings, adoption, policy) ? 1 + onDemand.count : 0))
        if let launcher {
            self.launcher = launcher
        } else {
            self.launcher = ExecLauncher(
                try SpawnPlan(
                    arguments: settings.command, searchPath: searchPath, attributes: attributes))
        }
    }

    /// How its workers are measured. The shared part of a forked worker's resident memory is that
    /// of the mold, and its proportional part grows when a sibling ends. So it is always measured
    /// exactly.
    var memoryMetric: MemoryMetric { settings.mold == .off ? settings.memoryMetric : .uss }

    /// Keeps over a reload what the generation in force found out about the pool's program.
    func resumeAdoption(of current: Blueprint?) {
        guard adoption.mayFilterToo, let current else { return }
        filtersToo = current.filtersToo && current.isAdoptionProven
    }

    /// Whether the worker gets a page to count requests in.
    var hasPage: Bool { Blueprint.hasPage(settings, adoption, policy) }

    private static func hasPage(
        _ settings: PoolSettings, _ adoption: Adoption, _ policy: PoolPolicy
    ) -> Bool {
        (settings.count != .off || adoption.library != nil)
            && (policy.hasListeners || policy.maxRequests > 0)
    }

    /// The processes that write to the ledger behind the page.
    var ledger: RequestPage.LedgerWriters {
        if adoption.observesRequests { return .all }
        return settings.requestInfo == .off ? .none : .program
    }

    /// The descriptors that the worker gets, from 3 on: the listeners, then the page.
    func descriptors(page: RequestPage?) -> [Int32] {
        // Listeners on demand are only for the library, which is not loaded without the page.
        announced.map(\.socket.rawValue)
            + (page.map { [$0.rawValue] + onDemand.map(\.socket.rawValue) } ?? [])
    }

    /// Returns the program of the command, as its first worker runs it.
    static func program(of settings: PoolSettings) -> String {
        expandPlaceholders([settings.command[0]], descriptors: [], slot: 0, pool: settings.name)[0]
    }

    /// Returns the command with its placeholders replaced.
    func arguments(for id: WorkerID) -> [String] {
        let numbers = announced.indices.map { Blueprint.firstDescriptor + Int32($0) }
        return expandPlaceholders(
            settings.command, descriptors: numbers, slot: id.slot, pool: settings.name)
    }

    /// Returns the destination of a worker's output, if it needs no pipe.
    func output(of id: WorkerID) -> SpawnOutput {
        switch settings.output {
        case .inherit, .prefix: return .inherited
        case .none: return .null
        case .file(let path):
            let paths = expandPlaceholders(
                [path], descriptors: [], slot: id.slot, pool: settings.name)
            return .file(
                OutputFile(
                    path: paths[0], maximumBytes: settings.outputMaximumBytes ?? .max,
                    predecessors: settings.outputKeep))
        }
    }

    /// The destination of a mold's output, if it needs no pipe. A file conflicts with a mold.
    var moldOutput: SpawnOutput { settings.output == .none ? .null : .inherited }

    /// Returns the whole environment of one worker.
    func environment(
        for id: WorkerID, _ order: StartOrder, nonce: String, notifyAddress: String,
        hasPage: Bool
    ) -> [String] {
        var variables = templates.isEmpty ? environment : expanded(environment, slot: id.slot)
        variables += [
            "\(ContractVariable.notifySocket)=\(notifyAddress)",
            "\(ContractVariable.slot)=\(id.slot)",
            "\(ContractVariable.generation)=\(order.generation)",
            "\(ContractVariable.id)=\(nonce)",
        ]
        if let limit = order.requestLimit {
            variables.append("\(ContractVariable.maxRequests)=\(limit)")
        }
        if hasPage {
            let number = Int(Blueprint.firstDescriptor) + announced.count
            variables.append("\(ContractVariable.page)=\(number)")
        }
        if settings.passListeners {
            variables.append("SERVER_STARTER_GENERATION=\(order.generation)")
        }
        return variables
    }

    /// Replaces the placeholders in the values of `env`.
    private func expanded(_ environment: [String], slot: Int) -> [String] {
        environment.map { entry in
            guard let sign = entry.utf8.firstIndex(of: UInt8(ascii: "=")),
                templates.contains(String(entry[..<sign]))
            else { return entry }
            return expandPlaceholders([entry], descriptors: [], slot: slot, pool: settings.name)[0]
        }
    }

    /// Prepares a command with the credentials, the directory and the limits of a worker.
    func plan(_ command: [String]) throws(SystemCallError) -> SpawnPlan {
        try SpawnPlan(
            arguments: command, searchPath: WorkerEnvironment.path(in: ownEnvironment),
            attributes: attributes)
    }

    /// Returns the environment of such a command. It belongs to no slot; {slot} in env is 0.
    func commandEnvironment(generation: Int) -> [String] {
        expanded(ownEnvironment, slot: 0) + ["\(ContractVariable.generation)=\(generation)"]
    }

    private static func attributes(
        _ settings: PoolSettings, account: WorkerAccount?, context: ProcessContext
    ) -> SpawnAttributes {
        var attributes = SpawnAttributes()
        attributes.credentials = account?.credentials
        attributes.workingDirectory = settings.workingDirectory
        attributes.umask = settings.umask
        attributes.nice = settings.nice.map(Int32.init)
        attributes.oomScoreAdjust = settings.oomScoreAdjust.map(Int32.init)
        attributes.deathSignal = settings.stopSignal.number
        attributes.dropsAmbientCapabilities = true
        func limit(_ resource: Int32, _ limit: SuperviseSettings.ResourceLimit?) {
            guard let limit else { return }
            let value =
                switch limit {
                case .limited(let value): value
                case .unlimited: SuperviseLinux.ResourceLimit.unlimited
                }
            attributes.limits.append(.init(resource: resource, soft: value, hard: value))
        }
        limit(SuperviseLinux.ResourceLimit.addressSpace, settings.addressSpaceLimit)
        limit(SuperviseLinux.ResourceLimit.coreSize, settings.coreSizeLimit)
        if settings.openFilesLimit != nil {
            limit(SuperviseLinux.ResourceLimit.openFiles, settings.openFilesLimit)
        } else if let original = context.openFilesLimit {
            // The master has raised its own limit.
            attributes.limits.append(original)
        }
        return attributes
    }
}

/// The master's environment at its start, which workers inherit.
final class ProcessContext {
    /// The environment, as `KEY=VALUE`.
    let environment: [String]
    /// The limit of open files before the master raised it.
    let openFilesLimit: SuperviseLinux.ResourceLimit?
    /// The preload library.
    let library: PreloadLibrary
    /// The control groups of the master and its workers.
    private(set) lazy var cgroup = Cgroup.ofThisProcess()

    init(
        environment: [String], openFilesLimit: SuperviseLinux.ResourceLimit?,
        library: PreloadLibrary
    ) {
        self.environment = environment
        self.openFilesLimit = openFilesLimit
        self.library = library
    }
}

extension PoolPolicy {
    /// Converts the settings of a pool for the core, including those that depend on this machine.
    fileprivate init(_ pool: PoolSettings, hasListeners: Bool, _ context: ProcessContext) {
        self = pool.policy
        self.hasListeners = hasListeners
        if pool.workers == .auto { workers = Processors.allowed(cgroup: context.cgroup) }
        let boots = pool.bootParallel ?? max(2, Processors.allowed(cgroup: context.cgroup))
        // Whether workers of another user serve cannot be read: they become ready by time too.
        let areHidden =
            pool.user != nil && !Capability.missing(of: Capability.inspection).isEmpty
        let isByTime = isReadyByTime || (areHidden && readiness == .auto)
        bootParallel = pool.bootParallel == nil && isByTime ? .max : boots
        if usesMemoryLimit {
            memoryLimitBytes = MemoryLimit.ofThisProcess(context.cgroup).bytes
        }
        runsBeforeRecycle = !pool.beforeRecycle.isEmpty
        sendsEvidenceSignal = pool.evidenceSignal != nil
        checksCanary = hasListeners && pool.canaryCheck == .auto && pool.requestInfo != .off
        memoryLogInterval = pool.memoryLog == nil ? nil : pool.memoryLogInterval
    }
}

extension PoolPolicy {
    /// Whether workers become ready by time alone.
    fileprivate var isReadyByTime: Bool {
        switch readiness {
        case .notify: false
        case .exec, .after: true
        case .auto: !hasListeners
        }
    }
}
