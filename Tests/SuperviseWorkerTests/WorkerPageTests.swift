import Glibc
import SuperviseWorker
import Testing

@Suite struct WorkerPageTests {
    private func worker(_ page: PageFile) -> Worker {
        Worker(environment: { page.environment[$0] })
    }

    @Test func countsWhereTheMasterReads() throws {
        let page = try PageFile()
        let worker = worker(page)
        worker.countRequest()
        worker.countRequest(41)
        #expect(page.count == 42)
        #expect(worker.requestsCounted == 42)
    }

    @Test func refusesWhatIsNotItsPage() throws {
        let strangers = try [
            PageFile(magic: "SUPERVIZ"), PageFile(version: 2),
            PageFile(nonce: "ffffffffffffffffffffffffffffffff"), PageFile(size: 4095),
        ]
        for page in strangers {
            let worker = worker(page)
            worker.countRequest()
            #expect(worker.requestsCounted == nil)
            #expect(page.count == 0)
        }
    }

    @Test func refusesDescriptorsThatAreNoFile() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        for text in ["\(ends[0])", "999999", "-1", "99999999999", "seven", ""] {
            let environment = [
                "SUPERVISE_WORKER_PAGE": text, "SUPERVISE_WORKER_ID": PageFile.nonce,
            ]
            #expect(Worker(environment: { environment[$0] }).requestsCounted == nil)
        }
    }

    @Test func refusesAPageThatCannotBeWritten() throws {
        let page = try PageFile()
        let readOnly = open("/proc/self/fd/\(page.descriptor)", O_RDONLY)
        try #require(readOnly >= 0)
        defer { close(readOnly) }
        var environment = page.environment
        environment["SUPERVISE_WORKER_PAGE"] = "\(readOnly)"
        #expect(Worker(environment: { environment[$0] }).requestsCounted == nil)
    }

    @Test func ringsOnceUnderManyThreads() async throws {
        let page = try PageFile(limit: 40_000)
        let master = try NotifyListener()
        var environment = page.environment
        environment["NOTIFY_SOCKET"] = master.path
        let worker = Worker(environment: { environment[$0] })
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10_000 { worker.countRequest() }
                }
            }
        }
        #expect(page.count == 80_000)
        // The total is read after the limit was reached, so other threads may have counted further.
        let messages = master.messages()
        #expect(messages.count == 1)
        let total = messages.first?.split(separator: "=").last.flatMap { UInt64($0) } ?? 0
        #expect((40_000...80_000).contains(total))
    }

    @Test func ringsWhenOneAdditionStepsOverTheLimit() throws {
        let page = try PageFile(limit: 10)
        let master = try NotifyListener()
        var environment = page.environment
        environment["NOTIFY_SOCKET"] = master.path
        let worker = Worker(environment: { environment[$0] })
        worker.countRequest(9)
        #expect(master.messages() == [])
        worker.countRequest(5)
        #expect(master.messages() == ["X_REQUESTS=14"])
        worker.countRequest()
        #expect(master.messages() == [])
        page.setLimit(20)
        worker.countRequest(5)
        #expect(master.messages() == ["X_REQUESTS=20"])
    }

    @Test func ringsLaterWhenTheMasterIsBusy() throws {
        let page = try PageFile(limit: 3)
        let master = try NotifyListener()
        var environment = page.environment
        environment["NOTIFY_SOCKET"] = master.path
        let worker = Worker(environment: { environment[$0] })
        var sent = 0
        while sent < 100_000, worker.status("busy") { sent += 1 }
        worker.countRequest(3)
        #expect(master.messages() == Array(repeating: "STATUS=busy", count: sent))
        worker.countRequest()
        #expect(master.messages() == ["X_REQUESTS=4"])
        worker.countRequest()
        #expect(master.messages() == [])
    }
}
