import CSupervisePage
import Glibc
import Testing

@testable import SuperviseLinux

/// The master's reader of a ledger, to which a worker may write anything.
@Suite struct LedgerTests {
    private let page: RequestPage

    init() throws {
        page = try RequestPage(
            nonce: String(repeating: "a", count: 32), limit: 0, ledger: .all)
    }

    private func write<T>(_ value: T, at offset: Int) {
        let size = withUnsafeBytes(of: value) {
            pwrite(page.rawValue, $0.baseAddress, $0.count, off_t(offset))
        }
        precondition(size == MemoryLayout<T>.size)
    }

    private func writeRow(_ index: Int, pid: Int32, begun: UInt64, route: String) {
        let row = supervise_ledger_rows_at + index * supervise_ledger_row_size
        write(pid, at: row + supervise_row_pid_at)
        write(begun, at: row + supervise_row_begun_at)
        write(UInt8(route.utf8.count), at: row + supervise_row_length_at)
        for (place, byte) in route.utf8.enumerated() {
            write(byte, at: row + supervise_row_route_at + place)
        }
    }

    @Test func aNewLedgerIsEmpty() throws {
        let totals = try #require(page.ledger.totals())
        #expect(totals.requests == 0 && totals.responses == [0, 0, 0, 0, 0, 0])
        #expect(!totals.isOpaque)
        #expect(page.ledger.routes() == [])
        #expect(page.ledger.inFlight()?.exchanges == [])
        let off = try RequestPage(nonce: String(repeating: "a", count: 32), limit: 0)
        var start: [UInt32] = [1, 1]
        #expect(pread(off.rawValue, &start, 8, off_t(supervise_ledger_at)) == 8)
        #expect(start == [0, 0])
    }

    @Test func aRequestInFlightIsRead() throws {
        writeRow(3, pid: 42, begun: 1_000, route: "GET /export/*")
        let found = try #require(page.ledger.inFlight())
        let exchange = try #require(found.exchanges.first)
        #expect(found.exchanges.count == 1 && found.changing == 0)
        #expect(exchange.pid == 42 && exchange.begun == 1_000)
        #expect(exchange.route == "GET /export/*")
        #expect(exchange.received == nil && exchange.responded == nil)
    }

    @Test func aTornRowIsDiscarded() throws {
        writeRow(0, pid: 42, begun: 1, route: "GET /")
        write(UInt32(7), at: supervise_ledger_rows_at)
        let found = try #require(page.ledger.inFlight())
        #expect(found.exchanges.isEmpty && found.changing == 1)
    }

    @Test(arguments: ["GET /\n", "GET /\u{1b}[2J", "GET /é"])
    func aRouteThatIsNotVisibleTextIsNone(_ route: String) throws {
        writeRow(0, pid: 42, begun: 1, route: route)
        #expect(try #require(page.ledger.inFlight()?.exchanges.first).route == nil)
    }

    @Test func slowResponsesAreRecordedByATimeOfTheMaster() throws {
        #expect(page.ledger.lastSlowResponse() == nil)
        write(UInt64(7), at: supervise_ledger_slow_response_at)
        #expect(page.ledger.lastSlowResponse() == 7)
        try page.ledger.setSlowTime(500)
        var time: UInt64 = 0
        #expect(pread(page.rawValue, &time, 8, off_t(supervise_ledger_slow_after_at)) == 8)
        #expect(time == 500)
    }

    @Test func requestsAreOpaqueIfConnectionsShowNone() throws {
        write(UInt64(8), at: supervise_ledger_connections_at)
        #expect(try #require(page.ledger.totals()).isOpaque)
        write(UInt64(1), at: supervise_ledger_used_at)
        #expect(try #require(page.ledger.totals()).isOpaque == false)
        write(UInt64(1), at: supervise_ledger_opaque_at)
        #expect(try #require(page.ledger.totals()).isOpaque)
        write(UInt64(1), at: supervise_ledger_requests_at)
        #expect(try #require(page.ledger.totals()).isOpaque == false)
    }

    @Test func theTimeOfRequestsIsRead() throws {
        #expect(try #require(page.ledger.totals()).nanoseconds == 0)
        write(UInt64(1_500_000), at: supervise_ledger_nanoseconds_at)
        #expect(try #require(page.ledger.totals()).nanoseconds == 1_500_000)
    }

    @Test func garbageYieldsNothingBeyondTheBounds() throws {
        var state: UInt64 = 1
        for round in 0..<300 {
            var bytes = [UInt8](
                repeating: 0, count: supervise_page_file_size - supervise_ledger_at)
            for index in bytes.indices {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[index] = round == 0 ? 0xff : UInt8(truncatingIfNeeded: state >> 33)
            }
            let size = pwrite(page.rawValue, bytes, bytes.count, off_t(supervise_ledger_at))
            #expect(size == bytes.count)
            let found = try #require(page.ledger.inFlight())
            #expect(
                found.exchanges.count + found.changing <= Int(supervise_ledger_rows)
                    && found.unlisted <= UInt64(UInt32.max))
            let routes = try #require(page.ledger.routes())
            #expect(routes.count <= Int(supervise_ledger_routes) + 1)
            let names = routes.compactMap(\.name) + found.exchanges.compactMap(\.route)
            for name in names {
                #expect(name.utf8.count <= Int(supervise_route_length))
                #expect(name.utf8.allSatisfy { (0x20...0x7e).contains($0) })
            }
            #expect(page.ledger.totals() != nil)
        }
    }
}
