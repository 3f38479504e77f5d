import Glibc
import Testing

@testable import SuperviseLinux

/// Messages of molds, and the channel of a worker that is being forked.
@Suite(.serialized) struct MoldProtocolTests {
    private func parse(_ text: String) -> MoldMessage { MoldMessage.parse(Array(text.utf8)) }

    @Test func messagesAreParsed() {
        #expect(parse("READY=1") == .ready)
        #expect(parse("READY=1\n") == .ready)
        #expect(parse("HERE") == .here)
        #expect(
            parse("FAILED=fork: no memory") == .failed(step: "fork", message: "no memory"))
        #expect(parse("FAILED=no memory") == .failed(step: "start", message: "no memory"))
        #expect(parse("FAILED=: x") == .failed(step: "start", message: ": x"))
        #expect(parse("FAILED=") == .failed(step: "start", message: ""))
    }

    @Test func anythingElseIsUnknownAndBounded() {
        #expect(parse("") == .unknown(""))
        #expect(parse("READY=10") == .unknown("READY=10"))
        #expect(parse("HERE I AM") == .unknown("HERE I AM"))
        #expect(MoldMessage.parse([0x1B, 0x5B, 0x32]) == .unknown(" [2"))
        #expect(MoldMessage.parse([0xFF, 0xFE]) == .unknown("\u{FFFD}\u{FFFD}"))
        let long = String(repeating: "x", count: 5000)
        guard case .failed(_, let message) = parse("FAILED=a: \(long)") else {
            Issue.record("a failure has its text")
            return
        }
        #expect(message.count == 300)
    }

    @Test func anOrderIsAListOfTexts() {
        let order = MoldOrder(
            number: 7, parent: 42, deathSignal: 15, arguments: ["a", ""], environment: ["B=c"])
        #expect(order.bytes == Array("1\u{0}7\u{0}42\u{0}15\u{0}2\u{0}a\u{0}\u{0}B=c\u{0}".utf8))
    }

    @Test func theChannelNamesTheSender() throws {
        let (channel, other) = try MoldChannel.make()
        #expect(try channel.receive() == .nothing)
        let text = Array("HERE".utf8)
        #expect(send(other.rawValue, text, text.count, 0) == text.count)
        #expect(try channel.receive() == .message(.here, pid: getpid()))
        try channel.proceed()
        var answer = [UInt8](repeating: 0, count: 16)
        #expect(recv(other.rawValue, &answer, answer.count, 0) == 2)
    }

    @Test func aClosedChannelEnds() throws {
        let channel = try closedChannel()
        #expect(try channel.receive() == .end)
        #expect(throws: SystemCallError.self) { try channel.proceed() }
    }

    private func closedChannel() throws -> MoldChannel {
        let (channel, other) = try MoldChannel.make()
        withExtendedLifetime(other) {}
        return channel
    }

    @Test func onlyChildrenAreChildren() throws {
        #expect(!ChildProcesses.include(getpid()))
        #expect(!ChildProcesses.include(1))
        let spawned = try SpawnPlan(arguments: ["/bin/sleep", "60"], searchPath: nil)
            .spawn(environment: [])
        #expect(ChildProcesses.include(spawned.pid))
        try spawned.process.signal(SIGKILL)
        spawned.process.waitForExit(milliseconds: 10_000)
        // Also a zombie, until it is reaped.
        #expect(ChildProcesses.include(spawned.pid))
        try ChildProcesses.reap(spawned.pid)
        #expect(!ChildProcesses.include(spawned.pid))
    }

    @Test func anInspectionFindsConnectionsAndEpollSets() throws {
        let (one, two) = try MessageSocket.pair()
        let epoll = try EventPoll()
        let inspection = MoldInspection(of: getpid(), except: one.rawValue, inherited: [])
        withExtendedLifetime((one, two, epoll)) {
            // The test process has others.
            #expect(inspection.shared.contains { $0.contains("epoll") })
            #expect(inspection.obstacle == nil)
            #expect(inspection.threadCount >= 1)
        }
    }

    @Test func aProcessThatDoesNotExistIsAnObstacle() {
        let inspection = MoldInspection(of: Int32.max, except: -1, inherited: [])
        #expect(inspection.obstacle != nil)
    }

    @Test func standardStreamsAreThoseOfThisProcess() throws {
        #expect(MoldInspection.standardStreams.contains(try Procfs.link("/proc/self/fd/1")))
    }

    @Test(arguments: [AF_INET, AF_INET6]) func theTableNamesThePeer(_ family: Int32) throws {
        let host = family == AF_INET ? "127.0.0.1" : "::1"
        let listener = OwnedDescriptor(FileDescriptor(owning: socket(family, streamType, 0)))
        let address = try SocketAddress(numericHost: host, port: 0)
        guard address.withPointer({ bind(listener.rawValue, $0, $1) }) == 0 else { return }
        #expect(listen(listener.rawValue, 1) == 0)
        let bound = try SocketAddress(boundBy: listener.rawValue)
        let client = OwnedDescriptor(FileDescriptor(owning: socket(family, streamType, 0)))
        #expect(bound.withPointer { connect(client.rawValue, $0, $1) } == 0)
        let table = try ConnectionTable(of: getpid())
        #expect(table.peer(of: try inode(client)) == bound.text)
        #expect(table.peer(of: try inode(listener)) == nil)
    }

    @Test func theTableNamesThePeerOfAUnixSocket() throws {
        let listener = OwnedDescriptor(FileDescriptor(owning: socket(AF_UNIX, streamType, 0)))
        let name = "supervise-mold-\(getpid())"
        let address = try SocketAddress(unix: name, abstract: true)
        #expect(address.withPointer { bind(listener.rawValue, $0, $1) } == 0)
        #expect(listen(listener.rawValue, 1) == 0)
        let client = OwnedDescriptor(FileDescriptor(owning: socket(AF_UNIX, streamType, 0)))
        #expect(address.withPointer { connect(client.rawValue, $0, $1) } == 0)
        let accepted = OwnedDescriptor(
            FileDescriptor(owning: accept(listener.rawValue, nil, nil)))
        let (one, two) = try MessageSocket.pair()
        let table = try ConnectionTable(of: getpid())
        #expect(table.peer(of: try inode(client)) == "unix:@\(name)")
        #expect(table.peer(of: try inode(accepted)) == "a socket without a name")
        #expect(table.peer(of: try inode(one.rawValue)) == "a socket without a name")
        #expect(table.peer(of: try inode(listener)) == nil)
        withExtendedLifetime(two) {}
    }

    private func inode(_ socket: OwnedDescriptor) throws -> UInt64 { try inode(socket.rawValue) }

    private func inode(_ number: Int32) throws -> UInt64 {
        let link = try Procfs.link("/proc/self/fd/\(number)")
        return try #require(UInt64(link.dropFirst("socket:[".count).dropLast()))
    }
}
