import Glibc
import Testing

/// The exit status of a process.
enum ExitStatus: Equatable {
    case exited(Int)
    case killed(signal: Int)
}

/// A command under `Clients/cage.py`: everything that it starts is killed with this object and with
/// the process of the tests.
final class Cage {
    private let keeper: pid_t
    private let control: Int32
    private var unread = ""
    private var startedPID: pid_t?
    private var foundStatus: ExitStatus?

    init(_ command: [String], environment: [String: String], output: String, errors: String) throws
    {
        var ends: [Int32] = [-1, -1]
        // Close-on-exec from the start: tests run in parallel, and a copy of this end in another
        // command would keep the cage from noticing that the test has ended.
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        control = ends[0]
        defer { close(ends[1]) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        // The thread that runs a test has blocked signals, which a program would inherit.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let python = try #require(Place.program("python3"))
        let arguments = [python, "-I", "-S", Place.client("cage"), output, errors] + command
        let variables = environment.map { "\($0.key)=\($0.value)" }
        var argumentPointers = arguments.map { strdup($0) } + [nil]
        var variablePointers = variables.map { strdup($0) } + [nil]
        defer { for pointer in argumentPointers + variablePointers { free(pointer) } }
        var pid: pid_t = 0
        let error = posix_spawn(
            &pid, python, &actions, &attributes, &argumentPointers, &variablePointers)
        keeper = pid
        try #require(error == 0)
    }

    deinit {
        close(control)
        var status: Int32 = 0
        waitpid(keeper, &status, 0)
    }

    /// The pid of the command, once it runs.
    var pid: pid_t? {
        readReports()
        return startedPID
    }

    /// The exit status of the command, once it has exited.
    var status: ExitStatus? {
        readReports()
        return foundStatus
    }

    /// Processes that the command left behind: running processes that lost their parent.
    var leftBehind: [pid_t] {
        ProcessTable.children(of: keeper).filter { $0 != startedPID }
    }

    private func readReports() {
        var chunk = [UInt8](repeating: 0, count: 256)
        while true {
            let length = recv(control, &chunk, chunk.count, Int32(MSG_DONTWAIT))
            guard length > 0 else { break }
            unread += String(decoding: chunk[..<length], as: UTF8.self)
        }
        while let end = unread.firstIndex(of: "\n") {
            let words = unread[..<end].split(separator: " ")
            unread.removeSubrange(...end)
            guard words.count == 2, let number = Int(words[1]) else { continue }
            switch words[0] {
            case "pid": startedPID = pid_t(number)
            case "exit": foundStatus = .exited(number)
            case "signal": foundStatus = .killed(signal: number)
            default: break
            }
        }
    }
}
