import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

/// cgroup.kill, where this machine lets the tests create a control group.
struct KillGroupTests {
    private static let isAvailable: Bool = {
        do throws(SystemCallError) {
            _ = try KillGroup(in: .ofThisProcess(), name: "supervise-test-\(getpid())")
            return true
        } catch {
            return false
        }
    }()

    @Test(.enabled(if: isAvailable, "no control group can be created here"))
    func childrenStartInTheGroupAndDieWithIt() throws {
        let folder = try TestFolder()
        // The shell ends at once, and what it has started goes on in the group.
        let child = try TestChild([
            "sh", "-c",
            "while [ ! -e \(folder.path)/go ]; do sleep 0.01; done; setsid sleep 60 & echo $! "
                + ">\(folder.path)/pid; exec sleep 60",
        ])
        let name = "supervise-test-\(getpid())-\(child.pid)"
        do {
            let group = try KillGroup(in: .ofThisProcess(), name: name)
            try group.add(child.pid)
            try folder.write("go", "")
            var descendant: Int32?
            #expect(
                eventually {
                    descendant = Procfs.text("\(folder.path)/pid").flatMap {
                        Int32($0.filter { $0 != "\n" })
                    }
                    return descendant != nil
                })
            try group.kill()
            #expect(try child.exitStatus() == .signaled(SIGKILL, coreDumped: false))
            let pid = try #require(descendant)
            #expect(eventually { [nil, "Z"].contains(ProcessStatus.read(pid)?.state) })
            #expect(throws: SystemCallError(call: "write", code: ESRCH)) {
                try group.add(999_999_999)
            }
        }
        let path = "\(try #require(Cgroup.ofThisProcess().unifiedFolder))/\(name)"
        #expect(eventually { rmdir(path) == 0 || errno == ENOENT })
    }

    @Test func withoutAHierarchyThereIsNone() {
        #expect(throws: SystemCallError(call: "mkdir", code: ENOENT)) {
            try KillGroup(in: Cgroup(membership: "", mounts: ""), name: "none")
        }
    }

    /// A process is in both versions at the same time if both are mounted.
    @Test func theUnifiedFolderIsFoundBesideOthers() {
        let cgroup = Cgroup(
            membership: "4:memory:/a\n0::/b/c\n",
            mounts: "1 1 0:1 / /m rw - cgroup none rw,memory\n2 1 0:2 / /u rw - cgroup2 none rw\n")
        #expect(cgroup.unifiedFolder == "/u/b/c")
    }
}
