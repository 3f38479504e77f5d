import SuperviseCore
import Testing

@testable import SuperviseSettings

@Suite struct ConfigFileTests {
    @Test func theExampleOfTheDesign() throws {
        let configuration = try load(
            file: """
                # supervise.conf
                max-lifetime = 1h

                [pool web]
                bind = 127.0.0.1:8000
                workers = 2
                max-requests = 1000
                max-requests-jitter = 100
                max-rss = 512M
                command = uvicorn shop:app --fd 3

                [pool jobs]
                max-lifetime = 60s
                command = python manage.py run_jobs
                """
        ).configuration
        #expect(configuration.pools.map(\.name) == ["web", "jobs"])
        let web = configuration.pools[0]
        #expect(web.binds == [.tcp(host: "127.0.0.1", port: 8000)])
        #expect(web.workers == .count(2))
        #expect(web.policy.workers == 2)
        #expect(web.policy.hasListeners)
        #expect(web.policy.maxRequests == 1000)
        #expect(web.policy.maxRequestsJitter == 100)
        #expect(web.policy.maxRSSBytes == 512 << 20)
        #expect(web.policy.maxLifetime == .seconds(3600))
        #expect(web.command == ["uvicorn", "shop:app", "--fd", "3"])
        #expect(configuration.pools[1].policy.maxLifetime == .seconds(60))
        #expect(!configuration.pools[1].policy.hasListeners)
    }

    @Test func aFileWithoutSectionsMakesOnePool() throws {
        #expect(try pool(file: "command = x\n").name == "default")
    }

    @Test func syntax() throws {
        let pool = try pool(
            file: "\u{FEFF}; comment\r\n  # comment\r\n\r\nenv=A=1\r\n env \t= B=2 # kept \r\n"
                + "command = sh -c \\\r\n# between\r\n\t'a\\n' \\\n\n  b\\\r\n")
        #expect(
            pool.environment == [.init(name: "A", value: "1"), .init(name: "B", value: "2 # kept")])
        #expect(pool.command == ["sh", "-c", "a\\n", "b"])
    }

    @Test(arguments: [
        ("comand = x", "a.conf:1: unknown key \"comand\"; the most similar is command"),
        ("quux = x", "a.conf:1: unknown key \"quux\""),
        ("includ = x", "a.conf:1: unknown key \"includ\"; the most similar is include"),
        ("command", "a.conf:1: \"command\" is not \"key = value\" or \"[pool NAME]\""),
        (
            "command = x\nworkers: 2",
            "a.conf:2: \"workers: 2\" is not \"key = value\" or \"[pool NAME]\"; write "
                + "\"workers = 2\""
        ),
        (
            "command = x\nbind 127.0.0.1:80",
            "a.conf:2: \"bind 127.0.0.1:80\" is not \"key = value\" or \"[pool NAME]\"; write "
                + "\"bind = 127.0.0.1:80\""
        ),
        (
            "command = x\nworker-class = gevent",
            "a.conf:2: unknown key \"worker-class\"; the program decides how a worker serves: "
                + "pass the option to the command, after --"
        ),
        ("proc_name = x", "a.conf:1: unknown key \"proc_name\"; the equivalent setting is name"),
        (
            "command = x\nworkers = \"2",
            "a.conf:2: workers: \"\"2\" has an unclosed quote; allowed: 1 to 100000, auto, "
                + "or a range such as 2..8 or 0..2"
        ),
        (
            "command = x\nstop-signal = KILL",
            "a.conf:2: stop-signal: \"KILL\" is a signal that programs cannot catch; "
                + "allowed: a signal that programs can catch, such as TERM, INT, "
                + "QUIT or 15"
        ),
        ("= x", "a.conf:1: \"= x\" is not \"key = value\" or \"[pool NAME]\""),
        ("[pool a", "a.conf:1: \"[pool a\" is not \"key = value\" or \"[pool NAME]\""),
        ("[web]", "a.conf:1: \"[web]\" is not a section; allowed: [pool NAME]"),
        (
            "[pool a.b]",
            "a.conf:1: \"a.b\" is not a pool name; allowed: 1 to 64 letters, digits, _ and -"
        ),
        (
            "[pool]",
            "a.conf:1: \"\" is not a pool name; allowed: 1 to 64 letters, digits, _ and -"
        ),
        (
            "command = x\nmax-requests = many",
            "a.conf:2: max-requests: \"many\" is not a whole number; "
                + "allowed: 0 (off) or more, such as 1000"
        ),
        (
            "command = x\nmax-rss = 180%",
            "a.conf:2: max-rss: \"180%\" is out of range; "
                + "allowed: off, a size of at least 1M such as 512M or 1.5G, or 1% to 100%"
        ),
        (
            "command = x\nworkers = 2\nworkers = 3",
            "a.conf:3: workers: already given in this section (a.conf:2)"
        ),
        (
            "[pool a]\ncommand = x\nlog-level = info",
            "a.conf:3: log-level: is a setting of the master, not of a pool; write it before the "
                + "first section"
        ),
        (
            "[pool a]\ncommand = x\n[pool a]\n",
            "a.conf:3: pool a already has a section (a.conf:1)"
        ),
        (
            "command = x\ninclude = b.conf",
            "a.conf:2: include: b.conf: no such file"
        ),
        (
            "command = x\ninclude =",
            "a.conf:2: include: the value is empty; allowed: a path or a pattern"
        ),
        (
            "command = x\ninclude = ./a.conf",
            "a.conf:2: include: ./a.conf is included recursively (a.conf → a.conf)"
        ),
        (
            "command = x\ninclude = a.conf",
            "a.conf:2: include: a.conf is included recursively (a.conf → a.conf)"
        ),
        ("command = x\0", "a.conf:1: contains a NUL character; this is not a text file"),
    ])
    func errors(file: String, text: String) {
        #expect(loadError(file: file) == text)
    }

    @Test func everyErrorIsReportedInTheOrderOfTheLines() {
        let text = loadError(
            ["--backlog", "0"],
            file: "max-rss = x\n[pool a]\nworkers = 0\nfoo = 1\n[pool b]\nnice = 99\n",
            environment: ["SUPERVISE_LOG_LEVEL": "loud"])
        #expect(
            text == """
                a.conf:1: max-rss: "x" is not a size; allowed: off, a size of at least 1M such as \
                512M or 1.5G, or 1% to 100%
                a.conf:3: workers: "0" is out of range; allowed: 1 to 100000, auto, or a range such as 2..8 or 0..2
                a.conf:4: unknown key "foo"
                a.conf:6: nice: "99" is out of range; allowed: -20 (first) to 19 (last)
                environment variable SUPERVISE_LOG_LEVEL: "loud" is not a level; allowed: debug, \
                info, warning or error
                --backlog: "0" is out of range; allowed: 1 to 1000000
                --backlog: is ambiguous, because there are several pools: a, b; write --pool a.backlog=…
                """)
    }

    @Test func aCommentBehindAValueIsKnownForOne() {
        #expect(
            loadError(file: "workers = 2 # two\ncommand = x # y")
                == "a.conf:1: workers: \"2 # two\" is not a whole number; allowed: 1 to 100000, "
                + "auto, or a range such as 2..8 or 0..2; a comment needs a line of its own")
        #expect(
            loadError(file: "bind = :80 ; web\ncommand = x").hasSuffix(
                "; a comment needs a line of its own"))
        #expect(!loadError(["-w", "2 # two", "--", "x"]).contains("comment"))
    }

    @Test func anAddressesPortIsNamed() {
        #expect(
            loadError(["--bind", "127.0.0.1:99999", "--", "x"])
                == "--bind: \"127.0.0.1:99999\" has the invalid port \"99999\"; a port is a number "
                + "from 0 to 65535; allowed: HOST:PORT, [IPV6]:PORT, :PORT, unix:PATH, unix:@NAME, "
                + "fd://N or systemd:NAME")
    }

    @Test func aValueThatAHigherLayerHidesIsCheckedToo() {
        #expect(
            loadError(["-w", "2", "--", "x"], file: "workers = no").hasPrefix("a.conf:1: workers"))
    }

    @Test func everyValueTakesQuotes() throws {
        let configuration = try load(
            file: """
                log-level = "debug"
                include = 'more.conf'
                on-event = "crash notify ops"
                [pool web]
                bind = "127.0.0.1:8000"
                workers = "2"
                max-requests = "1000"
                max-rss = "1.5G"
                max-lifetime = '1h'
                nonblocking = "yes"
                stop-signal = "INT"
                socket-mode = "0600"
                ready = "2s"
                env = "A=b c"
                env = 'B="x"'
                env = C="d"
                max-surge = "25%"
                user = ""
                umask = ''
                command = "sh" -c 'a b'
                """, files: ["more.conf": "name = \"shop\"\n"]
        ).configuration
        #expect(configuration.master.logLevel == .debug)
        #expect(configuration.master.name == "shop")
        #expect(configuration.master.hooks.first?.command == ["notify", "ops"])
        let pool = configuration.pools[0]
        #expect(pool.binds == [.tcp(host: "127.0.0.1", port: 8000)])
        #expect(pool.workers == .count(2) && pool.policy.maxRequests == 1000)
        #expect(pool.policy.maxRSSBytes == 3 << 29 && pool.policy.maxLifetime == .seconds(3600))
        #expect(pool.nonblocking && pool.stopSignal == .interrupt && pool.socketMode == 0o600)
        #expect(pool.policy.readiness == .after(.seconds(2)))
        #expect(pool.policy.maxSurge == .percent(25))
        #expect(pool.environment.map(\.name) == ["A", "B", "C"])
        #expect(pool.environment.map(\.value) == ["b c", "\"x\"", "d"])
        #expect(pool.user == nil && pool.umask == nil)
        #expect(pool.command == ["sh", "-c", "a b"])
        for setting in Setting.all where setting.key != "command" {
            let text = setting.defaultText
            guard text != "none", setting.defaultRemark == nil else { continue }
            #expect(
                try load(file: "\(setting.key) = \"\(text)\"\ncommand = x")
                    == load(["--", "x"], file: ""))
        }
    }

    @Test func aPortAloneIsCompleted() {
        #expect(
            loadError(["--bind", "8000", "--", "x"]).hasPrefix(
                "--bind: \"8000\" lacks a colon before its port; write :8000 for all IPv4 addresses "
                    + "of this machine, or 127.0.0.1:8000; allowed: "))
    }

    @Test func aMissingFile() {
        #expect(loadError(["-c", "b.conf"]) == "b.conf: no such file")
    }

    @Test func invalidUTF8() {
        let files = inMemory(bytes: ["a.conf": Array("command = x\nname = ".utf8) + [0xC3, 0x28]])
        let text = errorText { () throws(SettingsError) in
            _ = try Configuration.load(
                Overrides(configPath: "a.conf"), environment: [:], files: files)
        }
        #expect(text == "a.conf:2: not valid UTF-8; save the file as UTF-8")
    }

    @Test func includesAreSoughtFromTheFolderOfTheFile() throws {
        let pools = try load(
            ["-c", "/etc/s/a.conf"],
            files: [
                "/etc/s/a.conf": "include = conf.d/*.conf\ninclude = none.d/*.conf\nbacklog = 7\n",
                "/etc/s/conf.d/2.conf": "[pool two]\ncommand = x\n",
                "/etc/s/conf.d/1.conf": "include = ../common\n[pool one]\ncommand = x\n",
                "/etc/s/conf.d/../common": "workers = 3\n",
                "/etc/s/conf.d/x.txt": "garbage",
            ]
        ).configuration.pools
        #expect(pools.map(\.name) == ["one", "two"])
        #expect(pools.map(\.backlog) == [7, 7])
        #expect(pools.map(\.workers) == [.count(3), .count(3)])
    }

    @Test func anIncludeInASectionContinuesIt() throws {
        let pools = try load(
            ["-c", "a"],
            files: [
                "a": "[pool a]\ninclude = b\ncommand = x\n[pool c]\ninclude = d\n",
                "b": "workers = 2\n[pool b]\ncommand = y\n",
                "d": "command = z\n",
            ]
        ).configuration.pools
        #expect(pools.map(\.name) == ["a", "b", "c"])
        #expect(pools.map(\.command) == [["x"], ["y"], ["z"]])
        #expect(pools.map(\.workers) == [.count(2), .count(1), .count(1)])
    }

    @Test func includeCyclesAreNamed() {
        let text = loadError(
            ["-c", "d/a"],
            files: ["d/a": "include = b\n", "d/b": "include = ../d/a", "d/../d/a": ""])
        #expect(text.contains("d/b:1: include: d/../d/a is included recursively (d/a → d/b → d/a)"))
    }

    @Test func includesEndSomewhere() {
        var files: [String: String] = [:]
        for depth in 0..<20 { files["f\(depth)"] = "include = f\(depth + 1)\n" }
        #expect(
            loadError(["-c", "f0"], files: files).contains("too many nested or repeated includes"))
        for depth in 0..<12 {
            files["f\(depth)"] = String(repeating: "include = f\(depth + 1)\n", count: 9)
        }
        files["f12"] = ""
        #expect(
            loadError(["-c", "f0"], files: files).contains("too many nested or repeated includes"))
    }

    @Test func paths() {
        #expect(ConfigPath.normal("/a/./b/../c") == "/a/c")
        #expect(ConfigPath.normal("../a") == "../a")
        #expect(ConfigPath.resolve("x", relativeTo: "y") == "x")
        #expect(ConfigPath.resolve("/x", relativeTo: "/a/y") == "/x")
        #expect(ConfigPath.stem("/a/b.c.conf") == "b.c")
        #expect(ConfigPath.stem(".conf") == ".conf")
    }

    @Test func environmentFiles() throws {
        let configuration = try load(
            file: "command = x\nenv-file = e\nenv-file = f\nenv = A=last\n"
        ).configuration
        let files = inMemory([
            "e": "\u{FEFF}# c\n; c\n\nA=1\r\nexport B=\" x\\n\"\n  C = 'no'\n".replacing(
                " = ", with: "="),
            "f": "D='\\n'\n",
        ])
        let pool = try configuration.inliningEnvironmentFiles(files).pools[0]
        #expect(pool.environmentFiles.isEmpty)
        #expect(pool.environment.map(\.name) == ["A", "B", "C", "D", "A"])
        #expect(pool.environment.map(\.value) == ["1", " x\n", "no", "\\n", "last"])
    }

    @Test func environmentFileErrors() throws {
        let configuration = try load(
            file: "command = x\nenv-file = e\nenv-file = missing\n"
        ).configuration
        let text = errorText { () throws(SettingsError) in
            _ = try configuration.inliningEnvironmentFiles(inMemory(["e": "A=1\nB\nC=\"x\n"]))
        }
        let allowed =
            "; allowed: KEY=VALUE; a VALUE that begins with a quote must end with the same "
            + "quote"
        #expect(
            text
                == """
                e:2: the line is not a variable\(allowed)
                e:3: the line has an unclosed quote\(allowed)
                pool default: env-file: missing: no such file
                """)
    }
}
