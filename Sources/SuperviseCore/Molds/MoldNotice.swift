/// Something about a mold that is worth a line of the log.
public enum MoldNotice: Equatable, Sendable {
    /// Its process was started.
    case started(MoldID)
    /// It has loaded the program: workers are forked from it from now on.
    case ready(MoldID, after: TimeSpan)
    /// It failed.
    case failed(MoldID, MoldFailure)
    /// It was asked to end and did, or could not be started by then.
    case ended(MoldID, ExitStatus?)
    /// Two of its workers in a row did not become ready. The next one is exec'd for comparison.
    case doubted(MoldID)
    /// The workers of this generation are exec'd from now on.
    case givenUp(pool: Int, generation: Int, wasWarm: Bool)
    /// The worker is exec'd although earlier ones of its generation were forked.
    case execInstead(WorkerID)
}
