import SuperviseCore
import Testing

@testable import SuperviseSettings

@Suite struct LayerTests {
    @Test func precedence() throws {
        let file = "workers = 2\ncommand = x\n"
        let web = ["WEB_CONCURRENCY": "9"]
        let both = ["WEB_CONCURRENCY": "9", "SUPERVISE_WORKERS": "3"]
        #expect(try pool(["--", "x"]).workers == .count(1))
        #expect(try pool(["--", "x"], environment: web).workers == .count(9))
        #expect(try pool(file: file, environment: web).workers == .count(2))
        #expect(try pool(file: file, environment: both).workers == .count(3))
        #expect(try pool(["-w", "4"], file: file, environment: both).workers == .count(4))
        #expect(
            try pool(["-w", "4", "--pool", "default.workers=5"], file: file, environment: both)
                .workers == .count(5))
    }

    @Test func theLastOptionCounts() throws {
        #expect(try pool(["-w", "4", "-w5", "--", "x"]).workers == .count(5))
    }

    @Test func repeatableKeysAddUpWithinALayer() throws {
        let file = "bind = :1\nbind = :2\ncommand = x\n"
        #expect(try pool(file: file).binds.map(\.description) == ["0.0.0.0:1", "0.0.0.0:2"])
        #expect(try pool(["-b", ":3", "-b:4"], file: file).binds.count == 2)
        #expect(
            try pool(["-b", ":3"], file: file, environment: ["SUPERVISE_BIND": ":4"])
                .binds.map(\.description) == ["0.0.0.0:3"])
        #expect(try pool(["--bind="], file: file).binds.isEmpty)
        #expect(try pool(["--bind=", "-b:5"], file: file).binds.count == 1)
        #expect(try pool(file: file, environment: ["SUPERVISE_BIND": ""]).binds.isEmpty)
    }

    @Test func aSectionReplacesWhatAllPoolsShare() throws {
        let pools = try load(
            file: "env = A=1\nuser = www\n[pool a]\ncommand = x\nenv = B=2\n[pool b]\ncommand = x\n"
                + "user =\n"
        ).configuration.pools
        #expect(pools[0].environment.map(\.name) == ["B"])
        #expect(pools[1].environment.map(\.name) == ["A"])
        #expect(pools.map(\.user) == ["www", nil])
    }

    @Test func portAndConcurrencyAreForTheSingleDefaultPool() throws {
        let environment = ["PORT": "80", "WEB_CONCURRENCY": "9"]
        #expect(try pool(["--", "x"], environment: environment).binds.count == 1)
        #expect(
            try pool(file: "[pool web]\ncommand = x\n", environment: environment)
                == pool(file: "[pool web]\ncommand = x\n"))
        #expect(
            try pool(file: "[pool default]\ncommand = x\n", environment: environment).binds
                == [.tcp(host: "0.0.0.0", port: 80)])
        #expect(try pool(["--bind=", "--", "x"], environment: environment).binds.isEmpty)
        #expect(try pool(["--", "x"], environment: ["PORT": ""]).binds.isEmpty)
    }

    @Test func badDefaultsFromTheEnvironment() throws {
        #expect(
            loadError(["--", "x"], environment: ["WEB_CONCURRENCY": "x"])
                == "environment variable WEB_CONCURRENCY: \"x\" is not a whole number; "
                + "allowed: 1 to 100000, auto, or a range such as 2..8 or 0..2")
        #expect(
            loadError(["--", "x"], environment: ["PORT": "99999"])
                == "environment variable PORT: \"99999\" is not a port number; "
                + "allowed: 0 to 65535")
        #expect(
            loadError(["--", "x"], environment: ["PORT": "abc"])
                .hasPrefix("environment variable PORT: \"abc\" is not a port number"))
        #expect(
            loadError(["--", "x"], environment: ["PORT": "1:2"])
                .hasPrefix("environment variable PORT: \"1:2\" is not a port number"))
        // An invalid default is reported only if it is in effect.
        #expect(try pool(["-w2", "--", "x"], environment: ["WEB_CONCURRENCY": "x"]).binds == [])
    }

    @Test func poolOptionsWithSeveralPools() throws {
        let file = "[pool a]\ncommand = x\n[pool b]\ncommand = y\n"
        #expect(
            loadError(["-w", "2"], file: file)
                == "-w: workers: is ambiguous, because there are several pools: a, b; write --pool "
                + "a.workers=…"
        )
        #expect(
            loadError(["--", "z"], file: file)
                == "--: command: is ambiguous, because there are several pools: a, b; write --pool "
                + "a.command=…"
        )
        #expect(
            loadError(file: file, environment: ["SUPERVISE_WORKERS": "2"]).hasPrefix(
                "environment variable SUPERVISE_WORKERS: is ambiguous"))
        #expect(
            loadError(["--pool", "aa.workers=2"], file: file)
                == "--pool aa.workers=2: unknown pool \"aa\"; the most similar is a; the pools are: "
                + "a, b")
        let pools = try load(["--pool", "b.workers=2", "--log-level=error"], file: file)
            .configuration.pools
        #expect(pools.map(\.workers) == [.count(1), .count(2)])
    }

    @Test func unknownVariablesAreWarnedOf() throws {
        let warnings = try load(
            ["--", "x"],
            environment: [
                "SUPERVISE_MAX_REQUEST": "1", "SUPERVISE_FOO": "", "SUPERVISE_WORKER_SLOT": "1",
                "HOME": "/",
            ]
        ).warnings
        #expect(
            warnings.map(\.description) == [
                "environment variable SUPERVISE_FOO: is not a setting",
                "environment variable SUPERVISE_MAX_REQUEST: is not a setting; the most similar is "
                    + "SUPERVISE_MAX_REQUESTS",
            ])
    }

    @Test func names() throws {
        #expect(try load(["--", "/usr/bin/my server"]).configuration.master.name == "my-server")
        #expect(try load(file: "command = x").configuration.master.name == "a")
        #expect(try load(["--name", "n", "--", "x"]).configuration.master.name == "n")
    }

    @Test(arguments: [
        (
            "[pool a]\n",
            "pool a: command: not set; write command = PROGRAM ARGUMENTS in the section of the pool"
        ),
        (
            "[pool a]\nbind = :80\ncommand = x\n[pool b]\nbind = 0.0.0.0:80\ncommand = x",
            "a.conf:5: bind: 0.0.0.0:80 is already used by pool a"
        ),
        (
            "bind = unix:/a\nbind = unix:/a\ncommand = x",
            "a.conf:2: bind: unix:/a is given twice"
        ),
        (
            "command = x\nmax-rss = 2G\nkill-rss = 1G",
            "a.conf:3: kill-rss: 1G is below max-rss (2G); allowed: off, or max-rss or more"
        ),
        (
            "command = x\nbackoff = 1m",
            "a.conf:2: backoff-max: 30s is less than backoff (60s)"
        ),
        (
            "command = x\nmax-surge = 0\nmax-unavailable = 0",
            "a.conf:3: max-unavailable: 0 together with max-surge 0 allows no worker to be "
                + "replaced; set one of them to 1 or more"
        ),
        (
            "command = x\nbind = :1\nmax-surge = 0%",
            "a.conf:3: max-surge: 0 together with max-unavailable 0 (the default) allows no "
                + "worker to be replaced; set one of them to 1 or more"
        ),
        (
            "command = x\nmax-unavailable = 0",
            "a.conf:2: max-unavailable: 0 together with max-surge 0 (the default) allows no "
                + "worker to be replaced; set one of them to 1 or more"
        ),
        (
            "command = x\ncount = off\nmax-requests = 5",
            "a.conf:2: count: off conflicts with max-requests (5), which needs a count; "
                + "allowed: auto, report or preload, or max-requests = 0"
        ),
        (
            "command = x --fd {fd}",
            "a.conf:1: command: {fd} refers to a listener that the pool does not have; the pool "
                + "has no bind"
        ),
        (
            "command = x {fd:1}\nbind = :1",
            "a.conf:1: command: {fd:1} refers to a listener that the pool does not have; the pool "
                + "has 1, numbered from 0"
        ),
    ])
    func whatIsWrongTogether(file: String, text: String) {
        #expect(loadError(file: file) == text)
    }

    @Test func whatIsRightTogether() throws {
        #expect(try pool(file: "command = x {fd}", environment: ["LISTEN_FDS": "1"]).binds == [])
        #expect(try pool(file: "command = x {fd:5}\nbind = systemd:web").binds.count == 1)
        #expect(try pool(file: "command = x\nbind = :0\nbind = :0").binds.count == 2)
        #expect(try pool(file: "command = x\nmax-rss = 1G\nkill-rss = 1G").binds == [])
        #expect(
            try pool(file: "command = x\nbind = :1\nmax-surge = 0\nmax-unavailable = 1%")
                .policy.maxUnavailable == .percent(1))
    }

    @Test func anIdleJitterIsWarnedOf() throws {
        #expect(
            try load(file: "command = x\n[pool a]\nmax-lifetime-jitter = 1m\ncommand = y").warnings
                .map(\.description) == [
                    "a.conf:3: max-lifetime-jitter: has no effect while max-lifetime is off"
                ])
        #expect(
            try load(file: "[pool a]\ncommand = x\ncount = off\nstall-timeout = 1m").warnings
                .map(\.description) == [
                    "a.conf:4: stall-timeout: has no effect while count is off"
                ])
        #expect(
            try load(file: "max-requests-jitter = 5\n[pool a]\ncommand = y").warnings.isEmpty)
    }

    @Test func noCommandAtAll() {
        #expect(
            loadError(["-w", "2"])
                == "pool default: command: not set; write it after --, as in: supervise -- "
                + "./server --port 80")
        for empty in ["", "# command = x\n"] {
            #expect(
                loadError(file: empty)
                    == "a.conf: command: not set; write command = PROGRAM ARGUMENTS in the file, or "
                    + "the command after --, as in: supervise -- ./server --port 80")
        }
    }
}
