/// What a sample of a pool reads.
public struct SampleContents: OptionSet, Hashable, Sendable {
    /// The bits of the set.
    public var rawValue: UInt8

    /// A set with these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The memory of each worker.
    public static let memory = SampleContents(rawValue: 1)
    /// What is left of the memory limit.
    public static let room = SampleContents(rawValue: 2)
    /// The counts of the workers, and after them whether connections wait to be accepted.
    public static let progress = SampleContents(rawValue: 4)
    /// Nothing more, but a line per worker in `memory-log` with the memory that was read.
    public static let memoryLog = SampleContents(rawValue: 8)
}

/// The result of a sample of a pool.
public struct PoolSample: Equatable, Sendable {
    /// The memory of one worker.
    public struct Figure: Equatable, Sendable {
        /// The worker.
        public var id: WorkerID
        /// Its memory in bytes.
        public var bytes: UInt64

        /// Describes the memory of a worker.
        public init(_ id: WorkerID, bytes: UInt64) {
            self.id = id
            self.bytes = bytes
        }
    }

    /// What is left of the memory limit; nil if that was not read, or is unknown.
    public var room: MemoryRoom?
    /// The memory of each living worker, as far as it could be read; nil if that was not wanted.
    public var memory: [Figure]?
    /// The generations on whose listeners connections wait; nil if that was not wanted.
    public var waiting: [Int]?

    /// Creates a sample.
    public init(room: MemoryRoom? = nil, memory: [Figure]? = nil, waiting: [Int]? = nil) {
        self.room = room
        self.memory = memory
        self.waiting = waiting
    }
}

/// The schedule of a pool's samples. There is one timer for all that is read, and what is due at
/// the same time is read in the same sample.
struct Sampler: Equatable, Sendable, Codable {
    /// The queue is sampled so many times within `stall-timeout`.
    private static let samplesPerStallTimeout: Int64 = 4
    private static let shortestGap = TimeSpan.milliseconds(10)

    /// When the memory is read next for the caps.
    private(set) var memoryAt: Instant?
    /// When the progress is read next.
    private(set) var progressAt: Instant?
    /// When the memory log is written next.
    private(set) var logAt: Instant?
    /// How near the workers are to their caps.
    var pace = SamplingPace()

    /// The time of the next sample.
    var deadline: Instant? { [memoryAt, progressAt, logAt].compactMap { $0 }.min() }

    /// Schedules the samples of the memory. Sampling costs a wakeup, so a pool without caps has
    /// none.
    mutating func scheduleMemory(by policy: PoolPolicy, at now: Instant) {
        memoryAt = policy.needsSampling ? now + policy.memoryInterval : nil
        logAt = policy.memoryLogInterval.map { min(logAt ?? now + $0, now + $0) }
    }

    /// Schedules the next sample of the progress, if the policy asks for any.
    mutating func scheduleProgress(by policy: PoolPolicy, at now: Instant) {
        guard policy.hasListeners, let timeout = policy.stallTimeout else { return endProgress() }
        let gap = TimeSpan(nanoseconds: timeout.nanoseconds / Sampler.samplesPerStallTimeout)
        progressAt = now + max(Sampler.shortestGap, gap)
    }

    /// Ends the samples of the memory.
    mutating func endMemory() {
        memoryAt = nil
        logAt = nil
    }

    /// Ends the samples of the progress.
    mutating func endProgress() { progressAt = nil }

    /// Ends all samples.
    mutating func end() {
        endMemory()
        endProgress()
    }

    /// Reads the memory after one interval at the latest: a new worker must not wait for the end of
    /// a long gap.
    mutating func sampleSoon(by policy: PoolPolicy, at now: Instant) {
        memoryAt = memoryAt.map { min($0, now + policy.memoryInterval) }
    }

    /// What is to be read at this time, before the next time is scheduled. The memory log needs
    /// figures of its own if no cap does.
    mutating func takeDue(at now: Instant) -> SampleContents {
        var contents: SampleContents = []
        if let logAt, logAt <= now {
            contents.formUnion([.memory, .memoryLog])
            self.logAt = nil
        }
        if let memoryAt, memoryAt <= now { contents.insert(.memory) }
        if let progressAt, progressAt <= now { contents.insert(.progress) }
        return contents
    }

    /// All workers were measured: chooses the gap until the next time.
    mutating func memoryWasSampled(by policy: PoolPolicy, at now: Instant) {
        memoryAt = now + pace.gap(atLeast: policy.memoryInterval)
    }
}
