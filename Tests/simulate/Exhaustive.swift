import Glibc
import Simulator
import SuperviseCore

/// Checks every sequence of every small pool up to a length, and prints their number.
func exploreSmallPools(workers: ClosedRange<Int>, length: Int) {
    var (sequences, steps, recoveries, seconds) = (0, 0, 0, 0.0)
    for scene in Scene.all(workers: workers) {
        let start = clock()
        let found = scene.explore(length: length)
        let spent = Double(clock() - start) / Double(CLOCKS_PER_SEC)
        print(
            "\(scene): \(found.sequences) sequences of \(length), \(found.steps) steps, "
                + "\(found.recoveries) recoveries, \(spent) s")
        if let failure = found.failure { print("breaks: \(failure)") }
        sequences += found.sequences
        steps += found.steps
        recoveries += found.recoveries
        seconds += spent
    }
    print("\(sequences) sequences, \(steps) steps, \(recoveries) recoveries, \(seconds) s")
}

/// Prints the first seed that catches each planted bug, unless it is among the first 50.
func findPlantedBugs() {
    #if DEBUG
        for bug in PlantedBug.allCases {
            let seed = (0..<UInt64(10_000)).first { seed in
                bug.violation(in: Swarm.schedule(seed: seed)) != nil
            }
            if let seed, seed < 50 { continue }
            print("\(bug): \(seed.map(String.init) ?? "none")")
        }
    #else
        print("only a debug build has planted bugs")
    #endif
}
