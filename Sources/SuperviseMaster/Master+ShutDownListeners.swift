import SuperviseCore
import SuperviseLinux

/// Listeners whose shutdown the kernel reports.
///
/// A worker may shut one down for itself only, as it assumes. But the socket is shared, so all
/// connections are refused from then on (shutdown(2), and connect(2) with AF_UNSPEC). The preload
/// library prevents this if it is loaded. The master's epoll set reports the other cases as a
/// hang-up. It is not registered for connections, so these cause no wakeup. Each report disarms its
/// registration, so a worker that repeats it causes one repair per second.
struct WatchedListeners {
    struct Entry {
        private(set) weak var socket: ListenSocket?
        let identity: FileIdentity
        var isArmed = true
        var nextWarning: Instant?
    }

    var bySerial: [UInt64: Entry] = [:]
    /// The registrations to arm again, and their times, in this order.
    var rearming: [(serial: UInt64, at: Instant)] = []
    private var lastSerial: UInt64 = 0

    mutating func add(_ socket: ListenSocket) -> UInt64 {
        lastSerial += 1
        bySerial[lastSerial] = Entry(socket: socket, identity: socket.identity)
        return lastSerial
    }
}

extension Master {
    private static let repairInterval = TimeSpan.seconds(1)
    private static let warningInterval = TimeSpan.seconds(60)

    /// Watches the listeners that are not watched yet, and arms the others again.
    func watchListeners() {
        for (serial, entry) in watchedListeners.bySerial where !isHeld(entry) {
            forgetListener(serial, entry)
        }
        let known = Set(watchedListeners.bySerial.values.map(\.identity))
        for (serial, entry) in watchedListeners.bySerial where !entry.isArmed { arm(serial) }
        for socket in listeners.all where !known.contains(socket.identity) {
            let serial = watchedListeners.add(socket)
            do throws(SystemCallError) {
                try poll.add(socket.rawValue, .ended, token: Token.listener | serial)
            } catch {
                // Out of memory, or of room in the set; the listener works nevertheless.
                watchedListeners.bySerial[serial] = nil
            }
        }
    }

    /// Handles a report, which occurs once per arming.
    func listenerEnded(serial: UInt64) {
        guard let entry = watchedListeners.bySerial[serial] else { return }
        watchedListeners.bySerial[serial]?.isArmed = false
        guard isHeld(entry), let socket = entry.socket else {
            return forgetListener(serial, entry)
        }
        guard service.haste == nil, !listeners.isClosed(socket) else { return }
        repair(socket, serial)
        guard !listeners.isClosed(socket) else { return }
        watchedListeners.rearming.append((serial, now + Master.repairInterval))
    }

    func rearmListeners() {
        while let next = watchedListeners.rearming.first, next.at <= now {
            watchedListeners.rearming.removeFirst()
            arm(next.serial)
        }
    }

    private func arm(_ serial: UInt64) {
        guard let entry = watchedListeners.bySerial[serial], !entry.isArmed,
            let socket = entry.socket
        else { return }
        do throws(SystemCallError) {
            try poll.modify(socket.rawValue, .ended, token: Token.listener | serial)
            watchedListeners.bySerial[serial]?.isArmed = true
        } catch {
            watchedListeners.bySerial[serial] = nil
        }
    }

    private func isHeld(_ entry: WatchedListeners.Entry) -> Bool {
        guard let socket = entry.socket else { return false }
        return listeners.all.contains { $0 === socket }
    }

    /// A listener that was closed meanwhile has left the set, or is disarmed by its first report.
    private func forgetListener(_ serial: UInt64, _ entry: WatchedListeners.Entry) {
        watchedListeners.bySerial[serial] = nil
        guard let socket = entry.socket else { return }
        do throws(SystemCallError) {
            try poll.remove(socket.rawValue)
        } catch {
            return
        }
    }

    private func repair(_ socket: ListenSocket, _ serial: UInt64) {
        guard socket.isShutDown else { return }
        let pools = generations.blueprints.filter { blueprint in
            blueprint.listeners.contains { $0.socket === socket }
        }
        let backlog = pools.map(\.settings.backlog).max() ?? Int(Int32.max)
        do throws(SystemCallError) {
            if socket.isUnix {
                listeners.giveUp(socket)
            } else {
                try socket.listenAgain(Int32(clamping: backlog))
            }
        } catch {
            log.write(
                LogLine(.error, "listen-failed").with("address", socket.address)
                    .with("error", error.description))
        }
        if let next = watchedListeners.bySerial[serial]?.nextWarning, now < next { return }
        watchedListeners.bySerial[serial]?.nextWarning = now + Master.warningInterval
        let suspect = suspect(of: socket)
        log.write(
            LogLine(.warning, "listener-shut-down").with("pool", pools.first?.settings.name)
                .with("slot", suspect?.id.slot).with("pid", suspect?.pid)
                .with("address", socket.address)
                .with("message", socket.isUnix ? Advice.reload : Advice.again))
    }

    /// Returns the worker that did it, if only one is possible: the only worker, or the only
    /// retiring one.
    func suspect(of socket: ListenSocket) -> RunningWorker? {
        let holders = workers.bySerial.values.filter { worker in
            worker.blueprint.listeners.contains { $0.socket === socket }
        }
        let leaving = holders.filter { worker in
            core.worker(worker.id)?.isReady != true
        }
        return holders.count == 1 ? holders[0] : leaving.count == 1 ? leaving[0] : nil
    }

    private enum Advice {
        static let again =
            "a worker shut down this listener, which all workers share, so connections were refused. "
            + "The master listens again. A program that exits should close its descriptor instead; "
            + "adopt = preload prevents the shutdown in programs that load the library"
        static let reload =
            "a worker shut down this listener, which all workers share, so connections are refused. A "
            + "unix socket cannot listen again; a reload opens a new one. A program that exits should "
            + "close its descriptor instead; adopt = preload prevents the shutdown in programs that "
            + "load the library"
    }
}
