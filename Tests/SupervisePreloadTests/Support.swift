import Glibc
import Testing

@testable import SuperviseLinux

/// The paths of the library, next to the running tests, and of the programs, next to this file.
enum Place {
    /// `PRELOAD_LIBRARY` names another build, as `Tests/Sanitizers/run` does.
    static let library: String = {
        if let other = getenv("PRELOAD_LIBRARY") { return String(cString: other) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let size = readlink("/proc/self/exe", &buffer, buffer.count)
        let program = String(decoding: buffer.prefix(max(0, size)), as: UTF8.self)
        // If another program runs the tests as a bundle, they are in the build folder of the
        // package.
        let folder =
            program.contains("/.build") ? parent(program) : "\(parent(parent(tests)))/.build/debug"
        return "\(folder)/libsupervise-preload.so"
    }()
    static let tests = parent(#filePath)
    static let package = parent(parent(tests))
    static let programs = "\(tests)/Programs"

    private static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}

let searchPath = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"

/// Whether a program is installed.
func isInstalled(_ program: String) -> Bool {
    searchPath.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
}

/// Whether there is a program at this path.
func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

/// A condition did not hold in time, or an operation failed.
struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// Polls until there is a value.
func eventually<Value>(_ what: String, _ answer: () throws -> Value?) async throws -> Value {
    let deadline = ContinuousClock.now + .seconds(120)
    while true {
        if let value = try answer() { return value }
        guard ContinuousClock.now < deadline else { throw Failure(description: "never: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Polls until the condition holds.
func eventually(_ what: String, _ condition: () throws -> Bool) async throws {
    let _: Bool = try await eventually(what) { try condition() ? true : nil }
}

/// A process in its own group, killed and reaped with this object.
final class Child {
    let pid: Int32
    private var status: ChildStatus?

    init(_ arguments: [String], environment: [String], descriptors: [Int32] = []) throws {
        let plan = try SpawnPlan(arguments: arguments, searchPath: searchPath)
        pid = try plan.spawn(
            environment: ["PATH=\(searchPath)", "PYTHONDONTWRITEBYTECODE=1"] + environment,
            descriptors: descriptors
        ).pid
    }

    /// The exit status.
    func end() async throws -> ChildStatus {
        if let status { return status }
        let status = try await eventually("the end of \(pid)") {
            try ChildProcesses.exited(pid, keep: true)?.status
        }
        self.status = status
        return status
    }

    deinit {
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }
}

/// A directory of the test, removed with the files and empty directories in it.
final class Folder {
    let path: String

    init() throws {
        var template = Array("/tmp/supervise-preload-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    subscript(name: String) -> String { "\(path)/\(name)" }

    func write(_ text: String, to name: String) throws {
        guard let file = fopen(self[name], "w") else { throw Failure(description: "fopen") }
        fputs(text, file)
        fclose(file)
    }

    deinit {
        guard let stream = opendir(path) else { return }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { remove("\(path)/\(name)") }
        }
        closedir(stream)
        rmdir(path)
    }
}

/// A program in C, compiled for a test.
final class Compiled {
    static let isPossible = isInstalled("cc")

    let path: String
    private let folder: Folder

    init(_ name: String, _ options: [String] = []) async throws {
        folder = try Folder()
        path = folder[name]
        let compiler = try Child(
            ["cc", "-O1", "-pthread", "-o", path, "\(Place.programs)/\(name).c"] + options,
            environment: [])
        try #require(try await compiler.end() == .exited(0))
    }
}
