/// The behaviour of the workers' program: times in milliseconds, chances in a thousand, memory in
/// MiB. Each worker draws its own behaviour from these when it starts.
package struct Program: Equatable, Sendable {
    /// The longest time from the start order until the program runs.
    package var exec = 5
    /// The longest boot.
    package var boot = 200
    /// The longest time from the stop-signal to the exit.
    package var drain = 200
    /// The longest time of the last requests, how many never end, and the number of workers whose
    /// requests are not visible.
    package var busy = 20
    package var endless = 0
    package var unwatchable = 0
    /// The number of connections that are reused, of responses that pause, and of threads that wait
    /// to accept a connection.
    package var reusing = 300
    package var pausing = 0
    package var accepting = 0
    /// The longest time until a sample of connections arrives, and how many never arrive.
    package var sampling = 0
    package var lost = 0
    /// The longest delay of an exit's report; exits in between are reported together.
    package var late = 0
    /// The longest time from SIGKILL until no process is left.
    package var linger = 5
    /// How many fail to boot, and how many hang instead.
    package var failing = 0
    package var hanging = 0
    /// How many ignore the stop-signal.
    package var deaf = 0
    /// How many leave processes behind, and how many of those ignore signals.
    package var trees = 0
    package var deafTrees = 0
    /// The longest time from ready to a crash, or to an end with status 0; 0 is never.
    package var crashing = 0
    package var finishing = 0
    /// The memory at the start, the growth per second, and the maximum growth; 0 is unlimited.
    package var memory = 50
    package var growth = 0
    package var filling = 0
    /// The seconds between two garbage collections, which release all growth; 0 is never.
    package var collecting = 0
    /// The available memory; 0 is unlimited.
    package var limit = 0
    /// The duration of the command that inspects a worker before it is recycled for memory; 0 is
    /// unlimited.
    package var evidence = 0
    /// The interval between reports of requests; 0 is none. And the most requests per report.
    package var reporting = 0
    package var requests = 0
    /// How many count on their page, and report only at the notification threshold.
    package var paging = 0
    /// The number of visible responses of a worker per second, and how many of them are errors.
    package var answering = 0
    package var erring = 0
    /// The interval of `WATCHDOG=1`; 0 is none. And the longest time until they end; 0 is never.
    package var beating = 0
    package var muting = 0
    /// The longest boot of a mold, how many molds fail to boot, hang or are refused, the longest time until
    /// one dies, and how many orders it leaves without an answer.
    package var moldBoot = 300
    package var moldFailing = 0
    package var moldHanging = 0
    package var moldRefused = 0
    package var moldCrashing = 0
    package var moldDeaf = 0
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
        ("moldBoot", \.moldBoot), ("moldFailing", \.moldFailing),
        ("moldHanging", \.moldHanging), ("moldRefused", \.moldRefused),
        ("moldCrashing", \.moldCrashing), ("moldDeaf", \.moldDeaf),
        ("answering", \.answering), ("erring", \.erring),
        ("beating", \.beating), ("muting", \.muting), ("silent", \.silent),
        ("hidden", \.hidden),
    ]

    /// The same program without faults.
    var healed: Program {
        var program = Program()
        program.boot = boot
        program.drain = drain
        program.busy = busy
        program.beating = beating
        program.answering = answering
        return program
    }
}
