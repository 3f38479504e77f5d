import Foundation
import Testing

/// A new directory, removed with its content.
final class Folder {
    let path: String

    init() throws {
        var template = Array("/tmp/supervise-e2e-XXXXXX".utf8CString)
        let made = mkdtemp(&template).map { String(cString: $0) }
        path = try #require(made)
        // Workers that run as another user read and write here as well.
        chmod(path, 0o777)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    subscript(name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        let descriptor = open(self[name], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        try #require(Foundation.write(descriptor, bytes, bytes.count) == bytes.count)
        return self[name]
    }

    func remove(file name: String) { unlink(self[name]) }

    func exists(_ name: String) -> Bool { access(self[name], F_OK) == 0 }

    /// The names of its entries.
    var names: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    }

    func lines(_ name: String) -> [Substring] {
        (readFile(self[name]) ?? "").split(separator: "\n")
    }
}

/// The paths of the built programs, next to the running tests, and of the scripts, next to this
/// file.
enum Place {
    static let products: String = {
        let program = linkTarget("/proc/self/exe") ?? ""
        // If another program runs the tests as a bundle, they are in the build folder of the
        // package.
        return program.contains("/.build")
            ? parent(program) : "\(package)/.build/debug"
    }()
    static let tests = parent(parent(#filePath))
    static let package = parent(parent(tests))
    static let supervise = "\(products)/supervise"
    static let helloWorker = "\(products)/hello-worker"
    static let exampleApp = "\(package)/conf/examples/app.py"

    static func worker(_ name: String) -> String { "\(tests)/Workers/\(name).py" }
    static func client(_ name: String) -> String { "\(tests)/Clients/\(name).py" }

    /// The path of an installed program for the processes that tests start; nil if it is not
    /// installed. The user who runs the tests may have another one earlier in PATH.
    static func program(_ name: String) -> String? {
        if name.hasPrefix("/") { return access(name, F_OK) == 0 ? name : nil }
        return (baseEnvironment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }

    private static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}
