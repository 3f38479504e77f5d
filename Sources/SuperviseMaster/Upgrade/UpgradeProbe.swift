import SuperviseCore
import SuperviseLinux

/// A child of the master that runs the next program and makes it read the state and the command
/// line. If it cannot read them in a separate process, it does not become the master.
final class UpgradeProbe {
    /// The argument that selects the probe. Internal.
    static let verb = "__probe"
    /// The time limit of a probe.
    static let timeout = TimeSpan.seconds(30)
    /// The descriptors of a probe: the state, its output, and its own program.
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

    /// Returns the probe's report on the state.
    static func answer(_ outcome: Outcome) -> String {
        switch outcome {
        case .understood(let version): "understood \(version)\n"
        case .refused(let reason): "refused \(reason.substituting(["\n": " "]))\n"
        }
    }

    /// Reads its output. Returns nil while more is expected.
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

    /// ESRCH: it has already ended.
    func kill() {
        do throws(SystemCallError) {
            try process.signal(Signal.kill.number)
        } catch {
            return
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
