import CSupervise
import Glibc

/// How a listener stops accepting new connections.
extension ListenSocket {
    /// The mechanism that blocks new connections without a filter, for another program of this
    /// process to continue with.
    public struct Steering: Codable {
        let state: OverflowListener.State

        /// The descriptors that belong to it.
        public var descriptors: [Int32] { state.descriptors }
    }

    /// The data that `resume` needs besides the descriptor.
    public var steering: Steering? { overflow.map { Steering(state: $0.state) } }

    /// Stops accepting new connections. Connections in the accept queue stay there, and handshakes
    /// in progress complete. A client that connects later gets no response, so its retry reaches
    /// the next owner of the address, or is refused once this socket is closed.
    ///
    /// A TCP listener gets a filter, which needs CAP_NET_ADMIN, or otherwise an
    /// `OverflowListener`. A path is unlinked. An abstract name cannot be unlinked, so the socket
    /// is shut down, after which accept(2) fails with EINVAL once the queue is empty.
    ///
    /// If `isRefusing` is false after this, call `continueRefusing` until it is true. Do not
    /// call this for a socket that was passed in: the filter would outlive this process.
    public func refuseNewConnections() throws(SystemCallError) {
        precondition(!isAdopted, "a passed socket is never shut down")
        if file != nil {
            try removeIfStillOurs()
        } else if isUnix {
            try systemCall("shutdown") { shutdown(rawValue, Int32(SHUT_RD)) }
        } else if csupervise_drop_new_connections(rawValue) != 0 {
            try steerNewConnectionsAway()
        }
    }

    func steerNewConnectionsAway() throws(SystemCallError) {
        if overflow == nil {
            overflow = try OverflowListener(joining: rawValue, isIPv6Only: isIPv6Only)
        }
        try continueRefusing()
    }

    /// Whether new connections are blocked.
    public var isRefusing: Bool { overflow?.isSteering ?? true }

    /// Continues what `refuseNewConnections` began. With `isLast`, it fails if this is the last
    /// attempt and does not succeed. If it fails, the listener accepts new connections as before.
    public func continueRefusing(isLast: Bool = false) throws(SystemCallError) {
        do throws(SystemCallError) {
            try overflow?.fill()
            if isLast, !isRefusing { throw SystemCallError(call: "connect", code: ETIMEDOUT) }
        } catch {
            try stopSteering()
            throw error
        }
    }

    /// Reverts `refuseNewConnections`, which is possible only for a TCP listener, or shows a hidden
    /// file. That fails with EADDRINUSE if another server has taken the path meanwhile.
    public func admitNewConnections() throws(SystemCallError) {
        if file != nil {
            try showFile()
        } else if overflow != nil {
            try stopSteering()
        } else {
            try systemCall("setsockopt") { csupervise_admit_new_connections(rawValue) }
        }
    }

    private func stopSteering() throws(SystemCallError) {
        try overflow?.undo(for: rawValue)
        overflow = nil
    }

    /// Shuts down a listener whose new connections are diverted, for all holders: it would receive
    /// them again once this process has exited.
    public func endIfSteered() {
        guard let overflow else { return }
        overflow.end(rawValue)
        self.overflow = nil
    }

    /// Prepares an unbound TCP socket for `refuseNewConnections`. Returns whether this is possible.
    static func canRefuseNewConnections(_ number: Int32) -> Bool {
        if csupervise_prepare_steering(number) == 0 { return true }
        guard csupervise_drop_new_connections(number) == 0 else { return false }
        return csupervise_admit_new_connections(number) == 0
    }
}
