import Glibc
import Testing

/// A file system whose file `page` never responds to a read (`Clients/stuck_file.py`).
final class StuckFileSystem {
    private let folder: Folder
    private let output: Folder
    private let server: Cage

    /// The path of the file.
    var page: String { folder["page"] }

    init() async throws {
        folder = try Folder()
        let output = try Folder()
        self.output = output
        let python = try #require(Place.program("python3"))
        server = try Cage(
            [python, Place.client("stuck_file"), folder.path], environment: baseEnvironment,
            output: output["stdout"], errors: output["stderr"])
        try await eventually("the file system", context: { readFile(output["stderr"]) ?? "" }) {
            output.lines("stdout").contains("ready")
        }
    }

    /// Releases all processes that wait for the file. Until then they cannot exit.
    func end() {
        umount2(folder.path, Int32(MNT_FORCE | MNT_DETACH))
    }
}

extension Trait where Self == ConditionTrait {
    /// The test mounts its own file system.
    static var needsFileSystem: Self {
        .enabled(if: getuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0, "needs /dev/fuse")
    }
}
