import CSupervise
import Foundation
import Testing

@testable import SuperviseLinux

struct ListenSocketTests {
    @Test func portZeroTellsThePortItGot() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
        let port = try #require(UInt16(listener.address.dropFirst("127.0.0.1:".count)))
        #expect(port > 0)
        #expect(listener.address.hasPrefix("127.0.0.1:"))
        #expect(fcntl(listener.rawValue, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(listener.rawValue, F_GETFL) & O_NONBLOCK == 0)
        #expect(option(listener.rawValue, Int32(IPPROTO_TCP), TCP_NODELAY) == 1)
        #expect(option(listener.rawValue, SOL_SOCKET, SO_KEEPALIVE) == 1)
    }

    @Test func aTakenAddressIsNamed() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
        let port = try #require(UInt16(listener.address.dropFirst("127.0.0.1:".count)))
        let failure = #expect(throws: ListenFailure.self) {
            try ListenSocket.tcp(host: "127.0.0.1", port: port, backlog: 16)
        }
        // The rest names the holder.
        #expect(
            failure?.description.hasPrefix(
                "cannot listen on 127.0.0.1:\(port): Address already in use") == true)
    }

    /// Each finds the file that a killed master left behind.
    @Test func ofSeveralAtOnceOneGetsThePath() async throws {
        for _ in 0..<20 {
            let folder = try TestFolder()
            let path = "\(folder.path)/s"
            _ = try ListenSocket.unix(path: path, mode: 0o600, backlog: 1)
            // A copy of each listener stays open until all have tried.
            let winners = await withTaskGroup(of: Int32?.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        do {
                            let listener = try ListenSocket.unix(
                                path: path, mode: 0o600, backlog: 16)
                            defer { withExtendedLifetime(listener) {} }
                            return dup(listener.rawValue)
                        } catch {
                            return nil
                        }
                    }
                }
                return await group.reduce(into: [Int32]()) { $0 += [$1].compactMap { $0 } }
            }
            for copy in winners { close(copy) }
            #expect(winners.count == 1)
        }
    }

    @Test func bothWildcardsFitSideBySide() throws {
        let four = try ListenSocket.tcp(host: "0.0.0.0", port: 0, backlog: 16)
        let port = try #require(UInt16(four.address.dropFirst("0.0.0.0:".count)))
        let six = try ListenSocket.tcp(host: "::", port: port, backlog: 16, nonblocking: true)
        #expect(six.address == "[::]:\(port)")
        #expect(fcntl(six.rawValue, F_GETFL) & O_NONBLOCK != 0)
    }

    @Test func aNameIsNoNumericHost() {
        let failure = #expect(throws: ListenFailure.self) {
            try ListenSocket.tcp(host: "localhost", port: 0, backlog: 1)
        }
        #expect(failure?.reason == .call(SystemCallError(call: "inet_pton", code: EINVAL)))
    }

    @Test func aUnixSocketHasExactlyItsMode() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/s"
        let listener = try ListenSocket.unix(path: path, mode: 0o666, backlog: 16)
        #expect(listener.address == "unix:\(path)")
        #expect(try status(path).st_mode & 0o777 == 0o666)
        #expect(try listener.removeIfStillOurs())
        #expect(access(path, F_OK) != 0)
        #expect(try listener.removeIfStillOurs() == false)
    }

    @Test(.enabled(if: isRoot, "only root gives files away"))
    func aUnixSocketCanBelongToAnother() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/s"
        let listener = try ListenSocket.unix(
            path: path, mode: 0o600, owner: 65534, group: 12345, backlog: 16)
        let status = try status(path)
        #expect(status.st_uid == 65534)
        #expect(status.st_gid == 12345)
        #expect(status.st_mode & 0o777 == 0o600)
        withExtendedLifetime(listener) {}
    }

    @Test func onlyAStaleSocketIsReplaced() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/s"
        var first: ListenSocket? = try ListenSocket.unix(path: path, mode: 0o600, backlog: 16)
        let stale = try #require(first?.file)
        let failure = #expect(throws: ListenFailure.self) {
            try ListenSocket.unix(path: path, mode: 0o600, backlog: 16)
        }
        #expect(
            failure?.description.hasPrefix(
                "cannot listen on unix:\(path): Address already in use") == true)
        first = nil
        #expect(access(path, F_OK) == 0)
        // A child that another test starts holds the descriptor until its exec.
        var second: ListenSocket?
        let replaced = eventually {
            do {
                second = try ListenSocket.unix(path: path, mode: 0o600, backlog: 16)
                return true
            } catch {
                return false
            }
        }
        #expect(replaced)
        #expect(second?.file?.path == stale.path)
        #expect(try second?.removeIfStillOurs() == true)
    }

    private func connects(to path: String) throws -> Bool {
        let address = try SocketAddress(unix: path, abstract: false)
        let client = OwnedDescriptor(try ListenSocket.open(AF_UNIX, nonblocking: true))
        return address.withPointer { connect(client.rawValue, $0, $1) } == 0
    }

    private func names(in folder: TestFolder) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    /// A hidden socket listens for those who have it, and clients find a file that refuses them.
    @Test func aHiddenSocketRefusesUntilItIsShown() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/s"
        let listener = try ListenSocket.unix(path: path, mode: 0o600, backlog: 16, hidden: true)
        #expect(SocketOption.int(listener.rawValue, SOL_SOCKET, SO_ACCEPTCONN) == 1)
        #expect(listener.address == "unix:\(path)")
        #expect(try !connects(to: path) && errno == ECONNREFUSED)
        // As programs do that bind the path themselves.
        #expect(chmod(path, 0o777) == 0)
        try listener.admitNewConnections()
        #expect(try connects(to: path))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(try names(in: folder) == ["s"])
        #expect(try listener.removeIfStillOurs())
        #expect(try names(in: folder) == [])
    }

    @Test func aHiddenSocketLeavesNoFile() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/s"
        let listener = try ListenSocket.unix(path: path, mode: 0o600, backlog: 16, hidden: true)
        #expect(try names(in: folder).count == 2)
        #expect(try listener.removeIfStillOurs())
        #expect(try names(in: folder) == [])
    }

    /// It does not replace the socket of another server, and needs no file to replace.
    @Test(arguments: [false, true]) func aPathThatChangedMeanwhile(isTaken: Bool) throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/s"
        let listener = try ListenSocket.unix(path: path, mode: 0o600, backlog: 16, hidden: true)
        #expect(unlink(path) == 0)
        let other = isTaken ? try ListenSocket.unix(path: path, mode: 0o600, backlog: 16) : nil
        if isTaken {
            #expect(throws: SystemCallError(call: "rename", code: EADDRINUSE)) {
                try listener.admitNewConnections()
            }
            #expect(try other?.removeIfStillOurs() == true)
        } else {
            try listener.admitNewConnections()
            #expect(try connects(to: path) && listener.removeIfStillOurs())
        }
        #expect(try names(in: folder) == [])
    }

    @Test func aFullQueueIsALivingServer() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/s"
        let server = try ListenSocket.unix(path: path, mode: 0o600, backlog: 0)
        let address = try SocketAddress(unix: path, abstract: false)
        var clients: [OwnedDescriptor] = []
        while true {
            let client = OwnedDescriptor(try ListenSocket.open(AF_UNIX, nonblocking: true))
            guard address.withPointer({ connect(client.rawValue, $0, $1) }) == 0 else { break }
            clients.append(client)
            try #require(clients.count < 10)
        }
        #expect(throws: ListenFailure.self) {
            try ListenSocket.unix(path: path, mode: 0o600, backlog: 16)
        }
        #expect(try server.removeIfStillOurs())
    }

    @Test func aSuccessorsFileIsNotRemoved() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/s"
        let first = try ListenSocket.unix(path: path, mode: 0o600, backlog: 16)
        // Keeps the inode in use, so that the successor gets another number.
        #expect(link(path, "\(folder.path)/kept") == 0)
        #expect(unlink(path) == 0)
        let second = try ListenSocket.unix(path: path, mode: 0o600, backlog: 16)
        #expect(try first.removeIfStillOurs() == false)
        #expect(access(path, F_OK) == 0)
        #expect(try second.removeIfStillOurs())
    }

    @Test func aFileThatIsNoSocketIsLeftAlone() throws {
        let folder = try TestFolder()
        let failure = #expect(throws: ListenFailure.self) {
            try ListenSocket.unix(path: folder.path, mode: 0o600, backlog: 16)
        }
        #expect(failure?.reason == .notASocket)
    }

    @Test func aLongPathIsReported() {
        let path = "/tmp/" + String(repeating: "x", count: 120)
        let failure = #expect(throws: ListenFailure.self) {
            try ListenSocket.unix(path: path, mode: 0o600, backlog: 16)
        }
        #expect(failure?.reason == .call(SystemCallError(call: "bind", code: ENAMETOOLONG)))
    }

    @Test func anAbstractNameHasNoFile() throws {
        let name = "supervise-test-\(getpid())"
        let listener = try ListenSocket.abstract(name: name, backlog: 16)
        #expect(listener.address == "unix:@\(name)")
        #expect(listener.file == nil)
        #expect(throws: ListenFailure.self) {
            try ListenSocket.abstract(name: name, backlog: 16)
        }
    }

    @Test func onlyListenersAreAdopted() throws {
        let pipe = try TestPipe()
        var failure = #expect(throws: ListenFailure.self) {
            try ListenSocket.adopt(pipe.reading.rawValue)
        }
        #expect(failure?.reason == .notListening)
        failure = #expect(throws: ListenFailure.self) { try ListenSocket.adopt(1_000_000) }
        #expect(
            failure?.description == "cannot listen on fd://1000000: this descriptor is not open")

        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
        let adopted = try ListenSocket.adopt(dup(listener.rawValue))
        #expect(adopted.isAdopted)
        #expect(adopted.address == listener.address)
        #expect(adopted.identity == listener.identity)
        #expect(fcntl(adopted.rawValue, F_GETFD) == FD_CLOEXEC)
    }

    private func option(_ number: Int32, _ level: Int32, _ name: Int32) -> Int32 {
        var value: Int32 = -1
        var size = socklen_t(4)
        getsockopt(number, level, name, &value, &size)
        return value
    }

    private func status(_ path: String) throws -> stat {
        var status = stat()
        try systemCall("lstat") { lstat(path, &status) }
        return status
    }
}
