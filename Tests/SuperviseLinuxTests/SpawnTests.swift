import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

/// No test here sets a death signal: it depends on the thread that started the child, and the
/// threads of the test's pool come and go.
struct SpawnTests {
    @Test func aProgramFoundInThePathRunsInItsOwnGroup() throws {
        let text = try shell("echo $$ $(ps -o pgid= -p $$) >&3")
        let numbers = text.split(whereSeparator: \.isWhitespace)
        #expect(numbers.count == 2)
        #expect(numbers.first == numbers.last)
    }

    @Test func listenPIDIsTheChildsOwn() throws {
        let text = try shell(
            "echo $$ $LISTEN_PID $AFTER >&3", environment: ["A=b", "LISTEN_PID=", "AFTER=ok"])
        let words = text.split(whereSeparator: \.isWhitespace)
        #expect(words.count == 3)
        #expect(words[0] == words[1])
        #expect(words[2] == "ok")
    }

    @Test func aMissingProgramNamesStepAndError() throws {
        for attributes in attributesOfBothKinds {
            let failure = try failure(of: ["no-such-program"], attributes)
            #expect(failure == SpawnFailure(step: .exec, code: ENOENT))
            #expect(failure?.description == "exec: No such file or directory")
        }
    }

    @Test func aDeniedProgramIsReportedBeforeAMissingOne() throws {
        let plan = try SpawnPlan(arguments: ["passwd"], searchPath: "/etc:/nowhere")
        #expect(throws: SpawnFailure(step: .exec, code: EACCES)) {
            try plan.spawn(environment: [])
        }
    }

    @Test func aMissingFolderNamesStepAndError() throws {
        for var attributes in attributesOfBothKinds {
            attributes.workingDirectory = "/no/such/folder"
            let failure = try failure(of: ["true"], attributes)
            #expect(failure == SpawnFailure(step: .chdir, code: ENOENT))
        }
    }

    @Test func aFailedStartLeavesNothing() throws {
        let plan = try SpawnPlan(arguments: ["no-such-program"], searchPath: nil)
        #expect(throws: SpawnFailure.self) { try plan.spawn(environment: []) }
        // Only its own zombie is of interest; other tests have children as well.
        let after = try TestChild(["true"])
        #expect(try after.exitStatus() == .exited(0))
    }

    @Test func argumentsCanDifferFromStartToStart() throws {
        let pipe = try TestPipe()
        let plan = try SpawnPlan(
            arguments: ["sh", "-c", "echo plan >&3"], searchPath: "/usr/bin:/bin")
        for arguments in [nil, ["sh", "-c", "echo own >&3"], ["/bin/sh", "-c", "echo path >&3"]] {
            let child = try plan.spawn(
                environment: [], arguments: arguments, descriptors: [pipe.writing.rawValue])
            try systemCall("waitid") { csupervise_wait_blocking(child.pid) }
        }
        let text = try TestPipe.text(from: pipe.reading.rawValue) { $0.hasSuffix("path\n") }
        #expect(text == "plan\nown\npath\n")
    }

    @Test func thePathIsTriedInOrder() {
        #expect(SpawnPlan.candidates(for: "a", in: "/x::/y") == ["/x/a", "a", "/y/a"])
        #expect(SpawnPlan.candidates(for: "./a", in: "/x") == ["./a"])
        #expect(SpawnPlan.candidates(for: "", in: "/x") == [""])
    }

    /// Without a change of credentials and, if it can be tested, with one.
    private var attributesOfBothKinds: [SpawnAttributes] {
        var other = SpawnAttributes()
        other.credentials = Credentials(uid: 65534, gid: 65534, supplementaryGroups: [])
        return isRoot ? [SpawnAttributes(), other] : [SpawnAttributes()]
    }

    private func failure(
        of arguments: [String], _ attributes: SpawnAttributes
    ) throws -> SpawnFailure? {
        let child: TestChild
        do {
            child = try TestChild(arguments, attributes: attributes)
        } catch let failure as SpawnFailure {
            return failure
        }
        let pipe = try #require(child.spawned.errorPipe)
        var outcome = SpawnOutcome.pending
        _ = eventually {
            outcome = SpawnPlan.readFailure(from: pipe)
            return outcome != .pending
        }
        guard case .failed(let failure) = outcome else { return nil }
        #expect(try child.exitStatus() == .exited(127))
        return failure
    }
}
