import Glibc
import SuperviseLinux
import SuperviseSettings
import Testing

@testable import SuperviseMaster

/// Listeners of a trial, and of the generation that follows.
struct ListenersTests {
    private let folder: String
    private let listeners = Listeners(passed: [], inherited: [])
    private let pool: PoolSettings

    init() throws {
        var template = Array("/tmp/supervise-listeners-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        folder = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
        let text =
            "[pool web]\nbind = unix:\(folder)/a\nbind = unix:\(folder)/b\nbind = 127.0.0.1:0\n"
            + "command = x\n"
        pool = try Configuration(canonicalText: Array(text.utf8)).pools[0]
    }

    private func open(onTrial: Bool) throws -> [ListenSocket] {
        try listeners.open(pool, names: ResolvedNames(), onTrial: onTrial).map(\.socket)
    }

    private func removeFolder() {
        for name in ["a", "b"] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    @Test func oneThatCannotBeReopenedIsOpenedByTheNextReload() throws {
        defer { removeFolder() }
        let sockets = try open(onTrial: true)
        #expect(sockets.prefix(2).allSatisfy(listeners.isClosed))
        #expect(unlink("\(folder)/a") == 0)
        let other = try ListenSocket.unix(path: "\(folder)/a", mode: 0o600, backlog: 1)
        #expect(throws: SystemCallError(call: "rename", code: EADDRINUSE)) {
            try listeners.readmit(sockets[0])
        }
        for socket in sockets.dropFirst() { try listeners.readmit(socket) }
        #expect(listeners.isClosed(sockets[0]))
        #expect(!listeners.isClosed(sockets[1]) && !listeners.isClosed(sockets[2]))
        // Nothing clears the way for the next reload.
        #expect(throws: ListenFailure.self) { try open(onTrial: true) }
        #expect(try other.removeIfStillOurs())
        let next = try open(onTrial: true)
        #expect(next[0] !== sockets[0] && next[1] === sockets[1])
        #expect(listeners.keep([]).isEmpty)
    }

    @Test func oneThatWasGivenUpIsReplaced() throws {
        defer { removeFolder() }
        let sockets = try open(onTrial: false)
        #expect(shutdown(sockets[0].rawValue, Int32(SHUT_RDWR)) == 0)
        listeners.giveUp(sockets[0])
        for socket in sockets { try listeners.readmit(socket) }
        #expect(listeners.isClosed(sockets[0]))
        let next = try open(onTrial: true)
        #expect(next[0] !== sockets[0] && next[1] === sockets[1])
        #expect(listeners.keep([]).isEmpty)
    }
}
