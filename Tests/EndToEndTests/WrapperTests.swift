import Foundation
import Testing

/// Commands that start the server as their child, and the effect on the listeners.
@Suite(.takesTurn) struct WrapperTests {
    struct Wrapper: CustomTestStringConvertible, Sendable {
        let name: String
        /// FOLDER contains the server and its wrapper.
        let command: [String]
        var options: [String] = []
        /// Whether the descriptors are lost.
        var loses = false

        var testDescription: String { name }
    }

    private static let wrappers = [
        Wrapper(name: "sh", command: ["sh", "-c", "python3 FOLDER/server.py; exit $?"]),
        Wrapper(name: "xargs", command: ["sh", "-c", "echo FOLDER/server.py | xargs python3"]),
        Wrapper(name: "subprocess", command: call + server, loses: true),
        Wrapper(name: "subprocess twice", command: call + call + server, loses: true),
        Wrapper(name: "npm", command: ["npm", "start", "--prefix", "FOLDER"], loses: true),
    ]
    private static let call = ["python3", "FOLDER/call.py"]
    private static let server = ["python3", "FOLDER/server.py"]

    @Test(arguments: wrappers) func aServerBehindItIsAdopted(_ wrapper: Wrapper) async throws {
        try await run(wrapper)
    }

    /// The process requests a listener from a master of another user.
    @Test(.needsRoot) func asAnotherUserItIsAdoptedToo() async throws {
        var wrapper = Self.wrappers[2]
        wrapper.options = ["--user", "65534", "--group", "65534"]
        try await run(wrapper)
    }

    @Test(.needsReadableProducts) func aPlainUsersMasterServesThemToo() async throws {
        try await run(
            Self.wrappers[2],
            by: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    }

    private func run(_ wrapper: Wrapper, by launcher: [String] = []) async throws {
        guard Place.program(wrapper.command[0]) != nil else {
            try Test.cancel("\(wrapper.command[0]) is absent")
        }
        let folder = try Folder()
        let port = try freePort()
        let server = try folder.write("server.py", Self.program(port))
        try folder.write(
            "call.py", "import subprocess, sys\nsys.exit(subprocess.call(sys.argv[1:]))\n")
        try folder.write(
            "package.json",
            #"{"name": "x", "version": "1.0.0", "scripts": {"start": "python3 \#(server)"}}"#)
        let command = wrapper.command.map { $0.replacing("FOLDER", with: folder.path) }
        let master = try Supervise(
            ["--bind", "127.0.0.1:\(port)", "--workers", "2"] + wrapper.options + ["--"] + command,
            environment: ["HOME": folder.path], wrapper: launcher, folder: folder)
        try await master.wait("two ready workers", deadline: .seconds(60)) {
            master.lines(Event.ready).count == 2
        }
        var pids: Set<String> = []
        for _ in 0..<20 where pids.count < 2 {
            let result = try await load("127.0.0.1:\(port)", requests: 40, rate: 400)
            expectNoFailure(result, 40)
            pids.formUnion(result.pids.keys)
        }
        #expect(pids.count == 2)
        #expect(master.lines(Event.exit).isEmpty)
        #expect(master.lines("adopted").count == (wrapper.loses ? 1 : 0))
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    /// A worker's listeners are only for its own processes: the worker of the other pool requests
    /// them, at that worker's socket and at its own.
    @Test func anotherWorkersListenersAreRefused() async throws {
        let folder = try Folder()
        try folder.write("ask.py", Self.ask)
        let master = try Supervise(
            [], environment: ["VICTIM": folder["victim"]],
            config: """
                ready = exec
                [pool good]
                bind = 127.0.0.1:0
                command = sleep 1000
                [pool bad]
                bind = 127.0.0.1:0
                command = python3 \(folder["ask.py"])
                """, folder: folder)
        let good = try #require(try await master.waitForWorkers(2).first { $0.pool == "good" })
        let variables = ProcessTable.environment(of: good.pid)
        let notify = try #require(variables["NOTIFY_SOCKET"])
        let inode = try #require(
            variables["SUPERVISE_WORKER_LISTENERS"]?.split(separator: ":").last)
        try folder.write("victim.part", "\(notify) \(inode)\n")
        try #require(rename(folder["victim.part"], folder["victim"]) == 0)
        try await master.wait("its report") { folder.lines("stdout").contains { $0 == "end" } }
        // It gets its own, and only a few per second.
        let lines = folder.lines("stdout")
        #expect(lines.prefix(2) == ["theirs: nothing", "own: nothing"])
        let given = try #require(
            lines.first { $0.hasPrefix("given: ") }.flatMap {
                Int($0.dropFirst("given: ".count))
            })
        #expect((1...150).contains(given))
        try await master.waitForEvent("notify-refused")
        try await master.waitForEvent("listener-refused")
        #expect(try await master.stop() == .exited(0))
    }

    private static let ask = """
        import os, socket, time
        while not os.path.exists(os.environ["VICTIM"]):
            time.sleep(0.01)
        address, inode = open(os.environ["VICTIM"]).read().split()
        own_address = os.environ["NOTIFY_SOCKET"]
        own_inode = os.environ["SUPERVISE_WORKER_LISTENERS"].split(":")[1]
        def place(address):
            return "\\0" + address[1:] if address[0] == "@" else address
        def asks(address, inode):
            asking = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            asking.bind("")
            asking.settimeout(0.5)
            asking.sendto(b"X_LISTENER=" + inode.encode(), place(address))
            try:
                return socket.recv_fds(asking, 100, 1)[1]
            except TimeoutError:
                return []
        print("theirs:", asks(address, inode) or "nothing", flush=True)
        print("own:", asks(own_address, inode) or "nothing", flush=True)
        flood = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        flood.bind("")
        flood.settimeout(0.05)
        given, end = 0, time.monotonic() + 2
        while time.monotonic() < end:
            flood.sendto(b"X_LISTENER=" + own_inode.encode(), place(own_address))
            try:
                for number in socket.recv_fds(flood, 100, 1)[1]:
                    given += 1
                    os.close(number)
            except TimeoutError:
                pass
        print(f"given: {given}\\nend", flush=True)
        time.sleep(1000)
        """

    /// Responds with its pid.
    static func program(_ port: Int) -> String {
        """
        import os, socket
        listener = socket.create_server(("127.0.0.1", \(port)))
        while True:
            client = listener.accept()[0]
            client.recv(1000)
            body = f"pid {os.getpid()},".encode()
            length = str(len(body)).encode()
            client.sendall(
                b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: " + length
                + b"\\r\\n\\r\\n" + body)
            client.close()
        """
    }
}
