import Background
import Simulator
import SuperviseCore
import Testing

/// The shrinker keeps what breaks an invariant and removes the rest.
@Suite(.inBackground) struct ShrinkerTests {
    @Test func aLongScheduleBecomesAShortOne() throws {
        let bug = PlantedBug.forgetHold
        let found = try #require(
            (0..<UInt64(3_000)).lazy.map { Swarm.schedule(seed: $0) }.first { schedule in
                guard schedule.faults.count > 6 else { return false }
                return bug.violation(in: schedule)?.invariant == "a hold is honoured"
            })
        let small = bug.shrink(found, breaking: "a hold is honoured")
        #expect(small.faults.count <= 3)
        #expect(small.description.contains(".hold("))
        #expect(bug.violation(in: small)?.invariant == "a hold is honoured")
        #expect(small.run().violation == nil)
    }

    @Test func aScheduleIsPrintedAsSwift() {
        let schedule = Schedule(
            seed: 7, pools: [Service.Plan("web") { $0.workers = 2 }],
            program: Program { $0.deaf = 5 }, faults: [TimedFault(3, .park)], healAt: 4)
        #expect(
            schedule.description == """
                Schedule(
                    seed: 7,
                    pools: [
                        Service.Plan("web") { $0.workers = 2 }
                    ],
                    program: Program { $0.deaf = 5 },
                    faults: [
                        TimedFault(3, .park),
                    ], healAt: 4, haste: .graceful)
                """)
    }
}
