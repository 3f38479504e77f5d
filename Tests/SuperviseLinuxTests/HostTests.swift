import Glibc
import Testing

@testable import SuperviseLinux

struct HostTests {
    @Test func accountsAreFoundByNameAndNumber() throws {
        let root = try Accounts.user("root")
        #expect(root.uid == 0)
        #expect(root.gid == 0)
        #expect(root.home == "/root")
        #expect(try Accounts.user("0") == root)
        #expect(try Accounts.group("root") == 0)
        #expect(try Accounts.group("0") == 0)
        #expect(try Accounts.user("3999999999").name == nil)
        #expect(try Accounts.group("3999999999") == 3_999_999_999)
        #expect(Accounts.groups(of: "root", with: 0).contains(0))
    }

    @Test func unknownAccountsAreNamed() {
        var failure = #expect(throws: AccountFailure.self) { try Accounts.user("no-such-user") }
        #expect(failure?.description == "no user named \"no-such-user\"")
        failure = #expect(throws: AccountFailure.self) { try Accounts.group("-1") }
        #expect(failure?.description == "no group named \"-1\"")
        failure = #expect(throws: AccountFailure.self) { try Accounts.user("4294967295") }
        #expect(failure != nil)
    }

    @Test func credentialsJoinUserAndGroup() throws {
        #expect(try Accounts.credentials(user: nil, group: nil) == nil)
        let user = try #require(try Accounts.credentials(user: "root", group: "1234"))
        #expect(user.uid == 0)
        #expect(user.gid == 1234)
        #expect(user.supplementaryGroups.contains(1234))
        let bare = try #require(try Accounts.credentials(user: "3999999999", group: "1234"))
        #expect(bare.supplementaryGroups == [1234])
        let alone = try #require(try Accounts.credentials(user: "3999999999", group: nil))
        #expect(alone.gid == 3_999_999_999 && alone.supplementaryGroups == [3_999_999_999])
    }

    @Test func hostsBecomeNumbers() throws {
        #expect(try HostLookup.resolve("127.0.0.1") == ["127.0.0.1"])
        #expect(try HostLookup.resolve("::1") == ["::1"])
        #expect(try HostLookup.resolve("*") == ["0.0.0.0"])
        #expect(try HostLookup.resolve("localhost").first == "127.0.0.1")
        let failure = #expect(throws: HostLookupFailure.self) {
            try HostLookup.resolve("no such host")
        }
        #expect(failure?.description.hasPrefix("no such host: ") == true)
    }

    @Test func descriptorsOfAnotherProcessAreNotTaken() {
        let variables = ["LISTEN_PID": "17", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "web::x"]
        let passed = SystemdSockets.passed(to: 17) { variables[$0] }
        #expect(
            passed == [
                PassedDescriptor(number: 3, name: "web"), PassedDescriptor(number: 4, name: ""),
                PassedDescriptor(number: 5, name: "x"),
            ])
        #expect(SystemdSockets.passed(to: 18) { variables[$0] }.isEmpty)
        #expect(SystemdSockets.passed(to: 17) { $0 == "LISTEN_PID" ? "17" : nil }.isEmpty)
        #expect(SystemdSockets.passed(to: 17) { $0 == "LISTEN_PID" ? "17" : "-1" }.isEmpty)
    }

    @Test func processorsAreLimitedByTheControlGroup() throws {
        let all = Processors.allowed(cgroup: Cgroup(membership: "", mounts: ""))
        #expect(all >= 1)
        #expect(all <= sysconf(Int32(_SC_NPROCESSORS_CONF)))
        let folder = try TestFolder()
        try folder.write("cpu.max", "50000 100000\n")
        let unified = Cgroup(
            membership: "0::/\n", mounts: "1 1 0:1 / \(folder.path) rw - cgroup2 none rw\n")
        #expect(unified.processorLimit() == 0.5)
        #expect(Processors.allowed(cgroup: unified) == 1)
        try folder.write("cpu.max", "max 100000\n")
        #expect(unified.processorLimit() == nil)
    }

    @Test func theTightestLimitOfAllAncestorsCounts() throws {
        let folder = try TestFolder()
        let inner = "\(folder.path)/inner"
        try #require(mkdir(inner, 0o700) == 0)
        try folder.write("memory.limit_in_bytes", "1000000\n")
        try folder.write("memory.usage_in_bytes", "5000\n")
        try folder.write("memory.stat", "cache 7\ntotal_inactive_file 1000\n")
        try folder.write("inner/memory.limit_in_bytes", "9223372036854771712\n")
        try folder.write("inner/memory.oom_control", "under_oom 0\noom_kill 3\n")
        let cgroup = Cgroup(
            membership: "4:memory:/inner\n0::/\n",
            mounts: "1 1 0:1 / \(folder.path) rw - cgroup none rw,memory\n")
        #expect(cgroup.memoryLimitBytes() == 1_000_000)
        #expect(cgroup.memoryRoom() == MemoryFigures(limitBytes: 1_000_000, workingSetBytes: 4000))
        let kills = try #require(cgroup.memoryKillFiles?.paths.first)
        #expect(kills == "\(inner)/memory.oom_control")
        #expect(Cgroup.counter("oom_kill", in: try #require(Procfs.bytes(kills))) == 3)
        // A tight limit with little usage leaves more than a wide one with much usage.
        try folder.write("inner/memory.limit_in_bytes", "500000\n")
        try folder.write("inner/memory.usage_in_bytes", "1000\n")
        try folder.write("memory.usage_in_bytes", "900000\n")
        #expect(cgroup.memoryLimitBytes() == 500_000)
        #expect(cgroup.memoryRoom()?.freeBytes == 101_000)
        for name in Directory.entries(inner) { unlink("\(inner)/\(name)") }
        rmdir(inner)
    }

    @Test func aContainersOwnGroupIsItsMount() throws {
        let folder = try TestFolder()
        try folder.write("memory.max", "2000\n")
        for (path, root) in [("/../../x", "/"), ("/docker/1", "/docker/1"), ("/a", "/b")] {
            let cgroup = Cgroup(
                membership: "0::\(path)\n",
                mounts: "1 1 0:1 \(root) \(folder.path) rw - cgroup2 none rw\n")
            #expect(cgroup.memoryLimitBytes() == 2000)
            try folder.write("memory.current", "1500\n")
            try folder.write("memory.stat", "anon 1\ninactive_file 400\n")
            #expect(
                cgroup.memoryRoom() == MemoryFigures(limitBytes: 2000, workingSetBytes: 1100))
        }
    }

    /// Above `memory.high` the kernel throttles the group, so the tighter of the two is the limit.
    @Test func memoryHighIsALimit() throws {
        let folder = try TestFolder()
        try folder.write("memory.max", "5000\n")
        try folder.write("memory.current", "1500\n")
        try folder.write("memory.stat", "inactive_file 400\n")
        let cgroup = Cgroup(
            membership: "0::/\n",
            mounts: "1 1 0:1 / \(folder.path) rw - cgroup2 none rw\n")
        for (high, limit) in [("2000", UInt64(2000)), ("max", 5000), ("9000", 5000)] {
            try folder.write("memory.high", high + "\n")
            #expect(cgroup.memoryLimitBytes() == limit)
            #expect(
                cgroup.memoryRoom() == MemoryFigures(limitBytes: limit, workingSetBytes: 1100))
        }
        try folder.write("memory.max", "max\n")
        #expect(cgroup.memoryLimitBytes() == 9000)
    }

    @Test func noncesDiffer() throws {
        let nonce = try Nonce()
        #expect(nonce.text.utf8.count == 32)
        #expect(Nonce(nonce.text) == nonce)
        #expect(try Nonce() != nonce)
    }

    @Test(arguments: [
        "00000000000000010000000000000002", "ffffffffffffffff8000000000000000",
    ])
    func aNonceIsReadAsItIsWritten(text: String) {
        #expect(Nonce(text)?.text == text)
    }

    @Test(arguments: [
        "", "1", "000000000000000100000000000000023", "0000000000000001000000000000000G",
        "FFFFFFFFFFFFFFFF8000000000000000", "+000000000000001000000000000000 2",
    ])
    func otherTextIsNoNonce(text: String) {
        #expect(Nonce(text) == nil)
    }

    @Test func timesAreWrittenAsRFC3339() {
        let time = WallTime(seconds: 1_795_226_584, nanoseconds: 567_999_999)
        #expect(time.description == "2026-11-21T02:03:04.567Z")
        #expect(WallTime(seconds: 0, nanoseconds: 0).description == "1970-01-01T00:00:00.000Z")
    }
}
