import SuperviseCore
import SuperviseLinux

/// A child of the master that runs the program which is to follow it, and has that read the state and the
/// command line: what it can't read in a process of its own it never gets to be.
final class UpgradeProbe {
    /// The word that makes the program a probe. Not for people.
    static let verb = "__probe"
    /// How long it may take.
    static let timeout = TimeSpan.seconds(30)
    /// What a probe finds open: the state, where to answer, and its own program.
    enum Descriptor {
        static let state: Int32 = 3
        static let answer: Int32 = 4
        static let program: Int32 = 5
    }
    private static let longestAnswer = 64 << 10

    enum Outcome: Equatable {
        /// The program of this version understands the state.
        case understood(version: String)
        /// It does not, or is no such program.
        case refused(String)
    }

    let pid: Int32
    let deadline: Instant
    private let process: ProcessDescriptor
    private let pipe: Pipe.Reader
    private var text: [UInt8] = []

    var descriptor: Int32 { pipe.rawValue }

    init(
        _ program: ExecutableFile, state: MemoryFile, arguments: [String],
        environment: [String], at now: Instant
    ) throws(UpgradeFailure) {
        deadline = now + UpgradeProbe.timeout
        let writer: OwnedDescriptor
        let plan: SpawnPlan
        do throws(SystemCallError) {
            (pipe, writer) = try Pipe.make()
            var attributes = SpawnAttributes()
            attributes.deathSignal = Signal.kill.number
            plan = try SpawnPlan(
                arguments: ["/proc/self/fd/\(Descriptor.program)", UpgradeProbe.verb] + arguments,
                searchPath: nil, attributes: attributes)
        } catch {
            throw UpgradeFailure("\(error)")
        }
        do throws(SpawnFailure) {
            let spawned = try plan.spawn(
                environment: environment,
                descriptors: [state.rawValue, writer.rawValue, program.rawValue])
            pid = spawned.pid
            process = spawned.process
        } catch {
            throw UpgradeFailure("cannot be executed: \(SystemCallError.message(of: error.code))")
        }
    }

    /// What a probe says of the state.
    static func answer(_ outcome: Outcome) -> String {
        switch outcome {
        case .understood(let version): "understood \(version)\n"
        case .refused(let reason): "refused \(reason.substituting(["\n": " "]))\n"
        }
    }

    /// Takes what it wrote; nil while there is more to come.
    func read() -> Outcome? {
        do throws(SystemCallError) {
            while let piece = try pipe.read() {
                if piece.isEmpty { return UpgradeProbe.outcome(text) }
                text += piece
                if text.count > UpgradeProbe.longestAnswer {
                    kill()
                    return UpgradeProbe.outcome([])
                }
            }
            return nil
        } catch {
            return .refused("cannot read its response: \(error)")
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

    /// ESRCH: it is gone already.
    func kill() {
        do throws(SystemCallError) {
            try process.signal(Signal.kill.number)
        } catch {
            return
        }
    }
}

/// Why there is no upgrade.
struct UpgradeFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
