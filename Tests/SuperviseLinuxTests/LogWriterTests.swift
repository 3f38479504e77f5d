import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

struct LogWriterTests {
    @Test func aFullPipeDropsAndNothingIsTorn() throws {
        // Blocking, as created by a shell; a blocking write would hang this test.
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let reading = FileDescriptor(owning: ends[0])
        let writing = FileDescriptor(owning: ends[1])
        let writer = LogWriter(descriptor: writing.rawValue)
        // Longer than PIPE_BUF, so that a write can be partial.
        let line = String(repeating: "x", count: 5000)
        var written = 0
        while writer.write(line) == .written {
            written += 1
            try #require(written < 1000)
        }
        #expect(written > 0)
        #expect(writer.droppedLines == 1)
        #expect(fcntl(writing.rawValue, F_GETFL) & O_NONBLOCK == 0)

        var text = ""
        var waiting: Int32 = 0
        try #require(ioctl(reading.rawValue, UInt(FIONREAD), &waiting) == 0)
        text += try TestPipe.text(from: reading.rawValue) { $0.utf8.count >= waiting }
        writer.flush()
        #expect(writer.write("end") == .written)
        text += try TestPipe.text(from: reading.rawValue) { $0.hasSuffix("end\n") }
        let lines = text.split(separator: "\n")
        #expect(lines.dropLast().allSatisfy { $0 == line })
        #expect(lines.count == written + 1)
        #expect(lines.last == "end")
    }

    @Test func aFullSocketDrops() throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, streamType, 0, &ends) == 0)
        let reading = FileDescriptor(owning: ends[0])
        let writing = FileDescriptor(owning: ends[1])
        let writer = LogWriter(descriptor: writing.rawValue)
        var written = 0
        while writer.write("a line of a log") == .written {
            written += 1
            try #require(written < 1_000_000)
        }
        #expect(fcntl(writing.rawValue, F_GETFL) & O_NONBLOCK == 0)
        #expect(writer.droppedLines == 1)
        withExtendedLifetime(reading.rawValue) {}
    }

    @Test func aTerminalIsWrittenThroughADescriptionOfItsOwn() throws {
        // TIOCSPTLCK and TIOCGPTPEER of ioctl_tty(2): unlockpt and open, which Glibc lacks.
        let master = FileDescriptor(owning: open("/dev/ptmx", O_RDWR | O_NOCTTY))
        var locked: Int32 = 0
        try #require(ioctl(master.rawValue, 0x4004_5431, &locked) == 0)
        let terminal = FileDescriptor(
            owning: ioctl(master.rawValue, 0x5441, O_RDWR | O_NOCTTY))
        let writer = LogWriter(descriptor: terminal.rawValue)
        var written = 0
        while writer.write("a line of a log") == .written {
            written += 1
            try #require(written < 1_000_000)
        }
        #expect(written > 0)
        #expect(fcntl(terminal.rawValue, F_GETFL) & O_NONBLOCK == 0)
    }

    @Test func aRenamedFileIsReopened() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/log"
        let old = umask(0o022)
        umask(old)
        let writer = try LogWriter(path: path)
        #expect(writer.write("first") == .written)
        #expect(rename(path, "\(path).1") == 0)
        #expect(writer.write("second") == .written)
        try writer.reopen(path: path)
        #expect(writer.write("third") == .written)
        #expect(try TextFile.read("\(path).1") == "first\nsecond\n")
        #expect(try TextFile.read(path) == "third\n")
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o640 & ~old)
        #expect(throws: SystemCallError(call: "open", code: ENOENT)) {
            try writer.reopen(path: "\(folder.path)/missing/log")
        }
        #expect(writer.write("fourth") == .written)
        #expect(try TextFile.read(path) == "third\nfourth\n")
    }

    @Test func aFIFOWithoutAReaderFailsAtOnce() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/fifo"
        try #require(mkfifo(path, 0o600) == 0)
        #expect(throws: SystemCallError(call: "open", code: ENXIO)) { try LogWriter(path: path) }
    }
}
