#if DEBUG
    @testable import SuperviseCore

    /// The output.
    extension Bugged {
        func spoiled(_ action: Service.Action, after event: Service.Event) -> [Service.Action] {
            switch (bug, action, event) {
            case (.neverSampleAgain, .perform(.sampleConnections), .deadline): return []
            case (.neverSampleListenersAgain, .sampleListeners, .deadline): return []
            case (.keepListeners, .releaseListeners, _): return []
            default: break
            }
            switch action {
            case .perform(let inner): return spoiled(inner).map { .perform($0) }
            case .exit: return bug == .exitWithZero ? [.exit(0)] : [action]
            case .activate, .discard, .closeListeners, .sampleListeners, .releaseListeners:
                return [action]
            }
        }

        private func spoiled(_ action: Action) -> [Action] {
            switch (bug, action) {
            case (.sendNoStopSignal, .signal): return []
            case (.sendTheStopSignalTwice, .signal): return [action, action]
            case (.drainAPendingStart, .signal(let id, _)) where pendingStarts.contains(id):
                return [.drain(id)]
            case (.killAPendingStart, .signal(let id, _)) where pendingStarts.contains(id):
                return [.kill(id)]
            case (.skipTheEmptying, .drain(let id)): return [.signal(id, .stop)]
            case (.neverRelax, .sampleConnections(let id, _)):
                return [.sampleConnections(id, endsIdle: false)]
            case (.relaxAtOnce, .sampleConnections(let id, _)):
                return [.sampleConnections(id, endsIdle: true)]
            case (.sampleTwice, .sampleConnections): return [action, action]
            case (.interruptNobody, .interruptAcceptors): return []
            case (.sendNoKill, .kill): return []
            case (.killWithTheStopSignal, .signal(let id, _)): return [action, .kill(id)]
            case (.leaveTreesAlone, .signalTree): return []
            case (.warnTwice, .note(.memoryWarning)): return [action, action]
            case (.forgetAWorkerWhenStopping, .note(.retiring(let id, .stop, _)))
            where id.slot == 0:
                return []
            case (.startTwice, .start): return [action, action]
            case (.forkFromAnotherMold, .start(let id, var order)):
                order.mold = order.mold.map {
                    MoldID(
                        pool: $0.pool, generation: $0.generation, incarnation: $0.incarnation + 1)
                }
                return [.start(id, order)]
            case (.execWithoutNeed, .start(let id, var order)):
                order.mold = nil
                return [.start(id, order)]
            case (.startTheMoldTwice, .startMold): return [action, action]
            case (.leaveMoldsAlone, .endMold), (.leaveMoldsAlone, .killMold): return []
            case (.keepTheMoldOfAPoolThatIsDone, .endMold(let id)):
                return service.member(id.pool)?.pool.isDone == true ? [] : [action]
            case (.killMoldsAtOnce, .endMold(let id)): return [action, .killMold(id)]
            case (.drawTheLimitTwice, .start(let id, var order)):
                guard let limit = order.requestLimit else { return [action] }
                order.requestLimit = limit + 1
                return [.start(id, order)]
            case (.startTheOldGenerationAfterACommit, .start(let id, var order)):
                order.generation = 1
                return [.start(id, order)]
            case (.loseTheThreshold, .setNotifyThreshold): return []
            case (.abortWithTheStopSignal, .signal(let id, .abort)): return [.signal(id, .stop)]
            case (.killWhoIsAborted, .signal(let id, .abort)): return [action, .kill(id)]
            case (.neverLookAtTheQueue, .sample(let pool, let contents)):
                let rest = contents.subtracting(.progress)
                return rest.isEmpty ? [] : [.sample(pool: pool, rest)]
            case (.passTheCanaryUnmeasured, .measure): return []
            default: return [action]
            }
        }
    }
#endif
