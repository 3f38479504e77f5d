import SuperviseCore

@testable import SuperviseSettings

/// Generates configurations from the whole range of the model.
struct RandomConfiguration {
    var generator: SeededGenerator

    mutating func next() -> Configuration {
        var master = MasterSettings()
        master.name = maybe { "n\($0.number(99))" }
        master.pidfile = maybe { $0.text() }
        master.logLevel = generator.pick(LogLevel.allCases)
        master.logFormat = generator.pick(LogFormat.allCases)
        master.logFile = maybe { .file($0.text()) } ?? .standardError
        master.control = generator.pick([.automatic, .none, .path("/" + text())])
        master.controlMode = UInt32(number(0o777))
        master.controlOwner = maybe { $0.generator.pick(["a", ":b", "a b:c"]) }
        master.statusBind = maybe { .tcp(host: "::1", port: UInt16($0.number(65535))) }
        master.hooks = list {
            EventHook(
                events: [$0.generator.pick(HookEvent.allCases), .all],
                command: ["x" + $0.text(), $0.text()])
        }
        let pools = (0...number(2)).map { pool(named: "pool-\($0)") }
        return Configuration(master: master, pools: pools)
    }

    private mutating func pool(named name: String) -> PoolSettings {
        var pool = PoolSettings(name: name)
        pool.binds = list { $0.bind() }
        pool.backlog = 1 + number(9999)
        pool.socketMode = UInt32(number(0o777))
        pool.socketOwner = maybe { $0.generator.pick(["a", ":b", "a b:c"]) }
        pool.nonblocking = generator.chance(50)
        pool.passListeners = generator.chance(50)
        pool.command = list { $0.text() }
        if !pool.command.isEmpty { pool.command[0] = "x" + pool.command[0] }
        pool.workers =
            maybe { .count(1 + $0.number(999)) } ?? maybe {
                let least = $0.number(20)
                return .range(least...least + 1 + $0.number(20))
            } ?? .auto
        pool.policy.scaleUpAfter = .milliseconds(10 + Int64(number(999)))
        pool.policy.scaleDownAfter = .seconds(1 + Int64(number(999)))
        pool.policy.scaleBy = generator.pick(ScaleMeasure.allCases)
        if generator.chance(20) {
            pool.schedule = schedule()
            pool.workers = .count(1)
        }
        pool.scheduleTimeZone = generator.pick(ScheduleTimeZone.allCases)
        pool.overlap = generator.pick(RunOverlap.allCases)
        pool.environment = list {
            EnvironmentVariable(name: "A", value: $0.generator.chance(20) ? "" : $0.text())
        }
        pool.environmentFiles = list { $0.text() }
        pool.clearEnvironment = generator.chance(50)
        pool.workingDirectory = maybe { $0.text() }
        pool.user = maybe { $0.text() }
        pool.group = maybe { $0.text() }
        pool.umask = maybe { UInt32($0.number(0o777)) }
        pool.addressSpaceLimit = maybe { $0.limit() }
        pool.openFilesLimit = maybe { $0.limit() }
        pool.coreSizeLimit = maybe { $0.limit() }
        pool.nice = maybe { $0.number(39) - 20 }
        pool.oomScoreAdjust = maybe { $0.number(2000) - 1000 }
        pool.adopt = generator.pick(AdoptRule.allCases)
        pool.count = generator.pick(CountRule.allCases)
        pool.policy.requestTimeout = maybe { $0.span(atLeast: 1) }
        pool.canaryCheck = generator.pick(CanaryCheckRule.allCases)
        pool.requestInfo = generator.pick(RequestInfoRule.allCases)
        pool.beforeStart = list { "x" + $0.text() }
        pool.beforeStartTimeout = maybe { $0.span(atLeast: 1) }
        pool.bootParallel = maybe { 1 + $0.number(9) }
        pool.mold = generator.pick([.off, .auto, .command(["x" + text(), text()])])
        pool.moldImports = list { "m\($0.number(99)).x" }
        pool.moldShares = generator.pick(MoldShareRule.allCases)
        pool.beforeRecycle = list { "x" + $0.text() }
        pool.evidenceSignal = maybe { $0.signal() }
        pool.output = generator.pick([.inherit, .prefix, .none, .file("/" + text() + "x")])
        pool.outputOverflow = generator.pick(OutputOverflow.allCases)
        pool.outputMaximumBytes = maybe { UInt64(1 + $0.number(9)) }
        pool.outputKeep = number(1000)
        pool.memoryLog = maybe { $0.text() }
        pool.memoryLogInterval = span(atLeast: 100_000_000)
        pool.memoryMetric = generator.pick(MemoryMetric.allCases)
        pool.memoryScope = generator.pick(MemoryScope.allCases)
        pool.stopSignal = signal()
        pool.quickSignal = maybe { $0.generator.pick([$0.signal(), .kill]) }
        pool.reopenSignal = maybe { $0.signal() }
        fill(&pool.policy)
        return pool
    }

    private mutating func fill(_ policy: inout PoolPolicy) {
        policy.readiness = generator.pick([.auto, .notify, .exec, .after(span(atLeast: 1))])
        policy.readyTimeout = span(atLeast: 1_000_000)
        policy.maxRequests = UInt64(number(.max))
        policy.maxRequestsJitter = UInt64(number(9))
        policy.maxLifetime = maybe { $0.span(atLeast: 1) }
        policy.maxLifetimeJitter = span(atLeast: 0)
        policy.maxRSSBytes = maybe { 1 << 20 + UInt64($0.number(.max - 1 << 20)) }
        if generator.chance(20) { policy.maxRSS = .percent(1 + number(99)) }
        policy.warnRSS = maybe { .bytes(1 << 20 + UInt64($0.number(99))) }
        policy.maxPoolRSS = maybe { .percent(1 + $0.number(99)) }
        policy.killRSSBytes = maybe { UInt64(1 + $0.number(99)) << 20 }
        policy.memoryInterval = span(atLeast: 10_000_000)
        policy.memoryPressure = generator.pick(MemoryPressure.allCases)
        policy.memorySamples = 1 + number(999)
        policy.minLifetime = span(atLeast: 0)
        policy.maxSurge = maybe { $0.amount() }
        policy.maxUnavailable = maybe { $0.amount() }
        policy.maxHold = span(atLeast: 0)
        policy.gracefulTimeout = span(atLeast: 0)
        policy.restart = generator.pick(RestartPolicy.allCases)
        policy.backoff = span(atLeast: 1_000_000)
        policy.backoffMax = span(atLeast: 1_000_000)
        policy.stableAfter = span(atLeast: 0)
        policy.bootAttempts = 1 + number(99)
    }

    private mutating func maybe<Value>(_ draw: (inout Self) -> Value) -> Value? {
        generator.chance(50) ? draw(&self) : nil
    }

    private mutating func list<Value>(_ draw: (inout Self) -> Value) -> [Value] {
        (0..<number(3)).map { _ in draw(&self) }
    }

    private mutating func number(_ largest: Int) -> Int {
        Int.random(in: 0...largest, using: &generator)
    }

    private mutating func span(atLeast least: Int64) -> TimeSpan {
        let units: [Int64] = [1, 1_000_000, 1_000_000_000, 3_600_000_000_000]
        let drawn = Int64(number(999)) * generator.pick(units)
        return TimeSpan(nanoseconds: max(least, drawn))
    }

    /// A signal that programs can catch and that terminates them.
    private mutating func signal() -> Signal {
        let signal = Signal(number: Int32(1 + number(63)))
        return (18...22).contains(signal.number) || signal == .kill ? .terminate : signal
    }

    private mutating func schedule() -> Schedule? {
        let texts = [
            "*/5 * * * *", "0 3 * * mon-fri", "1,2,30-40/5 */2 1 jan,Feb 7", "@Daily", "every 90m",
            "EVERY 1s",
        ]
        do throws(ScheduleFault) {
            return try Schedule(generator.pick(texts))
        } catch {
            preconditionFailure("\(error)")
        }
    }

    private mutating func amount() -> Amount {
        generator.chance(50) ? .count(number(9)) : .percent(number(100))
    }

    private mutating func limit() -> ResourceLimit {
        generator.chance(30) ? .unlimited : .limited(UInt64(number(.max)))
    }

    private mutating func bind() -> BindAddress {
        switch number(4) {
        case 0: .tcp(host: generator.pick(["a.b", "0.0.0.0", "::1"]), port: UInt16(number(65535)))
        // A path that begins with @ is written as ./@, so it does not have this form.
        case 1: .unix(path: "/" + text())
        case 2: .abstract(name: text())
        case 3: .descriptor(Int32(number(99)))
        default: .systemd(name: "n\(number(9))")
        }
    }

    /// A text of the characters that are hardest to quote.
    private mutating func text() -> String {
        let alphabet: [Character] = [
            "a", "Z", " ", "\t", "\n", "\r", "\r\n", "\\", "'", "\"", "$", "#", ";", "=", "[", "]",
            "{", "}", "\u{1}", "\u{7F}", "é", "\u{301}", "😀", "\u{FEFF}", "\u{2028}", ",", ":",
        ]
        return String((0...number(5)).map { _ in generator.pick(alphabet) })
    }
}
