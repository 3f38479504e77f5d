import Glibc
import Testing

/// How the master supports the preload library, with a library in its place that does nothing: the
/// workers act for it.
@Suite(.takesTurn, .needsStaticServer) struct PreloadTests {
    @Test func workersGetTheLibraryBehindTheirOwn() async throws {
        let folder = try Self.install()
        let master = try Self.start(
            folder, ["--env", "LD_PRELOAD=libc.so.6", "--bind", "127.0.0.1:0"], Self.idle)
        let worker = try await master.waitForWorkers(1)[0]
        let variables = ProcessTable.environment(of: worker.pid)
        #expect(variables["LD_PRELOAD"] == "libc.so.6:\(folder["libsupervise-preload.so"])")
        #expect(variables["SUPERVISE_WORKER_ADOPT"] == "1")
        #expect(variables["SUPERVISE_WORKER_COUNT"] == "1")
        #expect(variables["SUPERVISE_WORKER_PAGE"] == "5")
        let sockets = ProcessTable.descriptors(of: worker.pid)
        let inodes = ["3", "4"].map { number in
            "\(number):" + (sockets[number] ?? "").filter(\.isNumber)
        }
        #expect(variables["SUPERVISE_WORKER_LISTENERS"] == inodes.joined(separator: ","))
        #expect(try await master.stop() == .exited(0))
        #expect(master.lines("adoption").isEmpty)
    }

    @Test(
        arguments: [
            (["--adopt", "off"], nil, "1", true), (["--count", "report"], "1", nil, true),
            (["--count", "off"], "1", nil, true), (["--adopt", "seccomp"], nil, "1", true),
            (["--adopt", "off", "--count", "report"], nil, nil, true),
            (["--adopt", "off", "--count", "off"], nil, nil, false),
        ] as [([String], String?, String?, Bool)])
    func eachPartCanBeTurnedOff(
        options: [String], adopt: String?, count: String?, hasPage: Bool
    ) async throws {
        let folder = try Self.install()
        let master = try Self.start(folder, options, Self.idle)
        let worker = try await master.waitForWorkers(1)[0]
        let variables = ProcessTable.environment(of: worker.pid)
        #expect(variables["SUPERVISE_WORKER_ADOPT"] == adopt)
        #expect(variables["SUPERVISE_WORKER_COUNT"] == count)
        #expect((variables["SUPERVISE_WORKER_PAGE"] != nil) == hasPage)
        let isLoaded = adopt != nil || count != nil
        #expect((variables["LD_PRELOAD"] != nil) == isLoaded)
        #expect((variables["SUPERVISE_WORKER_LISTENERS"] != nil) == isLoaded)
        #expect(try await master.stop() == .exited(0))
    }

    /// The library sends a message when its count reaches the limit in the page.
    @Test func aWorkerIsRecycledByItsConnections() async throws {
        let folder = try Self.install()
        let master = try Self.start(
            folder, ["--max-requests", "7"], Self.page + "say(b'X_CONNECTIONS=7')\n" + Self.idle)
        let due = try await master.waitForEvent(Event.recycleScheduled)
        #expect(due["cause"] == "max-requests" && due["requests"] == "7")
        let line = try await master.waitForEvent("counting")
        #expect(line["source"] == "preload" && line["unit"] == "connections")
    }

    /// No message is sent for a count below the limit; it is read when the worker exits.
    @Test func thePageTellsWhatAnEndedWorkerHadAccepted() async throws {
        let folder = try Self.install()
        let master = try Self.start(
            folder, [], Self.page + "put(192, 3)\nprint('counted', flush=True)\n" + Self.idle)
        try await master.wait("the count") { !folder.lines("stdout").isEmpty }
        #expect(try await master.stop() == .exited(0))
        #expect(master.lines(Event.exit).first?["requests"] == "3")
    }

    @Test func whatTheWorkerReportsCountsMore() async throws {
        let folder = try Self.install()
        let master = try Self.start(
            folder, ["--max-requests", "7"],
            Self.page + "put(64, 2)\nput(192, 9)\nsay(b'X_CONNECTIONS=9')\n" + Self.idle)
        try await master.waitForWorkers(1)
        let line = try await master.waitForEvent("counting")
        #expect(line["source"] == "report" && line["unit"] == "requests")
        #expect(try await master.stop() == .exited(0))
        #expect(master.lines(Event.recycleScheduled).isEmpty)
        #expect(master.lines(Event.exit).first?["requests"] == "2")
    }

    @Test(arguments: ["auto", "preload", "report"])
    func onlyWhoCanBeCountedByNoneIsWarnedOf(count: String) async throws {
        let folder = try Self.install()
        let master = try Self.start(
            folder, ["--max-requests", "7", "--count", count, "--ready", "1s"], Self.idle)
        try await master.waitForWorkers(1)
        #expect(try await master.stop() == .exited(0))
        #expect(master.lines("requests-not-counted").count == (count == "report" ? 1 : 0))
    }

    /// The paths that were searched, once.
    @Test func aMissingLibraryIsOneWarning() async throws {
        let folder = try Self.install()
        folder.remove(file: "libsupervise-preload.so")
        let master = try Self.start(folder, ["--workers", "2"], Self.idle)
        let workers = try await master.waitForWorkers(2)
        try await master.signal(SIGHUP)
        try await master.waitForWorkers(2, without: workers)
        #expect(master.lines("adoption").count == 1)
        let line = try await master.waitForEvent("adoption")
        #expect(line.mentions("libsupervise-preload.so is in none of \(folder.path), /tmp/lib,"))
        #expect(ProcessTable.environment(of: workers[0].pid)["LD_PRELOAD"] == nil)
    }

    /// A program and its library, in their own directory.
    private static func install() throws -> Folder {
        let folder = try Folder()
        try folder.write("empty.c", "int supervise_does_nothing;\n")
        let library = folder["libsupervise-preload.so"]
        // Not named supervise: the directory of control sockets has that name.
        try #require(runs("cp", Place.supervise, folder["program"]))
        try #require(runs("cc", "-shared", "-fPIC", "-o", library, folder["empty.c"]))
        return folder
    }

    private static func start(
        _ folder: Folder, _ options: [String], _ script: String
    ) throws -> Supervise {
        try Supervise(
            ["--bind", "127.0.0.1:0", "--ready", "exec"] + options + [
                "--", "python3", "-c", script,
            ],
            program: [folder["program"]], folder: folder)
    }

    private static let page = """
        import mmap, os, socket, struct
        memory = mmap.mmap(int(os.environ["SUPERVISE_WORKER_PAGE"]), 4096)
        def put(offset, number):
            memory[offset:offset + 8] = struct.pack("Q", number)
        def say(text):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
                name = os.environ["NOTIFY_SOCKET"]
                notify.sendto(text, "\\0" + name[1:] if name[0] == "@" else name)

        """

    private static let idle = """
        import socket
        while True:
            socket.socket(fileno=3).accept()
        """
}
