import Glibc
import Testing

/// Unusual environments, programs and clients.
@Suite(.takesTurn) struct UnusualTests {
    /// A worker that writes its last argument and a variable in hexadecimal.
    private static let telling = """
        import os, sys, time
        word, value = os.fsencode(sys.argv[-1]), os.environb[b"VALUE"]
        with open(sys.argv[1], "w") as file:
            print(word.hex(), value.hex(), os.environb.get(b"OWN", b"").hex(), file=file)
        time.sleep(600)
        """

    @Test func bytesThatAreNoUTF8ReachTheWorker() async throws {
        let folder = try Folder()
        let master = try Supervise(
            [
                "--env", "OWN=b$E9", "--", "python3", "-c", Self.telling, folder["out"], "caf$E9",
            ], environment: ["VALUE": "v$E9\u{10FEE9}"],
            wrapper: ["python3", Place.client("bytes")])
        try await master.wait("what it got") { folder.lines("out").first != nil }
        let value = Array("v".utf8) + [0xE9] + Array("\u{10FEE9}".utf8)
        let hex = value.map { String($0, radix: 16) }.joined()
        #expect(folder.lines("out").first.map(String.init) == "636166e9 \(hex) 62e9")
        // The configuration that a reload reads contains them too.
        try folder.write("out", "")
        try await master.signal(SIGHUP)
        try await master.waitForEvent("reload-complete")
        try await master.wait("the same again") {
            folder.lines("out").first.map(String.init) == "636166e9 \(hex) 62e9"
        }
    }

    @Test func ownOptionsHaveToBeUTF8() async throws {
        let refused = try await run([
            "python3", Place.client("bytes"), Place.supervise, "--pidfile", "/tmp/caf$E9", "--",
            "true",
        ])
        #expect(refused.status == .exited(2))
        #expect(refused.errors.contains("\"/tmp/caf\\xe9\" is not valid UTF-8"))
    }

    @Test(.needsRoot) func withoutProcTheCommandLineIsReadAllTheSame() async throws {
        let printed = try await run([
            "unshare", "--mount", "sh", "-c",
            "umount -l /proc && exec \(Place.supervise) --version",
        ])
        #expect(printed.output.hasPrefix("supervise "), "\(printed.errors)")
    }

    @Test func aProgramThatPutsItselfInTheBackgroundIsExplained() async throws {
        let master = try Supervise([
            "--bind", "127.0.0.1:0", "--", "sh", "-c", "setsid sleep 60 & exit 0",
        ])
        let line = try await master.waitForEvent("daemonized")
        #expect(line["level"] == "warning" && line.mentions("foreground"))
        try await master.wait("another start") { master.lines(Event.started).count > 2 }
        #expect(master.lines("daemonized").count == 1)
    }

    @Test func pipelinedRequestsAreAllAnswered() async throws {
        let master = try Supervise.hello(["--status-bind", "127.0.0.1:0"])
        try await master.waitForWorkers(1)
        let address = try await master.statusAddress()
        let asked = try await run(
            ["python3", Place.client("pipeline"), address, "16", "200"], deadline: .seconds(60))
        #expect(asked.output == "3200\n", "\(asked.errors)")
    }

    @Test func aLoopbackStatusAddressAnswersForItsOwnNames() async throws {
        let master = try Supervise.hello(["--status-bind", "127.0.0.1:0"])
        try await master.waitForWorkers(1)
        let address = try await master.statusAddress()
        for host in ["localhost:1", "127.0.0.1", "[::1]:80"] {
            let header = ["--header", "Host: \(host)"]
            let answer = try await master.curl("/status", header, at: address)
            #expect(answer.output.hasSuffix("\n200"), "\(host)")
        }
        let rebound = try await master.curl(
            "/status", ["--header", "Host: evil.example"], at: address)
        #expect(rebound.output.hasSuffix("\n421") && !rebound.output.contains("pools"))
    }

    /// Root finds the masters of other users, and follows none of their links.
    @Test(.needsRoot) func rootSeesTheMastersOfAllUsers() async throws {
        let folder = try Folder()
        let script = """
            set -e
            mount -t tmpfs none /run
            mkdir -p /run/user/65534/supervise /run/user/65533/supervise
            chown -R 65534:65534 /run/user/65534
            chown -R 65533:65533 /run/user/65533
            chmod 700 /run/user/65534 /run/user/65533
            setpriv --reuid=65534 --regid=65534 --clear-groups env XDG_RUNTIME_DIR=/run/user/65534 \
                \(Place.supervise) --name theirs -- sleep 600 2> /run/log &
            master=$!
            while ! [ -S /run/user/65534/supervise/theirs.sock ]; do
                kill -0 $master; sleep 0.05
            done
            # A link to another user's master, which is none of theirs.
            ln -s /run/user/65534/supervise/theirs.sock /run/user/65533/supervise/link.sock
            unset XDG_RUNTIME_DIR
            \(Place.supervise) status > \(folder["status"]) 2>&1
            \(Place.supervise) status --name theirs --json > \(folder["json"]) 2>&1
            \(Place.supervise) stop > \(folder["refused"]) 2>&1 && exit 1
            \(Place.supervise) status --name link > \(folder["link"]) 2>&1 && exit 1
            \(Place.supervise) stop --wait --control /run/user/65534/supervise/theirs.sock
            wait $master
            """
        let done = try await run(["unshare", "--mount", "sh", "-c", script])
        #expect(done.status == .exited(0), "\(done.output)\(done.errors)")
        let status = readFile(folder["status"]) ?? ""
        #expect(status.hasPrefix("theirs: ") && status.contains(", user nobody,"), "\(status)")
        #expect(readFile(folder["json"])?.hasPrefix("{\"") == true)
        #expect(
            readFile(folder["refused"])?.contains(
                "theirs (user nobody) runs as another user; to control it, pass --control "
                    + "/run/user/65534/supervise/theirs.sock") == true)
        #expect(readFile(folder["link"])?.contains("no master named link is running") == true)
    }

    /// A process that leaves its session, creates another one and exits, every millisecond or
    /// faster: none runs long enough to be signalled from a list.
    @Test(arguments: [1000, 0])
    func processesThatOutrunTheirSignalsEndWithTheStop(pause: Int) async throws {
        let folder = try Folder()
        let source = try folder.write(
            "relay.c",
            """
            #include <fcntl.h>
            #include <signal.h>
            #include <time.h>
            #include <unistd.h>
            int main(int argc, char **argv) {
                time_t end = time(NULL) + 60;
                signal(SIGTERM, SIG_IGN);
                if (fork() != 0)
                    for (;;)
                        pause();
                while (time(NULL) < end) {
                    setsid();
                    int beat = open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0644);
                    if (write(beat, "x", 1) != 1)
                        return 1;
                    close(beat);
                    usleep(\(pause));
                    if (fork() > 0)
                        return 0;
                }
            }
            """)
        let built = try await run(["cc", "-o", folder["relay"], source])
        try #require(built.status == .exited(0), "\(built.errors)")
        let master = try Supervise([
            "--graceful-timeout", "1s", "--", folder["relay"], folder["beat"],
        ])
        try await master.wait("some of them") { (readFile(folder["beat"])?.utf8.count ?? 0) > 50 }
        try await master.signal(SIGTERM)
        #expect(try await master.waitForExit() == .exited(0))
        // A thousand would have run in this second.
        let count = readFile(folder["beat"])?.utf8.count
        try await Task.sleep(for: .seconds(1))
        #expect(readFile(folder["beat"])?.utf8.count == count)
        #expect(master.lines("kill-failed").isEmpty)
    }
}
