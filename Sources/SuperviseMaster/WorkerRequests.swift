import SuperviseCore
import SuperviseLinux

/// The requests of a worker, as its ledger shows them.
extension RunningWorker {
    /// Returns the ledger's totals if the library keeps one in this worker. It does not if it could
    /// not get the memory, and an older version does not support the ledger.
    var observedTotals: Ledger.Totals? {
        guard blueprint.adoption.observesRequests, let totals = page?.ledger.totals(),
            totals.connections > 0
        else { return nil }
        return totals
    }

    /// The responses that its ledger contains; nil if there is none.
    var responses: ResponseCount? {
        guard blueprint.ledger != .none, let totals = page?.ledger.totals() else { return nil }
        return ResponseCount(
            responses: totals.requests, errors: totals.responses[Ledger.Totals.errorClass])
    }

    /// Whether the ledger shows the requests on all of its connections. A worker whose first
    /// request is in flight has none that has ended.
    var showsRequests: Bool {
        guard let totals = observedTotals, totals.opaque == 0 else { return false }
        return totals.requests > 0 || requestsInFlight() != nil
    }

    /// The number of requests in flight, if the ledger shows the requests of all its connections.
    var visibleInFlight: Int? {
        guard let totals = observedTotals, totals.opaque == 0 else { return nil }
        let count = requestsInFlight()?.count
        return totals.requests > 0 ? count ?? 0 : count
    }

    /// The number of requests in flight that the ledger shows, also if a connection is opaque, such
    /// as a WebSocket; nil if it never showed any.
    var knownInFlight: Int? {
        guard let totals = observedTotals else { return nil }
        let count = requestsInFlight()?.count
        return totals.requests > 0 ? count ?? 0 : count
    }

    /// Whether its requests are visible; nil while that is unknown.
    var hasVisibleRequests: Bool? {
        guard let totals = observedTotals else { return nil }
        return totals.requests > 0 ? true : totals.isOpaque ? false : nil
    }

    /// The time that its requests have taken in total, without those in flight; nil if they are not
    /// visible.
    var requestTime: TimeSpan? {
        guard let totals = observedTotals, totals.requests > 0 else { return nil }
        return TimeSpan(nanoseconds: Int64(clamping: totals.nanoseconds))
    }

    /// Returns the requests in flight; nil if none is visible. A request counts only while the
    /// process that received it exists, except at the end of the worker.
    func requestsInFlight(atItsEnd: Bool = false) -> RequestsInFlight? {
        guard blueprint.adoption.observesRequests, let found = page?.ledger.inFlight() else {
            return nil
        }
        let now = UInt64(clamping: MonotonicClock.nanoseconds())
        let exchanges = found.exchanges.filter { $0.begun <= now && (atItsEnd || $0.isHeld) }
        let others = found.changing + Int(clamping: found.unlisted)
        guard let oldest = exchanges.min(by: { $0.begun < $1.begun }) else {
            return others == 0 ? nil : RequestsInFlight(route: nil, age: .zero, count: others)
        }
        return RequestsInFlight(
            route: oldest.route, age: TimeSpan(nanoseconds: Int64(clamping: now - oldest.begun)),
            count: exchanges.count + others)
    }
}
