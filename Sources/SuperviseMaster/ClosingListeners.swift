import SuperviseCore
import SuperviseLinux

/// Listeners that refuse new connections. The workers accept the waiting connections before they
/// are stopped.
final class ClosingListeners: Expiring {
    private static let pause = TimeSpan.milliseconds(5)
    /// The time limit for refusing new connections, which takes effect immediately over loopback.
    private static let timeout = TimeSpan.seconds(1)

    private let listeners: Listeners
    private let log: Log
    /// The listeners of each pool at which connections may still wait.
    private(set) var ofPool: [Int: [ListenSocket]] = [:]
    /// While a listener does not refuse new connections yet: the time of the last attempt, and of
    /// the next one.
    private var pending: (until: Instant, next: Instant)?

    /// Creates an object without closing listeners.
    init(_ listeners: Listeners, _ log: Log) {
        self.log = log
        self.listeners = listeners
    }

    /// Continues with the closing listeners of another program of this process.
    func resume(_ sockets: [Int: [ListenSocket]], at now: Instant) {
        ofPool = sockets
        expect(at: now)
    }

    /// Closes these listeners of a pool. Inherited sockets stay open: a filter on them outlives
    /// this process.
    func close(_ sockets: [ListenSocket], ofPool pool: Int, at now: Instant) {
        let own = sockets.filter { !$0.isAdopted }
        var failures: [(ListenSocket, SystemCallError)] = []
        for socket in own {
            do throws(SystemCallError) {
                try listeners.close(socket)
            } catch {
                failures.append((socket, error))
            }
        }
        ofPool[pool] = own
        expect(at: now)
        warnOfResets(failures)
    }

    /// Releases the listeners of a pool.
    func release(pool: Int) {
        ofPool[pool] = nil
    }

    /// Schedules the next attempt for listeners that do not refuse new connections yet.
    func expect(at now: Instant) {
        guard !listeners.closing.isEmpty else { return }
        pending = pending ?? (until: now + ClosingListeners.timeout, next: now)
    }

    var deadline: Instant? { pending?.next }

    /// Continues with listeners that do not refuse new connections yet.
    func expire(at now: Instant) {
        guard let pending, pending.next <= now else { return }
        warnOfResets(listeners.continueClosing(isLast: pending.until <= now))
        self.pending =
            listeners.closing.isEmpty
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
                        + "are reset; to prevent this, grant CAP_NET_ADMIN"))
    }

    /// Samples the accept queues of a pool's closing listeners.
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
            // poll(2) on the listener shows less.
        }
        return socket.hasWaitingConnection ? .waiting : .emptyAsFarAsSeen
    }
}
