import SuperviseCore
import Testing

@testable import SuperviseControl

/// A service, and the notifications to a service manager.
private struct Bench {
    var service: Service
    var report: ServiceManagerReport
    var now = Instant(nanoseconds: 7_000_000_000)

    init(watchdog: TimeSpan? = nil, _ change: (inout PoolPolicy) -> Void = { _ in }) {
        var policy = PoolPolicy()
        policy.workers = 2
        policy.hasListeners = true
        policy.readiness = .notify
        change(&policy)
        service = Service([.init(name: "web", policy: policy)], seed: 1)
        report = ServiceManagerReport(watchdog: watchdog, at: now)
    }

    mutating func tell(_ event: Service.Event) {
        _ = service.handle(event, at: now)
        report.observe(service)
    }

    mutating func tell(_ slot: Int, _ incarnation: Int = 1, _ news: WorkerEvent...) {
        for one in news {
            tell(.worker(WorkerID(pool: 0, slot: slot, incarnation: incarnation), one))
        }
    }

    mutating func messages(after span: TimeSpan = .zero) -> [String] {
        now = now + span
        return report.update(service, at: now)
    }
}

@Suite struct ServiceManagerReportTests {
    @Test func aStart() {
        var bench = Bench()
        bench.tell(.start)
        #expect(
            bench.messages() == [
                "STATUS=Starting: 0 of 2 workers ready", "EXTEND_TIMEOUT_USEC=35000000",
            ])
        bench.tell(0, 1, .running, .ready)
        // Too soon for another status, which is sent later.
        #expect(bench.messages(after: .milliseconds(400)) == [])
        #expect(bench.report.nextDeadline == bench.now + .milliseconds(600))
        #expect(
            bench.messages(after: .milliseconds(600)) == ["STATUS=Starting: 1 of 2 workers ready"])
        bench.tell(1, 1, .running)
        #expect(bench.messages(after: .seconds(9)) == ["EXTEND_TIMEOUT_USEC=35000000"])
        bench.tell(1, 1, .ready)
        #expect(bench.messages() == ["READY=1\nSTATUS=2 of 2 workers ready"])
        // From here on there is nothing to repeat.
        #expect(bench.report.nextDeadline == nil && bench.messages(after: .seconds(60)) == [])
    }

    @Test func aStartIsGivenTheTimeOfItsFirstBootsOnly() {
        var bench = Bench { $0.readyTimeout = .seconds(12) }
        bench.tell(.start)
        bench.tell(0, 1, .running)
        #expect(bench.messages().last == "EXTEND_TIMEOUT_USEC=17000000")
        #expect(bench.messages(after: .seconds(10)) == ["EXTEND_TIMEOUT_USEC=7000000"])
        for slot in 0..<2 { bench.tell(slot, 1, .exited(.code(1), leavesTree: false)) }
        bench.now = bench.now + .seconds(10)
        bench.tell(.deadline)
        bench.tell(0, 2, .running)
        #expect(bench.messages() == [])
    }

    @Test func aReload() {
        var bench = Bench()
        bench.tell(.start)
        #expect(bench.report.beginReload(bench.service, at: bench.now) == [])
        for slot in 0..<2 { bench.tell(slot, 1, .running, .ready) }
        #expect(bench.messages() == ["READY=1\nSTATUS=2 of 2 workers ready"])
        let status = "STATUS=Reloading: reading the configuration"
        let told = "RELOADING=1\nMONOTONIC_USEC=7000000\n" + status
        #expect(bench.report.beginReload(bench.service, at: bench.now) == [told])
        #expect(bench.messages() == ["EXTEND_TIMEOUT_USEC=35000000"])
        // A reload that supersedes it has its own time.
        bench.now = bench.now + .microseconds(1)
        #expect(
            bench.report.beginReload(bench.service, at: bench.now)
                == [told.replacing("7000000", with: "7000001")])
        bench.report.endReload(isComplete: false)
        #expect(
            bench.messages() == ["READY=1\nSTATUS=2 of 2 workers ready; the last reload failed"])
        _ = bench.report.beginReload(bench.service, at: bench.now)
        bench.report.endReload(isComplete: true)
        #expect(bench.messages() == ["READY=1\nSTATUS=2 of 2 workers ready"])
        #expect(bench.report.nextDeadline == nil)
    }

    @Test func aStop() {
        var bench = Bench {
            $0.gracefulTimeout = .seconds(40)
            $0.drainDelay = .seconds(5)
        }
        bench.tell(.start)
        for slot in 0..<2 { bench.tell(slot, 1, .running, .ready) }
        _ = bench.messages()
        _ = bench.report.beginReload(bench.service, at: bench.now)
        bench.tell(.stop(.graceful))
        bench.report.endReload(isComplete: false)
        #expect(
            bench.messages() == [
                "STOPPING=1\nSTATUS=Stopping: 2 workers left", "EXTEND_TIMEOUT_USEC=35000000",
            ])
        bench.tell(0, 1, .exited(.code(0), leavesTree: false))
        bench.now = bench.now + .seconds(5)
        bench.tell(.deadline)
        bench.tell(.listeners(pool: 0, .none))
        _ = bench.messages()
        // The rest of the graceful timeout, and the margin.
        #expect(bench.messages(after: .seconds(20)).contains("EXTEND_TIMEOUT_USEC=25000000"))
        #expect(bench.messages(after: .seconds(20)) == [])
    }

    @Test func aStopOfAStartIsNoReadiness() {
        var bench = Bench()
        bench.tell(.start)
        _ = bench.messages()
        bench.tell(.stop(.quick))
        #expect(bench.messages().first?.hasPrefix("STOPPING=1\n") == true)
    }

    @Test func theWatchdogIsSentTwicePerInterval() {
        var bench = Bench(watchdog: .seconds(3))
        bench.tell(.start)
        for slot in 0..<2 { bench.tell(slot, 1, .running, .ready) }
        #expect(bench.messages().last == "WATCHDOG=1")
        #expect(bench.report.nextDeadline == bench.now + .milliseconds(1500))
        #expect(bench.messages(after: .milliseconds(1499)) == [])
        #expect(bench.messages(after: .milliseconds(1)) == ["WATCHDOG=1"])
        // Lost time is not caught up.
        #expect(bench.messages(after: .seconds(60)) == ["WATCHDOG=1"])
        #expect(bench.report.nextDeadline == bench.now + .milliseconds(1500))
    }

    @Test func severalPoolsAreNamed() {
        var policy = PoolPolicy()
        policy.readiness = .notify
        let names = ["web", "jobs"]
        let service = Service(names.map { .init(name: $0, policy: policy) }, seed: 1)
        let report = ServiceManagerReport(at: Instant(nanoseconds: 0))
        #expect(report.status(of: service).hasPrefix("Starting: ready workers: web 0/"))
    }
}
