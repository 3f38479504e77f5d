import Foundation
import Testing

/// The mode of adoption depends on the program and on the fate of its workers.
@Suite(.takesTurn) struct AdoptionTests {
    /// The library is lost from the environment; the only symptom is that no worker becomes ready.
    @Test func aProgramThatLosesTheLibraryIsAdoptedFromOutside() async throws {
        let (folder, port) = (try Folder(), try freePort())
        let server = try folder.write("server.py", WrapperTests.program(port))
        let master = try Supervise(
            ["--bind", "127.0.0.1:\(port)", "--workers", "2", "--"]
                + ["env", "-i", "PATH=\(baseEnvironment["PATH"] ?? "")", "python3", server],
            folder: folder)
        try await master.wait("two ready workers") { master.lines(Event.ready).count == 2 }
        let line = try await master.waitForEvent("adoption")
        #expect(line["by"] == "preload,seccomp" && line.mentions("env -i"))
        #expect(master.lines("adopted").first?["by"] == "seccomp")
        let failures = master.lines(Event.exit).count
        #expect((1...2).contains(failures))
        // The next generation starts with this knowledge.
        try await master.signal(SIGHUP)
        try await master.wait("a new generation", deadline: .seconds(40)) {
            master.lines(Event.ready).count == 4
        }
        #expect(master.lines(Event.exit).count { $0["cause"] == "boot-failed" } == failures)
        let result = try await load("127.0.0.1:\(port)", requests: 40, rate: 400)
        expectNoFailure(result, 40)
        #expect(try await master.stop() == .exited(0))
    }

    /// A worker that fails for another reason must not keep the filter.
    @Test func theFilterGoesWhereItIsOfNoUse() async throws {
        let (folder, port) = (try Folder(), try freePort())
        let server = try folder.write("server.py", WrapperTests.program(port))
        let script = "test -e \(folder["second"]) || { touch \(folder["second"]); exit 1; }"
        let master = try Supervise(
            ["--bind", "127.0.0.1:\(port)", "--", "sh", "-c", "\(script); exec python3 \(server)"],
            folder: folder)
        let first = try await master.waitForWorkers(1)
        #expect(ProcessTable.status("Seccomp", of: first[0].pid) == 2)
        kill(first[0].pid, SIGKILL)
        let second = try await master.waitForWorkers(1, without: first)
        #expect(ProcessTable.status("Seccomp", of: second[0].pid) == 0)
        #expect(try await master.stop() == .exited(0))
    }

    @Test(arguments: ["-fsanitize=address", "setuid", "capabilities"])
    func aProgramThatCannotLoadTheLibraryIsAdoptedFromOutside(kind: String) async throws {
        let (folder, port) = (try Folder(), try freePort())
        let program = folder["server"]
        let isSanitized = kind.hasPrefix("-")
        guard isSanitized || getuid() == 0 else { try Test.cancel("needs root") }
        guard
            runs(
                "cc", "-O1", isSanitized ? kind : "-O1", "-o", program,
                "\(Server.folder)/server.c")
        else { try Test.cancel("needs a C compiler with the address sanitizer") }
        if kind == "setuid" { try #require(chmod(program, 0o4755) == 0) }
        if kind == "capabilities", !runs("setcap", "cap_net_bind_service=+ep", program) {
            try Test.cancel("needs setcap")
        }
        let user = isSanitized ? [] : ["--user", "65534", "--group", "65534"]
        let master = try Supervise(
            ["--bind", "127.0.0.1:\(port)", "--workers", "2"] + user
                + ["--", program, "\(port)"], folder: folder)
        try await master.wait("two ready workers") { master.lines(Event.ready).count == 2 }
        #expect(master.lines("adopted").first?["by"] == "seccomp")
        #expect(master.lines(Event.exit).isEmpty)
        #expect(try await master.stop() == .exited(0))
    }

    /// The linking of the program is determined before it is run.
    @Test func aProgramForAnotherMachineIsWarnedOf() async throws {
        let folder = try Folder()
        var header = [UInt8](repeating: 0, count: 64)
        header.replaceSubrange(0..<6, with: [0x7F, 0x45, 0x4C, 0x46, 1, 1])
        header[18] = 3
        let program = folder["narrow"]
        try Data(header).write(to: URL(fileURLWithPath: program))
        try #require(chmod(program, 0o755) == 0)
        let master = try Supervise(["--bind", "127.0.0.1:0", "--", program], folder: folder)
        _ = try await master.waitForExit()
        #expect(try await master.waitForEvent("adoption").mentions("32-bit"))
    }

    /// The build for musl is beside the one for glibc, and the program's loader decides.
    @Test func aMuslProgramLoadsTheBuildForMusl() async throws {
        let (folder, port) = (try Folder(), try freePort())
        let library = folder["libsupervise-preload-musl.so"]
        let (plain, program) = (folder["libsupervise-preload.so"], folder["server"])
        guard runs("musl-gcc", "-O2", "-o", program, "\(Server.folder)/server.c") else {
            try Test.cancel("needs musl-gcc")
        }
        try #require(runs("\(Place.package)/conf/packages/preload", library, "musl-gcc"))
        try #require(runs("cp", Place.supervise, folder["program"]))
        try #require(runs("cp", "\(Place.products)/libsupervise-preload.so", plain))
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:\(port)", "--workers", "2", "--max-requests", "20",
                "--log-level", "debug", "--", program, "\(port)",
            ], program: [folder["program"]], folder: folder)
        try await master.wait("two ready workers") { master.lines(Event.ready).count == 2 }
        #expect(master.lines("adoption").first?["library"] == library)
        let result = try await load("127.0.0.1:\(port)", requests: 100, rate: 200)
        expectNoFailure(result, 100)
        try await master.wait("recycling by connections") {
            master.lines(Event.exit).contains { $0["cause"] == "max-requests" }
        }
        #expect(try await master.stop() == .exited(0))
        #expect(master.lines("adopted").isEmpty)
    }

    @Test func theListenersNeedNotBeAnnounced() async throws {
        let (folder, port) = (try Folder(), try freePort())
        let server = try folder.write("server.py", WrapperTests.program(port))
        let call = try folder.write(
            "call.py", "import subprocess, sys\nsys.exit(subprocess.call(sys.argv[1:]))\n")
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:\(port)", "--pass-listeners", "no", "--", "python3", call,
                "python3", server,
            ], folder: folder)
        let worker = try await master.waitForWorkers(1)[0]
        let variables = ProcessTable.environment(of: worker.pid)
        let families = ["LISTEN_", "SERVER_STARTER_", "EINHORN_"]
        #expect(!variables.keys.contains { name in families.contains { name.hasPrefix($0) } })
        #expect(variables["SUPERVISE_WORKER_PID"] == "\(worker.pid)")
        #expect(try await master.stop() == .exited(0))
        // The page is found by that number, so the connections of the child are counted.
        #expect(master.lines("adopted").count == 1)
    }

    /// Clients of Server::Starter treat its absence as an error.
    @Test func withoutListenersThePortsAreEmpty() async throws {
        let master = try Supervise(["--", "sleep", "1000"])
        let worker = try await master.waitForWorkers(1)[0]
        let variables = ProcessTable.environment(of: worker.pid)
        #expect(variables["SERVER_STARTER_PORT"] == "")
        #expect(variables["SERVER_STARTER_GENERATION"] == "1")
        #expect(variables["LISTEN_FDS"] == nil)
        #expect(try await master.stop() == .exited(0))
    }
}
