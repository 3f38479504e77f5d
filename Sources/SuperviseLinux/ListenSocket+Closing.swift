import CSupervise
import Glibc

/// How a listener stops taking new connections.
extension ListenSocket {
    /// What keeps new connections away from a listener without a filter, for another program of this
    /// process to go on with.
    public struct Steering: Codable {
        let state: OverflowListener.State

        /// The descriptors that belong to it.
        public var descriptors: [Int32] { state.descriptors }
    }

    /// What `resume` needs besides the descriptor.
    public var steering: Steering? { overflow.map { Steering(state: $0.state) } }

    /// Takes no new connections from here on, while those that wait are still there to be accepted,
    /// and handshakes under way end well. A client that tries later is not answered, and so finds
    /// the next owner of the address, or a refusal once this socket is closed.
    ///
    /// A TCP listener gets a filter, which needs CAP_NET_ADMIN, or else an `OverflowListener`. A path
    /// is unlinked. An abstract name has nothing to unlink, and is shut down, after which accept(2)
    /// fails with EINVAL once the queue is empty.
    ///
    /// Where `isRefusing` is false after that, `continueRefusing` has to be called until it is true.
    /// Never for a socket that was passed in: the filter would outlive this process.
    public func refuseNewConnections() throws(SystemCallError) {
        precondition(!isAdopted, "a passed-in socket belongs to somebody else")
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

    /// Whether nothing is left to do before new connections are kept away.
    public var isRefusing: Bool { overflow?.isSteering ?? true }

    /// Goes on with what `refuseNewConnections` began; `isLast` if it fails unless it is done then. When
    /// it fails, the listener takes new connections as before.
    public func continueRefusing(isLast: Bool = false) throws(SystemCallError) {
        do throws(SystemCallError) {
            try overflow?.fill()
            if isLast, !isRefusing { throw SystemCallError(call: "connect", code: ETIMEDOUT) }
        } catch {
            try stopSteering()
            throw error
        }
    }

    /// Gives `refuseNewConnections` up or takes it back, which only a TCP listener can.
    public func admitNewConnections() throws(SystemCallError) {
        if overflow != nil {
            try stopSteering()
        } else {
            try systemCall("setsockopt") { csupervise_admit_new_connections(rawValue) }
        }
    }

    private func stopSteering() throws(SystemCallError) {
        try overflow?.undo(for: rawValue)
        overflow = nil
    }

    /// Ends a listener from which new connections are steered away, for all that hold it: it would get
    /// them again as soon as this process is gone.
    public func endIfSteered() {
        guard let overflow else { return }
        overflow.end(rawValue)
        self.overflow = nil
    }

    /// Prepares a TCP socket that is not bound yet for `refuseNewConnections`, and tells whether there is
    /// a way.
    static func canRefuseNewConnections(_ number: Int32) -> Bool {
        if csupervise_prepare_steering(number) == 0 { return true }
        guard csupervise_drop_new_connections(number) == 0 else { return false }
        return csupervise_admit_new_connections(number) == 0
    }
}
