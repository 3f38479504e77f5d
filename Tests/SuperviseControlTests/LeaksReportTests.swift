import SuperviseCore
import Testing

@testable import SuperviseControl

/// The response to `/leaks`.
@Suite struct LeaksReportTests {
    private func pool(
        _ verdict: LeakReport.Verdict, _ routes: [LeakReport.Route] = []
    ) -> LeaksReport.Pool {
        var pool = LeaksReport.Pool(name: "web", generation: 3)
        pool.report.verdict = verdict
        pool.report.routes = routes
        return pool
    }

    private func route(
        _ name: String?, _ standing: LeakReport.Route.Standing, rival: String? = nil
    ) -> LeakReport.Route {
        LeakReport.Route(
            name: name, requests: 61, bytesPerRequest: 32_505_856, error: 209_715.25,
            confidence: 10.5, share: 0.99, standing: standing, rival: rival)
    }

    @Test func asJSON() {
        var pool = pool(.suspects, [route("GET /plot", .suspect), route(nil, .clear)])
        pool.report.observations = 40
        pool.report.workers = 4
        pool.report.requests = 500
        pool.report.growthBytes = 1 << 30
        pool.age = .seconds(90)
        pool.bytesPerHour = 12_345
        #expect(
            String(decoding: LeaksReport(pools: [pool]).json, as: UTF8.self) == """
                {"schema":"supervise-leaks","version":1,"pools":[{"name":"web","state":"suspects",\
                "message":"GET /plot retains memory with every request","generation":3,\
                "age_seconds":90.000,"growth_bytes_per_hour":12345,"observations":40,"workers":4,\
                "requests":500,"growth_bytes":1073741824,"routes":[{"route":"GET /plot",\
                "requests":61,"bytes_per_request":32505856.000,"error_bytes":209715.250,\
                "confidence":10.500,"share":0.990,"standing":"suspect"},{"requests":61,\
                "bytes_per_request":32505856.000,"error_bytes":209715.250,"confidence":10.500,\
                "share":0.990,"standing":"clear"}]}]}

                """)
    }

    @Test func everyStateHasAMessage() {
        let verdicts: [(LeakReport.Verdict, String)] = [
            (.gathering, "0 of about 30 observations"), (.shortLives, "max-requests"),
            (.noGrowth, "does not grow"), (.withoutRequests, "threads and timers"),
            (.unclear, "wait for more requests"),
        ]
        for (verdict, part) in verdicts {
            #expect(pool(verdict).message.contains(part), "\(pool(verdict).message)")
        }
        let both = pool(.suspects, [route("GET /a", .suspect), route("GET /b", .suspect)])
        #expect(both.message == "GET /a and GET /b retain memory with every request")
        let alike = pool(.unclear, [route("GET /a", .unsure, rival: "GET /b")])
        #expect(alike.message.contains("GET /a and GET /b explain it almost equally"))
        for obstacle: LeaksReport.Obstacle in [
            .schedule, .noListeners, .requestInfoOff, .notObserved, .notVisible, .notSampled,
            .memoryUnreadable,
        ] {
            var pool = pool(.gathering)
            pool.obstacle = obstacle
            let json = String(decoding: LeaksReport(pools: [pool]).json, as: UTF8.self)
            #expect(json.contains("\"state\":\"\(obstacle.rawValue)\",\"message\":\""), "\(json)")
        }
    }

    @Test func controlCharactersOfNamesAreEscaped() {
        let json = LeaksReport(pools: [pool(.suspects, [route("GET /\u{1B}[31m", .suspect)])]).json
        #expect(!json.contains(0x1B))
    }
}
