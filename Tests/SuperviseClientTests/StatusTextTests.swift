import Testing

@testable import SuperviseClient

private let report = """
    {"schema":"supervise-status","version":2,"master":{"name":"shop","pid":42,"version":"1.2",\
    "state":"running","ready":false,"generation":3,"uptime_seconds":273600.5,\
    "memory_bytes":9437184},"reload":{"generation":3,"state":"complete","age_seconds":300.2,\
    "took_seconds":2.125,"replaced":2,"of":3},"pools":[{"name":"web","state":"running",\
    "ready":false,"workers":3,"serving":2,"listeners":[{"address":"127.0.0.1:8000","queue":3,\
    "queue_limit":2048}],"slots":[{"slot":0,"pid":101,"state":"ready","generation":3,\
    "age_seconds":11.5,"requests":1234,"request_limit":2000,"requests_left":766,\
    "memory_bytes":157286400,"memory_limit_bytes":536870912,"growth_bytes_per_request":409600,\
    "growth_bytes_per_hour":12582912,"memory_limit_in_seconds":18000,"boot_seconds":1.5,\
    "status":"\\u001bbusy\\n"},{"slot":1,"pid":111,"state":"retiring","cause":"max-requests",\
    "generation":2,"age_seconds":0.02,"requests":0},{"slot":2,"state":"backoff","failures":2,\
    "starts_in_seconds":0.091}],"totals":{"exits":{"crashed":1,"max-requests":12}},"exits":[\
    {"slot":2,"pid":122,"ago_seconds":0.02,"cause":"crashed","signal":"KILL","generation":1,\
    "age_seconds":3700,"requests":5,"memory_bytes":104857600,"boot_seconds":1.5}]}]}
    """

@Suite struct StatusTextTests {
    private func text(width: Int = 200, colours: Bool = false) throws -> String {
        let value = try #require(JSONValue(report.utf8))
        let style = Style(width: width, hasColours: colours)
        return StatusText(report: value, style: style).lines.joined(separator: "\n")
    }

    @Test func wide() throws {
        #expect(
            try text() == """
                shop: not ready, generation 3, up 3d 4h, pid 42, supervise 1.2, 9.0M
                last reload: rolled out in 2.1s (generation 3, 5m ago)

                web: 2 of 3 ready
                  127.0.0.1:8000, 3 of 2048 waiting
                  SLOT  PID  STATE                         GEN   AGE  REQUESTS  LEFT  MEMORY   CAP  PER REQ  PER HOUR  CAP IN  BOOT  STATUS
                     0  101  ready                           3   11s      1234   766    150M  512M     400K       12M      5h  1.5s  busy
                     1  111  retiring: max-requests          2  20ms
                     2       failed 2 times, next in 91ms
                  exits: 1 crashed, 12 max-requests
                   AGO  SLOT  PID  CAUSE    END     AGE  REQUESTS  MEMORY  BOOT
                  20ms     2  122  crashed  KILL  1h 1m         5    100M  1.5s
                """)
    }

    private func lines(_ changes: [(String, String)]) throws -> String {
        let changed = changes.reduce(report) { $0.replacing($1.0, with: $1.1) }
        let value = try #require(JSONValue(changed.utf8))
        return StatusText(report: value, style: Style()).lines.joined(separator: "\n")
    }

    @Test func aReplacementIsNotCountedTwice() throws {
        let text = try lines([("\"workers\":3,\"serving\":2", "\"workers\":4,\"serving\":5")])
        #expect(text.contains("web: 4 of 4 ready (+1 replacement)\n"))
        #expect(try lines([("\"serving\":2", "\"serving\":3")]).contains("web: 3 of 3 ready\n"))
    }

    @Test func theUnitStandsBesideTheCount() throws {
        let count = "\"requests\":1234"
        let connections = try lines([(count, count + ",\"requests_unit\":\"connections\"")])
        #expect(connections.contains("  CONNS  LEFT  MEMORY   CAP  PER CONN  "))
        let requests = try lines([(count, count + ",\"requests_unit\":\"requests\"")])
        #expect(requests.contains("  REQUESTS  LEFT ") && !requests.contains("CONN"))
        let exit = try lines([
            ("\"requests\":5", "\"requests\":5,\"requests_unit\":\"connections\"")
        ])
        #expect(exit.contains("  AGE  CONNS  MEMORY"))
        let mixed = try lines([
            (count, count + ",\"requests_unit\":\"requests\""),
            (
                "\"age_seconds\":0.02,\"requests\":0",
                "\"requests\":7,\"requests_unit\":\"connections\""
            ),
        ])
        #expect(mixed.contains("  REQUESTS  ") && mixed.contains("  7 conns"))
    }

    @Test(arguments: [",\"connections\":3", ""]) func emptying(connections: String) throws {
        let changed = report.replacing(
            "\"state\":\"retiring\"", with: "\"state\":\"draining\"\(connections)")
        let value = try #require(JSONValue(changed.utf8))
        let style = Style(width: 200, hasColours: false)
        let text = StatusText(report: value, style: style).lines.joined(separator: "\n")
        let open = connections.isEmpty ? "" : ", 3 open"
        #expect(text.contains("111  draining: max-requests\(open) "))
    }

    @Test(arguments: [20, 40, 60, 80, 100, 120])
    func neverWiderThanTheTerminal(width: Int) throws {
        let lines = try text(width: width).split(separator: "\n")
        // The table is truncated to the width; the terminal wraps sentences.
        for line in lines where line.hasPrefix("   ") || line.contains("SLOT") {
            #expect(line.count <= width, "\(line)")
        }
        #expect(lines.contains { $0.contains("SLOT") })
    }

    @Test func coloursOnlyWhereTheyAreWanted() throws {
        #expect(try !text().contains("\u{1B}"))
        #expect(try text(colours: true).contains("\u{1B}[31mnot ready\u{1B}[0m"))
    }

    @Test func units() {
        #expect(
            [0, 1023, 1024, 0x1p20, 150 * 0x1p20, 10 * 0x1p30, -2048].map { Units.bytes($0) }
                == ["0", "1023", "1.0K", "1.0M", "150M", "10G", "-2.0K"])
        #expect(
            [0, 0.0204, 1, 9.94, 59, 60, 303, 3600, 3725, 86_400, 273_600, -1, 1e300].map {
                Units.seconds($0)
            } == [
                "0ms", "20ms", "1.0s", "9.9s", "59s", "1m", "5m 3s", "1h", "1h 2m", "1d", "3d 4h",
                "0s", "ages",
            ])
        #expect(
            [0, 999_999, 1_234_567, 5e9, 1e30].map { Units.count($0) }
                == ["0", "999999", "1.2M", "5.0G", "many"])
    }

    @Test func eventsForPeople() throws {
        let event = """
            {"schema":2,"sequence":9,"time":"2026-11-21T05:48:45.575Z","level":"error",\
            "event":"exited","pool":"web","slot":0,"cause":"crashed","age":0.25,"rss":1048576,\
            "units":{"age":"seconds","rss":"bytes"},\
            "message":"a b\\u001b"}
            """
        #expect(
            EventText.line(try #require(JSONValue(event.utf8)).printable, Style())
                == "05:48:45.575 exited            pool=web slot=0 cause=crashed age=250ms rss=1.0M "
                + "message=\"a b\"")
    }
}

@Suite struct JSONValueTests {
    @Test func values() {
        #expect(JSONValue("null".utf8) == .null)
        #expect(
            JSONValue(" [1, -2.5e1, true, false, \"a\\u00e9\\ud83d\\ude00\\n\\\"\"] ".utf8)
                == .array([
                    .number(1), .number(-25), .boolean(true), .boolean(false), .text("aé😀\n\""),
                ]))
        #expect(JSONValue("{\"a\":{\"b\":[]}}".utf8)?["a"]?["b"] == .array([]))
        #expect(JSONValue("{\"a\":3}".utf8)?["a"]?.integer == 3)
    }

    @Test(arguments: [
        "", "nul", "[1,]", "[1 2]", "{\"a\"}", "{a:1}", "\"\\x\"", "\"\\u12\"", "\"a", "1 2", "+1",
        "\"\\ud800\\u0041\"", "[", "{", "\"\n\"", "--1", "tru\u{65}x",
        String(repeating: "[", count: 1000),
    ])
    func whatIsNone(text: String) {
        #expect(JSONValue(text.utf8) == nil)
    }
}

/// The status of a pool with a schedule.
@Suite struct RunTextTests {
    @Test func runsAreSummarised() throws {
        let report = """
            {"schema":"supervise-status","version":2,"master":{"name":"shop","state":"running",\
            "ready":true},"pools":[{"name":"jobs","state":"running","workers":1,"serving":0,\
            "slots":[{"slot":0,"state":"scheduled"}],"runs":{"schedule":"*/5 * * * *",\
            "next_in_seconds":252.4,"running":false,"queued":true,"skipped":3,\
            "outcomes":{"success":7,"failure":0,"timeout":2,"stopped":0},\
            "last":{"outcome":"timeout","cause":"max-lifetime","signal":"KILL",\
            "trigger":"operator","ago_seconds":47.5,"duration_seconds":61}}}]}
            """
        let value = try #require(JSONValue(report.utf8))
        #expect(
            StatusText(report: value, style: Style()).lines.suffix(5) == [
                "jobs: idle, one run waits, next in 4m 12s (*/5 * * * *)",
                "  last run: timeout, max-lifetime, KILL, took 1m 1s, 47s ago, by run-now",
                "  runs: 7 success, 2 timeout, 3 skipped", "  SLOT  STATE",
                "     0  until the next run",
            ])
    }
}
