import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Listeners of one pool behind which clients may still wait.
struct ShutDoors {
    var sockets: [ListenSocket]
    /// Since when nobody was seen at any of them.
    var emptySince: Instant?
    var nextLook: Instant
}

/// Listeners from which new connections are not kept away yet.
struct Shutting {
    /// When that is given up.
    let until: Instant
    var nextLook: Instant
}

/// The doors are shut, and those that wait behind them are served before anybody is told to go.
extension Master {
    private static let lookAgainAfter = TimeSpan.milliseconds(5)
    /// A client whose handshake ends just now is in no table for a moment.
    private static let emptyFor = TimeSpan.milliseconds(20)
    /// The same where handshakes under way can't be seen.
    private static let emptyForUnseen = TimeSpan.milliseconds(200)
    /// How long it may take to keep new connections away, which over loopback is done at once.
    private static let shuttingTimeout = TimeSpan.seconds(1)

    var nextLookAtDoors: Instant? {
        (shutDoors.values.map(\.nextLook) + [shutting?.nextLook].compactMap { $0 }).min()
    }

    /// Shuts the listeners that only this pool has, or, in a reload, that none of the pools in force
    /// has any more. Passed-in sockets stay open: what is done to them outlives this process.
    func shut(_ pool: Int) {
        let sockets = doors(of: pool).filter { !$0.isAdopted }
        var failures: [(ListenSocket, SystemCallError)] = []
        for socket in sockets {
            do throws(SystemCallError) {
                try listeners.shut(socket)
            } catch {
                failures.append((socket, error))
            }
        }
        warnOfResets(failures)
        expectShutting()
        shutDoors[pool] = ShutDoors(sockets: sockets, nextLook: now)
        lookAtDoors()
    }

    private func doors(of pool: Int) -> [ListenSocket] {
        guard let member = service.member(pool) else { return [] }
        let held =
            workers.ofPool(pool).map(\.blueprint)
            + generations.all.compactMap { $0.blueprints[member.name] }
        var needed: Set<FileIdentity> = []
        if service.haste == nil {
            let current = generations[service.generation]?.listeners ?? []
            needed = Set(current.map(\.socket.identity))
        }
        var found: [ListenSocket] = []
        for socket in held.flatMap(\.listeners).map(\.socket)
        where needed.insert(socket.identity).inserted {
            found.append(socket)
        }
        return found
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

    /// Comes back to listeners from which new connections are not kept away yet.
    func expectShutting() {
        guard !listeners.shutting.isEmpty else { return }
        shutting = shutting ?? Shutting(until: now + Master.shuttingTimeout, nextLook: now)
    }

    private func continueShutting() {
        guard let pending = shutting, pending.nextLook <= now else { return }
        warnOfResets(listeners.continueShutting(isLast: pending.until <= now))
        shutting =
            listeners.shutting.isEmpty
            ? nil : Shutting(until: pending.until, nextLook: now + Master.lookAgainAfter)
    }

    /// Listeners that are closed to new connections would get them again once this process has ended,
    /// when nobody serves them.
    func endSteeredListeners() {
        let used = generations.blueprints.flatMap { $0.listeners.map(\.socket) }
        for socket in listeners.all + used + shutDoors.values.flatMap(\.sockets) {
            socket.endIfSteered()
        }
    }

    /// A pool that a reload removed may have shut what the next one wants back.
    func readmitListeners(of generation: Int) {
        let wanted = generations[generation]?.listeners ?? []
        do throws(SystemCallError) {
            try listeners.readmit(wanted.map(\.socket))
        } catch {
            log.write(LogLine(.error, "listener-reopen-failed").with("error", error.description))
        }
    }

    func lookAtDoors() {
        continueShutting()
        let now = now
        for pool in shutDoors.keys.sorted() {
            guard var doors = shutDoors[pool], doors.nextLook <= now else { continue }
            let presence = doors.sockets.map(presence(at:))
            doors.nextLook = now + Master.lookAgainAfter
            doors.emptySince = presence.contains(.somebody) ? nil : doors.emptySince ?? now
            let patience = presence.contains(.nobodySeen) ? Master.emptyForUnseen : Master.emptyFor
            let isOver = doors.emptySince.map { now - $0 >= patience } ?? false
            if isOver || doors.sockets.isEmpty {
                shutDoors[pool] = nil
                tell(.emptied(pool: pool))
            } else {
                shutDoors[pool] = doors
            }
        }
    }

    private enum Presence {
        case somebody
        case nobody
        /// Nobody waits, but handshakes under way can't be seen.
        case nobodySeen
    }

    private func presence(at socket: ListenSocket) -> Presence {
        guard socket.isRefusing else { return .somebody }
        guard let diagnosis else { return socket.hasWaitingConnection ? .somebody : .nobodySeen }
        do throws(SystemCallError) {
            if try diagnosis.queue(of: socket).waiting > 0 { return .somebody }
            return try diagnosis.halfOpen(to: socket) > 0 ? .somebody : .nobody
        } catch {
            return socket.hasWaitingConnection ? .somebody : .nobodySeen
        }
    }

    func openDiagnosis() -> SocketDiagnosis? {
        do throws(SystemCallError) {
            return try SocketDiagnosis()
        } catch {
            return nil
        }
    }
}
