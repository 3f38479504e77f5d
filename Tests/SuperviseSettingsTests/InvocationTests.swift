import SuperviseCore
import Testing

@testable import SuperviseSettings

@Suite struct InvocationTests {
    @Test func verbs() throws {
        #expect(try Invocation.parse([]) == .nothing)
        #expect(try Invocation.parse(["run"]) == .run(Overrides()))
        #expect(try Invocation.parse(["check", "-c", "f"]) == .check(Overrides(configPath: "f")))
        #expect(try Invocation.parse(["--config=f"]) == .run(Overrides(configPath: "f")))
        #expect(try Invocation.parse(["-cf"]) == .run(Overrides(configPath: "f")))
        #expect(try Invocation.parse(["man"]) == .man(.supervise))
        #expect(try Invocation.parse(["man", "supervise.conf"]) == .man(.conf))
        #expect(try Invocation.parse(["completions", "zsh"]) == .completions(.zsh))
        for version in ["--version", "-V", "version"] {
            #expect(try Invocation.parse([version]) == .version)
        }
        #expect(try Invocation.parse(["help", "status"]) == .help(.command(.status)))
        #expect(try Invocation.parse(["check", "--help"]) == .help(.command(.check)))
        #expect(try Invocation.parse(["help", "-h"]) == .help(.command(.help)))
        #expect(try Invocation.parse(["man", "--help"]) == .help(.command(.man)))
        #expect(try Invocation.parse(["help", "upgrade"]) == .help(.page(.upgrade)))
        #expect(try Invocation.parse(["-h"]) == .help(.brief))
        #expect(try Invocation.parse(["--help"]) == .help(.full))
        #expect(try Invocation.parse(["run", "-w", "2", "--help"]) == .help(.full))
        #expect(try Invocation.parse(["help"]) == .help(.full))
        #expect(try Invocation.parse(["help", "max-rss"]) == .help(.setting(key: "max-rss")))
        #expect(try Invocation.parse(["help", "--max-rss"]) == .help(.setting(key: "max-rss")))
        #expect(try Invocation.parse(["help", "recycling"]) == .help(.group(.recycling)))
        #expect(try Invocation.parse(["help", "exit-codes"]) == .help(.page(.exitCodes)))
    }

    @Test func theCommandStaysUntouched() throws {
        let words = ["a b", "", "'", "\"", "\\", "--", "-h", "$x", "{slot}", "\n", "é"]
        #expect(try pool(["--"] + ["x"] + words).command == ["x"] + words)
        #expect(try pool(["--command", "x 'a b'"]).command == ["x", "a b"])
    }

    @Test func options() throws {
        let pool = try pool([
            "-w4", "-b", ":1", "-b:2", "--nonblocking", "--clear-env=no", "--nice", "-5",
            "--max-rss=512M", "--env", "A=b=c", "--", "x",
        ])
        #expect(pool.workers == .count(4))
        #expect(pool.binds.count == 2)
        #expect(pool.nonblocking)
        #expect(!pool.clearEnvironment)
        #expect(pool.nice == -5)
        #expect(pool.policy.maxRSSBytes == 512 << 20)
        #expect(pool.environment == [.init(name: "A", value: "b=c")])
    }

    @Test(arguments: [
        ("--nonblocking", true), ("--nonblocking yes", true), ("--nonblocking Off", false),
        ("--nonblocking 0", false), ("--nonblocking --clear-env", true),
        ("--nonblocking=no", false),
    ])
    func aSwitchTakesAWordOrNone(arguments: String, isOn: Bool) throws {
        let words = arguments.split(separator: " ").map(String.init)
        #expect(try pool(words + ["--", "yes"]).nonblocking == isOn)
        #expect(
            parseError("--nonblocking", "maybe", "--", "x").hasPrefix("unexpected word \"maybe\""))
    }

    @Test func everySettingIsAnOption() throws {
        for setting in Setting.all {
            guard case .run(let overrides) = try Invocation.parse(["--\(setting.key)=v"]) else {
                Issue.record("\(setting.key) is not read as an option")
                continue
            }
            let source = SettingSource.commandLine(option: "--\(setting.key)")
            #expect(
                overrides.layer.assignments
                    == [Assignment(key: setting.key, text: "v", source: source)])
        }
    }

    @Test func errors() {
        #expect(
            parseError("--max-request", "5", "--", "x")
                == "--max-request: unknown option; the most similar is --max-requests")
        #expect(parseError("--quux") == "--quux: unknown option")
        #expect(parseError("--confg=x") == "--confg: unknown option; the most similar is --config")
        #expect(parseError("-x") == "-x: unknown option; the short options are -h, -V, -c, -b, -w")
        #expect(parseError("-w") == "-w: workers: requires a value: N")
        #expect(parseError("--workers", "--", "x") == "--workers: requires a value: N")
        #expect(parseError("-c") == "-c: requires the path of a config file")
        #expect(parseError("--config=") == "--config: requires the path of a config file")
        #expect(parseError("--") == "--: no command follows; write the program to run after --")
        #expect(parseError("--", "") == "--: no command follows; write the program to run after --")
        #expect(
            parseError("--command=a", "--", "b") == "--: command: already given by --command")
        #expect(
            parseError("gunicorn", "app")
                == "unknown command \"gunicorn\"; if it is the program to run, write it after --, as "
                + "in: "
                + "supervise -- gunicorn")
        #expect(
            parseError("chek", "-c", "x")
                == "unknown command \"chek\"; the most similar is check. To run a program, write "
                + "it after --, as in: supervise -- chek")
        #expect(parseError("chekc").contains("; the most similar is check. To run"))
        #expect(
            parseError("-c", "x", "check")
                == "\"check\" must come first, as in: supervise check [OPTIONS] [-- COMMAND...]")
        #expect(
            parseError("-w", "2", "./x")
                == "unexpected word \"./x\"; if it is the program to run, write it after --, as in: "
                + "supervise -- ./x")
        #expect(
            parseError("help", "max-rs")
                == "help: \"max-rs\" is not a help topic; the most similar is max-rss; for "
                + "a list: supervise help topics")
        #expect(parseError("help", "a", "b") == "help: unexpected \"b\"")
        #expect(
            parseError("man", "x") == "man: \"x\" is unknown; allowed: supervise, supervise.conf")
        #expect(
            parseError("--pool", "web")
                == "--pool: \"web\" is not of the form NAME.key=value, as in --pool "
                + "web.workers=4")
        #expect(
            parseError("--pool", "web.worker=1")
                == "--pool web.worker=1: unknown key \"worker\"; the most similar is workers")
        #expect(
            parseError("--pool=web.name=1")
                == "--pool web.name=1: name: is a setting of the master, not of a pool; write --name"
        )
    }

    @Test(arguments: [
        ("--worker-class", "decides how a worker"), ("--threads", "decides how a worker"),
        ("--keep-alive", "decides how a worker"), ("--preload", "a reload always loads new code"),
        ("--daemon", "supervise runs in the foreground"), ("--reload", "run supervise reload"),
        ("--access-logfile", "use log-file"), ("--port", "setting is --bind"),
        ("--limit-max-requests", "setting is --max-requests"), ("--proc-name", "setting is --name"),
    ])
    func optionsOfOthersReportWhatTheyBecome(option: String, text: String) {
        let error = parseError(option, "x", "--", "app")
        #expect(
            error.hasPrefix("\(option): unknown option; ") && error.hasSuffix(text)
                || error.contains(text))
    }

    @Test(arguments: [
        ("restart", "supervise reload"), ("logs", "supervise events"),
        ("start", "supervise -- COMMAND"),
        ("ps", "supervise status"), ("quit", "supervise stop"), ("configtest", "supervise check"),
    ])
    func commandsOfOthersReportWhatDoesThat(word: String, command: String) {
        let error = parseError(word)
        #expect(error.hasPrefix("unknown command \"\(word)\"; to ") && error.contains(command))
    }

    @Test func ourOptionsBehindTheCommandGetAHint() throws {
        let loaded = try load(["--", "./server", "--max-rss", "5M", "--workers=2", "--bind", ":80"])
        #expect(
            loaded.warnings.map(\.description) == [
                "--: --max-rss follows the command, so it is passed to ./server; to set "
                    + "it for supervise, write it before --",
                "--: --workers follows the command, so it is passed to ./server; to set "
                    + "it for supervise, write it before --",
            ])
        #expect(try load(["--workers", "3", "--", "x", "--workers", "2"]).warnings == [])
        #expect(try load(file: "command = x --max-rss 5M").warnings == [])
        #expect(
            parseError("./server", "--max-rss", "5M")
                == "unknown command \"./server\"; if it is the program to run, write it after --, as "
                + "in: supervise -- ./server; write --max-rss before --")
    }

    @Test func severalErrorsAreReportedTogether() {
        #expect(parseError("--foo", "1", "--bar", "--", "x").split(separator: "\n").count == 2)
    }
}
