import SuperviseCore
import SuperviseLinux

/// Reads the configuration and resolves its names in a child, so that a slow disk or name server
/// blocks nothing. The child runs this program with one more word in front of the arguments.
enum ConfigurationLoader {
    /// The word that makes the program a loader. For internal use.
    static let verb = "__load"
    /// The descriptor that a loader writes to.
    static let outputDescriptor: Int32 = 3
    /// The time limit of a loader.
    private static let timeout = TimeSpan.seconds(10)
    static let timeoutMessage = "reading the configuration took longer than 10 s"
    /// More than any configuration takes.
    private static let longestReport = 16 << 20

    enum Outcome {
        case loaded(ResolvedConfiguration)
        case problems([String])
    }

    static func start(
        _ launch: Launch, in poll: EventPoll, at now: Instant
    ) throws(HelperChild.Failure) -> HelperChild {
        try HelperChild(
            ["/proc/self/exe", verb] + launch.arguments, environment: launch.environment,
            passing: { [$0] }, longestAnswer: longestReport, until: now + timeout, in: poll,
            token: Master.Token.loader)
    }

    static func outcome(of answer: HelperChild.Answer) -> Outcome {
        switch answer {
        case .complete(let text):
            LoaderReport.decode(text)
                ?? .problems(["the process that reads the configuration exited early"])
        case .tooLong: .problems(["the configuration exceeds 16 MiB"])
        case .unreadable(let error): .problems(["reading the configuration: \(error)"])
        }
    }
}
