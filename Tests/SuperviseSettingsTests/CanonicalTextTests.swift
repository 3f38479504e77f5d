import SuperviseCore
import Testing

@testable import SuperviseSettings

@Suite struct CanonicalTextTests {
    @Test func anyConfigurationSurvives() throws {
        var random = RandomConfiguration(generator: SeededGenerator(state: 3))
        for _ in 0..<500 {
            let configuration = random.next()
            let text = configuration.canonicalText
            #expect(try Configuration(canonicalText: Array(text.utf8)) == configuration)
            let effective = configuration.effectiveText()
            #expect(try Configuration(canonicalText: Array(effective.utf8)) == configuration)
        }
    }

    @Test func everyValueIsWritten() throws {
        let configuration = try load(["--", "x"]).configuration
        #expect(
            configuration.canonicalText.hasPrefix(
                """
                name = x
                log-level = info
                log-format = auto
                log-file = stderr
                control = auto
                control-mode = 0600
                status-routes = no

                [pool default]
                backlog = 2048
                socket-mode = 0660
                nonblocking = no
                pass-listeners = yes
                command = x
                before-start-timeout = off
                workers = 1
                boot-parallel = auto
                clear-env = no
                adopt = auto
                count = auto
                request-info = auto
                mold = off
                mold-shares = refuse
                scale-up-after = 100ms
                scale-down-after = 60s
                scale-by = requests
                schedule-timezone = local
                overlap = skip
                output = inherit
                output-overflow = drop
                output-max-size = 50M
                output-keep = 5
                ready = auto

                """))
    }

    @Test func theTextIsReadWithoutFiles() {
        let text = errorText { () throws(SettingsError) in
            _ = try Configuration(canonicalText: Array("include = x\n".utf8))
        }
        #expect(text == "settings:1: include: x: no such file")
    }

    @Test func aReloadKnowsWhatWaitsForARestart() throws {
        let old = try load(["--", "x"]).configuration
        let new = try load(["--pidfile", "p", "--log-level=debug", "-w3", "--", "x"]).configuration
        #expect(new.keysWaitingForRestart(since: old) == ["pidfile"])
    }

    @Test func checkShowsWhatWasChanged() throws {
        let text = try load(["-w", "3", "--", "x"]).configuration.effectiveText()
        #expect(text.contains("\nworkers = 3\n"))
        #expect(text.contains("\n# backlog = 2048\n"))
        #expect(text.contains("\n# umask: the master's\n"))
        #expect(text.contains("\n# name = x\n"))
    }

    @Test func checkShowsWhatDefaultsComeTo() throws {
        let file =
            "stop-signal = INT\ncommand = x\n[pool web]\nbind = :80\n[pool jobs]\nworkers = 2"
        let text = try load(file: file).configuration.effectiveText(configPath: "a.conf")
        let pools = text.split(separator: "[pool jobs]")
        #expect(pools[0].contains("\n# name = a\n"))
        #expect(pools[0].contains("\n# max-surge = 1\n# max-unavailable = 0\n"))
        #expect(pools[1].contains("\n# max-surge = 0\n# max-unavailable = 1\n"))
        #expect(pools[1].contains("\n# quick-signal = INT\n"))
        let named = try load(["--name", "n"], file: file).configuration
        #expect(named.effectiveText(configPath: "a.conf").contains("\nname = n\n"))
    }
}
