import Testing

@testable import SuperviseCore

/// The bounds of the evidence about routes (LeakSuspects.swift), and its state.
struct LeakSuspectsTests {
    private func id(_ slot: Int, _ incarnation: Int = 1) -> WorkerID {
        WorkerID(pool: 0, slot: slot, incarnation: incarnation)
    }

    @Test func countsAreReadOnlyAtTheLowestSamples() {
        var suspects = LeakSuspects()
        var reads = 0
        for number in 0..<400 {
            suspects.sample(id(0), bytes: 1000 + UInt64(number)) {
                reads += 1
                return [RouteCount("GET /", UInt64(number + 1))]
            }
        }
        #expect(reads == 100)
        #expect(suspects.report().observations == 97)
    }

    @Test func theNumberOfObservationsIsBounded() {
        var suspects = LeakSuspects()
        for number in UInt64(1)...2000 {
            for slot in 0..<3 {
                for _ in 0..<LeakSuspects.samplesPerFloor {
                    suspects.sample(id(slot), bytes: number * 1000) {
                        [RouteCount("GET /a", 2 * number), RouteCount("GET /", number)]
                    }
                }
            }
        }
        let rows = suspects.series.joined()
        #expect(rows.count <= LeakSuspects.mostRows && rows.count > LeakSuspects.mostRows / 4)
    }

    @Test func mergedObservationsKeepTheirSums() {
        var suspects = LeakSuspects()
        for number in UInt64(1)...3000 {
            for _ in 0..<LeakSuspects.samplesPerFloor {
                suspects.sample(id(0), bytes: number * 1000) {
                    [RouteCount("GET /a", number), RouteCount("GET /b", number / 3 * 2)]
                }
            }
        }
        let report = suspects.report()
        #expect(report.growthBytes == 2_997_000)
        #expect(report.requests == 2997 + 1998)
    }

    @Test func theWorkersThatAreFollowedAreBounded() {
        var suspects = LeakSuspects()
        for number in UInt64(1)...40 {
            for slot in 0..<1000 {
                suspects.sample(id(slot), bytes: number * 1000) { [RouteCount("GET /", number)] }
            }
        }
        #expect(suspects.lives.count == LeakSuspects.mostLives)
        for slot in 0..<1000 { suspects.end(id(slot)) }
        #expect(suspects.lives.isEmpty)
        #expect(suspects.series.joined().count <= LeakSuspects.mostRows)
    }

    @Test func endlessRoutesCountAsTheRest() {
        var suspects = LeakSuspects()
        for number in UInt64(1)...200 {
            for _ in 0..<LeakSuspects.samplesPerFloor {
                suspects.sample(id(0), bytes: number * 1000) {
                    (0..<500).map { RouteCount("GET /\(number)/\($0)", number) }
                        + [RouteCount(nil, number)]
                }
            }
        }
        #expect(suspects.names.count <= LeakSuspects.mostRoutes + 1)
        #expect(suspects.report().routes.allSatisfy { $0.standing != .suspect })
    }

    @Test func namesThatNothingUsesMakeRoomForOthers() {
        var suspects = LeakSuspects()
        for incarnation in 1...300 {
            suspects.sample(id(0, incarnation), bytes: 1000) {
                [RouteCount("GET /\(incarnation)", 1)]
            }
            suspects.end(id(0, incarnation))
            // An observation, after which names may be released.
            for number in UInt64(1)...20 {
                suspects.sample(id(1), bytes: 1000 * UInt64(incarnation) + number) {
                    [RouteCount("GET /", UInt64(incarnation) * 100 + number)]
                }
            }
        }
        #expect(suspects.names.contains("GET /300"))
        #expect(suspects.names.count <= LeakSuspects.mostRoutes + 1)
    }

    @Test func countsThatGoBackwardsAreNoObservation() {
        var suspects = LeakSuspects()
        for number in UInt64(1)...400 {
            suspects.sample(id(0), bytes: 1000 + number) {
                [RouteCount("GET /", 1000 - number)]
            }
        }
        #expect(suspects.report().observations == 0)
    }

    @Test func anyCountsAreTolerated() {
        var state: UInt64 = 7
        var suspects = LeakSuspects()
        let counts: [UInt64] = [0, 1, .max, .max - 1, 1 << 32, 1 << 63]
        func draw(_ count: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % count)
        }
        for number in 0..<20_000 {
            let routes = (0..<draw(5)).map { _ in
                RouteCount(["", "a", "b", nil][draw(4)], counts[draw(6)])
            }
            let bytes: UInt64 = [0, 4096, 1 << 40, .max][draw(4)]
            suspects.sample(id(draw(3), 1 + number / 5000), bytes: bytes) {
                draw(9) == 0 ? nil : routes
            }
        }
        _ = suspects.report()
    }

    @Test func aWorkerWithoutRequestsIsNotWarm() {
        var suspects = LeakSuspects()
        for _ in 0..<100 { suspects.sample(id(0), bytes: 1000) { [] } }
        for number in UInt64(1)...12 {
            suspects.sample(id(0), bytes: 1000 * number) { [RouteCount("GET /", number)] }
        }
        #expect(suspects.report().observations == 0)
    }
}
