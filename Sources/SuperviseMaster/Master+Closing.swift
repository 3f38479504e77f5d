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

/// The doors are shut, and those that wait behind them are served before anybody is told to go.
extension Master {
    private static let lookAgainAfter = TimeSpan.milliseconds(5)
    /// A client whose handshake ends just now is in no table for a moment.
    private static let emptyFor = TimeSpan.milliseconds(20)
    /// The same where handshakes under way can't be seen.
    private static let emptyForUnseen = TimeSpan.milliseconds(200)

    var nextLookAtDoors: Instant? { shutDoors.values.map(\.nextLook).min() }

    /// Shuts the listeners that only this pool has, or, in a reload, that none of the pools in force
    /// has any more. Passed-in sockets stay open: what is done to them outlives this process.
    func shut(_ pool: Int) {
        let sockets = doors(of: pool).filter { !$0.isAdopted }
        for socket in sockets { shut(socket) }
        shutDoors[pool] = ShutDoors(sockets: sockets, nextLook: now)
        lookAtDoors()
    }

    private func doors(of pool: Int) -> [ListenSocket] {
        guard let member = service.member(pool) else { return [] }
        let held =
            workers.ofPool(pool).map(\.blueprint) + blueprints.values.compactMap { $0[member.name] }
        var needed: Set<FileIdentity> = []
        if service.haste == nil {
            let current = blueprints[service.generation]?.values.flatMap(\.listeners) ?? []
            needed = Set(current.map(\.socket.identity))
        }
        var found: [ListenSocket] = []
        for socket in held.flatMap(\.listeners).map(\.socket)
        where needed.insert(socket.identity).inserted {
            found.append(socket)
        }
        return found
    }

    private func shut(_ socket: ListenSocket) {
        do throws(SystemCallError) {
            try listeners.shut(socket)
        } catch {
            log.write(
                LogLine(.warning, "close-failed").with("address", socket.address)
                    .with("error", error.description))
        }
    }

    /// A pool that a reload removed may have shut what the next one wants back.
    func readmitListeners(of generation: Int) {
        let wanted = blueprints[generation]?.values.flatMap(\.listeners) ?? []
        do throws(SystemCallError) {
            try listeners.readmit(wanted.map(\.socket))
        } catch {
            log.write(LogLine(.error, "readmit-failed").with("error", error.description))
        }
    }

    func lookAtDoors() {
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
