import Foundation
import SuperviseCore
import Testing

@testable import SuperviseControl

/// A running service: a pool whose slots are in different states, and a finished pool of jobs.
private func report() -> StatusReport {
    var now = Instant(nanoseconds: 1_000_000_000)
    var web = PoolPolicy()
    web.workers = 3
    web.hasListeners = true
    web.readiness = .notify
    web.maxRequests = 10
    web.maxRSSBytes = 512 << 20
    web.maxLifetime = .seconds(3600)
    var jobs = PoolPolicy()
    jobs.readiness = .exec
    jobs.restart = .never
    var service = Service(
        [.init(name: "web", policy: web), .init(name: "jobs", policy: jobs)], seed: 1)
    func tell(_ pool: Int, _ slot: Int, _ incarnation: Int, _ news: WorkerEvent...) {
        let id = WorkerID(pool: pool, slot: slot, incarnation: incarnation)
        for one in news { _ = service.handle(.worker(id, one), at: now) }
    }
    _ = service.handle(.start, at: now)
    now = now + .milliseconds(1500)
    for slot in 0..<3 { tell(0, slot, 1, .running, .ready, .memory(bytes: 100 << 20)) }
    tell(1, 0, 1, .running, .exited(.code(3), leavesTree: false))
    now = now + .seconds(10)
    tell(0, 0, 1, .requests(4))
    tell(0, 1, 1, .recycleRequested)
    tell(0, 2, 1, .exited(.signal(.kill), leavesTree: false))
    tell(0, 2, 2, .running, .exited(.code(1), leavesTree: false))
    now = now + .milliseconds(20)
    var master = StatusReport.Master(
        name: "shop", pid: 42, version: "1.2", startedAtSeconds: 1_700_000_000, uptime: .seconds(12)
    )
    master.memoryBytes = 9 << 20
    master.processorTime = .milliseconds(250)
    var report = StatusReport(
        master: master, snapshot: service.snapshot(at: now),
        listeners: [.init(pool: 0, address: "unix:/a\"b", waiting: 3, limit: 2048)]
    ) {
        .init(
            pid: Int32(100 + $0.slot * 10 + $0.incarnation),
            text: $0.slot == 0 ? "\u{1B}busy" : nil)
    }
    report.processorTime = { $0.slot == 0 ? .milliseconds(1500) : nil }
    return report
}

@Suite struct ReportTests {
    @Test func statusAsJSON() throws {
        let text = String(decoding: report().json, as: UTF8.self)
        #expect(text == golden("status.json"))
        // Our JSON writer produces output that other parsers accept.
        let parsed = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let pools = try #require(parsed?["pools"] as? [[String: Any]])
        #expect(pools.map { $0["name"] as? String } == ["web", "jobs"])
        let slots = try #require(pools[0]["slots"] as? [[String: Any]])
        #expect(slots[0]["status"] as? String == "\u{1B}busy")
    }

    @Test func metrics() {
        #expect(String(decoding: report().metrics, as: UTF8.self) == golden("metrics.txt"))
    }

    /// A pool whose requests are not visible has no figure, which would look like an idle pool.
    @Test func busyWorkersAreCountedIfRequestsAreVisible() {
        var report = report()
        report.requests = { id in
            guard id.pool == 0 else { return .init() }
            let requests = RequestsInFlight(route: nil, age: .seconds(1), count: 3)
            return .init(inFlight: id.slot == 0 ? requests : nil, areVisible: true)
        }
        let lines = String(decoding: report.metrics, as: UTF8.self).split(separator: "\n")
        #expect(lines.contains(#"supervise_pool_busy_workers{pool="web"} 1"#))
        #expect(lines.contains(#"supervise_pool_requests_in_flight{pool="web"} 3"#))
        #expect(!lines.contains { $0.hasPrefix(#"supervise_pool_busy_workers{pool="jobs""#) })
    }

    @Test func theBucketsOfBootTimesHaveTheirBounds() {
        #expect(
            StatusReport.bootBounds.compactMap(Double.init)
                == BootHistogram.boundsMilliseconds.map { Double($0) / 1000 })
    }

    /// A pool whose requests are not visible has no figure, which would look like an idle pool.
    @Test func requestTimesAreReportedIfRequestsAreVisible() {
        var report = report()
        report.requestTime = { $0.slot == 0 ? .milliseconds(2500) : nil }
        let lines = String(decoding: report.metrics, as: UTF8.self).split(separator: "\n")
        let busy = lines.filter { $0.hasPrefix("supervise_worker_busy_seconds_total{") }
        #expect(busy == [#"supervise_worker_busy_seconds_total{pool="web",slot="0"} 2.500"#])
    }

    @Test func everyMetricFamilyHasHelpTypeAndAUnitOrTotal() {
        let text = String(decoding: report().metrics, as: UTF8.self)
        var families: [String: String] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("# TYPE ") {
            let words = line.split(separator: " ").map(String.init)
            #expect(families[words[2]] == nil, "\(words[2]) comes twice")
            families[words[2]] = words[3]
        }
        for (name, kind) in families {
            #expect((kind == "counter") == name.hasSuffix("_total"), "\(name)")
            #expect(text.contains("# HELP \(name) "), "\(name)")
        }
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let name = line.prefix { $0 != "{" && $0 != " " }
            #expect(families.keys.contains { name.hasPrefix($0) }, "\(line)")
        }
    }

    @Test func readiness() {
        let answer = StatusReport.readiness(report().snapshot)
        #expect(answer.status.code == 503)
        #expect(
            String(decoding: answer.body, as: UTF8.self) == """
                {"ready":false,"stopping":false,"pools":[\
                {"pool":"web","ready":false,"state":"running","serving":2,"min_ready":3},\
                {"pool":"jobs","ready":true,"state":"running","serving":0,"min_ready":0}]}

                """)
    }

    @Test func numbersAndTexts() {
        var text = ByteText()
        for number in [0, 7, 10, -1, Int.min, Int.max] {
            text.append(number)
            text.append(" ")
        }
        text.append(UInt64.max)
        #expect(
            String(decoding: text.bytes, as: UTF8.self)
                == "0 7 10 -1 \(Int.min) \(Int.max) \(UInt64.max)")
        var decimals = ByteText()
        for number in [0, 1.5, -0.25, 1e30, .nan, .infinity, 12.3456] {
            decimals.append(decimal: number)
            decimals.append(" ")
        }
        #expect(
            String(decoding: decimals.bytes, as: UTF8.self)
                == "0.000 1.500 -0.250 0.000 0.000 0.000 12.346 ")
        var quoted = ByteText()
        quoted.append(quoted: "a\"\\\n\r\t\u{1B}\u{9B}\u{2028}\u{202E}\u{2066}\u{10FEE9}é😀\u{0}")
        #expect(
            String(decoding: quoted.bytes, as: UTF8.self)
                == #""a\"\\\n\r\t\u001b\u009b\u2028\u202e\u2066\\xe9é😀\u0000""#)
    }

    /// Written by `SUPERVISE_GOLDEN=write` and then reviewed.
    private func golden(_ name: String) -> String {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Golden/\(name)")
        if ProcessInfo.processInfo.environment["SUPERVISE_GOLDEN"] == "write" {
            let bytes = name.hasSuffix("json") ? report().json : report().metrics
            try? Data(bytes).write(to: path)
        }
        return (try? String(contentsOf: path, encoding: .utf8)) ?? "there is no \(name)"
    }
}

@Suite struct ReloadFollowerTests {
    private var lines: [String] = []

    private mutating func follow(
        _ follower: inout ReloadFollower, _ notices: [Notice], _ progress: (Int, Int) = (0, 2)
    ) -> Bool {
        var isDecided = false
        for notice in notices {
            for step in follower.follow(
                notice, poolName: { "p\($0)" }, progress: { progress })
            {
                lines.append(String(decoding: step.line.dropLast(), as: UTF8.self))
                isDecided = step.isVerdict
            }
        }
        return isDecided
    }

    private let id = WorkerID(pool: 0, slot: 1, incarnation: 2)

    @Test mutating func aRolloutTellsHowFarItIs() {
        var follower = ReloadFollower()
        #expect(!follow(&follower, [.reloadBegun(generation: 2)]))
        #expect(lines == [])
        _ = follower.beginReading()
        #expect(!follow(&follower, [.reloadBegun(generation: 2), .reloadCommitted(generation: 2)]))
        #expect(!follow(&follower, [.ready(id, by: .exec, after: .zero)], (1, 2)))
        #expect(!follow(&follower, [.ready(id, by: .exec, after: .zero)], (1, 2)))
        #expect(follow(&follower, [.reloadComplete(generation: 2)], (2, 2)))
        #expect(
            lines == [
                #"{"stage":"canary","generation":2}"#,
                #"{"stage":"rolling","generation":2,"replaced":0,"of":2}"#,
                #"{"stage":"rolling","generation":2,"replaced":1,"of":2}"#,
                #"{"stage":"verdict","generation":2,"result":"complete","reasons":[]}"#,
            ])
    }

    @Test mutating func anAbortReportsItsReason() {
        var follower = ReloadFollower()
        _ = follower.beginReading()
        let failed = follow(
            &follower,
            [
                .reloadBegun(generation: 2),
                .canaryFailed(pool: 0, generation: 2, .ended(.code(3))),
                .reloadAborted(generation: 2, isSuperseded: false),
            ])
        #expect(failed)
        #expect(
            lines.last == #"{"stage":"verdict","generation":2,"result":"aborted","#
                + #""reasons":["pool p0: the first new worker exited with status 3"]}"#)
        #expect(follower.stop() == [])
    }

    private mutating func verdicts(
        _ follower: inout ReloadFollower, _ notice: Notice
    ) -> [Int: Bool] {
        let steps = follower.follow(notice, poolName: { "p\($0)" }, progress: { (0, 1) })
        return Dictionary(
            uniqueKeysWithValues: steps.filter(\.isVerdict).map { ($0.reload, $0.isComplete) })
    }

    /// A broken configuration during a reload does not affect that reload.
    @Test mutating func eachReloadHasItsOwnVerdict() {
        var follower = ReloadFollower()
        #expect(follower.upcoming == 1)
        #expect(follower.beginReading().reload == 1)
        #expect(follower.upcoming == 1)
        #expect(verdicts(&follower, .reloadBegun(generation: 2)) == [:])
        #expect(follower.beginReading().reload == 2)
        let failure = follower.fail(["broken"])
        #expect(failure?.reload == 2 && failure?.isVerdict == true)
        #expect(!follower.isIdle)
        #expect(verdicts(&follower, .reloadCommitted(generation: 2)) == [:])
        #expect(verdicts(&follower, .reloadComplete(generation: 2)) == [1: true])
        #expect(follower.isIdle)
    }

    @Test mutating func aSupersededReloadIsNotComplete() {
        var follower = ReloadFollower()
        _ = follower.beginReading()
        _ = verdicts(&follower, .reloadBegun(generation: 2))
        _ = follower.beginReading()
        #expect(
            verdicts(&follower, .reloadAborted(generation: 2, isSuperseded: true)) == [1: false])
        _ = verdicts(&follower, .reloadBegun(generation: 3))
        _ = verdicts(&follower, .reloadCommitted(generation: 3))
        _ = follower.beginReading()
        _ = verdicts(&follower, .reloadBegun(generation: 4))
        #expect(verdicts(&follower, .reloadCommitted(generation: 4)) == [2: false])
        #expect(verdicts(&follower, .reloadComplete(generation: 4)) == [3: true])
    }

    /// The first configuration was not read yet, so the next read serves both requests.
    @Test func aReloadThatIsReadAnewIsTheSame() {
        var follower = ReloadFollower()
        #expect(follower.beginReading().reload == 1)
        #expect(follower.beginReading().reload == 1)
        #expect(follower.fail([])?.reload == 1 && follower.isIdle)
    }

    @Test mutating func newWorkersThatKeepFailingStallIt() {
        var follower = ReloadFollower()
        _ = follower.beginReading()
        let facts = WorkerFactsFixture.any
        #expect(
            follow(
                &follower,
                [
                    .reloadBegun(generation: 2), .reloadCommitted(generation: 2),
                    .exited(id, .code(1), .bootFailed, facts),
                    .backoff(pool: 0, slot: 1, failures: 2, delay: .seconds(1)),
                ]))
        #expect(
            lines.last == #"{"stage":"verdict","generation":2,"result":"stalled","reasons":["#
                + #""pool p0: 2 new workers of slot 1 in a row failed, the last exited with status 1 "#
                + #"before it was ready"]}"#)
    }

    @Test func errorsAndStops() {
        var follower = ReloadFollower()
        #expect(follower.stop() == [])
        _ = follower.beginReading()
        #expect(
            String(decoding: follower.fail(["a", "b"])?.line ?? [], as: UTF8.self)
                == #"{"stage":"verdict","result":"failed","reasons":["a","b"]}"# + "\n")
        _ = follower.beginReading()
        #expect(follower.stop().map(\.isVerdict) == [true])
    }
}

private enum WorkerFactsFixture {
    /// Arbitrary figures.
    static var any: WorkerFacts {
        var pool = Pool(number: 0, policy: PoolPolicy(), seed: 1)
        _ = pool.handle(.start, at: Instant(nanoseconds: 0))
        let id = WorkerID(pool: 0, slot: 0, incarnation: 1)
        _ = pool.handle(.worker(id, .running), at: Instant(nanoseconds: 0))
        let actions = pool.handle(.worker(id, .stopping), at: Instant(nanoseconds: 0))
        for case .note(.retiring(_, _, let facts)) in actions { return facts }
        preconditionFailure("a worker that announces its end retires")
    }
}
