/// How the workers' program behaves: times in milliseconds, chances in a thousand, memory in MiB.
/// Each worker draws its own fate from these when it starts.
package struct Program: Equatable, Sendable {
    /// The longest time from the order to start until the program runs.
    package var exec = 5
    /// The longest boot.
    package var boot = 200
    /// The longest time from the stop-signal to the exit.
    package var drain = 200
    /// The longest time that the last requests take, how many never end, and of how many workers that
    /// can't be seen.
    package var busy = 20
    package var endless = 0
    package var unwatchable = 0
    /// How many connections are used again and again, how many have a response that pauses, and how many
    /// threads wait to accept a connection.
    package var reusing = 300
    package var pausing = 0
    package var accepting = 0
    /// The longest time until a sample of connections arrives, and how many never do.
    package var sampling = 0
    package var lost = 0
    /// The longest time by which an exit is told late; exits in between are told together.
    package var late = 0
    /// The longest time from SIGKILL until nothing is left.
    package var linger = 5
    /// How many fail to boot, and how many hang instead.
    package var failing = 0
    package var hanging = 0
    /// How many do not hear the stop-signal.
    package var deaf = 0
    /// How many leave processes behind, and how many of those are deaf.
    package var trees = 0
    package var deafTrees = 0
    /// The longest time from ready to a crash, or to an end with status 0; 0 is never.
    package var crashing = 0
    package var finishing = 0
    /// Memory at the start, what is added in a second, and the most that is added; 0 is no end.
    package var memory = 50
    package var growth = 0
    package var filling = 0
    /// The time in seconds between two collections, which take all that was added away; 0 is never.
    package var collecting = 0
    /// The memory that there is; 0 is more than enough.
    package var limit = 0
    /// How long it takes to look at a worker that goes for its memory; 0 is for ever.
    package var evidence = 0
    /// The time between two reports of requests; 0 is none. And the most requests in one.
    package var reporting = 0
    package var requests = 0
    /// How many count on their page, and report only when the bell rings.
    package var paging = 0
    /// The time between two `WATCHDOG=1`; 0 is none. And the longest time until they cease; 0 is never.
    package var beating = 0
    package var muting = 0
    /// How many say nothing when they are ready, and of how many nothing can be seen.
    package var silent = 0
    package var hidden = 0

    package init() {}

    package init(_ adjust: (inout Program) -> Void) { adjust(&self) }

    /// Every field by name, for the printer and the shrinker.
    nonisolated(unsafe) static let fields: [(name: String, path: WritableKeyPath<Program, Int>)] = [
        ("exec", \.exec), ("boot", \.boot), ("drain", \.drain), ("busy", \.busy),
        ("endless", \.endless), ("unwatchable", \.unwatchable), ("reusing", \.reusing),
        ("pausing", \.pausing), ("accepting", \.accepting), ("sampling", \.sampling),
        ("lost", \.lost), ("late", \.late),
        ("linger", \.linger), ("failing", \.failing), ("hanging", \.hanging), ("deaf", \.deaf),
        ("trees", \.trees), ("deafTrees", \.deafTrees), ("crashing", \.crashing),
        ("finishing", \.finishing), ("memory", \.memory), ("growth", \.growth),
        ("filling", \.filling), ("collecting", \.collecting), ("limit", \.limit),
        ("evidence", \.evidence),
        ("reporting", \.reporting), ("requests", \.requests), ("paging", \.paging),
        ("beating", \.beating), ("muting", \.muting), ("silent", \.silent),
        ("hidden", \.hidden),
    ]

    /// The same program once nothing goes wrong any more.
    var healed: Program {
        var program = Program()
        program.boot = boot
        program.drain = drain
        program.busy = busy
        program.beating = beating
        return program
    }
}
