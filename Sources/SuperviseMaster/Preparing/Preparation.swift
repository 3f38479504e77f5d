import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The `before-start` commands of one generation, which run one by one before its first worker
/// starts.
final class Preparation {
    /// A running command.
    private struct Running {
        let pool: String
        let output: WorkerOutput
        /// The pipe that reports a failed start with other credentials.
        let errorPipe: OwnedDescriptor?
        let startedAt: Instant
    }

    let generation: Generation
    /// Whether there is no current generation yet.
    let isFirst: Bool
    private var waiting: [Blueprint]
    private var running: Running?
    /// The stop that waits until the command has ended.
    var stop: Service.Event?
    /// The time of the first request.
    var stoppedAt: Instant?
    /// Whether the configuration must be read again once the command has ended.
    var isReloadWanted = false

    /// Creates the preparation of these pools; nil if none of them has a command.
    init?(_ generation: Generation, isFirst: Bool) {
        self.generation = generation
        self.isFirst = isFirst
        waiting = generation.pools.map(\.blueprint).filter { !$0.settings.beforeStart.isEmpty }
        if waiting.isEmpty { return nil }
    }

    /// Returns the output of the command with this number in the epoll set.
    func output(serial: UInt64) -> WorkerOutput? {
        running?.output.serial == serial ? running?.output : nil
    }

    /// Returns and removes the next pool with a command that has not run.
    func next() -> Blueprint? { waiting.isEmpty ? nil : waiting.removeFirst() }

    func began(
        _ pool: String, _ output: WorkerOutput, _ errorPipe: OwnedDescriptor?, at now: Instant
    ) {
        running = Running(pool: pool, output: output, errorPipe: errorPipe, startedAt: now)
    }

    /// The command that has ended.
    func takeEnded() -> (
        pool: String, output: WorkerOutput, failure: SpawnFailure?, startedAt: Instant
    )? {
        defer { running = nil }
        guard let running else { return nil }
        var failure: SpawnFailure?
        if let pipe = running.errorPipe, case .failed(let found) = SpawnPlan.readFailure(from: pipe)
        {
            failure = found
        }
        return (running.pool, running.output, failure, running.startedAt)
    }
}
