import Glibc
import Testing

@testable import SuperviseLinux

struct HeldListenersTests {
    @Test func theListenersOfAProcessAreFound() throws {
        let folder = try TestFolder()
        let sockets = [
            try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 1),
            try ListenSocket.tcp(host: "::1", port: 0, backlog: 1),
            try ListenSocket.unix(path: "\(folder.path)/s", mode: 0o600, backlog: 1),
            try ListenSocket.abstract(name: try Nonce().text, backlog: 1),
        ]
        let child = try TestChild(["sleep", "60"], descriptors: sockets.map(\.rawValue))
        let others = try #require(HeldListeners.inspect([child.pid], known: []))
        #expect(!others.includeKnown)
        #expect(others.others == sockets.map(\.address).sorted())
        let known = try #require(
            HeldListeners.inspect([child.pid], known: [sockets[0].identity]))
        #expect(known.includeKnown)
        #expect(known.others == sockets.dropFirst().map(\.address).sorted())
        try sockets[2].removeIfStillOurs()
    }

    @Test func processesWithoutListenersHaveNone() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 1)
        let child = try TestChild(["sleep", "60"])
        let held = try #require(
            HeldListeners.inspect([child.pid, 1 << 30], known: [listener.identity]))
        #expect(!held.includeKnown)
        #expect(held.others.isEmpty)
    }

    @Test func entriesOfTheTablesAreRead() throws {
        #expect(SocketAddress(tableEntry: "0100007F:1F40")?.text == "127.0.0.1:8000")
        #expect(SocketAddress(tableEntry: "00000000:0050")?.text == "0.0.0.0:80")
        #expect(
            SocketAddress(tableEntry: "00000000000000000000000001000000:1F40")?.text
                == "[::1]:8000")
        for text in ["", ":", "0100007F", "0100007F:", "1:1", "xyz:0", "0100007F0100007F:1"] {
            #expect(SocketAddress(tableEntry: Substring(text)) == nil)
        }
    }
}
