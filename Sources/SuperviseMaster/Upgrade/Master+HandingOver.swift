import SuperviseLinux
import SuperviseSettings

/// The master as a value, for the next version of its program.
extension Master {
    /// Returns the whole state. Between two turns no operation is in progress: a deadline is a
    /// time, and a response a descriptor.
    func handOver() -> MasterState {
        precondition(core.isSettled, "a turn is over before the next program begins one")
        var sockets = Collected<ListenSocket, MasterState.Socket> { socket in
            .init(
                number: socket.rawValue, file: socket.file, isAdopted: socket.isAdopted,
                steering: socket.steering, listensOnDemand: socket.listensOnDemand)
        }
        for socket in listeners.all + control.endpoints.map(\.listener) { sockets.add(socket) }
        for socket in closingListeners.ofPool.values.flatMap({ $0 }) { sockets.add(socket) }
        for socket in bindFilters.values.flatMap(\.listeners) { sockets.add(socket) }

        var recipes = Collected<Blueprint, MasterState.Recipe> { [self] blueprint in
            recipe(of: blueprint)
        }
        for generation in generations.all {
            for blueprint in generation.blueprints.values {
                recipes.states[recipes.add(blueprint)].generation = generation.number
            }
        }
        let running = workers.bySerial.values.sorted { $0.serial < $1.serial }
            .map { $0.state(recipe: recipes.add($0.blueprint)) }
        let molds = molds.bySerial.values.sorted { $0.serial < $1.serial }
            .map { $0.state(recipe: recipes.add($0.blueprint)) }
        let checks = checks.compactMap { check in
            check.blueprint.map {
                MasterState.WorkerCheck(
                    subject: check.subject, id: check.id, recipe: recipes.add($0), at: check.at)
            }
        }
        for blueprint in recipes.objects {
            for listener in blueprint.held { sockets.add(listener.socket) }
        }
        return MasterState(
            programPath: launch.programPath, arguments: launch.arguments, start: start,
            log: log.state, output: output.state, sockets: sockets.states,
            listeners: listeners.state,
            service: service, configurations: generations.configurations,
            recipes: recipes.states, workers: running, molds: molds, lastSerial: workers.lastSerial,
            notifyFolders: starter.notifyFolders.state,
            bindFilters: filterStates, logged: log.alreadyLogged, checks: checks,
            commands: commands.running, hooks: hooks.state,
            closingListeners: closingListeners.ofPool.mapValues { $0.map(\.rawValue) },
            control: control.state, serviceManager: serviceManager?.state,
            reloader: reloader.state, upgrades: upgrader.counts, reaper: reaper.state,
            leaks: leaks.state, series: recorder.series)
    }

    private var filterStates: [MasterState.BindFilter] {
        bindFilters.map { serial, filter in
            .init(
                serial: serial, number: filter.binds.rawValue, worker: filter.worker,
                poolName: filter.poolName, listeners: filter.listeners.map(\.rawValue))
        }
    }

    private func recipe(of blueprint: Blueprint) -> MasterState.Recipe {
        let master = generations[service.generation]?.master
        let name = blueprint.settings.name
        var names = ResolvedNames()
        names.accounts[name] = blueprint.account
        let alone = ResolvedConfiguration(
            configuration: Configuration(
                master: master ?? MasterSettings(), pools: [blueprint.settings]),
            names: names, warnings: [])
        return MasterState.Recipe(
            configuration: LoaderReport.encode(alone),
            listeners: blueprint.held.map {
                .init(number: $0.socket.rawValue, name: $0.name)
            },
            hasListenCheck: blueprint.hasListenCheck, hasWatchdogCheck: blueprint.hasWatchdogCheck,
            hasCountCheck: blueprint.hasCountCheck, filtersToo: blueprint.filtersToo,
            isAdoptionProven: blueprint.isAdoptionProven)
    }
}

/// Objects that several others refer to, stored once each, and their states.
private struct Collected<Object: AnyObject, State> {
    private(set) var objects: [Object] = []
    var states: [State] = []
    private var places: [ObjectIdentifier: Int] = [:]
    private let state: (Object) -> State

    init(_ state: @escaping (Object) -> State) {
        self.state = state
    }

    /// Returns the object's index in the list.
    @discardableResult
    mutating func add(_ object: Object) -> Int {
        if let place = places[ObjectIdentifier(object)] { return place }
        places[ObjectIdentifier(object)] = objects.count
        objects.append(object)
        states.append(state(object))
        return objects.count - 1
    }
}
