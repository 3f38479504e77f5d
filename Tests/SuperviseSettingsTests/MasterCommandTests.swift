import SuperviseCore
import Testing

@testable import SuperviseSettings

/// Commands for a running master.
@Suite struct MasterCommandTests {
    private func command(_ words: String) throws -> MasterCommand? {
        let arguments = words.split(separator: " ").map(String.init)
        guard case .command(let command) = try Invocation.parse(arguments) else { return nil }
        return command
    }

    @Test(arguments: [
        ("status", MasterCommand.Action.status(json: false, pool: nil)),
        ("status --pool web", .status(json: false, pool: "web")),
        ("top --pool=web", .top(pool: "web")),
        ("status --json", .status(json: true, pool: nil)),
        ("top", .top(pool: nil)), ("events", .events(follow: false, json: false)),
        ("events --json --follow", .events(follow: true, json: true)),
        ("reload", .reload(wait: false, timeout: nil)),
        ("reload --wait", .reload(wait: true, timeout: nil)),
        ("reload --wait --timeout 90s", .reload(wait: true, timeout: .seconds(90))),
        ("reload --timeout=2m --wait", .reload(wait: true, timeout: .seconds(120))),
        ("recycle 3", .recycle(slot: 3, pool: nil)),
        ("recycle all --pool web", .recycle(slot: nil, pool: "web")),
        ("scale 4", .scale("4", pool: nil)), ("scale +1", .scale("+1", pool: nil)),
        ("scale --pool jobs -1", .scale("-1", pool: "jobs")),
        ("stop", .stop(quick: false, wait: false)),
        ("stop --quick --wait", .stop(quick: true, wait: true)), ("reopen", .reopen),
        ("upgrade", .upgrade),
        ("hunt", .hunt(HuntOrder(), pool: nil, json: false)),
        (
            "hunt --pool web --requests 50 --time=2m --trace --exclusive-time 10s --json",
            .hunt(
                HuntOrder(
                    requests: 50, time: .seconds(120), traces: true, pause: .seconds(10)),
                pool: "web", json: true)
        ),
    ])
    func actions(words: String, action: MasterCommand.Action) throws {
        #expect(try command(words) == MasterCommand(action))
    }

    @Test func targets() throws {
        #expect(try command("status --name shop")?.target == .named("shop"))
        #expect(try command("stop --control=/run/a.sock")?.target == .socket("/run/a.sock"))
        #expect(try command("top --control unix:/a")?.target == .socket("/a"))
        #expect(try Invocation.parse(["reload", "--help"]) == .help(.command(.reload)))
        #expect(try Invocation.parse(["help", "commands"]) == .help(.page(.commands)))
    }

    @Test(arguments: [
        ("recycle", "recycle: missing slot; usage: supervise recycle SLOT|all [--pool NAME]"),
        ("recycle x", "recycle: \"x\" is not a slot; allowed: a number from 0, or all"),
        ("recycle -1", "recycle: \"-1\" is not a slot; allowed: a number from 0, or all"),
        ("scale", "scale: missing number of workers; usage: supervise scale N|+N|-N [--pool NAME]"),
        ("status web", "status: unexpected \"web\""),
        (
            "status --json --pool web",
            "status: --json prints all pools; it does not take --pool"
        ),
        (
            "reload --pool web",
            "reload: a reload applies the configuration of all pools; to replace the workers of one "
                + "pool, use supervise recycle all --pool NAME"
        ),
        (
            "scale 0",
            "scale: a pool has at least 1 worker. To stop all workers but keep the master and its "
                + "sockets, send WINCH to the master (HUP starts them again). To keep none while the "
                + "pool is idle, set workers = 0..N in the configuration. To remove a pool, delete "
                + "it from the configuration and reload. To stop the service, use supervise stop"
        ),
        (
            "status --jsno",
            "status: unknown option \"--jsno\"; the most similar is --json; usage: supervise status "
                + "[--json | --pool NAME]"
        ),
        ("status --name", "status: --name requires a value"),
        (
            "status --name a/b",
            "status: \"a/b\" is not a valid master name; allowed: 1 to 64 letters, digits and "
                + ". _ @ -"
        ),
        (
            "stop --name a --control b",
            "stop: --name and --control both select a master; use only one"
        ),
        ("reload --timeout 3s", "reload: --timeout requires --wait"),
        (
            "reload --wait --timeout x",
            "reload: --timeout: \"x\" is not a duration; allowed: a duration such as 30s or 2m"
        ),
        (
            "hunt --requests 5",
            "hunt: --requests: \"5\" is not a number of requests; allowed: a number from 10 to 10000"
        ),
        (
            "hunt --time 2d",
            "hunt: --time: \"2d\" is not allowed; allowed: a duration such as 30s or 5m, from 1s to 1d"
        ),
        (
            "hunt --exclusive-time 5m",
            "hunt: --exclusive-time: \"5m\" is not allowed; allowed: a duration such as 10s, from 1s "
                + "to 60s"
        ),
        ("hunt web", "hunt: unexpected \"web\""),
    ])
    func errors(words: String, message: String) {
        #expect(throws: SettingsError.self) { try command(words) }
        do {
            _ = try command(words)
        } catch {
            #expect("\(error)" == message)
        }
    }

    @Test func everyVerbIsExplained() {
        let text = HelpTopic.full.text
        for verb in Verb.allCases {
            #expect(text.contains("supervise \(verb.usage.form)"))
        }
        let commands = HelpTopic.page(.commands).text
        for verb in Verb.allCases where verb.isForMaster {
            #expect(commands.contains(verb.rawValue))
        }
        for verb in Verb.allCases {
            let text = HelpTopic.command(verb).text
            #expect(text.hasPrefix("usage: supervise \(verb.usage.form)\n"))
            let word = verb == .run ? "[run]" : verb.rawValue.replacing("-", with: "\\-")
            #expect(ManualPage.roff(.supervise, version: "1").contains("\n.SS supervise \(word)"))
            // Everything that the parser accepts is documented.
            for part in verb.usage.form.split(whereSeparator: { "[] ".contains($0) })
            where verb.isForMaster && part.hasPrefix("--") {
                #expect(text.contains("\n  \(part)"), "\(verb) \(part)")
            }
        }
        #expect(HelpTopic.page(.protocol).text.contains("GET /readyz"))
        #expect(HelpTopic.page(.schema).text.contains("pools[].exits[]"))
    }
}
