import Glibc
import Testing

@testable import SuperviseLinux

struct FileTests {
    @Test func aTextFileIsReadWhole() throws {
        let folder = try TestFolder()
        try folder.write("a", "grüße\n")
        #expect(try TextFile.read("\(folder.path)/a") == "grüße\n")
        #expect(throws: SystemCallError(call: "read", code: EFBIG)) {
            try TextFile.read("\(folder.path)/a", limitBytes: 3)
        }
        #expect(throws: SystemCallError(call: "open", code: ENOENT)) {
            try TextFile.read("\(folder.path)/b")
        }
        #expect(throws: SystemCallError(call: "read", code: EISDIR)) {
            try TextFile.read(folder.path)
        }
    }

    @Test func aFIFODoesNotBlock() throws {
        let folder = try TestFolder()
        try #require(mkfifo("\(folder.path)/fifo", 0o600) == 0)
        #expect(throws: SystemCallError(call: "read", code: EINVAL)) {
            try TextFile.read("\(folder.path)/fifo")
        }
    }

    @Test func bytesThatAreNotTextAreRecognised() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/a"
        let file = FileDescriptor(owning: creat(path, 0o600))
        #expect(write(file.rawValue, [0xff, 0xfe] as [UInt8], 2) == 2)
        #expect(throws: SystemCallError(call: "read", code: EILSEQ)) { try TextFile.read(path) }
    }

    @Test func patternsMatchInOrder() throws {
        let folder = try TestFolder()
        for name in ["b.conf", "a.conf", "c.txt"] { try folder.write(name, "") }
        let found = try Glob.paths("\(folder.path)/*.conf")
        #expect(found == ["\(folder.path)/a.conf", "\(folder.path)/b.conf"])
        #expect(try Glob.paths("\(folder.path)/*.none").isEmpty)
    }

    @Test func aPidFileIsWrittenAndRemoved() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/pid"
        let file = try PidFile(creating: path)
        #expect(try TextFile.read(path) == "\(getpid())\n")
        #expect(Directory.entries(folder.path) == ["pid"])
        // As after an upgrade in place.
        let again = try PidFile(creating: path)
        #expect(try file.removeIfStillOurs() == false)
        #expect(try again.removeIfStillOurs())
        #expect(Directory.entries(folder.path).isEmpty)
    }

    @Test func aLivingMasterHoldsItsPidFile() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/pid"
        // The name of a program is that of its path.
        try #require(symlink("/bin/sleep", "\(folder.path)/supervise") == 0)
        let master = try TestChild(["\(folder.path)/supervise", "60"])
        try folder.write("pid", "\(master.pid)\n")
        let failure = #expect(throws: PidFileFailure.self) { try PidFile(creating: path) }
        #expect(
            failure?.description == "\(path): names process \(master.pid), a running supervise")
        #expect(try TextFile.read(path) == "\(master.pid)\n")
    }

    /// As after a reboot, when the process ID belongs to another program.
    @Test func anotherProgramHoldsNoPidFile() throws {
        let folder = try TestFolder()
        let other = try TestChild(["sleep", "60"])
        for pid in [other.pid, 1] {
            try folder.write("pid", "\(pid)\n")
            let file = try PidFile(creating: "\(folder.path)/pid")
            #expect(try TextFile.read(file.path) == "\(getpid())\n")
            #expect(try file.removeIfStillOurs())
        }
    }

    @Test(arguments: ["999999999\n", "", "\n"])
    func aStalePidFileIsReplaced(_ text: String) throws {
        let folder = try TestFolder()
        try folder.write("pid", text)
        let file = try PidFile(creating: "\(folder.path)/pid")
        #expect(try file.removeIfStillOurs())
    }

    @Test func whatIsNoPidFileIsLeftAlone() throws {
        let folder = try TestFolder()
        try folder.write("text", "root:x:0:0\n")
        try folder.write("long", String(repeating: "7", count: 100))
        try #require(symlink("\(folder.path)/text", "\(folder.path)/link") == 0)
        for name in ["text", "long", "link"] {
            let failure = #expect(throws: PidFileFailure.self) {
                try PidFile(creating: "\(folder.path)/\(name)")
            }
            #expect(failure?.reason == .notAPidFile)
        }
        #expect(try TextFile.read("\(folder.path)/text") == "root:x:0:0\n")
    }
}
