import CSupervisePage
import Glibc
import SuperviseLinux
import Testing

/// The Python library for workers contains its own copy of the layout in supervise_page.h.
@Suite struct PythonFileTests {
    private static let folder = #filePath.split(separator: "/").dropLast(3).reduce("") {
        "\($0)/\($1)"
    }

    /// Runs a script that has imported the library as `worker`, and expects success.
    private func run(_ script: String, _ page: PageFile, notify: String = "") throws {
        let plan = try SpawnPlan(
            arguments: ["python3", "-c", "import supervise_worker as worker\n\(script)"],
            searchPath: "/usr/local/bin:/usr/bin:/bin")
        let variables = page.environment.merging([
            "SUPERVISE_WORKER_PAGE": "3", "NOTIFY_SOCKET": notify, "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": "\(Self.folder)/conf/examples",
        ]) { $1 }
        let pid = try plan.spawn(
            environment: variables.map { "\($0)=\($1)" }, descriptors: [page.descriptor]
        ).pid
        var status: Int32 = 0
        #expect(waitpid(pid, &status, 0) == pid && status == 0)
    }

    @Test func countsAreAtTheHeadersOffsets() throws {
        let page = try PageFile(limit: 5)
        let master = try NotifyListener()
        try run("worker.count(4)", page, notify: master.path)
        #expect(page.count == 4)
        #expect(master.messages() == [])
        try run("worker.count(3)", page, notify: master.path)
        #expect(page.count == 7)
        #expect(master.messages() == ["X_REQUESTS=7"])
    }

    @Test func acceptsALargerFile() throws {
        let page = try PageFile(size: 3 * supervise_page_size)
        try run("worker.count()", page)
        #expect(page.count == 1)
    }

    @Test func refusesAnotherLayout() throws {
        let others = try [
            PageFile(magic: "SUPERVIZ"), PageFile(version: supervise_page_version + 1),
            PageFile(nonce: "ffffffffffffffffffffffffffffffff"),
            PageFile(size: supervise_page_size - 1),
        ]
        for page in others {
            try run("worker.count()", page)
            #expect(page.count == 0)
        }
    }
}
