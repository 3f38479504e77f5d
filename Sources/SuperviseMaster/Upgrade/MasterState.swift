import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings
import SuperviseState

/// All that a master knows, for the next version of its program to go on with: what it has decided (the
/// service), what that was made from, and the kernel's side of it by the numbers of descriptors that
/// stay open. A number means the same before and after execve(2), and so does a time of the monotonic
/// clock.
///
/// Whoever changes what stands here in a way that an older or newer program would misread counts
/// `format` up. A field that goes, and an optional one that comes, is no such change.
struct MasterState: Codable {
    static let format: UInt32 = 6

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

    /// What starts workers of a pool and generation, or did when they were started.
    struct Recipe: Codable {
        /// The generation that starts workers by it; nil where none does any more.
        var generation: Int?
        /// A configuration of this pool alone, as `LoaderReport` has it.
        var configuration: String
        var listeners: [Listener]
        var isLookedAt: Bool
        var isWatchdogLookedAt: Bool
        var isCountLookedAt: Bool
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
        var isFilteredToo: Bool?
        var wasReady: Bool?
        var hasExited: Bool
        var wasKilled: Bool
        var startFailure: StartFailure?
        var orphans: Set<Int32>
        var statusText: String?
        var complaints: Int
        var isSignalRefused: Bool

        struct Process: Codable {
            var pid: Int32
            var descriptor: Int32
        }
    }

    /// The part of a start that is not known yet.
    enum PendingStart: Codable {
        /// The outcome of an exec comes over this pipe.
        case exec(pipe: Int32)

        var descriptor: Int32 {
            switch self {
            case .exec(let pipe): pipe
            }
        }
    }

    struct BindFilter: Codable {
        var serial: UInt64
        var number: Int32
        var worker: WorkerID
        var poolName: String
        var listeners: [Int32]
    }

    struct Look: Codable {
        var subject: SuperviseMaster.Look.Subject
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
    /// Where the program was found when it was started.
    var programPath: String?
    /// The words that it was started with, for the case that it has to go on with its own state.
    var arguments: [String]
    var start: Start
    var log: Log.State
    var output: OutputRelay.State?
    var sockets: [Socket]
    var listeners: Listeners.State
    var service: Service
    /// By generation, as `LoaderReport` has them.
    var configurations: [Int: String]
    var recipes: [Recipe]
    var workers: [RunningWorker]
    var lastSerial: UInt64
    var notifyFolders: [NotifyFolder]
    var bindFilters: [BindFilter]
    var strangers: Set<Int32>
    var told: Set<OnceTold>
    var looks: [Look]
    var commands: [Int32: SideCommand]
    var hooks: HookRunner.State
    /// By pool.
    var closingListeners: [Int: [Int32]]
    var control: ControlServer.State
    var serviceManager: ServiceManagerLink.State?
    var reloadFollower: ReloadFollower
    var reloads: ReloadCounts
    var upgrades: UpgradeCounts
    var exited: ExitedProcesses

    /// The descriptors that have to stay open.
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
            + notifyFolders.map(\.number)
            + control.connections.map(\.socket) + [log.descriptor].compactMap { $0 }
    }
}

/// How upgrades went.
struct UpgradeCounts: Codable {
    var complete: UInt64 = 0
    var failed: UInt64 = 0
}

extension MasterState {
    /// Why a program cannot go on with a state.
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

    /// The state that these bytes are, all of it understood.
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

    /// Everything that resuming takes for granted.
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
            looks.map(\.recipe).allSatisfy(recipes.indices.contains)
        else { throw .inconsistent("a worker has no blueprint") }
    }

    /// What of it can be strange to another version: as long as this stays the same, one that understood
    /// the state once does so again.
    var kind: Set<String> { Set(configurations.values).union(recipes.map(\.configuration)) }

    /// What a configuration of it says.
    static func configuration(_ text: String) throws(Refusal) -> ResolvedConfiguration {
        switch LoaderReport.decode(Array(text.utf8)) {
        case .loaded(let resolved): return resolved
        case .problems(let problems):
            throw .configuration(problems.joined(separator: "; "))
        case nil: throw .configuration("they are truncated")
        }
    }
}
