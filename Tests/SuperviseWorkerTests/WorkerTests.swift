import Glibc
import Testing

@testable import SuperviseWorker

/// A thread that receives messages until it finds a `WATCHDOG=1`.
private final class Reader {
    private let master: NotifyListener
    private var found: [String] = []
    private var thread = pthread_t()

    init(_ master: NotifyListener) {
        self.master = master
    }

    func start() {
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let reader = Unmanaged<Reader>.fromOpaque(argument).takeUnretainedValue()
                let end = ContinuousClock.now + .seconds(20)
                while !reader.found.contains("WATCHDOG=1"), ContinuousClock.now < end {
                    reader.found += reader.master.messages()
                    usleep(1000)
                }
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    func end() -> [String] {
        pthread_join(thread, nil)
        return found
    }
}

@Suite struct WorkerTests {
    @Test func isANoOpOutside() {
        let worker = Worker(environment: { _ in nil })
        worker.countRequest()
        #expect(!worker.ready() && !worker.status("x") && !worker.watchdog() && !worker.recycle())
        #expect(!worker.stopping() && !worker.hold(seconds: 3) && !worker.isSupervised)
        #expect(worker.listeners.isEmpty && worker.pool == nil && worker.slot == nil)
        #expect(worker.generation == nil && worker.requestLimit == nil)
        #expect(worker.requestsCounted == nil && worker.watchdogInterval == nil)
    }

    @Test func readsWhatItWasGiven() {
        let environment = [
            "SUPERVISE_WORKER_POOL": "web", "SUPERVISE_WORKER_SLOT": "2",
            "SUPERVISE_WORKER_GENERATION": "7", "SUPERVISE_WORKER_MAX_REQUESTS": "1042",
            "WATCHDOG_USEC": "1500000",
        ]
        let worker = Worker(environment: { environment[$0] })
        #expect(worker.pool == "web" && worker.slot == 2 && worker.generation == 7)
        #expect(worker.requestLimit == 1042)
        #expect(worker.watchdogInterval == .milliseconds(1500))
    }

    @Test func aWatchdogOfAnotherProcessIsNotOurs() {
        let environment = ["WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "1"]
        #expect(Worker(environment: { environment[$0] }).watchdogInterval == nil)
    }

    @Test(arguments: [false, true])
    func talksToTheMaster(isAbstract: Bool) throws {
        let master = try NotifyListener(isAbstract: isAbstract)
        let worker = Worker(environment: { $0 == "NOTIFY_SOCKET" ? master.path : nil })
        #expect(worker.isSupervised && worker.ready())
        worker.status("two\nlines\r\nX_RECYCLE=1")
        worker.hold(seconds: 30)
        worker.recycle()
        worker.watchdog()
        worker.stopping()
        #expect(
            master.messages() == [
                "READY=1", "STATUS=two lines X_RECYCLE=1", "X_HOLD=30", "X_RECYCLE=1",
                "WATCHDOG=1", "STOPPING=1",
            ])
    }

    @Test func countsByMessagesWithoutAPage() throws {
        let master = try NotifyListener()
        let worker = Worker(environment: { $0 == "NOTIFY_SOCKET" ? master.path : nil })
        worker.countRequest()
        worker.countRequest(3)
        worker.countRequest(0)
        #expect(master.messages() == ["X_REQUESTS=+1", "X_REQUESTS=+3"])
    }

    /// Another process fills the queue, and the master empties it.
    @Test func insistsOnTheWatchdog() throws {
        let master = try NotifyListener(isAbstract: true)
        let worker = Worker(environment: { $0 == "NOTIFY_SOCKET" ? master.path : nil })
        while worker.status("full") {}
        let begin = ContinuousClock.now
        #expect(!worker.watchdog())
        #expect((.milliseconds(200) ..< .seconds(10)).contains(ContinuousClock.now - begin))
        let reader = Reader(master)
        reader.start()
        #expect(worker.watchdog())
        #expect(reader.end().contains("WATCHDOG=1"))
    }

    @Test func losesNoCountWhileTheMasterIsBusy() throws {
        let master = try NotifyListener()
        let worker = Worker(environment: { $0 == "NOTIFY_SOCKET" ? master.path : nil })
        var sent = 0
        while sent < 100_000, worker.watchdog() { sent += 1 }
        worker.countRequest(2)
        worker.countRequest(3)
        #expect(master.messages().count == sent)
        worker.countRequest()
        #expect(master.messages() == ["X_REQUESTS=+6"])
    }

    @Test func survivesAMasterThatIsGone() throws {
        var master: NotifyListener? = try NotifyListener()
        let path = try #require(master?.path)
        let worker = Worker(environment: { $0 == "NOTIFY_SOCKET" ? path : nil })
        master = nil
        #expect(!worker.ready())
        worker.countRequest()
    }

    @Test(arguments: ["", "@", "relative", "/" + String(repeating: "x", count: 200)])
    func refusesAnAddressThatIsNone(name: String) {
        let worker = Worker(environment: { $0 == "NOTIFY_SOCKET" ? name : nil })
        #expect(!worker.ready())
    }

    @Test func noticesTheRequestToStop() throws {
        let worker = Worker(environment: { _ in nil })
        #expect(!worker.stopRequested && worker.stopDescriptor == -1)
        worker.catchStopSignal(SIGUSR2)
        var entry = pollfd(fd: worker.stopDescriptor, events: Int16(POLLIN), revents: 0)
        #expect(entry.fd >= 0 && poll(&entry, 1, 0) == 0 && !worker.stopRequested)
        kill(getpid(), SIGUSR2)
        #expect(poll(&entry, 1, 5000) == 1)
        #expect(worker.stopRequested)
    }
}

@Suite struct InheritedListenersTests {
    private func read(
        _ environment: [String: String], isOurWorker: Bool = false, first: Int32
    ) -> InheritedListeners {
        InheritedListeners(
            environment: { environment[$0] }, isOurWorker: isOurWorker, first: first)
    }

    @Test func takesWhatIsAddressedToIt() throws {
        let socket = try listeningSocket()
        defer { close(socket) }
        let found = read(
            ["LISTEN_FDS": "1", "LISTEN_PID": "\(getpid())", "LISTEN_FDNAMES": "web"], first: socket
        )
        #expect(found.descriptors == [socket] && found.names == ["web"])
        #expect(fcntl(socket, F_GETFD) & FD_CLOEXEC != 0)
        let unnamed = read(["LISTEN_FDS": "1", "LISTEN_PID": "\(getpid())"], first: socket)
        #expect(unnamed.names == ["unknown"])
    }

    @Test func leavesWhatIsForAnother() throws {
        let socket = try listeningSocket()
        defer { close(socket) }
        for pid in ["1", "", "x"] {
            let found = read(["LISTEN_FDS": "1", "LISTEN_PID": pid], first: socket)
            #expect(found.descriptors.isEmpty && found.names.isEmpty)
        }
        #expect(read(["LISTEN_FDS": "1"], first: socket).descriptors.isEmpty)
    }

    @Test func takesThemBehindAWrapper() throws {
        let socket = try listeningSocket()
        let file = try PageFile()
        defer { close(socket) }
        let environment = ["LISTEN_FDS": "1", "LISTEN_PID": "1"]
        #expect(read(environment, isOurWorker: true, first: socket).descriptors == [socket])
        // The number has been reused by a descriptor that does not listen.
        #expect(read(environment, isOurWorker: true, first: file.descriptor).descriptors.isEmpty)
    }

    @Test(arguments: ["0", "-1", "x", "100000", "60000", "99999999999"])
    func refusesANumberThatCannotBe(count: String) {
        let found = read(["LISTEN_FDS": count, "LISTEN_PID": "\(getpid())"], first: 3)
        #expect(found.descriptors.isEmpty)
    }
}
