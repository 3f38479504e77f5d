import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Opens the control socket and `status-bind`.
struct ControlOpening {
    private static let backlog: Int32 = 128
    /// Anyone who can connect to a read-only unix socket can read it, as with a port.
    private static let statusMode: UInt32 = 0o666

    let settings: MasterSettings
    let names: ResolvedNames
    /// `$XDG_RUNTIME_DIR`.
    let runtimeFolder: String?
    let log: Log
    let poll: EventPoll

    /// Opens the sockets, ready to be watched. A failure of the default control socket is only a
    /// warning.
    func open() throws(ListenFailure) -> ControlServer {
        var endpoints: [ControlEndpoint] = []
        if let listener = try openControl() {
            endpoints.append(
                ControlEndpoint(serial: 1, listener: listener, access: .full, users: users))
        }
        if let listener = try openStatus() {
            endpoints.append(
                ControlEndpoint(serial: 2, listener: listener, access: .readOnly, host: statusHost))
        }
        for endpoint in endpoints {
            let event = endpoint.access == .full ? "control-listening" : "status-listening"
            log.write(LogLine(.info, event).with("address", endpoint.listener.address))
        }
        return ControlServer(endpoints, in: poll)
    }

    /// The users whose requests are answered. A mode that allows a group or everyone to connect is
    /// the operator's decision.
    private var users: Set<UInt32>? {
        guard settings.controlMode & 0o022 == 0 else { return nil }
        var users: Set<UInt32> = [0, ThisProcess.effectiveUID]
        if let owner = names.controlOwner?.uid { users.insert(owner) }
        return users
    }

    private func openControl() throws(ListenFailure) -> ListenSocket? {
        switch settings.control {
        case .none: return nil
        case .path(let path): return try make(path)
        case .automatic:
            var failures: [ListenFailure] = []
            for folder in ControlPath.folders(runtimeFolder: runtimeFolder) {
                do throws(ListenFailure) {
                    return try makeDefault(in: folder)
                } catch {
                    failures.append(error)
                }
            }
            log.write(
                LogLine(.warning, "control-unavailable")
                    .with("error", failures.map(\.description).joined(separator: "; "))
                    .with("message", "set control to a path or to none"))
            return nil
        }
    }

    private func makeDefault(in folder: String) throws(ListenFailure) -> ListenSocket {
        do throws(SystemCallError) {
            // Its sockets have their own access control, so other users may list the masters.
            try Folder.make(folder, mode: 0o755)
        } catch {
            throw ListenFailure(address: "unix:\(folder)", reason: .call(error))
        }
        let name = settings.name ?? "supervise"
        do throws(ListenFailure) {
            return try make("\(folder)/\(ControlPath.fileName(name))")
        } catch {
            guard case .call(let call) = error.reason, call.kind == .addressInUse else {
                throw error
            }
            return try make("\(folder)/\(ControlPath.fileName(name, pid: ThisProcess.pid))")
        }
    }

    private func make(_ path: String) throws(ListenFailure) -> ListenSocket {
        do throws(ListenFailure) {
            return try ListenSocket.unix(
                path: path, mode: settings.controlMode, owner: names.controlOwner?.uid,
                group: names.controlOwner?.gid, backlog: ControlOpening.backlog, nonblocking: true)
        } catch {
            guard case .call(let call) = error.reason, call.call == "chown",
                let written = settings.controlOwner
            else { throw error }
            throw ListenFailure(address: error.address, reason: .owner(written, call))
        }
    }

    private var statusHost: String? {
        if case .tcp(let host, _) = settings.statusBind { host } else { nil }
    }

    private func openStatus() throws(ListenFailure) -> ListenSocket? {
        switch settings.statusBind {
        case .tcp(let host, let port):
            return try ListenSocket.tcp(
                host: names.hosts[host]?.first ?? host, port: port, backlog: ControlOpening.backlog,
                nonblocking: true)
        case .unix(let path):
            return try ListenSocket.unix(
                path: path, mode: ControlOpening.statusMode, backlog: ControlOpening.backlog,
                nonblocking: true)
        case .abstract, .descriptor, .systemd:
            preconditionFailure("status-bind takes no such address")
        case nil: return nil
        }
    }
}
