import SuperviseCore
import Testing

@testable import SuperviseSettings

/// For each key: valid texts with their printed form, and invalid texts.
private let samples: [(key: String, good: [(String, [String])], bad: [String])] = [
    ("bind", [("127.0.0.1:80", ["127.0.0.1:80"]), ("", []), (":1", ["0.0.0.0:1"])], ["80", "x"]),
    ("backlog", [("1", ["1"])], ["0", "1000001", "x", "", "-1"]),
    ("socket-mode", [("666", ["0666"]), ("0600", ["0600"])], ["8", "1000", "", "rw"]),
    ("socket-owner", [("a:b", ["a:b"]), (":b", [":b"]), ("", [])], ["\"\"", "'a", "a:", "a:b:c"]),
    ("nonblocking", [("yes", ["yes"]), ("0", ["no"]), ("ON", ["yes"])], ["", "maybe"]),
    ("pass-listeners", [("no", ["no"]), ("1", ["yes"])], ["", "maybe"]),
    ("command", [("a 'b c'", ["a 'b c'"])], ["", "'a", "''", "a\\"]),
    ("before-start", [("migrate 'a b'", ["migrate 'a b'"]), ("", [])], ["'a", "''"]),
    ("before-start-timeout", [("10m", ["10m"]), ("off", ["off"])], ["x", "-1"]),
    (
        "workers", [("4", ["4"]), ("auto", ["auto"]), ("2..8", ["2..8"]), ("3..3", ["3"])],
        ["0", "100001", "four", "", "-2", "8..2", "0..0", "1..x"]
    ),
    ("boot-parallel", [("auto", ["auto"]), ("4", ["4"])], ["0", "", "x"]),
    (
        "env", [("A=b c", ["A=b c"]), ("A=", ["A="]), ("A=\" \"", ["A=\" \""])],
        ["A", "=b", "A=\"b"]
    ),
    ("env-file", [("/a b", ["/a b"])], ["\""]),
    ("clear-env", [("true", ["yes"])], ["2"]),
    ("chdir", [("/srv", ["/srv"]), ("", [])], ["\"a"]),
    ("user", [("www", ["www"]), ("33", ["33"])], ["\"\""]),
    ("group", [("www", ["www"])], ["\"\""]),
    ("umask", [("27", ["0027"]), ("", [])], ["9", "1777"]),
    ("limit-as", [("4G", ["4G"]), ("unlimited", ["unlimited"])], ["x", "4T", "80%"]),
    ("limit-nofile", [("4096", ["4096"]), ("unlimited", ["unlimited"])], ["4K", "-1"]),
    ("limit-core", [("0", ["0"]), ("UNLIMITED", ["unlimited"])], ["all"]),
    ("nice", [("-20", ["-20"]), ("19", ["19"]), ("", [])], ["-21", "20", "--1", "-"]),
    ("oom-score-adjust", [("-1000", ["-1000"])], ["1001", "x"]),
    ("adopt", [("Seccomp", ["seccomp"]), ("off", ["off"])], ["yes", "", "no"]),
    ("count", [("report", ["report"]), ("PRELOAD", ["preload"])], ["0", "", "connections"]),
    ("request-info", [("report", ["report"]), ("OFF", ["off"])], ["0", "", "preload"]),
    ("mold", [("auto", ["auto"]), ("\"off\"", ["off"]), ("a 'b c'", ["a 'b c'"])], ["'a", ""]),
    ("mold-import", [("shop.asgi", ["shop.asgi"]), ("", [])], ["a b"]),
    ("mold-shares", [("allow", ["allow"]), ("REFUSE", ["refuse"])], ["yes", ""]),
    ("scale-up-after", [("250ms", ["250ms"])], ["1ms", "", "off"]),
    ("scale-down-after", [("5m", ["5m"])], ["1ms", "", "x"]),
    ("scale-by", [("cpu", ["cpu"]), ("REQUESTS", ["requests"])], ["", "memory"]),
    (
        "schedule",
        [
            ("*/5 *  * * *", ["*/5 * * * *"]), ("@hourly", ["@hourly"]),
            ("every 10m", ["every 10m"]),
            ("", []),
        ], ["* * * *", "0 * * * * *", "every 1ms", "10m"]
    ),
    ("schedule-timezone", [("utc", ["UTC"]), ("Local", ["local"])], ["", "Europe/Berlin"]),
    ("overlap", [("queue", ["queue"]), ("SKIP", ["skip"])], ["", "no"]),
    (
        "output",
        [
            ("prefix", ["prefix"]), ("none", ["none"]),
            ("/a/{pool}-{slot}.log", ["/a/{pool}-{slot}.log"]),
        ],
        ["", "file", "/a/", "/a/{fd}"]
    ),
    ("output-overflow", [("block", ["block"]), ("Drop", ["drop"])], ["", "wait"]),
    (
        "output-max-size", [("1G", ["1G"]), ("off", ["off"]), ("0", ["off"])],
        ["x", "-1", "5%", ""]
    ),
    ("output-keep", [("0", ["0"]), ("1000", ["1000"])], ["-1", "1001", ""]),
    (
        "ready", [("notify", ["notify"]), ("2s", ["2s"]), ("EXEC", ["exec"])],
        ["0", "now", "", "2x"]
    ),
    ("ready-timeout", [("5m", ["5m"])], ["0", "off", ""]),
    ("max-requests", [("1000", ["1000"]), ("off", ["0"])], ["many", "-1", "1K", ""]),
    ("max-requests-jitter", [("100", ["100"])], ["10%", ""]),
    ("max-lifetime", [("1h", ["1h"]), ("off", ["off"]), ("0", ["off"])], ["", "1y"]),
    ("max-lifetime-jitter", [("0", ["0s"]), ("10m", ["10m"])], ["x"]),
    (
        "max-rss", [("512M", ["512M"]), ("off", ["off"]), ("0", ["off"]), ("80%", ["80%"])],
        ["", "0K", "1", "1048575", "big", "0%", "101%", "1.5%", "%"]
    ),
    ("kill-rss", [("1.5G", ["1536M"]), ("1M", ["1M"]), ("100%", ["100%"])], ["x%"]),
    ("warn-rss", [("400M", ["400M"]), ("90%", ["90%"]), ("off", ["off"])], [""]),
    ("max-pool-rss", [("2G", ["2G"]), ("60%", ["60%"]), ("off", ["off"])], ["much"]),
    ("memory-metric", [("pss", ["pss"]), ("USS", ["uss"])], ["vsz", ""]),
    ("memory-scope", [("process", ["process"])], ["all", ""]),
    ("memory-interval", [("10ms", ["10ms"])], ["9ms", "0"]),
    ("memory-samples", [("3", ["3"])], ["0", "1001"]),
    ("min-lifetime", [("0", ["0s"])], ["x"]),
    ("memory-pressure", [("auto", ["auto"]), ("OFF", ["off"])], ["on", ""]),
    ("before-recycle", [("a 'b c'", ["a 'b c'"]), ("", [])], ["'a", "''"]),
    ("evidence-signal", [("USR2", ["USR2"]), ("", [])], ["x", "KILL"]),
    ("memory-log", [("/a b", ["/a b"]), ("", [])], ["\"a"]),
    ("memory-log-interval", [("5m", ["5m"]), ("100ms", ["100ms"])], ["99ms", "off"]),
    ("max-surge", [("2", ["2"]), ("25%", ["25%"]), ("", [])], ["101%", "-1", "%", "x"]),
    ("max-unavailable", [("0", ["0"]), ("0%", ["0%"])], ["1.5", "100001"]),
    ("max-hold", [("1h", ["1h"])], [""]),
    (
        "stop-signal", [("SIGQUIT", ["QUIT"]), ("15", ["TERM"]), ("34", ["SIG34"])],
        ["", "FOO", "65", "KILL", "STOP", "SIGTSTP", "18"]
    ),
    ("quick-signal", [("int", ["INT"]), ("KILL", ["KILL"]), ("", [])], ["0", "STOP", "CONT"]),
    ("graceful-timeout", [("0", ["0s"]), ("2m", ["2m"])], ["off"]),
    ("drain", [("signal", ["signal"]), ("OBSERVE", ["observe"])], ["off", "1s"]),
    ("drain-delay", [("0", ["0s"]), ("15s", ["15s"])], ["off"]),
    ("reopen-signal", [("USR1", ["USR1"])], ["usr3", "KILL"]),
    ("timeout", [("off", ["off"]), ("30s", ["30s"])], ["soon"]),
    ("stall-timeout", [("off", ["off"]), ("2m", ["2m"])], ["never"]),
    ("request-timeout", [("off", ["off"]), ("0", ["off"]), ("30", ["30s"])], ["never", ""]),
    ("restart", [("on-failure", ["on-failure"]), ("NEVER", ["never"])], ["sometimes"]),
    ("backoff", [("1ms", ["1ms"])], ["0"]),
    ("backoff-max", [("5m", ["5m"])], ["0"]),
    ("stable-after", [("0", ["0s"])], ["x"]),
    ("canary-check", [("OFF", ["off"]), ("auto", ["auto"])], ["", "yes", "0"]),
    ("boot-attempts", [("1", ["1"])], ["0"]),
    ("name", [("shop.web@1", ["shop.web@1"]), ("", [])], ["a/b", "a b"]),
    ("pidfile", [("/run/a.pid", ["/run/a.pid"])], ["\"\""]),
    ("log-level", [("debug", ["debug"]), ("WARNING", ["warning"])], ["loud"]),
    ("log-format", [("json", ["json"])], ["xml"]),
    ("log-file", [("stderr", ["stderr"]), ("a.log", ["a.log"])], ["", "\"a"]),
    (
        "control", [("auto", ["auto"]), ("none", ["none"]), ("/run/a.sock", ["/run/a.sock"])],
        ["", "\"a", String(repeating: "a", count: 108)]
    ),
    ("control-mode", [("660", ["0660"])], ["8", ""]),
    ("control-owner", [(":ops", [":ops"]), ("", [])], ["a:b:c"]),
    (
        "status-bind",
        [("127.0.0.1:9090", ["127.0.0.1:9090"]), ("unix:/a", ["unix:/a"]), ("", [])],
        ["fd://3", "unix:@a", "systemd:x", "9090"]
    ),
    ("status-routes", [("yes", ["yes"]), ("Off", ["no"])], ["", "GET /"]),
    (
        "on-event",
        [
            ("crash,memory-alarm  notify 'a b'", ["crash,memory-alarm notify 'a b'"]),
            ("all x", ["all x"]), ("", []),
        ],
        ["crash", "crash ''", "crsh x", "crash, x", "'a"]
    ),
]

@Suite struct SettingTests {
    @Test func everySettingHasSamples() {
        #expect(samples.map(\.key) == Setting.keys)
    }

    @Test func goodValuesAreStoredAndPrinted() throws {
        for sample in samples {
            let setting = try #require(Setting.named(sample.key))
            for (text, printed) in sample.good {
                let texts = try stored(text, in: setting)
                #expect(texts == printed, "\(sample.key) = \(text)")
                if setting.isRepeatable || texts.isEmpty { continue }
                #expect(try stored(texts[0], in: setting) == texts, "\(sample.key) again")
            }
        }
    }

    @Test func badValuesAreRefusedWithWhatIsAllowed() throws {
        for sample in samples {
            let setting = try #require(Setting.named(sample.key))
            for text in sample.bad {
                let source = SettingSource.file(path: "a.conf", line: 1)
                let problem = Assignment(key: sample.key, text: text, source: source).problem
                let message = try #require(problem, "\(sample.key) = \(text)").message
                #expect(message.hasSuffix("; allowed: " + setting.allowed))
            }
        }
    }

    @Test func keysAreUnique() {
        #expect(Set(Setting.keys).count == Setting.keys.count)
        let letters = Setting.all.compactMap(\.shortOption)
        #expect(Set(letters).count == letters.count)
        #expect(Set(letters).isDisjoint(with: ["c", "h"]))
    }

    @Test func textsAreComplete() {
        for setting in Setting.all {
            #expect(!setting.summary.hasSuffix("."), "\(setting.key)")
            #expect(setting.details.hasSuffix("."), "\(setting.key)")
            #expect(setting.details.contains("\(setting.key) = "), "\(setting.key)")
            #expect(!setting.details.contains("\n"), "\(setting.key)")
            #expect(!setting.details.contains("  "), "\(setting.key)")
        }
    }

    @Test func examplesInTheTextsAreValues() throws {
        for setting in Setting.all {
            let parts = setting.details.components(after: "\(setting.key) = ")
            for part in parts {
                // Only these values have blanks or commas; their examples come last.
                let isList = ["on-event", "schedule"].contains(setting.key)
                let end = part.firstIndex { !isList && ($0 == "," || $0 == " ") } ?? part.endIndex
                let text = String(part[..<end]).trimmingFullStop
                #expect(throws: Never.self, "\(setting.key) = \(text)") {
                    try stored(text, in: setting)
                }
            }
        }
    }

    @Test func defaultsAreThoseOfTheModel() throws {
        #expect(Setting.named("backlog")?.defaultText == "2048")
        #expect(Setting.named("max-rss")?.defaultText == "off")
        #expect(Setting.named("ready-timeout")?.defaultText == "60s")
        #expect(Setting.named("stop-signal")?.defaultText == "TERM")
        #expect(Setting.named("user")?.defaultText == "none")
        #expect(Setting.named("socket-mode")?.defaultText == "0660")
        #expect(Setting.named("max-hold")?.defaultText == "15m")
        #expect(Setting.named("max-rss")?.environmentVariable == "SUPERVISE_MAX_RSS")
    }

    private func stored(_ text: String, in setting: Setting) throws -> [String] {
        switch setting.field {
        case .master(let field):
            var model = MasterSettings()
            try field.store(text, &model)
            return field.texts(model)
        case .pool(let field):
            var model = PoolSettings(name: "p")
            try field.store(text, &model)
            return field.texts(model)
        }
    }
}

extension String {
    fileprivate func components(after marker: String) -> [Substring] {
        var rest = Substring(self)
        var parts: [Substring] = []
        while let range = rest.firstRange(of: marker) {
            rest = rest[range.upperBound...]
            parts.append(rest)
        }
        return parts
    }

    fileprivate var trimmingFullStop: String { hasSuffix(".") ? String(dropLast()) : self }
}
