import Background
import Simulator
import SuperviseCore
import Testing

/// The shrinker keeps what breaks and takes the rest away.
@Suite(.inBackground) struct ShrinkerTests {
    @Test func aLongScheduleBecomesAShortOne() throws {
        let machine: (Schedule) -> Bugged = { Bugged(.forgetHold, $0) }
        let found = try #require(
            (0..<UInt64(3_000)).lazy.map { Swarm.schedule(seed: $0) }.first { schedule in
                guard schedule.faults.count > 6 else { return false }
                var simulation = Simulation(schedule, of: machine(schedule))
                return simulation.run().violation?.invariant == "a hold is honoured"
            })
        let small = Shrinker.shrink(found, breaking: "a hold is honoured", of: machine)
        #expect(small.faults.count <= 3)
        #expect(small.description.contains(".hold("))
        var simulation = Simulation(small, of: machine(small))
        #expect(simulation.run().violation?.invariant == "a hold is honoured")
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
