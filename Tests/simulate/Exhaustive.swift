import Glibc
import Simulator
import SuperviseCore

/// Checks every sequence of every small pool up to a length, and prints their number.
func exploreSmallPools(workers: ClosedRange<Int>, length: Int) {
    var (sequences, steps, recoveries, seconds) = (0, 0, 0, 0.0)
    for scene in Scene.all(workers: workers) {
        let start = clock()
        let found = Exhaustive.explore(scene, length: length) { Service([scene.plan], seed: 1) }
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
