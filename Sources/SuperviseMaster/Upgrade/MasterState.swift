import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings
import SuperviseState

/// The whole state of a master, for the next version of its program: the decisions (the service),
/// their inputs, and the kernel's side as numbers of descriptors that stay open. A number, and a
/// time of the monotonic clock, have the same meaning before and after execve(2).
///
/// A change that an older or newer program would misread increments `format`. Removing a field, or
/// adding an optional one, does not.
struct MasterState: Codable {
    static let format: UInt32 = 8

    /// The part that every format begins with.
    struct Head: Codable {
        var format: UInt32
        /// The version of the program that wrote it.
        var version: String
    }

    struct Socket: Codable {
        var number: Int32
        var file: ListenSocket.File?
        var isAdopted: Bool
        var steering: ListenSocket.Steering?
        var listensOnDemand: Bool?
    }

    /// The blueprint of a pool and generation, from which workers are or were started.
    struct Recipe: Codable {
        /// The generation that starts workers by it; nil if none does any longer.
        var generation: Int?
        /// A configuration of this pool alone, in the format of `LoaderReport`.
        var configuration: String
        var listeners: [Listener]
        var hasListenCheck: Bool
        var hasWatchdogCheck: Bool
        var hasCountCheck: Bool
        var filtersToo: Bool?
        var isAdoptionProven: Bool?

        struct Listener: Codable {
            var number: Int32
            var name: String
        }
    }

    struct RunningWorker: Codable {
        var id: WorkerID
        var serial: UInt64
        var recipe: Int
        var process: Process?
        var nonce: Nonce
        var notify: Int32
        var notifyPath: String?
        var page: Int32?
        var output: WorkerOutput.State?
        var pendingStart: PendingStart?
        var filterChannel: Int32?
        var record: SuperviseMaster.RunningWorker.Record

        struct Process: Codable {
            var pid: Int32
            var descriptor: Int32
        }
    }

    /// The part of a start that is not known yet.
    enum PendingStart: Codable {
        /// This pipe reports the outcome of an exec.
        case exec(pipe: Int32)
        /// A mold was asked for the process, which reports over this channel.
        case forked(channel: Int32, deadline: Instant?)

        var descriptor: Int32 {
            switch self {
            case .exec(let pipe): pipe
            case .forked(let channel, _): channel
            }
        }
    }

    struct RunningMold: Codable {
        var id: MoldID
        var serial: UInt64
        var recipe: Int
        var process: RunningWorker.Process
        var socket: Int32
        var errorPipe: Int32?
        var output: WorkerOutput.State?
        var socketNumber: Int32
        var isConnected: Bool
        var hasReported: Bool
        var wasKilled: Bool
        var orders: UInt64
    }

    struct BindFilter: Codable {
        var serial: UInt64
        var number: Int32
        var worker: WorkerID
        var poolName: String
        var listeners: [Int32]
    }

    struct WorkerCheck: Codable {
        var subject: SuperviseMaster.WorkerCheck.Subject
        var id: WorkerID
        var recipe: Int
        var at: Instant
    }

    struct NotifyFolder: Codable {
        var path: String
        var number: Int32
        var isShared: Bool
    }

    struct Start: Codable {
        var at: Instant
        var atWall: Int64
        /// The limit of open files before the master raised it.
        var openFilesLimit: SuperviseLinux.ResourceLimit?
        var pidFile: PidFile?
    }

    var head = Head(format: format, version: Version.current)
    /// The path of the program at its start.
    var programPath: String?
    /// The arguments of its start, in case it must continue its own state.
    var arguments: [String]
    var start: Start
    var log: Log.State
    var output: OutputRelay.State?
    var sockets: [Socket]
    var listeners: Listeners.State
    var service: Service
    /// By generation, in the format of `LoaderReport`.
    var configurations: [Int: String]
    var recipes: [Recipe]
    var workers: [RunningWorker]
    var molds: [RunningMold]
    var lastSerial: UInt64
    var notifyFolders: [NotifyFolder]
    var bindFilters: [BindFilter]
    var logged: Set<LoggedOnce>
    var checks: [WorkerCheck]
    var commands: [Int32: SideCommand]
    var hooks: HookRunner.State
    /// By pool.
    var closingListeners: [Int: [Int32]]
    var control: ControlServer.State
    var serviceManager: ServiceManagerLink.State?
    var reloader: Reloader.State
    var upgrades: UpgradeCounts
    var reaper: Reaper.State
    var leaks: LeakWatch.State?

    /// The figures of the last hour, by pool.
    var series: [Int: PoolSeries]?

    /// The descriptors that must stay open.
    var descriptors: [Int32] {
        sockets.flatMap { [$0.number] + ($0.steering?.descriptors ?? []) }
            + listeners.passed.map(\.number) + bindFilters.map(\.number)
            + workers.flatMap { worker in
                [worker.notify]
                    + [
                        worker.process?.descriptor, worker.page, worker.output?.number,
                        worker.pendingStart?.descriptor,
                        worker.filterChannel,
                    ].compactMap { $0 }
            }
            + molds.flatMap { mold in
                [mold.socket, mold.process.descriptor]
                    + [mold.errorPipe, mold.output?.number].compactMap { $0 }
            }
            + notifyFolders.map(\.number)
            + control.connections.map(\.socket) + [log.descriptor].compactMap { $0 }
    }
}

extension MasterState {
    /// The reason for which a program cannot continue a state.
    enum Refusal: Error, CustomStringConvertible {
        case inconsistent(String)
        case format(Head)
        case fault(StateFault)
        case configuration(String)

        var description: String {
            switch self {
            case .inconsistent(let what):
                "supervise \(Version.current) rejects the inconsistent state of the running version: \(what)"
            case .format(let head):
                "the running supervise \(head.version) uses state format \(head.format), but "
                    + "supervise \(Version.current) reads only format \(MasterState.format)"
            case .fault(let fault):
                "supervise \(Version.current) cannot read the state of the running version: \(fault)"
            case .configuration(let problem):
                "supervise \(Version.current) cannot read the settings of the running version: "
                    + problem
            }
        }
    }

    func encode() throws(StateFault) -> [UInt8] { try State.encode(self) }

    /// Decodes the state. Fails if any part of it is not understood.
    static func decode(_ bytes: [UInt8]) throws(Refusal) -> MasterState {
        struct Headed: Codable { var head: Head }
        let head: Head
        do throws(StateFault) {
            head = try State.decode(Headed.self, from: bytes).head
        } catch {
            throw .fault(error)
        }
        guard head.format == format else { throw .format(head) }
        do throws(StateFault) {
            return try State.decode(MasterState.self, from: bytes)
        } catch {
            throw .fault(error)
        }
    }

    /// Checks everything that resuming relies on.
    func check() throws(Refusal) {
        guard let current = configurations[service.generation] else {
            throw .inconsistent("the current generation has no configuration")
        }
        for text in [current] + Array(configurations.values) {
            _ = try MasterState.configuration(text)
        }
        let known = Set(sockets.map(\.number))
        for recipe in recipes {
            let resolved = try MasterState.configuration(recipe.configuration)
            guard resolved.configuration.pools.count == 1 else {
                throw .inconsistent("a blueprint belongs to several pools")
            }
            guard recipe.listeners.allSatisfy({ known.contains($0.number) }) else {
                throw .inconsistent("a pool refers to a missing listener")
            }
        }
        guard workers.map(\.recipe).allSatisfy(recipes.indices.contains),
            molds.map(\.recipe).allSatisfy(recipes.indices.contains),
            checks.map(\.recipe).allSatisfy(recipes.indices.contains)
        else { throw .inconsistent("a worker has no blueprint") }
    }

    /// The parts that another version may not understand: if they are unchanged, a version that
    /// understood the state once still does.
    var kind: Set<String> { Set(configurations.values).union(recipes.map(\.configuration)) }

    /// Returns the configuration in this text of a state.
    static func configuration(_ text: String) throws(Refusal) -> ResolvedConfiguration {
        switch LoaderReport.decode(Array(text.utf8)) {
        case .loaded(let resolved): return resolved
        case .problems(let problems):
            throw .configuration(problems.joined(separator: "; "))
        case nil: throw .configuration("they are truncated")
        }
    }
}
