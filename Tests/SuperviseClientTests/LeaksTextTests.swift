import Testing

@testable import SuperviseClient

/// The text of `supervise leaks`.
@Suite struct LeaksTextTests {
    private static let report = """
        {"pools":[{"name":"web","state":"suspects","message":"GET /plot retains memory with every \
        request","age_seconds":1260,"growth_bytes_per_hour":32505856,"observations":40,"workers":4,\
        "requests":12431,"routes":[{"route":"GET /plot","requests":61,\
        "bytes_per_request":32505856,"error_bytes":209715,"confidence":10.7,"share":0.99,\
        "standing":"suspect"},{"route":"GET /login","requests":37,"bytes_per_request":11264,\
        "error_bytes":9216,"confidence":0,"share":0.004,"standing":"falling"},{"route":"GET /x",\
        "requests":9,"bytes_per_request":1024,"error_bytes":900,"confidence":2.2,"share":0.001,\
        "standing":"unsure"},{"requests":402,"bytes_per_request":-50,"error_bytes":90,\
        "confidence":0,"share":0,"standing":"clear"}]},{"name":"jobs","state":"schedule",\
        "message":"a pool with a schedule serves no requests","workers":0,"routes":[]}]}
        """

    private func text(_ style: Style = Style()) throws -> String {
        let value = try #require(JSONValue(Self.report.utf8))
        return LeaksText(report: value, style: style).lines.joined(separator: "\n")
    }

    @Test func aTable() throws {
        #expect(
            try text() == """
                web: 12431 requests of 4 workers in 21m, a worker grows by 31M per hour
                  ROUTE           REQUESTS  RETAINED/REQUEST  CONFIDENCE                 SHARE OF GROWTH
                  GET /plot             61         31M ±205K  sure (z 10)                           99 %
                  GET /login            37         11K ±9.0K  falls: a cache that fills              0 %
                  GET /x                 9         1.0K ±900  unsure (z 2)                           0 %
                  (other routes)       402             0 ±90  –
                  GET /plot retains memory with every request

                jobs: no evidence
                  a pool with a schedule serves no requests
                """)
    }

    @Test func aNarrowTerminal() throws {
        let lines = try text(Style(width: 40)).split(separator: "\n")
        #expect(lines.dropFirst().allSatisfy { $0.count <= 40 || $0.hasPrefix("web") }, "\(lines)")
    }
}
