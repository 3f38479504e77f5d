#if DEBUG
    @testable import SuperviseCore

    /// Bugs in the comparison of responses.
    extension Bugged {
        /// The input.
        func spoiledResponses(_ sample: PoolSample, ofPool number: Int) -> PoolSample {
            guard let responses = sample.responses else { return sample }
            let candidate = service.member(number)?.pool.candidate
            let canary = candidate?.canary
            var spoiled = sample
            spoiled.responses = responses.map { figure in
                let isCanary = figure.id == canary
                let count = figure.count
                switch bug {
                case .ignoreErrors where isCanary:
                    return .init(figure.id, ResponseCount(responses: count.responses))
                case .ignoreOldErrors where !isCanary:
                    return .init(figure.id, ResponseCount(responses: count.responses))
                case .judgeByFewResponses:
                    return .init(
                        figure.id,
                        ResponseCount(
                            responses: count.responses * 10, errors: count.errors * 10))
                default: return figure
                }
            }
            return spoiled
        }

        func spoiledRequests(_ sample: PoolSample, ofPool number: Int) -> [Service.Event] {
            var spoiled = sample
            switch bug {
            case .actOnAnOutage:
                return (sample.requests ?? []).map { worker in
                    spoiled.requests = [worker]
                    return .sampled(pool: number, spoiled)
                }
            case .ignoreStuckRequests: spoiled.requests = []
            case .ignoreSlowResponses, .trustEverySlowResponse:
                spoiled.requests = sample.requests?.map { worker in
                    var worker = worker
                    let isTrusted = bug == .trustEverySlowResponse && worker.respondedAt != nil
                    worker.respondedAt = isTrusted ? Instant(nanoseconds: .max) : nil
                    return worker
                }
            default: break
            }
            return [.sampled(pool: number, spoiled)]
        }

        /// The state of the machine.
        mutating func confuseRequests(at now: Instant) {
            for index in service.members.indices {
                switch bug {
                case .countLostTimeAsWaiting:
                    service.members[index].pool.stuckState.resumedAt = nil
                case .neverCompareTheCanary: service.members[index].pool.candidate?.check = nil
                case .doubtForEver:
                    let candidate = service.members[index].pool.candidate
                    guard case .staying(_, let until)? = candidate?.phase,
                        candidate?.check?.figures != nil
                    else { continue }
                    service.members[index].pool.candidate?.check = CanaryCheck(until: until)
                default: break
                }
            }
        }
    }
#endif
