import Glibc
import Testing

@testable import SuperviseLinux

struct ExecutableFormatTests {
    @Test func realProgramsAreRecognised() throws {
        #expect(ExecutableFormat.ofFile("/bin/sh") == .glibc)
        // A loader itself has none.
        let loaders = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"]
        let loader = try #require(loaders.first { TextFile.isReadable($0) })
        #expect(ExecutableFormat.ofFile(loader) == .withoutLoader)
        #expect(ExecutableFormat.ofFile("/etc/passwd") == .unknown)
        #expect(ExecutableFormat.ofFile("/no/such/file") == .unknown)
        #expect(ExecutableFormat.ofFile("/dev/zero") == .unknown)
        #expect(ExecutableFormat.ofFile("/") == .unknown)
    }

    @Test(.enabled(if: StaticProgram.canBeMade, "needs a C compiler that links statically"))
    func aStaticProgramHasNoLoader() throws {
        let program = try StaticProgram("int main(void) { return 0; }")
        #expect(ExecutableFormat.ofFile(program.path) == .withoutLoader)
    }

    @Test func scriptsAreFollowed() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/a"
        for (line, format) in [
            ("#!/bin/sh\n", ExecutableFormat.glibc), ("#! \t/bin/sh -eu\n", .glibc),
            ("#!/bin/sh", .glibc), ("#!/etc/passwd\n", .unknown), ("#!\n", .unknown),
            ("#!sh\n", .unknown), ("# no script\n", .unknown), ("", .unknown),
            // It names itself, endlessly.
            ("#!\(path)\n", .unknown),
        ] {
            try folder.write("a", line)
            #expect(ExecutableFormat.ofFile(path) == format, "\(line)")
        }
        try folder.write("a", "#!/bin/sh\n")
        try folder.write("b", "#!\(path)\n")
        #expect(ExecutableFormat.ofFile("\(folder.path)/b") == .glibc)
    }

    @Test func craftedHeadersAreRead() throws {
        let folder = try TestFolder()
        func format(_ image: Image) throws -> ExecutableFormat {
            try folder.write("elf", bytes: image.bytes)
            return ExecutableFormat.ofFile("\(folder.path)/elf")
        }
        #expect(try format(Image()) == .glibc)
        #expect(try format(Image(interpreter: "/lib/ld-2.31.so")) == .glibc)
        let musl = "/lib/ld-musl-x86_64.so.1"
        #expect(try format(Image(interpreter: musl)) == .musl(musl))
        let other = "/lib/ld-uClibc.so.0"
        #expect(try format(Image(interpreter: other)) == .otherLoader(other))
        #expect(try format(Image(interpreter: nil)) == .withoutLoader)
        #expect(try format(Image(machine: Image.foreignMachine)) == .otherMachine)
        #expect(try format(Image(isWide: false, machine: Image.narrowMachine)) == .narrow)
        #expect(try format(Image(byteOrder: 3)) == .otherMachine)
        let narrow = Image(isWide: false)
        #expect(try format(narrow) == .otherLoader(Image.glibc))
        #expect(try format(Image(isWide: false, interpreter: nil)) == .withoutLoader)
        #expect(try format(Image(interpreter: nil, note: "Go\0\0")) == .go)
        #expect(try format(Image(interpreter: nil, note: "GNU\0")) == .withoutLoader)
        #expect(try format(Image(entryBytes: 57)) == .unknown)
        #expect(try format(Image(nameBytes: 1 << 40)) == .unknown)
        #expect(try format(Image(tableOffset: .max)) == .unknown)
    }

    /// Truncated and overwritten files yield a result too.
    @Test func anyBytesHaveAnAnswer() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/elf"
        let whole = Image().bytes
        for count in 0..<whole.count {
            try folder.write("elf", bytes: Array(whole.prefix(count)))
            #expect(ExecutableFormat.ofFile(path) != .withoutLoader, "\(count)")
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0..<3 {
                bytes[Int.random(in: 4..<bytes.count, using: &random)] = .random(in: 0...255)
            }
            try folder.write("elf", bytes: bytes)
            _ = ExecutableFormat.ofFile(path)
        }
    }

    @Test func privilegesOfAFileAreRecognised() throws {
        #expect(!ExecutableFormat.givesPrivileges("/bin/sh"))
        #expect(!ExecutableFormat.givesPrivileges("/no/such/file"))
        let folder = try TestFolder()
        try folder.write("a", "")
        for (mode, expected) in [(0o755, false), (0o4755, true), (0o2755, true)] as [(mode_t, Bool)]
        {
            chmod("\(folder.path)/a", mode)
            #expect(ExecutableFormat.givesPrivileges("\(folder.path)/a") == expected)
        }
    }

    @Test(.enabled(if: isRoot, "needs root")) func capabilitiesOfAFileAreRecognised() throws {
        let folder = try TestFolder()
        try folder.write("a", "")
        let script =
            "import os, struct; os.setxattr('\(folder.path)/a', 'security.capability', "
            // VFS_CAP_REVISION_2 and CAP_NET_BIND_SERVICE, permitted.
            + "struct.pack('<5I', 0x02000000, 1 << 10, 0, 0, 0))"
        let setter = try TestChild(["python3", "-c", script])
        try #require(try setter.exitStatus() == .exited(0))
        #expect(ExecutableFormat.givesPrivileges("\(folder.path)/a"))
    }

    @Test func programsAreFoundAsExecWould() throws {
        let folder = try TestFolder()
        try folder.write("sh", "#!/bin/sh\n")
        func path(_ name: String, _ search: String?) -> String? {
            ExecutableFormat.path(of: name, searchPath: search, folder: folder.path)
        }
        #expect(path("sh", nil) == "/bin/sh")
        // Files that may not be executed are skipped.
        #expect(path("sh", "\(folder.path):/bin") == "/bin/sh")
        chmod("\(folder.path)/sh", 0o700)
        #expect(path("sh", "/nowhere:\(folder.path):/bin") == "\(folder.path)/sh")
        #expect(path("./sh", "/bin") == "\(folder.path)/./sh")
        #expect(path("sh", ":/bin") == "\(folder.path)/sh")
        #expect(path("/bin/sh", "") == "/bin/sh")
        #expect(path("no-such-program", nil) == nil)
        #expect(path("/", nil) == nil)
    }
}

/// An ELF file with a header, one program header and the name of a loader.
private struct Image {
    static let glibc = "/lib64/ld-linux-x86-64.so.2"
    #if arch(arm64)
        static let ourMachine: UInt16 = 183
        static let narrowMachine: UInt16 = 40
        static let foreignMachine: UInt16 = 62
    #else
        static let ourMachine: UInt16 = 62
        static let narrowMachine: UInt16 = 3
        static let foreignMachine: UInt16 = 183
    #endif
    var isWide = true
    var machine = ourMachine
    var byteOrder: UInt8 = 1
    var interpreter: String? = glibc
    var entryBytes: UInt16?
    var tableOffset: UInt64?
    var nameBytes: UInt64?
    /// The owner of a second note, after another note; in place of the loader.
    var note: String?

    var bytes: [UInt8] {
        let headerBytes = isWide ? 64 : 52
        let entryBytes = entryBytes ?? (isWide ? 56 : 32)
        var file = [UInt8](repeating: 0, count: headerBytes + (isWide ? 56 : 32))
        var notes: [UInt8] = []
        for owner in ["Owner\0\0\0", note ?? ""] {
            notes += [UInt8(owner.utf8.count), 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0]
            notes += Array(owner.utf8) + [1, 2, 3, 4, 5, 0, 0, 0]
        }
        let name = note == nil ? Array((interpreter ?? "").utf8) + [0] : notes
        func put(_ value: some FixedWidthInteger, _ offset: Int) {
            withUnsafeBytes(of: value.littleEndian) {
                file.replaceSubrange(offset..<offset + $0.count, with: $0)
            }
        }
        func putWord(_ value: UInt64, _ offset: Int) {
            if isWide { put(value, offset) } else { put(UInt32(truncatingIfNeeded: value), offset) }
        }
        file.replaceSubrange(0..<6, with: [0x7F, 0x45, 0x4C, 0x46, isWide ? 2 : 1, byteOrder])
        put(machine, 18)
        putWord(tableOffset ?? UInt64(headerBytes), isWide ? 32 : 28)
        put(entryBytes, isWide ? 54 : 42)
        put(UInt16(1), isWide ? 56 : 44)
        put(UInt32(note != nil ? 4 : interpreter == nil ? 1 : 3), headerBytes)
        putWord(UInt64(file.count), headerBytes + (isWide ? 8 : 4))
        putWord(nameBytes ?? UInt64(name.count), headerBytes + (isWide ? 32 : 16))
        return file + name
    }
}
