/// What a mold needs to know to fork one worker: the content of the file in a start order.
///
/// All fields are texts that end with a NUL: the version, the number of the order, the pid of the
/// master, the signal for PR_SET_PDEATHSIG(2const), the number of arguments, the arguments, and the
/// environment as `KEY=VALUE`. `supervise help molds` documents it.
public struct MoldOrder: Hashable, Sendable {
    /// The version of the format.
    public static let version = "1"

    /// The number of the order, for the logs of the mold.
    public var number: UInt64
    /// The pid of the master, which has to be the worker's parent.
    public var parent: Int32
    /// The signal that the worker gets when the master dies; 0 for none.
    public var deathSignal: Int32
    /// The arguments, the program first.
    public var arguments: [String]
    /// The whole environment.
    public var environment: [String]

    /// Creates an order.
    public init(
        number: UInt64, parent: Int32, deathSignal: Int32, arguments: [String],
        environment: [String]
    ) {
        self.number = number
        self.parent = parent
        self.deathSignal = deathSignal
        self.arguments = arguments
        self.environment = environment
    }

    /// The bytes of the file.
    public var bytes: [UInt8] {
        let head = [
            MoldOrder.version, String(number), String(parent), String(deathSignal),
            String(arguments.count),
        ]
        var bytes: [UInt8] = []
        for text in head + arguments + environment {
            // Arguments keep bytes that are not UTF-8.
            bytes += SystemText.bytes(text)
            bytes.append(0)
        }
        return bytes
    }
}
