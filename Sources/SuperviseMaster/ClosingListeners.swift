import SuperviseCore
import SuperviseLinux

/// The listeners that are closed to new connections: those that wait there are served before anybody
/// is stopped.
final class ClosingListeners: Expiring {
    private static let pause = TimeSpan.milliseconds(5)
    /// How long it may take to keep new connections away, which over loopback is done at once.
    private static let timeout = TimeSpan.seconds(1)

    private let listeners: Listeners
    private let log: Log
    /// Those of each pool behind which clients may still wait; another program of this process goes on
    /// with them.
    private(set) var ofPool: [Int: [ListenSocket]] = [:]
    /// While new connections are not kept away from some: when that is given up, and when it goes on.
    private var pending: (until: Instant, next: Instant)?

    /// None is closed yet of these.
    init(_ listeners: Listeners, _ log: Log) {
        self.log = log
        self.listeners = listeners
    }

    /// Goes on with those of another program of this process.
    func resume(_ sockets: [Int: [ListenSocket]], at now: Instant) {
        ofPool = sockets
        expect(at: now)
    }

    /// Closes these listeners of a pool. Passed-in sockets stay open: what is done to them outlives this
    /// process.
    func close(_ sockets: [ListenSocket], ofPool pool: Int, at now: Instant) {
        let own = sockets.filter { !$0.isAdopted }
        var failures: [(ListenSocket, SystemCallError)] = []
        for socket in own {
            do throws(SystemCallError) {
                try listeners.shut(socket)
            } catch {
                failures.append((socket, error))
            }
        }
        ofPool[pool] = own
        expect(at: now)
        warnOfResets(failures)
    }

    /// Lets go of the listeners of a pool.
    func release(pool: Int) {
        ofPool[pool] = nil
    }

    /// Comes back to listeners from which new connections are not kept away yet.
    func expect(at now: Instant) {
        guard !listeners.shutting.isEmpty else { return }
        pending = pending ?? (until: now + ClosingListeners.timeout, next: now)
    }

    var deadline: Instant? { pending?.next }

    /// Goes on with listeners from which new connections are not kept away yet.
    func expire(at now: Instant) {
        guard let pending, pending.next <= now else { return }
        warnOfResets(listeners.continueShutting(isLast: pending.until <= now))
        self.pending =
            listeners.shutting.isEmpty
            ? nil : (until: pending.until, next: now + ClosingListeners.pause)
    }

    private func warnOfResets(_ failures: [(ListenSocket, SystemCallError)]) {
        guard let (_, error) = failures.first else { return }
        log.write(
            LogLine(.warning, "close-failed")
                .with("address", failures.map(\.0.address).joined(separator: ","))
                .with("error", error.description)
                .with(
                    "message",
                    "new connections arrive until the workers stop, and those that still wait then "
                        + "are reset; CAP_NET_ADMIN prevents this"))
    }

    /// What is found at the listeners of a pool.
    func sample(pool: Int, _ diagnosis: SocketDiagnosis?) -> ListenerSample {
        var sample = ListenerSample.none
        for socket in ofPool[pool] ?? [] {
            switch ClosingListeners.sample(socket, diagnosis) {
            case .waiting: return .waiting
            case .emptyAsFarAsSeen: sample = .emptyAsFarAsSeen
            case .empty: if sample == .none { sample = .empty }
            case .none: break
            }
        }
        return sample
    }

    private static func sample(
        _ socket: ListenSocket, _ diagnosis: SocketDiagnosis?
    ) -> ListenerSample {
        guard socket.isRefusing else { return .waiting }
        do throws(SystemCallError) {
            if let diagnosis {
                if try diagnosis.queue(of: socket).waiting > 0 { return .waiting }
                return try diagnosis.halfOpen(to: socket) > 0 ? .waiting : .empty
            }
        } catch {
            // The listener itself tells less.
        }
        return socket.hasWaitingConnection ? .waiting : .emptyAsFarAsSeen
    }
}
