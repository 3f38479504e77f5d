import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

struct NotifySocketTests {
    @Test func aDatagramComesWithItsSender() throws {
        let socket = try NotifySocket(nonce: "credentials-\(getpid())")
        #expect(socket.address == "@supervise/credentials-\(getpid())")
        try python(
            "s.sendto(b'READY=1\\nSTATUS=up', a)", to: socket
        ) { child throws in
            let datagram = try #require(first(of: socket))
            #expect(datagram.pid == child.pid)
            #expect(datagram.uid == getuid())
            #expect(datagram.text == "READY=1\nSTATUS=up")
        }
    }

    @Test func aLongDatagramIsTruncated() throws {
        let socket = try NotifySocket(nonce: "long-\(getpid())")
        try python("s.sendto(b'x' * 5000, a)", to: socket) { _ throws in
            let datagram = try #require(first(of: socket))
            #expect(datagram.bytes.count == 4096)
        }
    }

    @Test func aFloodIsReadInPortions() throws {
        let socket = try NotifySocket(nonce: "flood-\(getpid())")
        try python("[s.sendto(b'%d' % i, a) for i in range(8)]", to: socket) { child throws in
            #expect(try child.exitStatus() == .exited(0))
            #expect(socket.receive(limit: 5).map(\.text) == ["0", "1", "2", "3", "4"])
            #expect(socket.receive(limit: 5).map(\.text) == ["5", "6", "7"])
            #expect(socket.receive(limit: 5).isEmpty)
        }
    }

    @Test(arguments: [1, 20, 250])
    func descriptorsSentAlongAreClosed(_ count: Int) throws {
        let socket = try NotifySocket(nonce: "rights-\(count)-\(getpid())")
        // When the last copy is closed, the sender gets an end of file and exits.
        let script = """
            r, w = os.pipe()
            s.connect(a)
            socket.send_fds(s, [b'BARRIER=1'], [w] * \(count))
            os.close(w)
            os._exit(7 if os.read(r, 1) == b'' else 8)
            """
        try python(script, to: socket) { child throws in
            #expect(first(of: socket)?.text == "BARRIER=1")
            #expect(try child.exitStatus() == .exited(7))
        }
    }

    private func first(of socket: NotifySocket) -> NotifyDatagram? {
        var datagram: NotifyDatagram?
        _ = eventually {
            datagram = socket.receive(limit: 1).first
            return datagram != nil
        }
        return datagram
    }

    private func python(
        _ script: String, to socket: NotifySocket, _ check: (TestChild) throws -> Void
    ) throws {
        let prelude = """
            import os, socket
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            a = '\\0' + os.environ['NOTIFY_SOCKET'][1:]

            """
        let child = try TestChild(
            ["python3", "-c", prelude + script],
            environment: ["PATH=/usr/bin:/bin", "NOTIFY_SOCKET=@\(try address(of: socket))"])
        try check(child)
    }

    /// The name that the kernel shows.
    private func address(of socket: NotifySocket) throws -> String {
        String(try SocketAddress(boundBy: socket.rawValue).text.dropFirst("unix:@".count))
    }
}

/// The directories of sockets that other users cannot reach (NotifyFolder.swift).
struct NotifyFolderTests {
    @Test func itGuardsItsSockets() throws {
        let place = try TestFolder()
        let folder = try #require(NotifyFolder.make(in: [place.path], isShared: false))
        let path = try folder.path(nonce: "0123456789abcdef0123", uid: geteuid(), gid: getegid())
        #expect(path == "\(folder.path)/\(geteuid())/0123456789abcdef")
        let socket = try NotifySocket(path: path)
        #expect(socket.address == path)
        let ownMode: mode_t = geteuid() == 0 ? 0o711 : 0o700
        #expect(mode(folder.path) == 0o711)
        #expect(mode("\(folder.path)/\(geteuid())") == ownMode)
        socket.remove()
        #expect(mode(path) == nil)
        _ = try NotifySocket(path: path)
        folder.remove()
        #expect(Directory.entries(place.path) == [])
    }

    @Test func whatADeadMasterLeftIsRemoved() throws {
        let place = try TestFolder()
        var left = NotifyFolder.make(in: [place.path], isShared: false)
        let path = try #require(try left?.path(nonce: "n", uid: geteuid(), gid: getegid()))
        _ = try NotifySocket(path: path)
        // The socket of a running master stays.
        let living = try #require(NotifyFolder.make(in: [place.path], isShared: false))
        #expect(Directory.entries(place.path).count == 2)
        left = nil
        let next = try #require(NotifyFolder.make(in: [place.path], isShared: false))
        #expect(
            Set(Directory.entries(place.path).map { "\(place.path)/\($0)" })
                == [living.path, next.path])
        for folder in [living, next] { folder.remove() }
    }

    @Test func whereOthersCannotPassItIsNotForThem() throws {
        let closed = try TestFolder()
        let open = try TestFolder()
        chmod(open.path, 0o755)
        let places = [
            "/no/such/folder", "relative", String(repeating: "/x", count: 40), closed.path,
        ]
        #expect(NotifyFolder.make(in: places, isShared: true) == nil)
        let folder = try #require(
            NotifyFolder.make(in: places + [open.path], isShared: true))
        #expect(folder.path.hasPrefix(open.path))
        folder.remove()
    }

    @Test(.enabled(if: isRoot, "needs root"), arguments: [65534, 65533] as [UInt32])
    func onlyItsUserCanSend(_ user: UInt32) throws {
        let place = try TestFolder()
        chmod(place.path, 0o755)
        let folder = try #require(NotifyFolder.make(in: [place.path], isShared: true))
        let path = try folder.path(nonce: "abc", uid: 65534, gid: 65534)
        let socket = try NotifySocket(path: path)
        let script = """
            import os, socket
            os.setresuid(\(user), \(user), \(user))
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try: s.sendto(b'READY=1', '\(path)')
            except PermissionError: os._exit(7)
            """
        let child = try TestChild(["python3", "-c", script])
        #expect(try child.exitStatus() == .exited(user == 65534 ? 0 : 7))
        #expect(socket.receive(limit: 2).map(\.text) == (user == 65534 ? ["READY=1"] : []))
        folder.remove()
    }

    private func mode(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
    }
}

extension NotifyDatagram {
    fileprivate var text: String { String(decoding: bytes, as: UTF8.self) }
}
