import Testing

@testable import SuperviseCore

/// Percentages follow a memory limit that changes while the service runs.
struct MemoryLimitTests {
    private static func plan(_ name: String, _ adjust: (inout PoolPolicy) -> Void) -> Service.Plan {
        var policy = PoolPolicy()
        policy.workers = 3
        policy.hasListeners = true
        adjust(&policy)
        return Service.Plan(name: name, policy: policy)
    }

    /// 40 % of this many bytes, shared by the three workers and one replacement.
    private func share(_ bytes: UInt64) -> UInt64 { bytes * 40 / 100 / 4 }

    private func caps(_ actions: [Service.Action]) -> [MemoryCapBytes] {
        actions.compactMap {
            if case .perform(.note(.memoryShared(_, let caps))) = $0 { caps } else { nil }
        }
    }

    @Test func aNewLimitIsSharedAtOnce() throws {
        let bench = ServiceBench([
            Self.plan("web") {
                $0.maxRSS = .percent(40)
                $0.memoryLimitBytes = 1 << 30
            }
        ])
        bench.bringUp()
        #expect(bench.service.members[0].pool.memoryCaps.soft == share(1 << 30))
        let grown = caps(bench.tell(.memoryLimit(bytes: 2 << 30)))
        #expect(grown.map(\.soft) == [share(2 << 30)])
        #expect(caps(bench.tell(.memoryLimit(bytes: 2 << 30))).isEmpty)
        let shrunk = caps(bench.tell(.memoryLimit(bytes: 1 << 29)))
        #expect(shrunk.map(\.soft) == [share(1 << 29)])
    }

    /// A pool without percentages is not affected.
    @Test func capsInBytesStay() {
        let bench = ServiceBench([Self.plan("web") { $0.maxRSS = .bytes(1 << 20) }])
        bench.bringUp()
        #expect(bench.tell(.memoryLimit(bytes: 1 << 30)).isEmpty)
        #expect(bench.service.members[0].pool.policy.memoryLimitBytes == nil)
        #expect(bench.service.members[0].pool.memoryCaps.soft == 1 << 20)
    }

    /// A smaller share recycles a running worker instead of killing it.
    @Test func aSmallerLimitKillsNoRunningWorker() {
        let bench = ServiceBench([
            Self.plan("web") {
                $0.killRSS = .percent(40)
                $0.memoryLimitBytes = 1 << 30
            }
        ])
        bench.bringUp()
        bench.tell(.memoryLimit(bytes: 1 << 28))
        let actions = bench.tell(worker(0), .memory(bytes: (1 << 28) * 40 / 100 / 4 + 1))
        #expect(
            !actions.contains {
                if case .perform(.kill) = $0 { true } else { false }
            })
    }
}
