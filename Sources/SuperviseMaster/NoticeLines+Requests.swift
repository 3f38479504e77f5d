import SuperviseCore
import SuperviseSettings

/// The log lines of requests that get no response.
extension LogLine {
    init(ofRequests notice: Notice, _ subject: LogSubjects) {
        if case .requestStuck(let id, let facts, let request, let waited) = notice {
            self = subject.line(.warning, "request-stuck", id)
                .with("generation", facts.generation).with(request, waited)
                .with("in_flight", facts.during?.count)
                .with("message", Advice.stuck)
        } else if case .requestsHang(let pool, let workers, let total, let request, let waited) =
            notice
        {
            self = subject.line(.warning, "requests-hang", pool).with("workers", workers)
                .with("of", total).with(request, waited).with("message", Advice.hang)
        } else {
            preconditionFailure("no notice about requests")
        }
    }

    private func with(_ request: StuckRequest, _ waited: TimeSpan) -> LogLine {
        with(LogLine.routeField, request.route).with("waited", waited)
            .with(LogLine.peerField, request.peer)
    }

    private enum Advice {
        static let stuck =
            "no response within request-timeout; the worker is replaced when its other requests are finished"
        static let hang =
            "more than half of the workers wait for a response, so a dependency seems to hang; no worker is "
            + "replaced for it"
    }
}
