import SuperviseCore
import SuperviseLinux

/// Draining workers: the kernel's side. The core decides when to sample their connections, and how
/// to interpret a sample. The observer takes the samples, because a process can block a reader of
/// its sockets or its memory.
///
/// A sample of a running program may be outdated when the signal arrives: the program may have
/// received the next request of a connection. SIGSTOP before the sample would not help: a request
/// that arrives between the sample and the exit is lost as well. A stopped group also has no
/// preferred thread for the signal (signal(7)), so a main thread that waits for it may never wake.
final class Drainer {
    private struct Known {
        /// Whether a process of the worker that holds a listener has loaded the library.
        var hasLibrary = false
        /// The threads that the last sample found in accept(2).
        var acceptors: [BlockedThreads.Acceptor] = []
    }

    /// By the worker's serial. After an upgrade the first sample determines it again.
    private var known: [UInt64: Known] = [:]

    /// Stops the worker from accepting connections. Returns false if no library can do that, or if
    /// neither its requests are visible nor its connections can be sampled, as those of unix
    /// sockets.
    func close(_ worker: RunningWorker) throws(SystemCallError) -> Bool {
        let listeners = worker.blueprint.listeners
        guard let page = worker.page, worker.blueprint.adoption.library != nil, !listeners.isEmpty,
            worker.knownInFlight != nil || listeners.allSatisfy({ !$0.socket.isUnix })
        else { return false }
        try page.closeToNewConnections()
        return true
    }

    /// The request for a sample of the worker's connections.
    func request(for worker: RunningWorker, endsIdle: Bool) -> ConnectionRequest {
        let listeners = worker.blueprint.listeners.map(\.socket)
        return ConnectionRequest(
            roots: worker.roots,
            ports: Set(listeners.compactMap(\.port)),
            listeners: Set(listeners.map(\.identity.inode)),
            stopSignal: worker.blueprint.settings.stopSignal.number,
            library: known[worker.serial]?.hasLibrary == true
                ? nil : worker.blueprint.adoption.library.map(PreloadLibrary.fileName),
            endsIdle: endsIdle)
    }

    /// Returns the event for the observer's reply; nil stands for no reply. `stuck` is the number
    /// of requests in flight that got no response within `request-timeout`.
    func take(
        _ reply: ConnectionReply?, of worker: RunningWorker, stuck: Int = 0
    ) -> WorkerEvent {
        guard let reply else { return .connectionSample(nil) }
        guard case .sample(let sample) = reply else { return .undrainable }
        known[worker.serial] = Known(hasLibrary: true, acceptors: sample.acceptors)
        var found = sample.inCore
        found.isPartial = worker.blueprint.listeners.contains { $0.socket.isUnix }
        // Read after the connections, because the ledger then contains what a process has received
        // meanwhile. On unix sockets, nothing else shows the requests beside an opaque connection.
        found.inFlight = found.isPartial ? worker.knownInFlight : worker.visibleInFlight
        found.stuck = stuck
        return .connectionSample(found)
    }

    /// Interrupts the threads that the last sample found in accept(2).
    func interruptAcceptors(of worker: RunningWorker) {
        for thread in known[worker.serial]?.acceptors ?? [] { _ = thread.interrupt() }
        known[worker.serial]?.acceptors = []
    }

    /// Forgets a worker that has ended.
    func forget(_ worker: RunningWorker) {
        known[worker.serial] = nil
    }
}
