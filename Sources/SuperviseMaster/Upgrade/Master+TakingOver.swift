import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// A master that continues another program of the same process.
extension Master {
    /// Continues the state. From here on its descriptors belong to this master.
    convenience init(
        resuming state: MasterState, launch: Launch, log: Log, context: ProcessContext,
        signals: consuming SignalDescriptor
    ) throws {
        var sockets: [Int32: ListenSocket] = [:]
        for socket in state.sockets {
            sockets[socket.number] = try ListenSocket.resume(
                HandedDescriptors.take(socket.number), file: socket.file,
                isAdopted: socket.isAdopted, steering: socket.steering,
                listensOnDemand: socket.listensOnDemand ?? false)
        }
        let poll = try EventPoll()
        try self.init(
            launch: launch, start: state.start, log: log, context: context,
            listeners: Listeners(resuming: state.listeners, sockets),
            control: ControlServer.resuming(state.control, sockets, in: poll), poll: poll,
            signals: signals, service: state.service)
        try generations.resume(state.configurations)
        try starter.notifyFolders.resume(state.notifyFolders)
        try takeWorkers(of: state, sockets)
        closingListeners.resume(
            state.closingListeners.mapValues { $0.compactMap { sockets[$0] } }, at: now)
        log.resume(logged: state.logged.union([.masterStarted]))
        commands.running = state.commands
        if let state = state.output { output.resume(state) }
        if let state = state.serviceManager { serviceManager?.resume(state) }
        reloader.resume(state.reloader)
        upgrader.resume(state.upgrades)
        reaper.resume(state.reaper)
        recorder.resume(state.series ?? [:])
        if let state = state.leaks { leaks.resume(state) }
        resumeKillGroups()
        resumeDrains()
        watchListeners()
        resumeArrivals()
        listenToEvents()
        hooks.resume(state.hooks)
    }

    private func takeWorkers(
        of state: MasterState, _ sockets: [Int32: ListenSocket]
    ) throws {
        var made: [Blueprint] = []
        for recipe in state.recipes {
            let blueprint = try blueprint(by: recipe, sockets)
            made.append(blueprint)
            guard let generation = recipe.generation else { continue }
            generations.resume(blueprint, in: generation)
        }
        workers.resume(lastSerial: state.lastSerial)
        for worker in state.workers {
            let running = try RunningWorker(resuming: worker, blueprint: made[worker.recipe])
            workers.add(running)
            try poll.add(
                running.notify.rawValue, .readable, token: Token.notify | running.serial)
            try starter.watch(running)
            try output.watch(running.output)
        }
        for mold in state.molds {
            let running = try RunningMold(resuming: mold, blueprint: made[mold.recipe])
            molds.add(running)
            try watch(running)
            try output.watch(running.output)
        }
        for filter in state.bindFilters {
            let resumed = try BindFilter(resuming: filter, sockets)
            bindFilters[filter.serial] = resumed
            try poll.add(
                resumed.binds.rawValue, .readable, token: Token.bindFilter | filter.serial)
        }
        checks = state.checks.map {
            WorkerCheck(
                subject: $0.subject, id: $0.id, blueprint: made[$0.recipe], at: $0.at)
        }
    }

    private func blueprint(
        by recipe: MasterState.Recipe, _ sockets: [Int32: ListenSocket]
    ) throws -> Blueprint {
        let alone = try MasterState.configuration(recipe.configuration)
        let settings = alone.configuration.pools[0]
        let blueprint = try Blueprint(
            settings,
            listeners: recipe.listeners.compactMap { listener in
                sockets[listener.number].map { PoolListener(socket: $0, name: listener.name) }
            },
            account: alone.names.accounts[settings.name], context: context)
        blueprint.hasListenCheck = recipe.hasListenCheck
        blueprint.hasWatchdogCheck = recipe.hasWatchdogCheck
        blueprint.hasCountCheck = recipe.hasCountCheck
        blueprint.filtersToo = recipe.filtersToo ?? false && blueprint.adoption.mayFilterToo
        blueprint.isAdoptionProven = recipe.isAdoptionProven ?? false
        return blueprint
    }
}
