import Foundation
import SuperviseCore
import SuperviseState
import Testing

@testable import SuperviseControl

private func second(_ number: Int64) -> Instant {
    Instant(nanoseconds: 1_000_000_000_000) + .seconds(number)
}

private func point(
    _ at: Int64, ready: Int = 2, memory: UInt64? = nil, requests: UInt64? = nil,
    waiting: UInt64? = nil
) -> PoolSeries.Point {
    var point = PoolSeries.Point(at: second(at), ready: ready, workers: 2, exits: UInt64(at))
    point.memoryBytes = memory
    point.largestBytes = memory.map { $0 / 2 }
    point.requests = requests
    point.waiting = waiting
    return point
}

@Suite struct PoolSeriesTests {
    @Test func thePointsOfAnHourAreKeptInOrder() {
        var series = PoolSeries()
        #expect(series.last == nil && series.points.isEmpty)
        let all = (0..<1000).map { point($0 * 5, memory: UInt64($0), requests: UInt64($0)) }
        for (index, point) in all.enumerated() {
            series.add(point)
            #expect(series.last == point)
            #expect(series.count == min(index + 1, PoolSeries.capacity))
        }
        #expect(series.points == all.suffix(PoolSeries.capacity))
        let length = TimeSpan(
            nanoseconds: Int64(PoolSeries.capacity) * PoolSeries.interval.nanoseconds)
        #expect(length == .seconds(3600))
    }

    @Test func itFitsInto64KiB() {
        var series = PoolSeries()
        var largest = 0
        for index in 0..<2000 {
            series.add(point(Int64(index) * 5))
            largest = max(largest, series.bytes)
        }
        #expect(largest <= 64 << 10)
    }

    @Test func anIntervalHasOnePointWithItsExtremes() {
        var series = PoolSeries()
        series.add(point(0, ready: 2))
        #expect(!series.needsPoint(at: second(1), isSampled: false))
        #expect(series.needsPoint(at: second(1), isSampled: true))
        #expect(series.needsPoint(at: second(5), isSampled: false))
        series.add(point(1, ready: 1, requests: 7, waiting: 9))
        series.add(point(2, ready: 2, memory: 100, requests: 8, waiting: 3))
        #expect(!series.needsPoint(at: second(3), isSampled: true))
        series.add(point(3, ready: 2))
        let expected = point(2, ready: 1, memory: 100, requests: 8, waiting: 9)
        #expect(series.points == [expected])
    }

    @Test(arguments: [0, 1, 700, 1500])
    func itSurvivesAnUpgrade(count: Int) throws {
        var series = PoolSeries()
        for index in 0..<count {
            series.add(point(Int64(index) * 5, memory: index % 3 == 0 ? nil : UInt64(index)))
        }
        var copy = try State.decode(PoolSeries.self, from: State.encode(series))
        #expect(copy.points == series.points)
        copy.add(point(100_000))
        series.add(point(100_000))
        #expect(copy.points == series.points)
    }

    @Test(arguments: ["", "1 2 3", "x y", "1 2 3 4 5 6 7 -", "ffffffffffffffffff 1 1 1 1 1 1 1"])
    func aTextThatIsNoSeriesIsEmpty(_ text: String) throws {
        let copy = try State.decode(PoolSeries.self, from: State.encode(text))
        #expect(copy.points.isEmpty)
    }
}

@Suite struct HistoryReportTests {
    private func json(since: Int = 0) throws -> [String: Any] {
        var series = PoolSeries()
        series.add(point(10, ready: 1))
        series.add(point(20, memory: 100, requests: 5, waiting: 1))
        let report = HistoryReport(
            startedAt: second(0), at: second(30),
            pools: [.init(name: "a\"b", isRemoved: false, series: series)],
            changes: [Array(#"{"event":"resized"}"#.utf8)])
        let data = Data(report.json(since: since))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func theColumnsHaveOneEntryPerPoint() throws {
        let json = try json()
        #expect(json["schema"] as? String == "supervise-history")
        #expect(json["interval_seconds"] as? Double == 5 && json["uptime_seconds"] as? Double == 30)
        let pool = try #require((json["pools"] as? [[String: Any]])?.first)
        #expect(pool["name"] as? String == "a\"b" && pool["removed"] == nil)
        #expect(pool["at_seconds"] as? [Double] == [10, 20])
        #expect(pool["ready"] as? [Int] == [1, 2] && pool["exits"] as? [Int] == [10, 20])
        for (name, value) in [
            "memory_bytes": 100, "largest_bytes": 50, "requests": 5, "waiting": 1,
        ] {
            let column = try #require(pool[name] as? [Any])
            #expect(column.count == 2 && column[0] is NSNull && column[1] as? Int == value)
        }
        #expect((json["changes"] as? [[String: Any]])?.first?["event"] as? String == "resized")
    }

    @Test func olderPointsAreOmitted() throws {
        for (since, expected) in [(0, [10.0, 20]), (9, [10, 20]), (10, [20]), (20, [])] {
            let pool = try #require((try json(since: since)["pools"] as? [[String: Any]])?.first)
            #expect(pool["at_seconds"] as? [Double] == expected, "since \(since)")
        }
    }

    @Test func itsParameterIsChecked() throws {
        func request(_ target: String) throws -> ControlRequest {
            var parser = HTTPRequestParser()
            parser.append("GET \(target) HTTP/1.1\r\n\r\n".utf8)
            let http = try #require(try parser.next())
            return try ControlRoute.request(for: http, access: .readOnly).get()
        }
        #expect(try request("/history") == .history(since: 0))
        #expect(try request("/history?since=90") == .history(since: 90))
        for target in ["/history?since=-1", "/history?since=", "/history?since=x", "/history?x"] {
            #expect(throws: ControlRefusal.self, "\(target)") { try request(target) }
        }
    }
}
