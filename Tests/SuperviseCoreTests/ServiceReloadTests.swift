import Testing

@testable import SuperviseCore

/// The reload as a transaction over all pools (Service+Reload.swift).
struct ServiceReloadTests {
    @Test func aReloadFromItsBeginningToItsEnd() {
        let bench = up(plan("a"))
        #expect(
            bench.tell(.reload([plan("a")])) == [
                .perform(.note(.reloadBegun(generation: 2))),
                .perform(.note(.canaryStarted(worker(0, 0, 2), generation: 2))),
                .perform(start(worker(0, 0, 2), generation: 2)),
            ])
        #expect(bench.service.isReloading)
        #expect(
            pass(bench, worker(0, 0, 2)) == [
                .perform(.note(.canaryPassed(pool: 0, generation: 2, nil))),
                .activate(generation: 2),
                .perform(.note(.reloadCommitted(generation: 2))),
            ] + told(worker(0), .recycle(.reload), facts(62)).map { .perform($0) })
        #expect(
            bench.exit(worker(0)).suffix(2) == [
                .perform(.note(.rolledOut(pool: 0, generation: 2))),
                .perform(.note(.reloadComplete(generation: 2))),
            ])
        #expect(bench.service.generation == 2)
    }

    @Test func noPoolIsTouchedBeforeAllCanariesAreGood() {
        let bench = up(plan("a"), plan("b"))
        bench.tell(.reload([plan("a"), plan("b")]))
        bench.makeReady(worker(0, 0, 2))
        #expect(bench.wake().performed.retired == [])
        bench.makeReady(worker(1, 0, 2))
        #expect(bench.wake().performed.retired == [worker(0), worker(1)])
    }

    @Test func oneBadCanaryAbortsForAllPools() {
        let bench = up(plan("a"), plan("b"))
        bench.tell(.reload([plan("a"), plan("b")]))
        bench.makeReady(worker(0, 0, 2))
        bench.wake()
        #expect(
            bench.exit(worker(1, 0, 2), 1) == [
                .perform(
                    .note(
                        .exited(
                            worker(1, 0, 2), .code(1), .bootFailed, facts(2, generation: 2)))),
                .perform(.note(.canaryFailed(pool: 1, generation: 2, .ended(.code(1))))),
            ]
                + told(worker(0, 0, 2), .superseded, facts(2, generation: 2)).map {
                    .perform($0)
                } + [
                    .perform(.note(.reloadAborted(generation: 2, isSuperseded: false))),
                    .discard(generation: 2),
                ])
        #expect(bench.service.generation == 1)
        #expect(!bench.service.isReloading)
    }

    @Test func theNewestReloadWins() {
        let bench = up(plan("a"))
        bench.tell(.reload([plan("a") { $0.maxRequests = 5 }]))
        bench.tell(worker(0, 0, 2), .running)
        let actions = bench.tell(.reload([plan("a") { $0.maxRequests = 7 }]))
        #expect(
            actions.contains(.perform(.note(.reloadAborted(generation: 2, isSuperseded: true)))))
        #expect(actions.contains(.discard(generation: 2)))
        #expect(actions.performed.retired == [worker(0, 0, 2)])
        #expect(
            bench.exit(worker(0, 0, 2)).last
                == .perform(start(worker(0, 0, 3), generation: 3, limit: 7)))
        pass(bench, worker(0, 0, 3))
        #expect(bench.service.generation == 3)
        #expect(bench.service.members[0].pool.policy.maxRequests == 7)
    }

    @Test func anAbortReturnsToTheLastCommittedGeneration() {
        let bench = up(plan("a"))
        bench.tell(.reload([plan("a") { $0.maxRequests = 5 }]))
        bench.tell(.reload([plan("a") { $0.maxRequests = 7 }]))
        bench.exit(worker(0, 0, 2))
        bench.exit(worker(0, 0, 3), 1)
        #expect(bench.service.generation == 1)
        #expect(
            bench.tell(worker(0), .recycleRequested).last
                == .perform(start(worker(0, 0, 4), generation: 1)))
    }

    @Test func stopWinsOverAReload() {
        let bench = up(plan("a"))
        bench.tell(.reload([plan("a")]))
        bench.makeReady(worker(0, 0, 2))
        let actions = bench.tell(.stop(.graceful))
        #expect(actions.performed.retired == [worker(0, 0, 2)])
        #expect(actions.contains(.discard(generation: 2)))
        #expect(bench.tell(.listeners(pool: 0, .none)).performed.retired == [worker(0)])
        #expect(bench.tell(.reload([plan("a")])) == [])
        bench.exit(worker(0))
        #expect(bench.exit(worker(0, 0, 2)).exitCode == 0)
    }

    @Test func aPoolAddedStartsWithTheCommit() {
        let bench = up(plan("a"))
        #expect(
            bench.tell(.reload([plan("b"), plan("a")])).performed.started == [worker(0, 0, 2)])
        let actions = pass(bench, worker(0, 0, 2))
        #expect(actions.last == .perform(start(worker(1), generation: 2)))
        #expect(bench.names == ["b", "a"])
    }

    @Test func aPoolRemovedStopsWithTheCommit() {
        let bench = up(plan("a"), plan("b"))
        #expect(bench.tell(.reload([plan("b")])).performed.started == [worker(1, 0, 2)])
        let actions = pass(bench, worker(1, 0, 2))
        #expect(actions.performed.retired == [worker(1)])
        #expect(bench.names == ["b", "a"])
        #expect(bench.tell(.listeners(pool: 0, .none)).performed.retired == [worker(0)])
        bench.exit(worker(0))
        #expect(bench.names == ["b"])
        // Its last lines are still logged, under its name.
        #expect(bench.service.member(0)?.name == "a")
        #expect(bench.exit(worker(1)).exitCode == nil)
        #expect(bench.service.member(0) == nil)
    }

    @Test func aPoolThatComesBackIsAnother() {
        let bench = up(plan("a"), plan("b"))
        bench.tell(.reload([plan("b")]))
        pass(bench, worker(1, 0, 2))
        bench.exit(worker(1))
        bench.tell(.reload([plan("a"), plan("b")]))
        let actions = pass(bench, worker(1, 0, 3))
        #expect(actions.last == .perform(start(worker(2), generation: 3)))
        #expect(bench.names == ["a", "b", "a"])
        bench.tell(.listeners(pool: 0, .none))
        bench.exit(worker(0))
        #expect(bench.names == ["a", "b"])
    }

    @Test func onlyNewPoolsNeedNoCanary() {
        let bench = up(plan("a"))
        let actions = bench.tell(.reload([plan("b")]))
        #expect(actions.contains(.activate(generation: 2)))
        #expect(actions.performed.started == [worker(1)])
    }

    /// As when a pool is renamed: the socket always has a worker.
    @Test func aRemovedPoolServesUntilTheAddedOnesDo() {
        let bench = up(plan("a"))
        let actions = bench.tell(.reload([plan("b")]))
        #expect(actions.performed.retired == [])
        // Workers that crash meanwhile are restarted with the old settings.
        #expect(bench.exit(worker(0), 1).performed.started == [worker(0, 0, 2)])
        bench.makeReady(worker(0, 0, 2))
        bench.tell(worker(1), .running)
        let ready = bench.tell(worker(1), .ready)
        #expect(ready.contains(.closeListeners(pool: 0)))
        #expect(ready.last == .perform(.note(.reloadComplete(generation: 2))))
        #expect(bench.tell(.listeners(pool: 0, .none)).performed.retired == [worker(0, 0, 2)])
    }

    @Test func aRemovedPoolThatRunsNothingTwiceGoesFirst() {
        let bench = up(plan("a") { $0.maxSurge = .count(0) })
        #expect(bench.tell(.reload([plan("b")])).contains(.closeListeners(pool: 0)))
    }

    @Test func aReloadBringsParkedPoolsBack() {
        let bench = up(plan("a"))
        bench.tell(.park)
        bench.exit(worker(0))
        let actions = bench.tell(.reload([plan("a")]))
        #expect(actions.performed.started == [worker(0, 0, 2)])
        bench.tell(worker(0, 0, 2), .running)
        let ready = bench.tell(worker(0, 0, 2), .ready)
        #expect(ready.last == .perform(.note(.reloadComplete(generation: 2))))
    }

    @Test func parkingAbortsAReload() {
        let bench = up(plan("a"))
        bench.tell(.reload([plan("a")]))
        let actions = bench.tell(.park)
        #expect(actions.last == .discard(generation: 2))
        #expect(actions.performed.retired == [worker(0), worker(0, 0, 2)])
    }

    @Test func aPoolInACrashLoopStartsAnewAtOnce() {
        let bench = ServiceBench([plan("a")])
        bench.tell(.start)
        bench.exit(worker(0), 1)
        bench.exit(worker(0, 0, 2), 1)
        #expect(bench.tell(.reload([plan("a")])).performed.started == [worker(0, 0, 3)])
        #expect(bench.service.generation == 2)
    }

    @Test func givingUpCountsAnewAfterAReload() {
        let bench = ServiceBench([plan("a") { $0.bootAttempts = 2 }])
        bench.tell(.start)
        bench.exit(worker(0), 1)
        bench.tell(.reload([plan("a") { $0.bootAttempts = 2 }]))
        #expect(bench.exit(worker(0, 0, 2)).exitCode == nil)
        #expect(bench.exit(worker(0, 0, 3), 1).exitCode == nil)
        #expect(bench.exit(worker(0, 0, 4), 1).exitCode == 13)
    }

    @Test func aServiceWhosePoolWasReadyOnceAndIsGoneNeverGivesUp() {
        let bench = up(plan("a"))
        bench.tell(.reload([plan("b") { $0.bootAttempts = 1 }]))
        bench.exit(worker(0))
        #expect(bench.exit(worker(1), 1).exitCode == nil)
    }
}
