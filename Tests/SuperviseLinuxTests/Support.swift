import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

/// Whether the tests run as root.
let isRoot = geteuid() == 0

/// Polls a condition for at most this many seconds.
func eventually(withinSeconds limit: Double = 20, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = MonotonicClock.nanoseconds() + Int64(limit * 1e9)
    repeat {
        if try condition() { return true }
        usleep(2000)
    } while MonotonicClock.nanoseconds() < end
    return false
}

/// A pipe whose writing end goes to a child.
struct TestPipe {
    let reading: OwnedDescriptor
    let writing: OwnedDescriptor

    init() throws {
        var ends: [Int32] = [-1, -1]
        try systemCall("pipe2") { csupervise_pipe(&ends) }
        reading = OwnedDescriptor(FileDescriptor(owning: ends[0]))
        writing = OwnedDescriptor(FileDescriptor(owning: ends[1]))
    }

    /// Everything that is written until `stop` returns true or the other end is closed.
    static func text(
        from descriptor: Int32, until stop: (String) -> Bool = { _ in false }
    ) throws -> String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        let end = MonotonicClock.nanoseconds() + 20_000_000_000
        while MonotonicClock.nanoseconds() < end {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 1000) > 0 else { continue }
            let count = read(descriptor, &piece, piece.count)
            if count <= 0 { break }
            bytes += piece.prefix(count)
            if stop(String(decoding: bytes, as: UTF8.self)) { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A child that is killed and reaped with this object. It is waited for by its own process ID,
/// because tests of one process run in parallel.
final class TestChild {
    let spawned: SpawnedProcess

    init(
        _ arguments: [String], environment: [String] = ["PATH=/usr/bin:/bin"],
        attributes: SpawnAttributes = SpawnAttributes(), descriptors: [Int32] = [],
        output: SpawnOutput = .inherited
    ) throws {
        let plan = try SpawnPlan(
            arguments: arguments, searchPath: "/usr/bin:/bin", attributes: attributes)
        spawned = try plan.spawn(
            environment: environment, descriptors: descriptors, output: output)
    }

    var pid: Int32 { spawned.pid }

    /// The exit status.
    func exitStatus() throws -> ChildStatus? {
        var status: ChildStatus?
        _ = try eventually {
            status = try ChildProcesses.exited(pid, keep: true)?.status
            return status != nil
        }
        return status
    }

    deinit {
        kill(-pid, SIGKILL)
        kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }
}

/// Runs a shell script with a pipe as descriptor 3, and returns what it wrote there.
func shell(
    _ script: String, environment: [String] = ["PATH=/usr/bin:/bin"],
    attributes: SpawnAttributes = SpawnAttributes(), descriptors: [Int32] = []
) throws -> String {
    let output: OwnedDescriptor
    let child: TestChild
    do {
        let pipe = try TestPipe()
        output = pipe.reading
        child = try TestChild(
            ["sh", "-c", script], environment: environment, attributes: attributes,
            descriptors: [pipe.writing.rawValue] + descriptors)
    }
    let text = try TestPipe.text(from: output.rawValue)
    withExtendedLifetime(child) {}
    return text
}

/// A directory of the test, removed with its content.
final class TestFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/supervise-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SystemCallError(call: "mkdtemp", code: errno)
        }
        path = string(template)
    }

    /// Creates a file with this text.
    func write(_ name: String, _ text: String) throws {
        try write(name, bytes: Array(text.utf8))
    }

    func write(_ name: String, bytes: [UInt8]) throws {
        let number = try systemCall("creat") { creat("\(path)/\(name)", 0o600) }
        let file = FileDescriptor(owning: number)
        try systemCall("write") { Glibc.write(file.rawValue, bytes, bytes.count) }
    }

    deinit {
        for name in Directory.entries(path) { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}

/// A statically linked C program.
final class StaticProgram {
    private let folder: TestFolder
    var path: String { "\(folder.path)/program" }

    /// Whether there is a compiler, and a C library to link statically.
    static let canBeMade: Bool = {
        do {
            _ = try StaticProgram("int main(void) { return 0; }")
            return true
        } catch {
            return false
        }
    }()

    init(_ source: String) throws {
        folder = try TestFolder()
        try folder.write("program.c", source)
        let compiler = try TestChild([
            "cc", "-static", "-O1", "-pthread", "-o", "\(folder.path)/program",
            "\(folder.path)/program.c",
        ])
        guard try compiler.exitStatus() == .exited(0) else {
            throw SystemCallError(call: "cc", code: EINVAL)
        }
    }
}

/// The signals that the calling thread blocks.
func blockedSignals() -> SignalMask {
    var mask = SignalMask([])
    pthread_sigmask(SIG_BLOCK, nil, &mask.set)
    return mask
}
