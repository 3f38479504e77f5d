import Glibc
import Testing

@testable import SuperviseLinux

struct GuardedPathTests {
    private static let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC

    private func write(_ path: String) throws(SystemCallError) {
        let file = FileDescriptor(owning: try GuardedPath.open(path, Self.flags, mode: 0o600))
        try systemCall("write") { Glibc.write(file.rawValue, "x", 1) }
    }

    @Test func ourOwnLinksLeadOn() throws {
        let folder = try TestFolder()
        try #require(mkdir("\(folder.path)/a", 0o700) == 0)
        for (name, target) in [
            ("relative", "a"), ("absolute", "\(folder.path)/a"), ("up", "a/../a/./"),
            ("chain", "relative/../absolute"), ("a/last", "new"),
        ] {
            try #require(symlink(target, "\(folder.path)/\(name)") == 0)
        }
        for path in [
            "a/file", "relative/file", "absolute/file", "up//file", "chain/file", "a/last",
        ] {
            try write("\(folder.path)/\(path)")
        }
        #expect(try TextFile.read("\(folder.path)/a/file") == "xxxxx")
        #expect(try TextFile.read("\(folder.path)/a/new") == "x")
    }

    @Test func openErrorsGiveTheReason() throws {
        let folder = try TestFolder()
        try folder.write("file", "")
        try #require(symlink("loop", "\(folder.path)/loop") == 0)
        let wrong: [(String, Int32)] = [
            ("missing/file", ENOENT), ("file/file", ENOTDIR), ("loop", ELOOP), ("", EISDIR),
        ]
        for (path, code) in wrong {
            #expect(throws: SystemCallError(call: "open", code: code), "\(path)") {
                try write("\(folder.path)/\(path)")
            }
        }
    }

    @Test func linksOfProcLeadOn() throws {
        let folder = try TestFolder()
        try folder.write("file", "")
        let file = FileDescriptor(owning: Glibc.open("\(folder.path)/file", O_RDONLY | O_CLOEXEC))
        try write("/proc/self/fd/\(file.rawValue)")
        #expect(try TextFile.read("\(folder.path)/file") == "x")
    }

    @Test(.enabled(if: isRoot, "needs root")) func linksOfOthersDoNot() throws {
        let folder = try TestFolder()
        try folder.write("file", "")
        for (name, target) in [("last", "file"), ("above", ".")] {
            let path = "\(folder.path)/\(name)"
            try #require(symlink(target, path) == 0 && lchown(path, 65534, 65534) == 0)
        }
        for path in ["last", "above/file", "above/last"] {
            #expect(throws: SystemCallError(call: "open", code: ELOOP), "\(path)") {
                try write("\(folder.path)/\(path)")
            }
        }
        #expect(try TextFile.read("\(folder.path)/file") == "")
    }
}
