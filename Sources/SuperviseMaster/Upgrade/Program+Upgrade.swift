import SuperviseLinux
import SuperviseSettings
import SuperviseState

/// The program as the one that follows: see `Master+Upgrade`.
extension Program {
    /// Reads a state, all of it, without touching anything, and says whether it can go on with it.
    static func probe() -> Int32 {
        var outcome = UpgradeProbe.Outcome.understood(version: Version.current)
        do {
            let bytes = try MemoryFile.bytes(of: UpgradeProbe.Descriptor.state)
            let state = try MasterState.decode(bytes)
            for text in Array(state.configurations.values) + state.recipes.map(\.configuration) {
                _ = try MasterState.configuration(text)
            }
        } catch {
            outcome = .refused("\(error)")
        }
        return say(UpgradeProbe.answer(outcome), to: UpgradeProbe.Descriptor.answer)
    }

    /// Goes on as the master that this process was. The words are those of the start, with two more
    /// behind the name; `open` are the descriptors that are open.
    static func resume(_ words: [String], _ environment: [String], open: Set<Int32>) -> Int32 {
        ProcessTitle.setName("supervise")
        let arguments = Array(words.dropFirst(3))
        do {
            guard words.count > 2, let number = Int32(words[2]) else {
                complain("supervise: \(Master.resumeVerb) is not for people\n")
                return ExitCode.usage
            }
            guard case .run(let overrides) = try Invocation.parse(arguments) else {
                return ExitCode.usage
            }
            var launch = launch(arguments, overrides, environment)
            launch.name = words[0]
            let (master, version) = try takeOver(fromStateIn: number, launch, open: open)
            ThisProcess.returnFreeMemory()
            defer { cleanUp(master.listeners, master.start.pidFile, master.log) }
            defer { tell(master.control.removeFiles(), master.log) }
            return try master.resume(from: version)
        } catch {
            complain("supervise: the upgrade failed half-way: \(error)\n")
            return ExitCode.masterFailed
        }
    }

    /// The master, and the version that it was before. The state, which holds all of it once more, is
    /// gone when this returns.
    private static func takeOver(
        fromStateIn number: Int32, _ start: Launch, open: Set<Int32>
    ) throws -> (Master, version: String) {
        SpareDescriptors.keep()
        let state = try MasterState.decode(try MemoryFile.bytes(of: number))
        closeUnknown(open, state)
        var launch = start
        launch.programPath = state.programPath
        let signals = try SignalDescriptor(blockingAllAndServing: MasterSignal.served)
        guard let text = state.configurations[state.service.generation] else {
            throw UpgradeFailure("there is no configuration of the generation in force")
        }
        let settings = try MasterState.configuration(text).configuration.master
        let log = try Log(resuming: state.log, settings)
        let master = try Master(
            resuming: state, launch: launch, log: log,
            context: context(launch, state.start.openFilesLimit), signals: signals)
        setTitle(settings)
        return (master, state.head.version)
    }

    /// What neither the start nor the state knows, such as the state's own descriptor, is nobody's.
    private static func closeUnknown(_ open: Set<Int32>, _ state: MasterState) {
        let known = state.listeners.inherited.union(state.descriptors)
        for number in open.subtracting(known) { HandedDescriptors.close(number) }
    }
}
