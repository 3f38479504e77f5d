import SuperviseLinux

/// The files to remove when the master ends, and the state for another program of this process,
/// including clients in the middle of a request.
extension ControlServer {
    /// The state, except the sockets, which are identified by their descriptors.
    struct State: Codable {
        var endpoints: [ControlEndpoint.State]
        var connections: [ControlConnection.State]
        var lastSerial: UInt64
        var droppedByGone: UInt64
    }

    var state: State {
        State(
            endpoints: endpoints.map(\.state), connections: connections.values.map(\.state),
            lastSerial: lastSerial, droppedByGone: droppedByGone)
    }

    /// Continues with the connections of the previous program, and watches them again.
    static func resuming(
        _ state: State, _ sockets: [Int32: ListenSocket], in poll: EventPoll
    ) throws(SystemCallError) -> ControlServer {
        let endpoints = state.endpoints.compactMap { endpoint in
            sockets[endpoint.listener].map {
                ControlEndpoint(
                    serial: endpoint.serial, listener: $0, access: endpoint.access,
                    users: endpoint.users, host: endpoint.host)
            }
        }
        var connections: [ControlConnection] = []
        for state in state.connections {
            guard let endpoint = endpoints.first(where: { $0.serial == state.endpoint }),
                !endpoints.contains(where: { $0.serial == state.serial })
            else {
                HandedDescriptors.close(state.socket)
                continue
            }
            connections.append(try ControlConnection(resuming: state, endpoint: endpoint))
        }
        let server = ControlServer(
            endpoints, in: poll, resuming: connections, last: state.lastSerial)
        server.droppedByGone = state.droppedByGone
        return server
    }

    /// Removes the socket files that still belong to this master.
    func removeFiles() -> [SystemCallError] {
        endpoints.compactMap { endpoint in
            do throws(SystemCallError) {
                try endpoint.listener.removeIfStillOurs()
                return nil
            } catch {
                return error
            }
        }
    }
}
