import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The command that a mold runs.
struct MoldCommand {
    let arguments: [String]
    /// The adapter that the mold runs from its last descriptor; nil if the command needs none.
    let adapter: [UInt8]?

    /// Why no mold can run the command of a pool, and what to do.
    struct Obstacle: Error {
        let text: String
    }

    /// The path of the adapter in the mold, whose descriptor this is.
    private static func path(ofDescriptor number: Int32) -> String { "/proc/self/fd/\(number)" }

    /// Chooses the command. `adapter` is the number of the descriptor that the adapter gets.
    init(
        _ settings: PoolSettings, searchPath: String?, adapter number: Int32
    ) throws(Obstacle) {
        switch settings.mold {
        case .off: preconditionFailure("a pool without a mold runs none")
        case .command(let words):
            arguments = words
            adapter = nil
        case .auto:
            let command = expandPlaceholders(
                settings.command, descriptors: [], slot: 0, pool: settings.name)
            let (interpreter, language) = try MoldCommand.interpreter(
                of: command, searchPath: searchPath, folder: settings.workingDirectory)
            arguments = interpreter + [MoldCommand.path(ofDescriptor: number)] + command
            adapter = language.adapter
        }
    }

    /// The interpreter of a command with its options.
    private static func interpreter(
        of command: [String], searchPath: String?, folder: String?
    ) throws(Obstacle) -> (words: [String], language: MoldLanguage) {
        let program = command[0]
        if let language = MoldLanguage.ofInterpreter(program) {
            return ([program] + language.options(of: command), language)
        }
        let path = ExecutableFormat.path(of: program, searchPath: searchPath, folder: folder)
        guard let path else { throw Obstacle(text: "\(program) was not found") }
        var words = ExecutableFormat.scriptLine(of: path)
        if words.count == 2, words[0].hasSuffix("/env") { words.removeFirst() }
        if let interpreter = words.first,
            let language = MoldLanguage.ofInterpreter(interpreter)
        {
            return (words, language)
        }
        let kind =
            words.isEmpty ? "is not a script" : "is a script of " + words.joined(separator: " ")
        let languages = MoldLanguage.all.map(\.name).joined(separator: " and ")
        throw Obstacle(
            text: "\(path) \(kind), and mold = auto runs only \(languages); run the interpreter or "
                + "one of its scripts directly, set mold to a command, or set mold = off")
    }
}
