import Foundation
import Glibc
import Testing

/// A server, started as its users start it.
struct Server: CustomTestStringConvertible, Sendable {
    let name: String
    /// `PORT`, `FOLDER` and `SERVERS` (the directory of the programs) are replaced.
    let command: [String]
    var path = "/"
    var environment: [String: String] = [:]
    /// The command that builds the program in `FOLDER`.
    var build: [String] = []
    /// A template among the programs that is written to `FOLDER`.
    var configuration: String?
    /// Requirements besides the first word of its command.
    var needs: [String] = []
    /// Programs that cannot be inspected are not counted.
    var isCounted = true
    /// Some processes of Java and Go are slow on a busy machine.
    var bootDeadline = Duration.seconds(60)

    var testDescription: String { name }

    /// Whether a mold can load it: it is written in Python or Ruby.
    var canBeForked: Bool {
        ["python3", "ruby", "puma"].contains(command[0]) || command[0].hasPrefix(Server.installed)
    }

    /// The directory of the programs.
    static let folder = "\(Place.tests)/Servers"
    /// The directory where `Servers/install` installs packages from PyPI.
    static let installed = "\(Place.package)/.build/servers/bin"

    /// Returns whether the Python of the installed servers has this module.
    static func hasModule(_ name: String) -> Bool {
        let libraries = "\(Place.package)/.build/servers/lib"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: libraries)) ?? []
        return versions.contains { version in
            FileManager.default.fileExists(atPath: "\(libraries)/\(version)/site-packages/\(name)")
        }
    }

    /// The missing requirements on this machine.
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

    /// Builds its program in the folder, if necessary.
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
