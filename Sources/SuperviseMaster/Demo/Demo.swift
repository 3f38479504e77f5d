import SuperviseLinux
import SuperviseSettings

/// A leaking server under load, supervised with the usual settings: two pools of one master, the
/// server and its client. The client prints what happens.
struct Demo {
    /// The name of its master.
    private static let name = "demo"

    /// The config file.
    let configPath: String
    private let folder: TemporaryFolder

    /// Writes the programs and the config file. `program` is the path or the name of this program.
    init(
        program: String, searchPath: String?, temporaryFolder: String?, hasRuntimeFolder: Bool
    ) throws(Obstacle) {
        let python = ExecutableFormat.path(of: "python3", searchPath: searchPath, folder: nil)
        guard let python else { throw Obstacle(description: "python3 is not installed") }
        let parent = temporaryFolder.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        do throws(SystemCallError) {
            folder = try TemporaryFolder(in: parent, prefix: "supervise-demo-")
        } catch {
            throw Obstacle(description: "\(parent): \(error.message)")
        }
        do {
            let bind = "127.0.0.1:\(try Demo.freePort())"
            let statusBind = "127.0.0.1:\(try Demo.freePort())"
            let server = try folder.write("server.py", Demo.text(PackageResources.demo_server_py))
            let load = try folder.write("load.py", Demo.text(PackageResources.demo_load_py))
            let path = ExecutableFile.path(ofStart: program, searchPath: searchPath) ?? program
            // Without a runtime directory there is no place that `--name` searches.
            let hasPlace = ThisProcess.effectiveUID == 0 || hasRuntimeFolder
            let control = "\(folder.path)/control"
            let master = hasPlace ? ["--name", Demo.name] : ["--control", control]
            let text = """
                name = \(Demo.name)
                \(hasPlace ? "" : "control = \(control)")
                log-level = warning
                status-bind = \(statusBind)
                [pool web]
                bind = \(bind)
                workers = 2
                max-rss = 60M
                memory-interval = 1s
                command = \(Demo.words([python, server, bind]))
                [pool load]
                command = \(Demo.words([python, load, path] + master + [bind, statusBind]))

                """
            configPath = try folder.write("demo.conf", text)
        } catch {
            folder.remove()
            throw Obstacle(description: "\(error)")
        }
    }

    /// Removes the files.
    func remove() { folder.remove() }

    /// The reason for which the demo cannot start.
    struct Obstacle: Error, CustomStringConvertible {
        let description: String
    }

    /// A port that was free a moment ago.
    private static func freePort() throws(ListenFailure) -> UInt16 {
        try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 1).port ?? 0
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func words(_ words: [String]) -> String {
        ShellWords.join(words)
    }
}
