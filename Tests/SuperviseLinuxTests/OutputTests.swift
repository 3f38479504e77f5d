import Glibc
import Testing

@testable import SuperviseLinux

struct PrefixedLinesTests {
    private func lines(_ pieces: [String]) -> String {
        var lines = PrefixedLines(prefix: "> ")
        var result: [UInt8] = []
        for piece in pieces {
            Array(piece.utf8).withUnsafeBytes { lines.add($0, to: &result) }
        }
        lines.finish(to: &result)
        return String(decoding: result, as: UTF8.self)
    }

    @Test func eachLineHasThePrefix() {
        #expect(lines(["a\nb\n\nc"]) == "> a\n> b\n> \n> c\n")
        #expect(lines(["one ", "line", "\n"]) == "> one line\n")
        #expect(lines([]) == "")
    }

    @Test func objectsPassUnchanged() {
        #expect(
            lines(["{\"a\":1}\n{not\n", "{\"b\":", "2}\n"]) == "{\"a\":1}\n> {not\n{\"b\":2}\n")
    }

    @Test func longLinesAreDivided() {
        let long = String(repeating: "x", count: PrefixedLines.longestLineBytes)
        #expect(lines([long + "\n"]) == "> \(long)\n")
        #expect(lines([long, "y\nz\n"]) == "> \(long)\n> ... y\n> z\n")
        #expect(lines([long + long + "y"]) == "> \(long)\n> ... \(long)\n> ... y\n")
    }

    @Test func anyBytesPass() {
        var lines = PrefixedLines(prefix: "")
        var result: [UInt8] = []
        let bytes: [UInt8] = [0xFF, 0, 0x80, 0x0A]
        bytes.withUnsafeBytes { lines.add($0, to: &result) }
        #expect(result == bytes)
    }
}

struct OutputTailTests {
    private func text(_ pieces: [[UInt8]]) -> String {
        var tail = OutputTail()
        for piece in pieces { piece.withUnsafeBytes { tail.add($0) } }
        return tail.text
    }

    @Test func keepsTheLastLines() {
        let all = (1...50).map { "line \($0)\n" }.joined()
        let expected = (31...50).map { "line \($0)" }.joined(separator: "\n")
        #expect(text([Array(all.utf8)]) == expected)
        #expect(text(all.utf8.map { [$0] }) == expected)
        #expect(text([Array("a\r\n\n \n".utf8)]) == "a")
        #expect(text([]) == "")
    }

    @Test func isBounded() {
        let line = Array((String(repeating: "x", count: 999) + "\n").utf8)
        let text = text(Array(repeating: line, count: 100))
        #expect(text.utf8.count <= OutputTail.mostBytes)
        #expect(text.split(separator: "\n").allSatisfy { $0.count == 999 })
    }

    @Test func controlCharactersAreEscaped() {
        #expect(text([Array("\u{1B}[31mred\t\u{7F}".utf8)]) == "\\x1b[31mred\t\\x7f")
        #expect(SystemText.bytes(text([[0x61, 0xFF]])) == [0x61, 0xFF])
    }
}

struct OutputPipeTests {
    @Test(.enabled(if: isRoot, "needs root")) func aProcessOfAnotherUserCanOpenItByName() throws {
        let (pipe, writer) = try OutputPipe.make(owner: (65534, 65534))
        var attributes = SpawnAttributes()
        attributes.credentials = Credentials(uid: 65534, gid: 65534, supplementaryGroups: [])
        let child = try TestChild(
            ["sh", "-c", "echo one; echo two >/dev/stderr"], attributes: attributes,
            output: .descriptor(writer.rawValue))
        #expect(try child.exitStatus() == .exited(0))
        #expect(Self.text(pipe) == "one\ntwo\n")
        withExtendedLifetime(writer) {}
    }

    @Test func aFileIsAppendedToAndRotated() throws {
        let folder = try TestFolder()
        for _ in 0..<7 {
            let file = OutputFile(
                path: folder.path + "/out", maximumBytes: 20, predecessors: 1)
            let child = try TestChild(
                ["sh", "-c", "echo 123456789; echo x >&2"], output: .file(file))
            #expect(try child.exitStatus() == .exited(0))
        }
        // Two runs per file.
        let entry = "123456789\nx\n"
        #expect(try TextFile.read(folder.path + "/out") == entry)
        #expect(try TextFile.read(folder.path + "/out.1") == entry + entry)
        #expect(Directory.entries(folder.path).sorted() == ["out", "out.1"])
    }

    @Test func aFileIsNotOpenedThroughALink() throws {
        let folder = try TestFolder()
        let path = folder.path + "/out"
        symlink("/dev/null", path)
        let plan = try SpawnPlan(arguments: ["true"], searchPath: nil)
        let file = OutputFile(path: path, maximumBytes: 20, predecessors: 1)
        #expect(throws: SpawnFailure(step: .output, code: ELOOP)) {
            try plan.spawn(environment: [], output: .file(file))
        }
        // Nobody reads the FIFO: the parent must not wait for a reader.
        unlink(path)
        mkfifo(path, 0o600)
        #expect(throws: SpawnFailure(step: .output, code: ENXIO)) {
            try plan.spawn(environment: [], output: .file(file))
        }
    }

    static func text(_ pipe: OutputPipe) -> String {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
        defer { buffer.deallocate() }
        guard case .bytes(let count) = pipe.read(into: buffer) else { return "" }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
