import SuperviseCore
import SuperviseLinux

/// The kernel's side of draining workers. What their connections mean is decided in the core, and when
/// they are sampled; the observer takes the samples, since a process can make whoever reads its sockets
/// or its memory wait.
///
/// What a sample shows of a program that runs is over by the time that a signal arrives: it may have
/// taken the next request of a connection. To stop it meanwhile (SIGSTOP) would not help, because
/// whatever arrives before its end is lost then too; and a stopped group forgets which thread takes the
/// signal (signal(7)), so that a main thread waiting for it may never wake.
final class Drainer {
    private struct Known {
        /// Whether the library was found in a process of the worker that holds a listener.
        var hasLibrary = false
        /// The threads that the last sample found in accept(2).
        var acceptors: [BlockedThreads.Acceptor] = []
    }

    /// By the worker's serial. Another program of this process finds it out anew.
    private var known: [UInt64: Known] = [:]

    /// Closes the worker to new connections. False where its library can't do that, or where there are no
    /// figures for its connections, as for those of unix sockets.
    func close(_ worker: RunningWorker) throws(SystemCallError) -> Bool {
        let listeners = worker.blueprint.listeners
        guard let page = worker.page, worker.blueprint.adoption.library != nil, !listeners.isEmpty,
            listeners.allSatisfy({ !$0.socket.isUnix })
        else { return false }
        try page.closeToNewConnections()
        return true
    }

    /// What the observer is asked about the worker's connections.
    func request(for worker: RunningWorker, endsIdle: Bool) -> ConnectionRequest {
        let listeners = worker.blueprint.listeners.map(\.socket)
        return ConnectionRequest(
            roots: (worker.hasExited ? [] : [worker.pid]) + worker.orphans.sorted(),
            ports: Set(listeners.compactMap(\.port)),
            listeners: Set(listeners.map(\.identity.inode)),
            stopSignal: worker.blueprint.settings.stopSignal.number,
            library: known[worker.serial]?.hasLibrary == true ? nil : PreloadLibrary.name,
            endsIdle: endsIdle)
    }

    /// The core's event for what the observer answered; nil if it did not.
    func take(_ reply: ConnectionReply?, of worker: RunningWorker) -> WorkerEvent {
        guard let reply else { return .connectionSample(nil) }
        guard case .sample(let sample) = reply else { return .undrainable }
        known[worker.serial] = Known(hasLibrary: true, acceptors: sample.acceptors)
        return .connectionSample(sample.inCore)
    }

    /// Has threads leave accept(2) that the last sample found there.
    func interruptAcceptors(of worker: RunningWorker) {
        for thread in known[worker.serial]?.acceptors ?? [] { _ = thread.interrupt() }
        known[worker.serial]?.acceptors = []
    }

    /// Forgets a worker of which nothing is left.
    func forget(_ worker: RunningWorker) {
        known[worker.serial] = nil
    }
}
