import Glibc
import SuperviseLinux
import Testing

/// Listeners with a path: servers remove its file before they bind, and when they stop.
@Suite(.serialized) struct UnixTests {
    @Test func aServerThatRemovesTheFileFirst() async throws {
        let folder = try Folder()
        let stage = try stage(folder)
        let script = """
            import asyncio, os, sys
            async def answer(reader, writer):
                await reader.readline()
                writer.write(b'HTTP/1.0 200 OK\\r\\n\\r\\nhello')
                await writer.drain()
                writer.close()
            async def main():
                os.unlink(sys.argv[1])
                await (await asyncio.start_unix_server(answer, sys.argv[1])).serve_forever()
            asyncio.run(main())
            """
        let workers = try (0..<2).map { _ in
            try stage.worker(["python3", "-c", script, folder["app.sock"]])
        }
        let made = try await stage.connect(untilEachHas: 5, workers)
        #expect(workers.map(\.connections).reduce(0, +) == made)
        #expect(access(folder["app.sock"], F_OK) == 0)
    }

    @Test func theFileStaysWhateverIsCalled() async throws {
        let folder = try Folder()
        _ = try await stage(folder).probe(
            """
            path = '\(folder["app.sock"])'
            before = os.stat(path).st_ino
            os.unlink(path)
            libc.remove(path.encode())
            os.rename(path, path + '.old')
            libc.renameat2(-100, path.encode(), -100, (path + '.old').encode(), 0)
            folder = os.open(os.path.dirname(path), os.O_RDONLY)
            os.unlink('app.sock', dir_fd=folder)
            os.rename('app.sock', 'other', src_dir_fd=folder, dst_dir_fd=folder)
            os.unlink(os.path.dirname(path) + '/.//app.sock')
            os.chdir(os.path.dirname(path))
            os.unlink('app.sock')
            os.unlink('./app.sock')
            assert os.stat(path).st_ino == before
            assert os.listdir('.') == ['app.sock']
            """)
    }

    /// During the trial of a reload another file stands at the path, and the listener's own file
    /// replaces it at the commit.
    @Test func bothFilesOfAHiddenListenerStay() async throws {
        let folder = try Folder()
        let path = folder["app.sock"]
        let listener = try ListenSocket.unix(path: path, mode: 0o600, backlog: 5, hidden: true)
        let file = try #require(listener.file)
        let hidden = try #require(file.hiding?.path)
        let named =
            "3:\(listener.identity.inode)@\(file.identity.device)/\(file.identity.inode)"
        _ = try await Stage([listener]).probe(
            """
            import subprocess
            path, hidden = '\(path)', '\(hidden)'
            os.chdir(os.path.dirname(path))
            before = os.stat(path)
            for each in ('app.sock', path):
                os.unlink(each)
                os.chmod(each, 0o777)
                assert ours(bound(each, family=socket.AF_UNIX)) == 0
            now = os.stat(path)
            assert (now.st_ino, now.st_mode) == (before.st_ino, before.st_mode)
            subprocess.run(['mv', '-f', hidden, path], env={'PATH': os.environ['PATH']}, check=True)
            shown = os.stat(path)
            assert shown.st_ino != before.st_ino
            for each in ('app.sock', path):
                os.unlink(each)
                os.chmod(each, 0o777)
                assert ours(bound(each, family=socket.AF_UNIX)) == 0
            now = os.stat(path)
            assert (now.st_ino, now.st_mode) == (shown.st_ino, shown.st_mode)
            """, variables: ["SUPERVISE_WORKER_LISTENERS": named])
    }

    /// Servers set the mode and the owner of their socket's file; here the master sets both.
    @Test func theFileKeepsItsModeAndOwner() async throws {
        let folder = try Folder()
        _ = try await stage(folder).probe(
            """
            path = '\(folder["app.sock"])'
            server = bound(path, family=socket.AF_UNIX)
            before = os.stat(path)
            link, other = path + '.link', path + '.other'
            os.symlink(path, link)
            open(other, 'w')
            folder = os.open(os.path.dirname(path), os.O_RDONLY)
            for change in (0o600, 0o777):
                os.chmod(path, change)
                os.chmod(link, change)
                os.chmod(server.fileno(), change)
                os.chmod('app.sock', change, dir_fd=folder)
                libc.lchmod(path.encode(), change)
                os.chmod(other, change)
                assert os.stat(other).st_mode & 0o777 == change
            for change in (os.chown, os.lchown):
                change(path, 65534, 65534)
            os.chown(link, 65534, 65534)
            os.chown(server.fileno(), 65534, 65534)
            os.chown('app.sock', 65534, 65534, dir_fd=folder)
            os.chown(path, 65534, 65534, follow_symlinks=False)
            after = os.stat(path)
            assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
            assert os.fstat(server.fileno()).st_uid == os.fstat(3).st_uid == os.getuid()
            if os.getuid() == 0:
                os.chown(other, 65534, 65534)
                assert os.stat(other).st_uid == 65534
                # The link itself is nobody's.
                os.lchown(link, 65534, 65534)
                assert os.lstat(link).st_uid == 65534
            assert failure(os.chmod, path + '.none', 0o600) == errno.ENOENT
            assert libc.chmod(None, 0o600) == -1 and ctypes.get_errno() == errno.EFAULT
            os.unlink(link)
            os.unlink(other)
            """)
    }

    /// haproxy binds another path and renames that file to the original one.
    @Test(arguments: [false, true])
    func aSocketThatIsRenamedOntoTheFileIsAdopted(listensFirst: Bool) async throws {
        let folder = try Folder()
        let stage = try stage(folder)
        _ = try await stage.probe(
            """
            path = '\(folder["app.sock"])'
            before = os.stat(path).st_ino
            server = bound(path + '.tmp', family=socket.AF_UNIX)
            assert ours(server) is None
            if \(listensFirst ? "True" : "False"):
                server.listen()
            os.rename(path + '.tmp', path)
            assert ours(server) == 0
            assert os.stat(path).st_ino == before and os.listdir(os.path.dirname(path)) == ['app.sock']
            server.listen()
            client = socket.socket(socket.AF_UNIX)
            client.connect(path)
            server.accept()
            # Nothing else takes its place either.
            open(path + '.file', 'w')
            os.rename(path + '.file', path)
            libc.renameat2(-100, (path + '.file').encode(), -100, path.encode(), 2)
            folder = os.open(os.path.dirname(path), os.O_RDONLY)
            os.rename('app.sock.file', 'app.sock', src_dir_fd=folder, dst_dir_fd=folder)
            assert libc.renameat2(-100, (path + '.file').encode(), -100, path.encode(), 1) == -1
            assert ctypes.get_errno() == errno.EEXIST
            assert os.stat(path).st_ino == before
            os.rename(path + '.file', path + '.moved')
            os.unlink(path + '.moved')
            """)
    }

    @Test func otherFilesAreRemoved() async throws {
        let folder = try Folder()
        _ = try await stage(folder).probe(
            """
            os.chdir('\(folder.path)')
            os.mkdir('sub')
            bound('sub/app.sock', family=socket.AF_UNIX)
            for make in (lambda: open('app.soc', 'w'), lambda: open('app.sock.old', 'w'),
                         lambda: os.symlink('app.sock', 'link'), lambda: os.link('app.sock', 'twin')):
                make()
            for name in ('app.soc', 'app.sock.old', 'link', 'twin', 'sub/app.sock'):
                os.unlink(name)
                assert not os.path.lexists(name), name
            os.symlink('../app.sock', 'sub/app.sock')
            os.unlink('sub/app.sock')
            os.rmdir('sub')
            assert failure(os.unlink, 'none') == errno.ENOENT
            assert libc.unlink(None) == -1 and ctypes.get_errno() == errno.EFAULT
            assert failure(os.unlink, '.') == errno.EISDIR
            open('a', 'w')
            os.rename('a', 'b')
            libc.remove(b'b')
            assert os.listdir('.') == ['app.sock']
            """)
    }

    @Test func anySpellingOfThePathIsAdopted() async throws {
        let folder = try Folder()
        _ = try await stage(folder).probe(
            """
            os.chdir('\(folder.path)')
            os.symlink('.', 'here')
            for path in ('\(folder["app.sock"])', 'app.sock', './app.sock', 'here/app.sock',
                         '\(folder.path)//app.sock'):
                assert ours(bound(path, family=socket.AF_UNIX)) == 0, path
            other = bound('other.sock', family=socket.AF_UNIX)
            assert ours(other) is None
            datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            assert failure(datagram.bind, 'app.sock') == errno.EADDRINUSE
            assert failure(other.bind, 'app.sock') and ours(other) is None
            os.unlink('other.sock')
            os.unlink('here')
            """)
    }

    @Test func aPathOfTheFullLength() async throws {
        let folder = try Folder()
        let name = String(repeating: "x", count: 107 - folder.path.utf8.count - 1)
        let listener = try ListenSocket.unix(path: folder[name], mode: 0o600, backlog: 5)
        _ = try await Stage([listener]).probe(
            """
            path = '\(folder[name])'
            os.unlink(path)
            os.rename(path, path[:-1])
            assert ours(bound(path, family=socket.AF_UNIX)) == 0
            assert ours(bound(path[:-1], family=socket.AF_UNIX)) is None
            os.unlink(path[:-1])
            """)
    }

    @Test func anAbstractNameIsAdopted() async throws {
        let name = "supervise-preload-\(Stage.nonce())"
        let stage = try Stage([ListenSocket.abstract(name: name, backlog: 5)])
        _ = try await stage.probe(
            """
            for name, expected in (('\(name)', 0), ('\(name)x', None), ('\(name.dropLast())', None),
                                   ('\(name)\\0', None)):
                assert ours(bound('\\0' + name, family=socket.AF_UNIX)) == expected, name
            """)
        let worker = try stage.worker([
            "python3", "-c",
            """
            from probe import *
            server = bound('\\0\(name)', family=socket.AF_UNIX)
            client, _ = server.accept()
            client.recv(100)
            client.send(b'HTTP/1.0 200 OK')
            """,
        ])
        try await stage.connect(1)
        #expect(worker.connections == 1)
    }

    private func stage(_ folder: Folder) throws -> Stage {
        try Stage([ListenSocket.unix(path: folder["app.sock"], mode: 0o600, backlog: 700)])
    }
}
