import SuperviseCore
import SuperviseLinux

/// Runs the program that is to follow the master in a child, which reads the state and the command
/// line. A program that cannot read them in a process of its own never replaces the master.
enum UpgradeProbe {
    /// The word that makes the program a probe. For internal use.
    static let verb = "__probe"
    /// The time limit of a probe.
    private static let timeout = TimeSpan.seconds(30)
    /// The descriptors that a probe finds open: the state, its answer, and its own program.
    enum Descriptor {
        static let state: Int32 = 3
        static let answer: Int32 = 4
        static let program: Int32 = 5
    }
    private static let longestAnswer = 64 << 10

    enum Outcome: Equatable {
        /// The program of this version understands the state.
        case understood(version: String)
        /// The program does not understand it, or is not a supervise program.
        case refused(String)
    }

    static func start(
        _ program: ExecutableFile, state: MemoryFile, _ launch: Launch, in poll: EventPoll,
        at now: Instant
    ) throws(UpgradeFailure) -> HelperChild {
        do throws(HelperChild.Failure) {
            return try HelperChild(
                ["/proc/self/fd/\(Descriptor.program)", verb] + launch.arguments,
                environment: launch.environment,
                passing: { [state.rawValue, $0, program.rawValue] },
                longestAnswer: longestAnswer, until: now + timeout, in: poll,
                token: Master.Token.probe)
        } catch {
            throw UpgradeFailure(
                error.isInChild ? "cannot be executed: \(error.error.message)" : "\(error.error)")
        }
    }

    /// Returns the probe's report on the state.
    static func answer(_ outcome: Outcome) -> String {
        switch outcome {
        case .understood(let version): "understood \(version)\n"
        case .refused(let reason): "refused \(reason.substituting(["\n": " "]))\n"
        }
    }

    static func outcome(of answer: HelperChild.Answer) -> Outcome {
        switch answer {
        case .complete(let text): outcome(text)
        case .tooLong: outcome([])
        case .unreadable(let error): .refused("cannot read its response: \(error)")
        }
    }

    static func outcome(_ text: [UInt8]) -> Outcome {
        let line = String(decoding: text, as: UTF8.self)
        let words = line.dropLast().split(separator: " ", maxSplits: 1)
        guard line.hasSuffix("\n"), words.count == 2 else {
            return .refused(
                "it exited without a response: it is not supervise, or a version too old to take over"
            )
        }
        switch words[0] {
        case "understood": return .understood(version: String(words[1]))
        case "refused": return .refused(String(words[1]))
        default: return .refused("invalid response")
        }
    }
}

/// The reason for which there is no upgrade.
struct UpgradeFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
