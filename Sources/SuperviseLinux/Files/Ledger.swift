import CSupervisePage
import Glibc

/// The requests of a worker, as the preload library or its program sees them; supervise_page.h defines the
/// layout.
///
/// A worker can write anything to its ledger. Every value is validated, and nothing is larger than the
/// layout allows. The ledger is read with pread(2), never mapped.
public struct Ledger {
    let descriptor: Int32

    /// A connection with a request in flight.
    public struct Exchange: Equatable, Sendable {
        /// The process that read the request's head.
        public let pid: Int32
        /// SO_COOKIE of socket(7).
        public let connection: UInt64
        /// The first byte of the request, in nanoseconds of CLOCK_MONOTONIC.
        public let begun: UInt64
        /// The last byte of the request; nil while it is incomplete.
        public let received: UInt64?
        /// The first byte of the response; nil before.
        public let responded: UInt64?
        /// The method and the path, shortened; nil while the head is incomplete.
        public let route: String?

        /// Whether there is such a process now (kill(2)).
        public var isHeld: Bool { kill(pid, 0) == 0 || errno == EPERM }
    }

    /// The requests in flight.
    public struct InFlight: Equatable, Sendable {
        /// One for each connection that has a row.
        public var exchanges: [Exchange] = []
        /// Rows that changed while they were read: their connections were active just then.
        public var changing = 0
        /// Connections that found no free row. Too high after a process has died.
        public var unlisted: UInt64 = 0
    }

    /// The responses of one route that have ended.
    public struct Route: Equatable, Sendable {
        /// The method and the path, shortened; nil for all other routes together.
        public let name: String?
        /// Responses of any status.
        public let requests: UInt64
        /// Responses of class 5xx.
        public let errors: UInt64
        /// From the requests' first bytes to the responses' last, in total.
        public let nanoseconds: UInt64
    }

    /// The numbers of the whole worker.
    public struct Totals: Equatable, Sendable {
        /// Responses that have ended, by the first digit of their status; [0] has those of 600 and above.
        public let responses: [UInt64]
        /// All responses.
        public let requests: UInt64
        /// Connections that were accepted from the master's listeners.
        public let connections: UInt64
        /// Those of them on which a call to receive or send was seen.
        public let used: UInt64
        /// Those of them on which requests could not be read.
        public let opaque: UInt64
        /// From the requests' first bytes to the responses' last, in total. A library of an older version
        /// writes 0.
        public let nanoseconds: UInt64

        /// The index of those of class 5xx.
        public static let errorClass = 5

        /// Connections whose bytes may be exchanged by calls that the library does not see.
        private static let mostUnused: UInt64 = 8

        /// Whether requests are not visible: none was seen, although there were connections.
        public var isOpaque: Bool {
            requests == 0
                && (opaque > 0 || used == 0 && connections >= Totals.mostUnused)
        }
    }

    /// The totals; nil if they could not be read.
    public func totals() -> Totals? {
        let classes = Int(supervise_status_classes)
        let start = supervise_ledger_responses_at
        guard let bytes = bytes(at: start, count: supervise_ledger_nanoseconds_at + 8 - start)
        else {
            return nil
        }
        return Totals(
            responses: (0..<classes).map { number(bytes, 8 * $0) },
            requests: number(bytes, supervise_ledger_requests_at - start),
            connections: number(bytes, supervise_ledger_connections_at - start),
            used: number(bytes, supervise_ledger_used_at - start),
            opaque: number(bytes, supervise_ledger_opaque_at - start),
            nanoseconds: number(bytes, supervise_ledger_nanoseconds_at - start))
    }

    /// The time of the first byte of the last slow response that is no error, in nanoseconds of
    /// CLOCK_MONOTONIC; nil if there was none or it could not be read.
    public func lastSlowResponse() -> UInt64? {
        guard let bytes = bytes(at: supervise_ledger_slow_response_at, count: 8) else { return nil }
        let time = number(bytes, 0)
        return time == 0 ? nil : time
    }

    /// Sets the time from the last byte of a request from which a response is slow, in nanoseconds; 0
    /// means that none is. Fails as pwrite(2).
    public func setSlowTime(_ nanoseconds: UInt64) throws(SystemCallError) {
        var value = nanoseconds
        try systemCall("pwrite") {
            pwrite(descriptor, &value, 8, off_t(supervise_ledger_slow_after_at))
        }
    }

    /// The requests in flight; nil if they could not be read. Two reads of 4 KiB.
    public func inFlight() -> InFlight? {
        let size = supervise_ledger_row_size
        let count = size * Int(supervise_ledger_rows)
        guard let first = bytes(at: supervise_ledger_rows_at, count: count) else { return nil }
        var found = InFlight()
        // Most workers of many are idle: no more is read of these.
        let isIdle = stride(from: 0, to: count, by: size).allSatisfy {
            number32(first, $0 + supervise_row_pid_at) == 0 && number32(first, $0) & 1 == 0
        }
        if isIdle { return found }
        guard let second = bytes(at: supervise_ledger_rows_at, count: count),
            let unlisted = bytes(at: supervise_ledger_unlisted_at, count: 8)
        else { return nil }
        // A process that died while it counted may have left any number.
        found.unlisted = min(number(unlisted, 0), UInt64(UInt32.max))
        for offset in stride(from: 0, to: count, by: size) {
            let row = first[offset..<offset + size]
            let isStable = row == second[offset..<offset + size] && number32(first, offset) & 1 == 0
            if !isStable {
                found.changing += 1
            } else if let exchange = exchange(first, offset) {
                found.exchanges.append(exchange)
            }
        }
        return found
    }

    /// The routes, the rest last; nil if they could not be read. Two reads of 16 KiB.
    public func routes() -> [Route]? {
        let size = supervise_ledger_route_size
        let rows = Int(supervise_ledger_routes) + 1
        guard let first = bytes(at: supervise_ledger_routes_at, count: size * rows),
            let second = bytes(at: supervise_ledger_routes_at, count: size * rows)
        else { return nil }
        var found: [Route] = []
        for row in 0..<rows {
            let offset = row * size
            let isRest = row == rows - 1
            let name = isRest ? nil : name(first, offset)
            // The numbers may change between the reads; the name must not.
            guard number32(first, offset) & 1 == 0,
                number32(first, offset) == number32(second, offset),
                isRest || name == self.name(second, offset)
            else { continue }
            guard isRest || name != nil else { continue }
            let route = Route(
                name: name, requests: number(second, offset + supervise_route_requests_at),
                errors: number(second, offset + supervise_route_errors_at),
                nanoseconds: number(second, offset + supervise_route_nanoseconds_at))
            if route.requests > 0 { found.append(route) }
        }
        return found
    }

    private func name(_ bytes: [UInt8], _ offset: Int) -> String? {
        text(
            bytes, at: offset + supervise_route_text_at,
            length: bytes[offset + supervise_route_length_at])
    }

    private func exchange(_ bytes: [UInt8], _ offset: Int) -> Exchange? {
        let pid = Int32(bitPattern: number32(bytes, offset + supervise_row_pid_at))
        let begun = number(bytes, offset + supervise_row_begun_at)
        guard pid > 0, begun > 0 else { return nil }
        let received = number(bytes, offset + supervise_row_received_at)
        let responded = number(bytes, offset + supervise_row_responded_at)
        return Exchange(
            pid: pid, connection: number(bytes, offset + supervise_row_connection_at), begun: begun,
            received: received == 0 ? nil : received,
            responded: responded == 0 ? nil : responded,
            route: text(
                bytes, at: offset + supervise_row_route_at,
                length: bytes[offset + supervise_row_length_at]))
    }

    /// Visible ASCII and spaces, as every route is; nil for anything else.
    private func text(_ bytes: [UInt8], at offset: Int, length: UInt8) -> String? {
        guard length > 0, length <= supervise_route_length else { return nil }
        let text = bytes[offset..<offset + Int(length)]
        guard text.allSatisfy({ (0x20...0x7e).contains($0) }) else { return nil }
        return String(decoding: text, as: UTF8.self)
    }

    private func bytes(at offset: Int, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return pread(descriptor, &bytes, count, off_t(offset)) == count ? bytes : nil
    }

    private func number(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
    }

    private func number32(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    }
}
