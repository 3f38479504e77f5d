import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Closing listeners: they refuse new connections, and the waiting ones are served before any
/// worker is stopped.
extension Master {
    /// Closes the listeners that only this pool has or, in a reload, that no current pool has any
    /// longer.
    func closeListeners(ofPool pool: Int) {
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
        enqueue(.listeners(pool: pool, closingListeners.sample(pool: pool, diagnosis)))
    }

    /// Ends closed listeners. They would receive connections again once this process has ended,
    /// when nothing serves them.
    func endSteeredListeners() {
        let used = generations.blueprints.flatMap { $0.listeners.map(\.socket) }
        for socket in listeners.all + used + closingListeners.ofPool.values.flatMap({ $0 }) {
            socket.endIfSteered()
        }
    }

    /// Reopens listeners that a removed pool has closed and that the next one needs.
    func readmitListeners(of generation: Int) {
        let wanted = generations[generation]?.listeners ?? []
        for socket in wanted.map(\.socket) {
            do throws(SystemCallError) {
                try listeners.readmit(socket)
            } catch {
                log.write(
                    LogLine(.error, "listener-reopen-failed").with("address", socket.address)
                        .with("error", error.description))
            }
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
