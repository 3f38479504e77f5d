import Testing

@testable import SuperviseCore

/// How workers exit (Pool+Ends.swift).
struct EndsTests {
    private func recycling() -> Bench {
        let bench = Bench()
        bench.bringUp()
        bench.tell(id(0), .recycleRequested)
        bench.makeReady(id(0, 2))
        return bench
    }

    @Test func gracefulTimeoutEndsInKill() {
        let bench = recycling()
        #expect(
            bench.wake() == [.note(.killed(id(0), .recycle(.requested))), .kill(id(0))])
        #expect(bench.now == second(30))
        // Processes that the tree creates meanwhile are killed repeatedly until none is left,
        // without a notice.
        #expect(bench.wake() == [.kill(id(0))])
        #expect(bench.now == second(31))
        #expect(
            bench.tell(id(0), .exited(.signal(.kill), leavesTree: false)) == [
                .note(
                    .exited(id(0), .signal(.kill), .retired(.recycle(.requested)), facts(31)))
            ])
        #expect(bench.pool.nextDeadline == nil)
    }

    @Test func whatARetiredWorkerLeavesBehindHasTheRestOfItsTime() {
        let bench = recycling()
        bench.wait(.seconds(10))
        #expect(
            bench.tell(id(0), .exited(.code(0), leavesTree: true)) == [
                .note(.exited(id(0), .code(0), .retired(.recycle(.requested)), facts(10))),
                .note(.leftProcesses(id(0))), .signalTree(id(0)),
            ])
        #expect(bench.pool.liveCount == 2)
        #expect(bench.tell(id(0), .exited(.code(0), leavesTree: true)) == [])
        #expect(bench.wake() == [.note(.killedTree(id(0))), .kill(id(0))])
        #expect(bench.now == second(30))
        #expect(bench.tell(id(0), .treeGone) == [])
        #expect(bench.pool.liveCount == 1)
    }

    @Test func whatACrashedWorkerLeavesBehindGetsTheGracefulTimeout() {
        let bench = Bench()
        bench.bringUp()
        bench.wait(.seconds(20))
        #expect(
            bench.tell(id(0), .exited(.code(1), leavesTree: true)) == [
                .note(.exited(id(0), .code(1), .crashed, facts(20))),
                .note(.leftProcesses(id(0))), .signalTree(id(0)), start(id(0, 2)),
            ])
        #expect(bench.pool.worker(id(0))?.remains?.killAt == second(50))
    }

    @Test func withoutSurgeALeftTreeKeepsThePlace() {
        let bench = Bench { $0.maxSurge = .count(0) }
        bench.bringUp()
        #expect(bench.tell(id(0), .exited(.code(1), leavesTree: true)).started == [])
        #expect(bench.tell(id(0), .treeGone) == [start(id(0, 2))])
    }

    @Test func theTreeOfALivingWorkerIsNotGone() {
        let bench = recycling()
        #expect(bench.tell(id(0), .treeGone) == [])
        #expect(bench.tell(id(0, 2), .treeGone) == [])
        #expect(bench.pool.liveCount == 2)
    }

    @Test func finishedIsNotCrashed() {
        let bench = Bench()
        bench.bringUp()
        for incarnation in 1...10 {
            bench.wait(.seconds(1))
            #expect(
                bench.exit(id(0, incarnation)) == [
                    start(id(0, incarnation + 1)),
                    .note(.exited(id(0, incarnation), .code(0), .finished, facts(1))),
                ])
            bench.makeReady(id(0, incarnation + 1))
        }
    }

    @Test func finishingTooSoonBacksOff() {
        let bench = Bench()
        bench.bringUp()
        bench.exit(id(0))
        bench.makeReady(id(0, 2))
        #expect(bench.exit(id(0, 2)).started == [])
    }

    @Test func exitBeforeReadinessIsAFailedBootForAServer() {
        let bench = Bench()
        bench.tell(.start)
        bench.tell(id(0), .running)
        #expect(
            bench.exit(id(0)).last == .note(.exited(id(0), .code(0), .bootFailed, facts())))
    }

    @Test func exitBeforeReadinessIsAFinishForAJob() {
        let bench = Bench { $0.hasListeners = false }
        bench.tell(.start)
        bench.tell(id(0), .running)
        #expect(
            bench.exit(id(0)).last == .note(.exited(id(0), .code(0), .finished, facts())))
    }

    @Test(arguments: [
        (RestartPolicy.always, Int32(0), true), (.always, 1, true),
        (.onFailure, 0, false), (.onFailure, 1, true),
        (.never, 0, false), (.never, 1, false),
    ])
    func restartPolicies(policy: RestartPolicy, code: Int32, returns: Bool) {
        let bench = Bench { $0.restart = policy }
        bench.bringUp()
        bench.wait(.seconds(20))
        let ending = code == 0 ? Ending.finished : .crashed
        let exit = Action.note(.exited(id(0), .code(code), ending, facts(20)))
        #expect(
            bench.exit(id(0), code)
                == (returns
                    ? [start(id(0, 2)), exit] : [exit, .note(.slotDone(pool: 0, slot: 0))]))
        #expect(bench.pool.isDone == !returns)
        #expect(bench.pool.hasDoneFailures == (!returns && code != 0))
    }

    @Test func recyclingIsNoEndOfTheWork() {
        let bench = Bench { $0.restart = .never }
        bench.bringUp()
        #expect(bench.tell(id(0), .recycleRequested).started == [id(0, 2)])
    }

    @Test func aCrashWhileItsReplacementBootsNeedsNoOther() {
        let bench = Bench()
        bench.bringUp()
        bench.tell(id(0), .recycleRequested)
        #expect(bench.exit(id(0), 1).started == [])
        bench.makeReady(id(0, 2))
        #expect(bench.pool.servingCount == 1)
        #expect(bench.pool.liveCount == 1)
    }

    @Test func stoppingStartsTheSuccessor() {
        let bench = Bench()
        bench.bringUp()
        bench.wait(.seconds(20))
        #expect(
            bench.tell(id(0), .stopping)
                == [.note(.retiring(id(0), .announced, facts(20))), start(id(0, 2))])
        #expect(bench.wake().isEmpty == false)
        #expect(bench.now == second(50))
        #expect(bench.pool.liveCount == 2)
    }

    @Test func stoppingWithoutCompletionIsKilled() {
        let bench = Bench()
        bench.bringUp()
        bench.tell(id(0), .stopping)
        bench.makeReady(id(0, 2))
        #expect(bench.wake() == [.note(.killed(id(0), .announced)), .kill(id(0))])
        #expect(bench.now == second(30))
    }

    @Test func stoppingTellsNothingYetWhereTheExitDecides() {
        let bench = Bench { $0.restart = .onFailure }
        bench.bringUp()
        bench.wait(.seconds(20))
        #expect(bench.tell(id(0), .stopping).started == [])
        #expect(
            bench.exit(id(0)) == [
                .note(.exited(id(0), .code(0), .retired(.announced), facts(20))),
                .note(.slotDone(pool: 0, slot: 0)),
            ])
        #expect(bench.pool.isDone)
    }

    @Test func stoppingInFailureIsFollowed() {
        let bench = Bench { $0.restart = .onFailure }
        bench.bringUp()
        bench.wait(.seconds(20))
        bench.tell(id(0), .stopping)
        #expect(bench.exit(id(0), 1).started == [id(0, 2)])
    }

    @Test func stoppingBeforeReadinessIsAFailedBoot() {
        let bench = Bench { $0.bootAttempts = 3 }
        bench.tell(.start)
        for incarnation in 1...3 {
            bench.tell(id(0, incarnation), .running)
            bench.wait(.seconds(2))
            let actions = bench.tell(id(0, incarnation), .stopping)
            #expect((actions.backoffDelay == nil) == (incarnation == 1))
            bench.exit(id(0, incarnation), 1)
            if incarnation > 1 { bench.wake() }
        }
        #expect(bench.pool.hasExhaustedBoots)
    }

    @Test func beingKilledForMemoryBeforeReadinessIsAFailedBoot() {
        let bench = Bench {
            $0.bootAttempts = 2
            $0.killRSSBytes = 1000
        }
        bench.tell(.start)
        for incarnation in 1...2 {
            bench.tell(id(0, incarnation), .running)
            #expect(!bench.pool.hasExhaustedBoots)
            bench.tell(id(0, incarnation), .memory(bytes: 2000))
            bench.exit(id(0, incarnation))
        }
        #expect(bench.pool.hasExhaustedBoots)
    }
}
