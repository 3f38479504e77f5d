import Testing

@testable import SuperviseCore

/// A service and a clock.
final class ServiceBench {
    var service: Service
    private(set) var now = Instant(nanoseconds: 0)

    init(_ plans: [Service.Plan]) { service = Service(plans, seed: 1) }

    func wait(_ span: TimeSpan) { now = now + span }

    @discardableResult
    func tell(_ event: Service.Event) -> [Service.Action] { service.handle(event, at: now) }

    @discardableResult
    func tell(_ id: WorkerID, _ news: WorkerEvent) -> [Service.Action] {
        tell(.worker(id, news))
    }

    @discardableResult
    func wake() -> [Service.Action] {
        guard let deadline = service.nextDeadline else {
            Issue.record("no deadline to wake at")
            return []
        }
        now = max(now, deadline)
        return tell(.deadline)
    }

    @discardableResult
    func makeReady(_ id: WorkerID) -> [Service.Action] {
        tell(id, .running) + tell(id, .ready)
    }

    @discardableResult
    func exit(_ id: WorkerID, _ code: Int32 = 0) -> [Service.Action] {
        tell(id, .exited(.code(code), leavesTree: false))
    }

    /// Starts the service and makes the first worker of each slot ready; a minute passes.
    func bringUp() {
        tell(.start)
        for member in service.members {
            for slot in 0..<member.pool.policy.workers {
                makeReady(worker(member.pool.number, slot))
            }
        }
        wait(.seconds(60))
    }

    /// The names of the pools, in order.
    var names: [String] { service.members.map(\.name) }
}

func worker(_ pool: Int, _ slot: Int = 0, _ incarnation: Int = 1) -> WorkerID {
    WorkerID(pool: pool, slot: slot, incarnation: incarnation)
}

func plan(
    _ name: String, workers: Int = 1, _ adjust: (inout PoolPolicy) -> Void = { _ in }
) -> Service.Plan {
    Service.Plan(name: name, policy: .tested(workers: workers, adjust))
}

/// A service of these pools, with all workers ready and stable.
func up(_ plans: Service.Plan...) -> ServiceBench {
    let bench = ServiceBench(plans)
    bench.bringUp()
    return bench
}

/// Makes the canaries of these pools ready and stable.
@discardableResult
func pass(_ bench: ServiceBench, _ canaries: WorkerID...) -> [Service.Action] {
    for canary in canaries { bench.makeReady(canary) }
    return bench.wake()
}

extension [Service.Action] {
    /// The actions of the pools.
    var performed: [Action] {
        compactMap { if case .perform(let action) = $0 { action } else { nil } }
    }

    var exitCode: Int32? {
        for case .exit(let code) in self { return code }
        return nil
    }
}

/// All pools together (Service.swift).
struct ServiceTests {
    @Test func startAndStop() {
        let bench = ServiceBench([plan("web"), plan("jobs")])
        #expect(
            bench.tell(.start)
                == [.perform(start(worker(0))), .perform(start(worker(1)))])
        bench.makeReady(worker(0))
        bench.makeReady(worker(1))
        bench.tell(.stop(.graceful))
        bench.tell(.listeners(pool: 0, .none))
        bench.tell(.listeners(pool: 1, .none))
        #expect(bench.exit(worker(0)).exitCode == nil)
        #expect(
            bench.exit(worker(1)) == [
                .perform(.note(.exited(worker(1), .code(0), .retired(.stop), facts()))),
                .perform(.note(.ended(pool: 1))), .exit(0),
            ])
    }

    @Test(arguments: [(Int32(0), Int32(0)), (1, 15)])
    func theEndOfAllWorkIsTheEnd(code: Int32, exitCode: Int32) {
        let bench = ServiceBench([
            plan("a") { $0.restart = .never }, plan("b") { $0.restart = .onFailure },
        ])
        bench.bringUp()
        bench.exit(worker(1), 0)
        let actions = bench.exit(worker(0), code)
        #expect(actions.exitCode == exitCode)
        #expect(actions.contains(.perform(.note(.stopping(pool: 0, .graceful)))))
    }

    @Test func aRunningPoolKeepsTheMaster() {
        let bench = ServiceBench([plan("a") { $0.restart = .never }, plan("b")])
        bench.bringUp()
        #expect(bench.exit(worker(0)).exitCode == nil)
        #expect(bench.exit(worker(1)).exitCode == nil)
    }

    @Test func noWorkerBoots() {
        let bench = ServiceBench([plan("a", workers: 2) { $0.bootAttempts = 3 }])
        bench.tell(.start)
        for incarnation in 1...3 {
            for slot in 0..<2 {
                let actions = bench.exit(worker(0, slot, incarnation), 1)
                let isLast = incarnation == 3 && slot == 1
                #expect((actions.exitCode == 13) == isLast)
                #expect(
                    actions.contains(.perform(.note(.givingUp(.noWorkerBoots)))) == isLast)
            }
            if incarnation == 2 {
                bench.wake()
                bench.wake()
            }
        }
    }

    @Test func aServiceThatOnceRanNeverGivesUp() {
        let bench = ServiceBench([plan("a") { $0.bootAttempts = 2 }])
        bench.tell(.start)
        bench.makeReady(worker(0))
        for incarnation in 1...20 {
            #expect(bench.exit(worker(0, 0, incarnation), 1).exitCode == nil)
            if incarnation > 1 { bench.wake() }
        }
    }

    @Test func onePoolThatBootsKeepsTheOthersTrying() {
        let bench = ServiceBench([plan("a") { $0.bootAttempts = 2 }, plan("b")])
        bench.tell(.start)
        bench.makeReady(worker(1))
        for incarnation in 1...5 {
            #expect(bench.exit(worker(0, 0, incarnation), 1).exitCode == nil)
            if incarnation > 1 { bench.wake() }
        }
    }

    @Test func aMissingProgramEndsTheStart() {
        let missing = StartFailure(step: "exec", message: "ENOENT", isTransient: false)
        let bench = ServiceBench([plan("a")])
        bench.tell(.start)
        let actions = bench.tell(worker(0), .startFailed(missing))
        #expect(actions.contains(.perform(.note(.givingUp(.cannotStart(pool: 0, missing))))))
        // The next start was requested before the end was decided; its result is the last event.
        #expect(bench.tell(worker(0, 0, 2), .startFailed(missing)).exitCode == 14)
    }

    @Test func aShortageDoesNotEndTheStart() {
        let refused = StartFailure(step: "fork", message: "EAGAIN", isTransient: true)
        let bench = ServiceBench([plan("a") { $0.bootAttempts = 2 }])
        bench.tell(.start)
        for incarnation in 1...10 {
            let actions = bench.tell(worker(0, 0, incarnation), .startFailed(refused))
            #expect(actions.exitCode == nil)
            if incarnation > 1 { bench.wake() }
        }
    }

    @Test func resizeGoesToItsPool() {
        let bench = ServiceBench([plan("a"), plan("b")])
        bench.bringUp()
        #expect(bench.tell(.resize(pool: 1, by: 1)).performed.started == [worker(1, 1)])
        #expect(bench.tell(.resize(pool: 7, by: 1)) == [])
    }

    @Test func oneMoreBringsParkedPoolsBack() {
        let bench = ServiceBench([plan("a"), plan("b")])
        bench.bringUp()
        bench.tell(.park)
        bench.exit(worker(0))
        bench.exit(worker(1))
        #expect(bench.tell(.resize(pool: 0, by: -1)) == [])
        #expect(
            bench.tell(.resize(pool: 0, by: 1)).performed.started
                == [worker(0, 0, 2), worker(1, 0, 2)])
    }

    @Test func deadlinesOfAllPools() {
        let bench = ServiceBench([
            plan("a") { $0.maxLifetime = .seconds(100) },
            plan("b") { $0.maxLifetime = .seconds(90) },
        ])
        bench.bringUp()
        #expect(bench.wake().performed.started == [worker(1, 0, 2)])
        #expect(bench.now == second(90))
        #expect(bench.wake().performed.started == [worker(0, 0, 2)])
    }
}
