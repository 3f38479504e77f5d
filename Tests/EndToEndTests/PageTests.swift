import Foundation
import Testing

/// The page in a real browser, and whether it shows the correct data.
@Suite(.takesLongTurn) struct PageTests {
    @Test(.needs("chromium")) func whatItShowsIsTrue() async throws {
        let master = try Supervise.pools {
            """
            name = shop
            workers = 3
            status-bind = 127.0.0.1:0
            bind = 127.0.0.1:0
            bind = unix:\($0["<b>.sock"])
            """
        }
        let before = try await master.waitForWorkers(3)
        let browser = try Browser(try await master.statusAddress(), width: 360)
        try await browser.wait("three ready workers") {
            $0.lanes.map(\.state) == ["ready", "ready", "ready"]
        }
        _ = try await load(try await master.address(), requests: 30, rate: 100)
        kill(before[1].pid, SIGKILL)
        try await master.waitForEvent(Event.exit)
        let now = try await master.waitForWorkers(3, without: [before[1]])
        let shown = try await browser.wait("the new worker and the requests") {
            $0.lanes.map(\.pid) == now.map { "\($0.pid)" }
                && $0.lanes.allSatisfy { $0.state == "ready" } && $0.requests == "30 total"
                && $0.exits.count == 1
        }
        // Names from configurations remain text.
        #expect(shown.listeners?.hasSuffix("/<b>.sock") ?? false)
        #expect(shown.molds == nil)
        #expect(shown.name == "shop" && shown.state == "ready" && shown.alarm == nil)
        #expect(shown.facts.contains("pid \(try await master.pid()) "))
        #expect(
            shown.exits[0].prefix(5).dropFirst() == ["1", "\(before[1].pid)", "crashed", "KILL"])
        #expect(shown.totals == "1 crashed")
        let status = try await master.curl("/status", at: master.statusAddress())
        for (lane, worker) in zip(shown.lanes, now) {
            #expect(status.output.contains("\"pid\":\(worker.pid),"))
            #expect(lane.slot == "\(worker.slot)")
        }

        // A reload that succeeds, then one that fails.
        try await master.signal(SIGHUP)
        try await browser.wait("the reload") {
            $0.reload?.hasPrefix("Reload to generation 2: complete") ?? false
        }
        try master.folder.write("crash", "")
        try await master.signal(SIGHUP)
        let aborted = try await browser.wait("the reload's abort") {
            $0.reload?.hasPrefix("Reload to generation 3: aborted") ?? false
        }
        #expect(aborted.reload?.contains("the first new worker exited with status 1") ?? false)
        #expect(aborted.lanes.map(\.pid) == (try await master.workers()).map { "\($0.pid)" })

        // Every bar is a worker that existed, and its cause is that in the log.
        let exits = master.lines(Event.exit)
        let ends = Dictionary(uniqueKeysWithValues: exits.map { ($0.pid, $0["cause"]) })
        let whole = try await browser.wait("all bars") { page in
            page.lives.count == master.lines(Event.started).count
        }
        for life in whole.lives {
            #expect(life.cause == ends[pid_t(life.pid)] ?? nil, "\(life)")
            #expect(
                master.lines(Event.started).contains {
                    $0.pid == pid_t(life.pid) && $0["slot"] == "\(life.slot)"
                        && $0["generation"] == "\(life.generation)"
                }, "\(life)")
        }

        // On a phone, no sideways scrolling is needed. The policy blocked nothing, and no other
        // host was contacted.
        #expect(aborted.pageWidth <= 360)
        #expect(aborted.complaints == [])
        let address = try await master.statusAddress()
        #expect(
            aborted.asked.allSatisfy { url in
                ["/", "/status", "/history"].contains { url == "http://\(address)\($0)" }
                    || url.hasPrefix("http://\(address)/history?since=")
            }, "\(aborted.asked)")
        // The timeline has both reloads.
        try await browser.wait("the events of the timeline") {
            $0.events.contains("reload to generation 2 is complete")
                && $0.events.contains {
                    $0.hasPrefix("reload to generation 3 aborted: the current generation")
                } && $0.events.contains("slot 1 exited: crashed, KILL")
        }
    }

    @Test(.needs("chromium")) func itShowsMolds() async throws {
        let server = try ForkedServer()
        let master = try server.start(["--status-bind", "127.0.0.1:0"])
        try await master.waitForWorkers(2)
        let browser = try Browser(try await master.statusAddress(), width: 1200)
        let start = "mold: warm, generation 1, pid \(try master.mold), "
        let shown = try await browser.wait("the mold") { $0.molds?.hasPrefix(start) == true }
        #expect(shown.molds?.hasSuffix("M") == true && shown.lanes.count == 2)
        #expect(shown.complaints == [])
    }

    /// A pool without ready workers comes first, and a job is a row without requests.
    @Test(.needs("chromium")) func poolsThatAreNotReadyComeFirst() async throws {
        let master = try Supervise.pools {
            """
            name = shop
            status-bind = 127.0.0.1:0
            [pool web]
            bind = 127.0.0.1:0
            command = \(Place.helloWorker)
            [pool broken]
            ready = notify
            command = sh -c 'exit 3'
            [pool nightly]
            schedule = every 1h
            command = sh -c 'echo \($0.path) >&2; exit 4'
            [pool other]
            command = sleep 1000
            """
        }
        try await master.waitForLog("readiness") { $0.event == "ready" && $0["pool"] == "web" }
        #expect(try await master.command("run-now", "nightly").status == .exited(0))
        let address = try await master.statusAddress()
        // A figure that the page cannot sample itself, because it is older than the page.
        _ = try await master.curl("/status", at: address)
        let limit = ContinuousClock.now + .seconds(30)
        while try await master.curl("/history?since=8", at: address).output.contains("[]") {
            try #require(ContinuousClock.now < limit, "no point after 8 seconds")
        }
        let browser = try Browser(address, width: 1200)
        let shown = try await browser.wait("the pools and the job") {
            $0.pools == ["broken", "web", "other"]
                && $0.jobs.first?[7].hasPrefix("last: fail") == true
        }
        #expect(shown.jobs.count == 1 && shown.jobs[0].prefix(2) == ["nightly", "every 1h"])
        #expect(shown.recorded > 0 && shown.complaints == [])
    }

    @Test(.needs("chromium")) func aMasterThatGoesAndComes() async throws {
        let address = "127.0.0.1:\(try freePort())"
        let words = ["--status-bind", address, "--workers", "40"]
        let first = try Supervise.hello(words)
        try await first.waitForWorkers(40)
        let browser = try Browser(address, width: 1200)
        let many = try await browser.wait("its lanes") { $0.lanes.count == 24 }
        #expect(many.shown?.hasPrefix("Lanes and memory of slots 0 to 23, of 40 slots") ?? false)
        kill(try await first.pid(), SIGKILL)
        let lost = try await browser.wait("the loss") { $0.alarm != nil }
        #expect(lost.state == "no response" && lost.alarm?.contains("unreachable") ?? false)
        #expect(lost.lanes.count == 24)

        let second = try Supervise.hello(["--status-bind", address])
        let worker = try await second.waitForWorkers(1)[0]
        let found = try await browser.wait("the new master") {
            $0.alarm == nil && $0.lanes.map(\.pid) == ["\(worker.pid)"]
        }
        #expect(found.shown == nil && found.exits == [] && found.complaints == [])
    }
}

/// A page in a headless browser, and its content.
private final class Browser {
    /// The content of the page.
    struct Shown: Decodable {
        let name: String
        let state: String
        let facts: String
        let alarm: String?
        let reload: String?
        let shown: String?
        let listeners: String?
        let molds: String?
        let lanes: [Lane]
        let requests: String
        let exits: [[String]]
        let totals: String
        /// The bars of all lanes.
        let lives: [Life]
        let pageWidth: Int
        /// Errors in the browser.
        let complaints: [String]
        /// The rows of the timeline.
        let events: [String]
        /// The names of the pools shown, in order.
        let pools: [String]
        /// The cells of the table of jobs.
        let jobs: [[String]]
        /// The number of points from the master's history.
        let recorded: Int
        /// All requests.
        let asked: [String]
    }

    struct Life: Decodable, Hashable {
        let slot: Int
        let pid: Int
        let generation: Int
        /// The cause of its end; nil while it runs.
        let cause: String?
    }

    struct Lane: Decodable {
        let slot: String
        let pid: String
        let state: String
    }

    private static let expression = """
        (() => {
            const text = selector => {
                const found = document.querySelector(selector);
                return found && found.checkVisibility() ? found.innerText.trim() : undefined;
            };
            const lanes = [...document.querySelectorAll('.lane[data-slot]')]
                .filter(lane => lane.checkVisibility()).map(lane => ({
                    slot: lane.querySelector('.slot').innerText,
                    pid: lane.querySelector('.pid').innerText,
                    state: lane.querySelector('.state').innerText,
                }));
            const exits = [...document.querySelectorAll('.exits tbody tr')]
                .map(row => [...row.cells].map(cell => cell.textContent));
            const lives = [...views.values()]
                .flatMap(view => [...view.history.slots.values()].flat()).map(life => ({
                    slot: life.slot, pid: life.pid, generation: life.generation,
                    cause: life.end === null ? undefined : life.exit?.cause ?? 'unknown',
                }));
            return {
                lives, name: text('#name') ?? '', state: text('#state') ?? '',
                facts: text('#facts') ?? '',
                alarm: text('#alarm'), reload: text('#reload'), shown: text('.shown'), lanes, exits,
                listeners: text('.listeners'), molds: text('.molds'),
                requests: text('.rate-chart small') ?? '', totals: text('.totals') ?? '',
                events: timeline.rows.map(row => row.text),
                pools: [...document.querySelectorAll('.pool h2')]
                    .filter(title => title.checkVisibility()).map(title => title.innerText),
                jobs: [...document.querySelectorAll('#jobs tbody tr')]
                    .map(row => [...row.cells].map(cell => cell.innerText.trim())),
                recorded: [...views.values()].flatMap(view => view.history.series)
                    .filter(point => point.isRecorded).length,
                pageWidth: Math.max(...[...document.querySelectorAll('html, details')].map(
                    box => innerWidth + box.scrollWidth - box.clientWidth)),
            };
        })()
        """

    private let cage: Cage
    private let folder: Folder

    /// Opens the page at this address.
    init(_ address: String, width: Int) throws {
        folder = try Folder()
        cage = try Cage(
            [
                "python3", Place.client("browser"), folder["profile"], "http://\(address)/",
                "\(width)", "700", "light", Browser.expression,
            ], environment: baseEnvironment, output: folder["out"], errors: folder["err"])
    }

    /// The content, once it satisfies the condition.
    @discardableResult
    func wait(_ what: String, until isThere: (Shown) throws -> Bool) async throws -> Shown {
        let last = { self.folder.lines("out").last.map(String.init) ?? "" }
        let context = { "\(last())\n\(readFile(self.folder["err"]) ?? "")" }
        return try await eventually(what, within: .seconds(60), context: context) {
            let data = Data(last().utf8)
            // The last line may be incomplete, and the page is empty before its first response.
            guard let shown = try? JSONDecoder().decode(Shown.self, from: data) else { return nil }
            return try isThere(shown) ? shown : nil
        }
    }
}
