import SuperviseCore
import SuperviseLinux

/// Listeners that get no connections because a worker altered them. This is checked at events that
/// happen anyway, because the kernel reports none: when a worker becomes ready, and when a client
/// reads the status.
extension Master {
    func endInterference(with sockets: [ListenSocket]) {
        for socket in sockets where !listeners.isClosed(socket) {
            guard let found = socket.endInterference() else { continue }
            guard log.isNew(.interference(address: socket.address)) else { continue }
            let suspect = suspect(of: socket)
            let isLocked = found == .filter(isLocked: true)
            log.write(
                LogLine(isLocked ? .error : .warning, "listener-altered")
                    .with("slot", suspect?.id.slot).with("pid", suspect?.pid)
                    .with("address", socket.address).with("message", message(about: found)))
        }
    }

    private func message(about interference: ListenSocket.Interference) -> String {
        switch interference {
        case .filter(isLocked: false):
            "a worker attached a filter to this listener, which all workers share, so connections may "
                + "have been dropped. The master removed it"
        case .filter(isLocked: true):
            "a worker attached a filter to this listener, which all workers share, and locked it, so "
                + "connections may be dropped. It cannot be removed; restart the master"
        case .sharing:
            "a worker set SO_REUSEPORT on this listener, which all workers share, so another listener "
                + "may have taken its connections. The master cleared it"
        }
    }
}
