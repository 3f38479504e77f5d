import Glibc
import Testing

/// A server as its users start it.
struct Server: CustomTestStringConvertible, Sendable {
    let name: String
    /// `PORT`, `FOLDER` and `SERVERS` (the folder of the programs) are filled in.
    let command: [String]
    var path = "/"
    var environment: [String: String] = [:]
    /// What makes the program in `FOLDER`.
    var build: [String] = []
    /// A file among the programs that is filled in alike and written to `FOLDER`.
    var configuration: String?
    /// What it needs besides its command's first word.
    var needs: [String] = []
    /// Programs that nobody can look into are not counted.
    var isCounted = true
    /// Some processes of Java and Go take their time on a busy machine.
    var bootDeadline = Duration.seconds(60)

    var testDescription: String { name }

    /// The programs' folder.
    static let folder = "\(Place.tests)/Servers"
    /// Where `Servers/install` puts what comes from PyPI.
    static let installed = "\(Place.package)/.build/servers/bin"

    /// What is missing on this machine to run it.
    var missing: [String] {
        let program = build.isEmpty ? [command[0]] : [build[0]]
        return (program + needs).filter { Place.program($0) == nil }
    }

    /// Writes its configuration.
    func configure(in folder: Folder, port: Int) throws {
        guard let configuration else { return }
        let text = readFile("\(Server.folder)/\(configuration)") ?? ""
        _ = try folder.write(
            configuration, filled([text], port: port, folder: folder).joined())
    }

    /// Makes its program in the folder, if it is to be made.
    func build(in folder: Folder) async throws {
        guard !build.isEmpty else { return }
        var environment = baseEnvironment
        environment["GOCACHE"] = "\(Place.package)/.build/go-cache"
        environment["GO111MODULE"] = "off"
        let cage = try Cage(
            filled(self.build, port: 0, folder: folder), environment: environment,
            output: folder["build"], errors: folder["build"])
        let status = try await eventually("the build", within: .seconds(120)) { cage.status }
        try #require(status == .exited(0), "\(readFile(folder["build"]) ?? "")")
    }

    func filled(_ words: [String], port: Int, folder: Folder) -> [String] {
        words.map {
            $0.replacing("PORT", with: "\(port)").replacing("FOLDER", with: folder.path)
                .replacing("SERVERS", with: Server.folder)
        }
    }
}
