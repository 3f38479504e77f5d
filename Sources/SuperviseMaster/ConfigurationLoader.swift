import SuperviseCore
import SuperviseLinux

/// A child of the master that reads the configuration and resolves its names, so that a slow disk
/// or name server does not block the master. It runs the same program with one more argument in
/// front, and returns its result over a pipe.
final class ConfigurationLoader {
    /// The argument that selects the loader. Internal.
    static let verb = "__load"
    /// The descriptor that a loader writes to.
    static let outputDescriptor: Int32 = 3
    /// The time limit of a loader.
    static let timeout = TimeSpan.seconds(10)
    static let timeoutMessage = "reading the configuration took longer than 10 s"
    /// An upper bound of any configuration's size. A loader that writes more is killed.
    private static let limitBytes = 16 << 20

    enum Outcome {
        case loaded(ResolvedConfiguration)
        case problems([String])
    }

    let pid: Int32
    let deadline: Instant
    private let process: ProcessDescriptor
    private let pipe: Pipe.Reader
    private var text: [UInt8] = []

    var descriptor: Int32 { pipe.rawValue }

    init(_ launch: Launch, startedAt now: Instant) throws(StartOfLoaderError) {
        deadline = now + ConfigurationLoader.timeout
        do throws(SystemCallError) {
            let (reader, writer) = try Pipe.make()
            var attributes = SpawnAttributes()
            attributes.deathSignal = Signal.kill.number
            let plan = try SpawnPlan(
                arguments: ["/proc/self/exe", ConfigurationLoader.verb] + launch.arguments,
                searchPath: nil, attributes: attributes)
            pipe = reader
            let spawned: SpawnedProcess
            do throws(SpawnFailure) {
                spawned = try plan.spawn(
                    environment: launch.environment, descriptors: [writer.rawValue])
            } catch {
                throw SystemCallError(call: "\(error.step)", code: error.code)
            }
            pid = spawned.pid
            process = spawned.process
        } catch {
            throw StartOfLoaderError(error: error)
        }
    }

    func watch(in poll: borrowing EventPoll, token: UInt64) throws(StartOfLoaderError) {
        do throws(SystemCallError) {
            try poll.add(descriptor, .readable, token: token)
        } catch {
            kill()
            throw StartOfLoaderError(error: error)
        }
    }

    /// Reads its output. Returns nil while more is expected.
    func read() -> Outcome? {
        do throws(SystemCallError) {
            while let piece = try pipe.read() {
                if piece.isEmpty { return finish() }
                text += piece
                if text.count > ConfigurationLoader.limitBytes {
                    kill()
                    return .problems(["the configuration exceeds 16 MiB"])
                }
            }
            return nil
        } catch {
            return .problems(["reading the configuration: \(error)"])
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

    private func finish() -> Outcome {
        LoaderReport.decode(text)
            ?? .problems(["the process that reads the configuration exited early"])
    }
}

/// The loader could not be started.
struct StartOfLoaderError: Error, CustomStringConvertible {
    let error: SystemCallError

    var description: String { "cannot start the process that reads the configuration: \(error)" }
}
