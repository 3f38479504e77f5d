import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

struct SpawnAttributeTests {
    @Test func signalsAreBackToDefault() throws {
        // As the master does: SIGPIPE ignored, others blocked on the thread that starts.
        let before = blockedSignals()
        defer { before.apply() }
        signal(SIGPIPE, SIG_IGN)
        SignalMask([SIGTERM, SIGCHLD, 40]).apply()
        let text = try shell("exec cat /proc/self/status >&3")
        let masks = text.split(separator: "\n").filter {
            $0.hasPrefix("SigBlk:") || $0.hasPrefix("SigIgn:") || $0.hasPrefix("SigCgt:")
        }.compactMap { $0.split(separator: "\t").last }
        #expect(masks == ["0000000000000000", "0000000000000000", "0000000000000000"])
    }

    @Test func everyAttributeArrives() throws {
        var attributes = SpawnAttributes()
        attributes.workingDirectory = "/usr"
        attributes.umask = 0o027
        attributes.limits = [
            ResourceLimit(resource: ResourceLimit.openFiles, soft: 123, hard: 456),
            ResourceLimit(resource: ResourceLimit.coreSize, soft: 0, hard: 0),
        ]
        attributes.nice = 7
        attributes.oomScoreAdjust = 321
        let text = try shell(
            """
            pwd >&3; umask >&3; ulimit -Sn >&3; ulimit -Hn >&3; ulimit -c >&3; nice >&3
            cat /proc/self/oom_score_adj >&3
            """, attributes: attributes)
        #expect(
            text.split(separator: "\n") == ["/usr", "0027", "123", "456", "0", "7", "321"])
    }

    @Test func anImpossibleLimitNamesItsStep() throws {
        var attributes = SpawnAttributes()
        attributes.limits = [
            ResourceLimit(resource: ResourceLimit.openFiles, soft: 456, hard: 123)
        ]
        #expect(throws: SpawnFailure(step: .limits, code: EINVAL)) {
            try TestChild(["true"], attributes: attributes)
        }
    }

    @Test(.enabled(if: isRoot, "only root changes credentials"), arguments: [[], [10], [5, 6, 7]])
    func credentialsArriveWithTheirGroups(_ groups: [UInt32]) throws {
        var attributes = SpawnAttributes()
        attributes.credentials = Credentials(
            uid: 65534, gid: 1234, supplementaryGroups: groups)
        let text = try shell(
            "grep -E '^(Uid|Gid|Groups|CapEff)' /proc/self/status >&3", attributes: attributes)
        let lines = text.split(separator: "\n").map { line in
            line.split(whereSeparator: \.isWhitespace).dropFirst().joined(separator: " ")
        }
        #expect(
            lines == [
                "65534 65534 65534 65534", "1234 1234 1234 1234",
                groups.map { "\($0)" }.joined(separator: " "), "0000000000000000",
            ])
    }

    @Test(.enabled(if: isRoot, "only root changes credentials"))
    func aFolderIsEnteredAsTheNewUser() throws {
        let folder = try TestFolder()
        var attributes = SpawnAttributes()
        attributes.workingDirectory = folder.path
        attributes.credentials = Credentials(uid: 65534, gid: 65534, supplementaryGroups: [])
        let child = try TestChild(["true"], attributes: attributes)
        let pipe = try #require(child.spawned.errorPipe)
        #expect(try child.exitStatus() == .exited(127))
        #expect(
            SpawnPlan.readFailure(from: pipe)
                == .failed(SpawnFailure(step: .chdir, code: EACCES)))
    }

    @Test(.enabled(if: isRoot, "only root changes credentials"))
    func anErrorPipeTellsThatTheProgramRuns() throws {
        var attributes = SpawnAttributes()
        attributes.credentials = Credentials(uid: 65534, gid: 65534, supplementaryGroups: [])
        let child = try TestChild(["sleep", "60"], attributes: attributes)
        let pipe = try #require(child.spawned.errorPipe)
        #expect(eventually { SpawnPlan.readFailure(from: pipe) == .running })
    }

    @Test(.enabled(if: !isRoot, "root may change credentials"))
    func othersMayNotChangeCredentials() throws {
        var attributes = SpawnAttributes()
        attributes.credentials = Credentials(uid: 0, gid: 0, supplementaryGroups: [])
        let child = try TestChild(["true"], attributes: attributes)
        let pipe = try #require(child.spawned.errorPipe)
        #expect(try child.exitStatus() == .exited(127))
        #expect(
            SpawnPlan.readFailure(from: pipe)
                == .failed(SpawnFailure(step: .groups, code: EPERM)))
    }

    @Test func ourOwnCredentialsAreNoChange() throws {
        var attributes = SpawnAttributes()
        var groups = [gid_t](repeating: 0, count: 1000)
        let count = max(0, getgroups(Int32(groups.count), &groups))
        attributes.credentials = Credentials(
            uid: getuid(), gid: getgid(), supplementaryGroups: Array(groups.prefix(Int(count))))
        let plan = try SpawnPlan(arguments: ["true"], searchPath: nil, attributes: attributes)
        #expect(!plan.changesCredentials)
    }
}
