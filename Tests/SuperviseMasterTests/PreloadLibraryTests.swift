import Foundation
import Testing

@testable import SuperviseLinux
@testable import SuperviseMaster

struct PreloadLibraryTests {
    private let root = FileManager.default.temporaryDirectory
        .appendingPathComponent("supervise-library-\(UUID().uuidString)")

    @Test func itIsSearchedWherePackagesPutIt() throws {
        defer { remove() }
        let program = root.appendingPathComponent("bin/supervise").path
        let folders = PreloadLibrary.folders(ofProgram: program)
        #expect(
            folders.map { $0.dropFirst(root.path.count + 1) }.prefix(3)
                == ["bin", "lib", "lib/supervise"])
        #expect(folders[3].hasSuffix("-linux-gnu/supervise"))
        let missing = PreloadLibrary.find(in: folders)
        #expect(missing.path == nil && missing.problem?.contains(folders[3]) == true)
        // From the last place to the first: each precedes those after it.
        for folder in folders.reversed() {
            try write("\(folder)/\(PreloadLibrary.name)")
            #expect(
                PreloadLibrary.find(in: folders).path == "\(folder)/\(PreloadLibrary.name)")
        }
    }

    @Test func theLoaderOfTheProgramSelectsTheBuild() throws {
        defer { remove() }
        let folder = root.path
        try write("\(folder)/\(PreloadLibrary.name)")
        let musl = ExecutableFormat.musl("/lib/ld-musl-x86_64.so.1")
        let alone = PreloadLibrary.find(in: [folder])
        #expect(alone.path(for: .glibc) == "\(folder)/libsupervise-preload.so")
        #expect(alone.path(for: musl) == nil)
        try write("\(folder)/\(PreloadLibrary.muslName)")
        let both = PreloadLibrary.find(in: [folder])
        #expect(both.path(for: musl) == "\(folder)/libsupervise-preload-musl.so")
        #expect(both.path(for: .unknown) == "\(folder)/libsupervise-preload.so")
        #expect(PreloadLibrary.fileName(both.muslPath ?? "") == PreloadLibrary.muslName)
    }

    private func write(_ path: String) throws {
        let file = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data().write(to: file)
    }

    private func remove() {
        do { try FileManager.default.removeItem(at: root) } catch { Issue.record(error) }
    }
}
