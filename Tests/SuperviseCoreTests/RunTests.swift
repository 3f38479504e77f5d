import Testing

@testable import SuperviseCore

/// Runs by a schedule (Pool+Runs.swift).
struct RunTests {
    private static func bench(
        overlap: RunOverlap = .skip, _ adjust: @escaping (inout PoolPolicy) -> Void = { _ in }
    ) -> Bench {
        let bench = Bench {
            $0.hasListeners = false
            $0.runs = RunRule(schedule: "a", overlap: overlap)
            $0.maxLifetime = .seconds(60)
            adjust(&$0)
        }
        #expect(bench.tell(.start) == [.planRun(pool: 0, after: nil)])
        return bench
    }

    private static func plan(_ bench: Bench, in span: TimeSpan) -> PlannedRun {
        let run = PlannedRun(at: bench.now + span)
        #expect(bench.tell(.run(.planned(run))) == [])
        return run
    }

    private func record(
        _ id: WorkerID, _ outcome: RunOutcome, _ cause: String, from start: Int64, to end: Int64,
        _ status: SuperviseCore.ExitStatus?, _ trigger: RunTrigger = .schedule
    ) -> Action {
        .note(
            .run(
                .ended(
                    RunRecord(
                        id: id, trigger: trigger, startedAt: second(start), endedAt: second(end),
                        outcome: outcome, cause: cause, status: status))))
    }

    @Test func aRunStartsWhenItIsDueAndNoneFollowsIt() {
        let bench = Self.bench()
        let run = Self.plan(bench, in: .seconds(10))
        #expect(bench.pool.nextDeadline == second(10))
        #expect(bench.wake() == [.planRun(pool: 0, after: run), start(id(0))])
        #expect(
            bench.tell(id(0), .running) == [
                .note(.started(id(0), generation: 1, requestLimit: nil)),
                .note(.ready(id(0), by: .exec, after: .zero)),
            ])
        bench.wait(.seconds(5))
        #expect(
            bench.exit(id(0)) == [
                .note(.exited(id(0), .code(0), .finished, facts(5))),
                record(id(0), .success, "finished", from: 10, to: 15, .code(0)),
            ])
        #expect(bench.pool.nextDeadline == nil)
        #expect(bench.pool.hasMinReady && !bench.pool.isDone && bench.pool.isSettled)
        #expect(bench.pool.history.runs[.success] == 1)
        #expect(bench.pool.history.runs.lastSuccessAt == second(15))
    }

    @Test func aHungRunEndsAtItsDeadlineAndTheOthersAreSkipped() {
        let bench = Self.bench()
        _ = Self.plan(bench, in: .zero)
        bench.wake()
        bench.tell(id(0), .running)
        let next = Self.plan(bench, in: .seconds(60))
        bench.wait(.seconds(30))
        let early = Self.plan(bench, in: .zero)
        #expect(
            bench.wake() == [
                .planRun(pool: 0, after: early),
                .note(.run(.skipped(pool: 0, .schedule, .overlap, id(0), age: .seconds(30)))),
            ])
        bench.tell(.run(.planned(next)))
        // A worker may not postpone the end of its run.
        bench.tell(id(0), .hold(.seconds(1_000)))
        let actions = bench.wake()
        #expect(bench.now == second(60))
        #expect(actions.retired == [id(0)] && actions.contains(.signal(id(0), .stop)))
        #expect(actions.started == [])
        #expect(bench.wake() == [.note(.killed(id(0), .recycle(.lifetime))), .kill(id(0))])
        #expect(bench.now == second(90))
        let end = bench.tell(id(0), .exited(.signal(.kill), leavesTree: true))
        #expect(
            end.contains(record(id(0), .timeout, "max-lifetime", from: 0, to: 90, .signal(.kill))))
        // No run begins beside the processes of the last one.
        #expect(bench.tell(.run(.requested)).started == [])
        bench.tell(id(0), .treeGone)
        #expect(bench.tell(.run(.requested)).started == [id(0, 2)])
        #expect(bench.pool.history.runs.skips == 3)
    }

    @Test func oneRunWaitsIfTheyQueue() {
        let bench = Self.bench(overlap: .queue)
        #expect(bench.tell(.run(.requested)) == [start(id(0))])
        bench.tell(id(0), .running)
        bench.wait(.seconds(1))
        #expect(
            bench.tell(.run(.requested)) == [
                .note(.run(.queued(pool: 0, .operator, id(0), age: .seconds(1))))
            ])
        #expect(bench.pool.isRunBlocked)
        #expect(
            bench.tell(.run(.requested)) == [
                .note(.run(.skipped(pool: 0, .operator, .overlap, id(0), age: .seconds(1))))
            ])
        let actions = bench.exit(id(0), 3)
        #expect(
            actions.contains(
                record(id(0), .failure, "crashed", from: 0, to: 1, .code(3), .operator)))
        #expect(actions.started == [id(0, 2)])
    }

    @Test func aFailedStartIsAFailedRunAndIsNotRepeated() {
        let bench = Self.bench()
        bench.tell(.run(.requested))
        let failure = StartFailure(step: "exec", message: "ENOENT", isTransient: false)
        #expect(
            bench.tell(id(0), .startFailed(failure)) == [
                .note(.startFailed(id(0), failure)),
                record(id(0), .failure, "start-failed", from: 0, to: 0, nil, .operator),
            ])
        #expect(bench.pool.startImpossible == nil && bench.pool.nextDeadline == nil)
    }

    @Test func aReloadDoesNotTouchARun() {
        let bench = Self.bench()
        bench.tell(.run(.requested))
        bench.tell(id(0), .running)
        var next = bench.pool.policy
        next.runs?.schedule = "b"
        next.maxLifetime = .seconds(5)
        #expect(bench.tell(.prepare(generation: 2, next)) == [])
        #expect(bench.pool.trial == .passed)
        #expect(
            bench.tell(.commit()) == [
                .planRun(pool: 0, after: nil), .note(.rolledOut(pool: 0, generation: 2)),
            ])
        #expect(bench.pool.nextDeadline == second(60))
        bench.exit(id(0))
        #expect(
            bench.tell(.run(.requested)) == [start(id(0, 2), generation: 2)])
    }

    @Test func anUnchangedScheduleKeepsItsNextRun() {
        let bench = Self.bench()
        let run = Self.plan(bench, in: .seconds(10))
        bench.tell(.prepare(generation: 2, bench.pool.policy))
        #expect(bench.tell(.commit()) == [.note(.rolledOut(pool: 0, generation: 2))])
        #expect(bench.pool.runs.next == run)
    }

    @Test func theWorkersOfAPoolThatGetsAScheduleStop() {
        let (bench, policy) = upAndStable(workers: 3) { $0.hasListeners = false }
        var next = policy
        next.workers = 1
        next.runs = RunRule(schedule: "a")
        bench.tell(.prepare(generation: 2, next))
        let actions = bench.tell(.commit())
        #expect(Set(actions.retired) == [id(0), id(1), id(2)] && actions.started == [])
        #expect(bench.tell(.run(.requested)).started == [])
        for slot in 0..<3 { bench.exit(id(slot)) }
        #expect(bench.tell(.run(.requested)).started.count == 1)
    }

    @Test func aParkedOrStoppingPoolStartsNone() {
        let bench = Self.bench()
        let run = Self.plan(bench, in: .seconds(10))
        bench.tell(.park)
        #expect(
            bench.wake() == [
                .planRun(pool: 0, after: run),
                .note(.run(.skipped(pool: 0, .schedule, .parked, nil, age: nil))),
            ])
        bench.tell(.unpark)
        _ = Self.plan(bench, in: .seconds(10))
        bench.tell(.run(.requested))
        bench.tell(id(0), .running)
        #expect(bench.tell(.stop(.graceful)).retired == [id(0)])
        #expect(bench.tell(.run(.requested)) == [])
        #expect(bench.exit(id(0)).contains(.note(.ended(pool: 0))))
    }

    @Test func lostTimeDoesNotPostponeTheSchedule() {
        let bench = Self.bench()
        let run = Self.plan(bench, in: .seconds(10))
        bench.tell(.late(by: .seconds(5)))
        #expect(bench.pool.runs.next == run)
    }

    @Test func aServiceOfJobsNeverEndsByItself() {
        let plans = [
            Service.Plan(
                name: "jobs",
                policy: .tested {
                    $0.hasListeners = false
                    $0.runs = RunRule(schedule: "a")
                })
        ]
        var service = Service(plans, seed: 1)
        _ = service.handle(.start, at: second(0))
        for round in 1...20 {
            let now = second(Int64(round))
            _ = service.handle(.run(pool: 0, .requested), at: now)
            let worker = id(0, round)
            _ = service.handle(.worker(worker, .running), at: now)
            _ = service.handle(
                .worker(worker, .exited(.code(1), leavesTree: false)), at: now)
        }
        #expect(service.haste == nil && service.isReady)
    }
}
