import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// All that starts a mold of one pool and generation.
final class MoldPlan {
    private let plan: SpawnPlan
    private let environment: [String]
    private let adapter: [UInt8]?
    /// The number of its socket in the mold. The numbers below it, from 3 on, are those of a
    /// worker's descriptors: a module that opens a file must not get one of them.
    let socketNumber: Int32

    /// The name of the variable with the number of the socket.
    static let socketVariable = "SUPERVISE_MOLD"
    /// The name of the variable with what to load.
    static let importVariable = "SUPERVISE_MOLD_IMPORT"

    private static let noIdentity = String(repeating: "0", count: 32)

    /// Whether this is the identity in a mold's environment, instead of that of a worker.
    static func isUnnamed(_ identity: String) -> Bool { identity == noIdentity }

    /// `descriptorCount` is the number of a worker's descriptors, `environment` what all workers
    /// share.
    init(
        _ settings: PoolSettings, descriptorCount: Int, environment: [String],
        attributes: SpawnAttributes
    ) throws(MoldCommand.Obstacle) {
        socketNumber = Blueprint.firstDescriptor + Int32(descriptorCount)
        let searchPath = WorkerEnvironment.path(in: environment)
        let command = try MoldCommand(
            settings, searchPath: searchPath, adapter: socketNumber + 1)
        adapter = command.adapter
        var own = WorkerEnvironment.withoutContract(environment)
        own += [
            // The worker writes its own identity over it, so that it stands in /proc/PID/environ.
            "\(ContractVariable.id)=\(MoldPlan.noIdentity)",
            "\(MoldPlan.socketVariable)=\(socketNumber)",
        ]
        if !settings.moldImports.isEmpty {
            own.append("\(MoldPlan.importVariable)=\(settings.moldImports.joined(separator: " "))")
        }
        self.environment = own
        do throws(SystemCallError) {
            plan = try SpawnPlan(
                arguments: command.arguments, searchPath: searchPath, attributes: attributes)
        } catch {
            throw MoldCommand.Obstacle(text: error.description)
        }
    }

    /// Starts the mold with its end of the socket, and with this destination of stdout and stderr.
    func spawn(
        _ socket: MessageSocket, output: SpawnOutput
    ) throws(SpawnFailure) -> SpawnedProcess {
        let null: OwnedDescriptor
        let file: MemoryFile?
        do throws(SystemCallError) {
            null = OwnedDescriptor(try EmptyFile.open())
            file = try adapter.map { bytes throws(SystemCallError) in
                try MemoryFile(name: "supervise-mold", bytes)
            }
        } catch {
            throw SpawnFailure(step: .descriptors, code: error.code)
        }
        defer { withExtendedLifetime((null, file)) {} }
        let reserved = Int(socketNumber - Blueprint.firstDescriptor)
        return try plan.spawn(
            environment: environment,
            descriptors: [Int32](repeating: null.rawValue, count: reserved) + [socket.rawValue]
                + (file.map { [$0.rawValue] } ?? []), output: output)
    }
}
