import CSupervise
import Glibc
import Testing

/// Responses of the kernel about sockets (connections.c), simulated by the test.
struct SocketDumpTests {
    /// A dump of netlink(7) that the kernel interrupted is repeated.
    @Test func anInterruptedDumpIsRepeated() throws {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        let interrupted: UInt16 = 0x10
        for answer in [
            message(inode: 7), message(inode: 8, flags: interrupted), done(),
            message(inode: 9), done(),
        ] {
            try #require(send(ends[1], answer, answer.count, 0) == answer.count)
        }
        var found = [csupervise_connection](repeating: csupervise_connection(), count: 4)
        let count = csupervise_connections(ends[0], AF_INET, 80, &found, 4)
        #expect(count == 1 && found[0].inode == 9)
        // An error leaves no messages for a later request.
        for answer in [message(inode: 1), failure(EINVAL), message(inode: 2)] {
            try #require(send(ends[1], answer, answer.count, 0) == answer.count)
        }
        #expect(csupervise_connections(ends[0], AF_INET, 80, &found, 4) == -1 && errno == EINVAL)
        #expect(csupervise_connections(ends[0], AF_INET, 80, &found, 4) == -1 && errno == EAGAIN)
    }

    private static let dumpDone: UInt16 = 3
    private static let dumpFailed: UInt16 = 2

    private func header(_ type: UInt16, _ flags: UInt16, length: Int) -> [UInt8] {
        words([UInt32(length), UInt32(type) | UInt32(flags) << 16, 0, 0])
    }

    private func words(_ words: [UInt32]) -> [UInt8] {
        words.flatMap { word in withUnsafeBytes(of: word) { Array($0) } }
    }

    /// A socket of port 80 (struct inet_diag_msg).
    private func message(inode: UInt32, flags: UInt16 = 0) -> [UInt8] {
        var body = [UInt32](repeating: 0, count: 18)
        body[1] = UInt32(UInt16(80).bigEndian)
        body[17] = inode
        return header(20, flags, length: 88) + words(body)
    }

    private func done() -> [UInt8] { header(Self.dumpDone, 0, length: 20) + words([0]) }

    private func failure(_ code: Int32) -> [UInt8] {
        header(Self.dumpFailed, 0, length: 36) + words([UInt32(bitPattern: -code), 0, 0, 0, 0])
    }

    @Test func onlySomeFailuresToUnshareAreForGood() {
        for code in [ENOSYS, EINVAL, EPERM, EACCES] { #expect(csupervise_never_unshares(code)) }
        for code in [ENOMEM, EMFILE, ENFILE, EAGAIN, EINTR] {
            #expect(!csupervise_never_unshares(code))
        }
    }
}
