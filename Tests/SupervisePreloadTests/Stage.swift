import Glibc
import SuperviseLinux
import Testing

/// The resources of a master: listeners, and a socket for messages.
final class Stage {
    let listeners: [ListenSocket]
    private let notify: NotifySocket
    private let nonce = Stage.nonce()

    init(_ listeners: [ListenSocket]) throws {
        self.listeners = listeners
        notify = try NotifySocket(nonce: "preload-\(nonce)")
    }

    /// One listener, on 127.0.0.1 and any port.
    convenience init(nonblocking: Bool = false) throws {
        try self.init([
            ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 700, nonblocking: nonblocking)
        ])
    }

    var address: String { listeners[0].address }
    var port: String { address.split(separator: ":").last.map(String.init) ?? "" }
    /// NOTIFY_SOCKET.
    var notifyAddress: String { notify.address }

    /// The messages since the last call, except reports.
    func messages() -> [String] {
        let all = notify.receive(limit: 1000).map { String(decoding: $0.bytes, as: UTF8.self) }
        reports += all.filter { $0.hasPrefix("X_LISTENING=") }
        return all.filter { !$0.hasPrefix("X_LISTENING=") }
    }

    /// The reports of workers that wait for connections, received by `messages`.
    private(set) var reports: [String] = []

    /// A process in the role of the master: it answers requests with the first listener or with
    /// none, and exits with 0 if the first other message is this one.
    func answering(withListener isGiven: Bool, until message: String = "") throws -> Child {
        let script = """
            import socket, struct, sys
            notify = socket.socket(fileno=3)
            notify.setblocking(True)
            while True:
                data, _, _, sender = notify.recvmsg(4096)
                if not data.startswith(b"X_LISTENER="):
                    sys.exit(data.decode() != sys.argv[1])
                rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", 4))
                notify.sendmsg([b"LISTENER"], \(isGiven ? "[rights]" : "[]"), 0, sender)
            """
        return try Child(
            ["python3", "-c", script, message], environment: [],
            descriptors: [notify.rawValue, listeners[0].rawValue])
    }

    /// Starts a program with the listeners from 3 on, followed by the page.
    func worker(
        _ arguments: [String], limit: UInt64 = 0, ledger: RequestPage.LedgerWriters = .none,
        variables: [String: String] = [:], without missing: Set<String> = []
    ) throws -> Worker {
        try Worker(
            self, arguments, limit: limit, ledger: ledger, changes: variables, missing: missing)
    }

    /// Runs a script with `probe` imported, and expects success.
    func probe(
        _ script: String, limit: UInt64 = 0, variables: [String: String] = [:],
        without missing: Set<String> = [], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> RequestPage {
        let worker = try worker(
            ["python3", "-c", "from probe import *\n" + script], limit: limit,
            variables: variables, without: missing)
        #expect(try await worker.child.end() == .exited(0), sourceLocation: sourceLocation)
        return worker.page
    }

    /// Makes this many connections with one request each, all of which must succeed.
    func connect(
        _ count: Int, threads: Int = 8, to address: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let clients = try Child(
            [
                "python3", "\(Place.programs)/clients.py", address ?? self.address, "\(count)",
                "\(threads)",
            ], environment: [])
        #expect(try await clients.end() == .exited(0), sourceLocation: sourceLocation)
    }

    /// Connects until every worker has accepted this many; returns the number of connections.
    func connect(untilEachHas count: UInt64, _ workers: [Worker]) async throws -> UInt64 {
        var made: UInt64 = 0
        let deadline = ContinuousClock.now + .seconds(120)
        while workers.contains(where: { $0.connections < count }) {
            try #require(ContinuousClock.now < deadline, "\(workers.map(\.connections))")
            try await connect(32)
            made += 32
        }
        return made
    }

    /// The length of the first listener's queue: for a listening socket, TCP_INFO contains it in
    /// the field of acknowledged segments.
    var backlog: UInt32 {
        var information = tcp_info()
        var size = socklen_t(MemoryLayout<tcp_info>.size)
        getsockopt(listeners[0].rawValue, Int32(IPPROTO_TCP), TCP_INFO, &information, &size)
        return information.tcpi_sacked
    }

    static func nonce() -> String {
        let digits = Array("0123456789abcdef")
        return String((0..<32).map { _ in digits[Int.random(in: 0..<16)] })
    }
}

/// A program with the library, in the environment of a worker.
final class Worker {
    let page: RequestPage
    let child: Child

    init(
        _ stage: Stage, _ arguments: [String], limit: UInt64, ledger: RequestPage.LedgerWriters,
        changes: [String: String], missing: Set<String>
    ) throws {
        let nonce = Stage.nonce()
        page = try RequestPage(nonce: nonce, limit: limit, ledger: ledger)
        let descriptors = stage.listeners.map(\.rawValue) + [page.rawValue]
        let named = stage.listeners.enumerated().map { index, listener in
            "\(index + 3):\(listener.identity.inode)"
        }
        var variables = [
            "LD_PRELOAD": Place.library,
            "PYTHONPATH": Place.programs,
            "NOTIFY_SOCKET": stage.notifyAddress,
            "SUPERVISE_WORKER_LISTENERS": named.joined(separator: ","),
            "SUPERVISE_WORKER_ADOPT": "1",
            "SUPERVISE_WORKER_COUNT": "1",
            "SUPERVISE_WORKER_PAGE": "\(stage.listeners.count + 3)",
            "SUPERVISE_WORKER_ID": nonce,
            "LISTEN_PID": "",
        ]
        variables.merge(changes) { $1 }
        for name in missing { variables[name] = nil }
        child = try Child(
            arguments, environment: variables.map { "\($0)=\($1)" }, descriptors: descriptors)
    }

    /// The count of the library.
    var connections: UInt64 { page.connections() ?? 0 }
}
