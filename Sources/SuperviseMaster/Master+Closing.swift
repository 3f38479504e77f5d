import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The listeners are closed to new connections, and those that wait there are served before anybody is
/// stopped.
extension Master {
    /// Closes the listeners that only this pool has, or, in a reload, that none of the pools in force
    /// has any more.
    func shut(_ pool: Int) {
        closingListeners.close(listenersToClose(of: pool), ofPool: pool, at: now)
    }

    private func listenersToClose(of pool: Int) -> [ListenSocket] {
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

    func sampleListeners(ofPool pool: Int) {
        tell(.listeners(pool: pool, closingListeners.sample(pool: pool, diagnosis)))
    }

    /// Listeners that are closed to new connections would get them again once this process has ended,
    /// when nobody serves them.
    func endSteeredListeners() {
        let used = generations.blueprints.flatMap { $0.listeners.map(\.socket) }
        for socket in listeners.all + used + closingListeners.ofPool.values.flatMap({ $0 }) {
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

    func openDiagnosis() -> SocketDiagnosis? {
        do throws(SystemCallError) {
            return try SocketDiagnosis()
        } catch {
            return nil
        }
    }
}
