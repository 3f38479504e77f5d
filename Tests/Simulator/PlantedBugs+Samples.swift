#if DEBUG
    @testable import SuperviseCore

    /// Bugs in the use of samples of connections and of listeners.
    extension Bugged {
        /// The input.
        func spoiledSample(_ event: Service.Event) -> Service.Event {
            switch (bug, event) {
            case (.giveUpOnAMissingSample, .worker(let id, .connectionSample(nil))):
                return .worker(id, .undrainable)
            case (_, .worker(let id, .connectionSample(let sample?))):
                let worker = service.member(id.pool)?.pool.worker(id)
                return .worker(id, .connectionSample(spoiled(sample, of: worker)))
            case (.stopAtTheFirstEmptySample, .listeners(let pool, .empty)):
                return .listeners(pool: pool, .none)
            case (.trustWhatIsUnseen, .listeners(let pool, .emptyAsFarAsSeen)):
                return .listeners(pool: pool, .empty)
            default: return event
            }
        }

        private func spoiled(_ sample: ConnectionSample, of worker: Worker?) -> ConnectionSample? {
            var sample = sample
            switch bug {
            case .ignoreThatItIsEmpty: return sample.isIdle ? nil : sample
            case .waitForStuckRequests: sample.stuck = 0
            case .abortBesideOthers:
                if sample.stuck > 0 { sample.stuck = sample.inFlight ?? 0 }
            case .forgetHowItEnds: return worker?.retirement?.stopWatch == nil ? sample : nil
            default: break
            }
            for place in sample.connections.indices {
                switch bug {
                case .takeSilenceForIdle: sample.connections[place].hasReader = true
                case .takeAnswersForIdle where sample.connections[place].use == .answered:
                    sample.connections[place].use = .idle
                case .cutOffWhenRelaxed where sample.endedIdle:
                    sample.connections[place].use = .idle
                case .ignoreReuse:
                    sample.connections[place].sent = 0
                    sample.connections[place].received = 0
                default: break
                }
            }
            return sample
        }

        /// The state of the machine.
        mutating func confuseSamples(after event: Service.Event, at now: Instant) {
            switch (bug, event) {
            case (.interruptForEver, _): eachLeaving { $0.draining?.interruptions = 0 }
            case (.believeAnOldSample, _): eachLeaving { $0.draining?.seen?.at = now }
            case (.forgetThatSomebodyWaits, .listeners(_, .waiting)):
                for index in service.members.indices {
                    service.members[index].closingListeners?.emptySince = Instant(nanoseconds: 0)
                }
            case (.holdListenersForEver, _):
                for index in service.members.indices {
                    service.members[index].closingListeners?.until = now + .seconds(1_000)
                }
            default: break
            }
        }
    }
#endif
