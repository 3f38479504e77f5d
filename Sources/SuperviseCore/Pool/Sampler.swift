/// The contents of a pool's sample.
public struct SampleContents: OptionSet, Hashable, Sendable {
    /// The bits of the set.
    public var rawValue: UInt8

    /// Creates a set with these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The memory of each worker.
    public static let memory = SampleContents(rawValue: 1)
    /// The remaining memory below the limit.
    public static let room = SampleContents(rawValue: 2)
    /// The counts of the workers, and then whether connections wait to be accepted.
    public static let progress = SampleContents(rawValue: 4)
    /// No further data, but one line per worker in `memory-log` with the sampled memory.
    public static let memoryLog = SampleContents(rawValue: 8)
    /// The number of responses of each worker.
    public static let responses = SampleContents(rawValue: 16)
    /// The requests that wait for a response.
    public static let requests = SampleContents(rawValue: 32)
    /// The load: the connections that wait, and what the workers do.
    public static let load = SampleContents(rawValue: 64)
}

/// The result of a sample of a pool.
public struct PoolSample: Equatable, Sendable {
    /// The memory of one worker.
    public struct Figure: Equatable, Sendable {
        /// The worker.
        public var id: WorkerID
        /// Its memory in bytes.
        public var bytes: UInt64
        /// Whether a request was in flight.
        public var isServing: Bool

        /// Creates a figure.
        public init(_ id: WorkerID, bytes: UInt64, isServing: Bool = false) {
            self.id = id
            self.bytes = bytes
            self.isServing = isServing
        }
    }

    /// The responses of one worker so far.
    public struct Responses: Equatable, Sendable, Codable {
        /// The worker.
        public var id: WorkerID
        /// Their number.
        public var count: ResponseCount

        /// Creates a figure.
        public init(_ id: WorkerID, _ count: ResponseCount) {
            self.id = id
            self.count = count
        }
    }

    /// The remaining memory below the limit; nil if it was not requested or is unknown.
    public var room: MemoryRoom?
    /// The memory of each running worker, if it could be read; nil if it was not requested.
    public var memory: [Figure]?
    /// The memory of the pool's molds together, in bytes.
    public var moldBytes: UInt64 = 0
    /// The generations on whose listeners connections wait; nil if they were not requested.
    public var waiting: [Int]?
    /// The responses of each running worker, if they are visible; nil if they were not requested.
    public var responses: [Responses]?
    /// The workers with requests that wait for a response; nil if they were not requested.
    public var requests: [WaitingRequests]?
    /// The load; nil if it was not requested.
    public var load: Load?

    /// Creates a sample.
    public init(
        room: MemoryRoom? = nil, memory: [Figure]? = nil, moldBytes: UInt64 = 0,
        waiting: [Int]? = nil, responses: [Responses]? = nil, requests: [WaitingRequests]? = nil,
        load: Load? = nil
    ) {
        self.room = room
        self.memory = memory
        self.moldBytes = moldBytes
        self.waiting = waiting
        self.responses = responses
        self.requests = requests
        self.load = load
    }
}

/// The schedule of a pool's samples. There is one timer for everything, and contents that are due
/// at the same time share a sample.
struct Sampler: Equatable, Sendable, Codable {
    /// The number of times per `stall-timeout` that the queue is polled.
    private static let samplesPerStallTimeout: Int64 = 4
    /// The number of times per `request-timeout` that the requests are sampled.
    private static let samplesPerRequestTimeout: Int64 = 10
    private static let longestRequestGap = TimeSpan.seconds(1)
    private static let shortestGap = TimeSpan.milliseconds(10)

    /// The time of the next memory sample for the caps.
    private(set) var memoryAt: Instant?
    /// The time of the next progress sample.
    private(set) var progressAt: Instant?
    /// The time of the next sample of the requests.
    private(set) var requestsAt: Instant?
    /// The time of the next sample of the load.
    private(set) var loadAt: Instant?
    /// The time of the next lines in the memory log.
    private(set) var logAt: Instant?
    /// The distance of the workers from their caps.
    var pace = SamplingPace()

    /// The time of the next sample.
    var deadline: Instant? {
        Instant.earliest(Instant.earliest(memoryAt, requestsAt, loadAt), progressAt, logAt)
    }

    /// Schedules the samples of the memory. Sampling costs a wakeup, so a pool without caps has
    /// none.
    mutating func scheduleMemory(by policy: PoolPolicy, at now: Instant) {
        memoryAt = policy.needsSampling ? now + policy.memoryInterval : nil
        logAt = policy.memoryLogInterval.map { min(logAt ?? now + $0, now + $0) }
    }

    /// Schedules the next sample of the progress, if the settings require any.
    mutating func scheduleProgress(by policy: PoolPolicy, at now: Instant) {
        guard policy.hasListeners, let timeout = policy.stallTimeout else { return endProgress() }
        let gap = TimeSpan(nanoseconds: timeout.nanoseconds / Sampler.samplesPerStallTimeout)
        progressAt = now + max(Sampler.shortestGap, gap)
    }

    /// Schedules the next sample of the requests, if the settings require any.
    mutating func scheduleRequests(by policy: PoolPolicy, at now: Instant) {
        guard policy.hasListeners, let timeout = policy.requestTimeout else {
            requestsAt = nil
            return
        }
        let gap = TimeSpan(nanoseconds: timeout.nanoseconds / Sampler.samplesPerRequestTimeout)
        requestsAt = now + max(Sampler.shortestGap, min(gap, Sampler.longestRequestGap))
    }

    /// Ends the samples of the memory.
    mutating func endMemory() {
        memoryAt = nil
        logAt = nil
    }

    /// Ends the samples of the progress.
    mutating func endProgress() { progressAt = nil }

    /// Ends the samples of the requests.
    mutating func endRequests() { requestsAt = nil }

    /// Schedules the next sample of the load, or only moves it to an earlier time.
    mutating func scheduleLoad(at time: Instant, isEarlier: Bool = false) {
        loadAt = isEarlier ? min(loadAt ?? time, time) : time
    }

    /// Ends the samples of the load.
    mutating func endLoad() { loadAt = nil }

    /// Ends all samples.
    mutating func end() {
        endLoad()
        endMemory()
        endProgress()
        endRequests()
    }

    /// Samples the memory after one interval at the latest, because a new worker must not wait for
    /// the end of a long interval.
    mutating func sampleSoon(by policy: PoolPolicy, at now: Instant) {
        memoryAt = memoryAt.map { min($0, now + policy.memoryInterval) }
    }

    /// Returns what must be read at this time, before the next time is scheduled. The memory log
    /// needs its own samples if there is no cap.
    mutating func takeDue(at now: Instant) -> SampleContents {
        var contents: SampleContents = []
        if let logAt, logAt <= now {
            contents.formUnion([.memory, .memoryLog])
            self.logAt = nil
        }
        if let memoryAt, memoryAt <= now { contents.insert(.memory) }
        if let progressAt, progressAt <= now { contents.insert(.progress) }
        if let requestsAt, requestsAt <= now { contents.insert(.requests) }
        if let loadAt, loadAt <= now {
            contents.insert(.load)
            // The sample decides when the next one is taken.
            self.loadAt = nil
        }
        return contents
    }

    /// Sets the interval until the next sample, after all workers were sampled.
    mutating func memoryWasSampled(by policy: PoolPolicy, at now: Instant) {
        memoryAt = now + pace.gap(atLeast: policy.memoryInterval)
    }
}
