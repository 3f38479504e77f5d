import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// One generation of the settings, with everything that its workers are started from.
final class Generation {
    let number: Int
    /// The configuration with its names resolved; nil once a newer generation is current. Pools
    /// that the newer one removed still run, and start workers, by their blueprints.
    private(set) var resolved: ResolvedConfiguration?
    /// The blueprints by the names of the pools.
    private(set) var blueprints: [String: Blueprint]

    /// Opens what is not open yet, and creates the blueprints. It closes nothing. It keeps what
    /// `current`, the current generation, has found out about its programs.
    init(
        _ number: Int, _ resolved: ResolvedConfiguration, _ listeners: Listeners,
        _ context: ProcessContext, after current: Generation? = nil
    ) throws(PrepareError) {
        self.number = number
        self.resolved = resolved
        blueprints = [:]
        for pool in resolved.configuration.pools {
            let opened: [PoolListener]
            do throws(ListenFailure) {
                opened = try listeners.open(pool, names: resolved.names, onTrial: current != nil)
            } catch {
                throw PrepareError.listen(pool: pool.name, error)
            }
            do throws(SystemCallError) {
                let blueprint = try Blueprint(
                    pool, listeners: opened, account: resolved.names.accounts[pool.name],
                    context: context)
                blueprint.resumeAdoption(of: current?.blueprints[pool.name])
                blueprints[pool.name] = blueprint
            } catch {
                throw PrepareError.memory(error)
            }
        }
    }

    /// Continues with a generation of another program of this process.
    fileprivate init(resuming number: Int, _ resolved: ResolvedConfiguration?) {
        self.number = number
        self.resolved = resolved
        blueprints = [:]
    }

    /// The settings of the master; nil once a newer generation is current.
    var master: MasterSettings? { resolved?.configuration.master }

    /// The pools, in the order of the configuration; empty once a newer generation is current.
    var pools: [(settings: PoolSettings, blueprint: Blueprint)] {
        (resolved?.configuration.pools ?? []).compactMap { pool in
            blueprints[pool.name].map { (pool, $0) }
        }
    }

    /// The listeners of all pools that accept connections.
    var listeners: [PoolListener] { blueprints.values.flatMap(\.listeners) }

    /// Returns the pools for the core. `current` is the current generation.
    func plans(after current: Generation? = nil) -> [Service.Plan] {
        pools.map { settings, blueprint in
            let kept = Set(blueprint.held.map(\.socket.identity))
            let before = current?.blueprints[settings.name]?.listeners ?? []
            return Service.Plan(
                name: settings.name, policy: blueprint.policy,
                dropsListeners: before.contains { !kept.contains($0.socket.identity) })
        }
    }

    /// Keeps only the blueprints of these pools, because a newer generation is current.
    fileprivate func supersede(keeping pools: Set<String>) {
        resolved = nil
        blueprints = blueprints.filter { pools.contains($0.key) }
    }

    fileprivate func add(_ blueprint: Blueprint) {
        blueprints[blueprint.settings.name] = blueprint
    }
}

/// The reason for which a configuration cannot be used.
enum PrepareError: Error, CustomStringConvertible {
    case listen(pool: String, ListenFailure)
    case memory(SystemCallError)

    var description: String {
        switch self {
        case .listen(_, let failure): failure.description
        case .memory(let error): error.description
        }
    }
}

/// The generations that workers can be started from: the current one, one on trial, and older ones
/// of which a removed pool still runs.
final class Generations {
    private var byNumber: [Int: Generation] = [:]

    subscript(number: Int) -> Generation? { byNumber[number] }

    func add(_ generation: Generation) {
        byNumber[generation.number] = generation
    }

    func remove(_ number: Int) {
        byNumber[number] = nil
    }

    /// All generations, oldest first.
    var all: [Generation] { byNumber.values.sorted { $0.number < $1.number } }

    /// The blueprints of all generations.
    var blueprints: [Blueprint] { all.flatMap(\.blueprints.values) }

    /// Keeps, of the generations before this one, only what removed pools need that still run.
    func supersede(before number: Int, _ service: Service) {
        for old in byNumber.values where old.number < number {
            let needed = service.members.filter { $0.isRemoved && $0.pool.generation == old.number }
            old.supersede(keeping: Set(needed.map(\.name)))
            if old.blueprints.isEmpty { byNumber[old.number] = nil }
        }
    }

    /// The configurations for another program of this process, by generation.
    var configurations: [Int: String] {
        byNumber.compactMapValues { $0.resolved.map(LoaderReport.encode) }
    }

    /// Continues with the generations of another program of this process. The blueprints are added
    /// one by one.
    func resume(_ configurations: [Int: String]) throws(MasterState.Refusal) {
        for (number, text) in configurations {
            add(Generation(resuming: number, try MasterState.configuration(text)))
        }
    }

    /// Adds a blueprint to its generation.
    func resume(_ blueprint: Blueprint, in number: Int) {
        let generation = byNumber[number] ?? Generation(resuming: number, nil)
        generation.add(blueprint)
        add(generation)
    }
}
