import Foundation
import Testing

@testable import SuperviseSettings

/// The repository of this file.
private let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

@Suite struct RenderingTests {
    @Test func theHelpHasEverySettingAndFitsAScreenOrTwo() {
        let lines = HelpTopic.full.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 140)
        #expect(lines.allSatisfy { $0.count <= 100 })
        for setting in Setting.all {
            #expect(
                lines.contains { $0.contains("--\(setting.key) ") && $0.contains(setting.summary) })
        }
        let brief = HelpTopic.brief.text.split(separator: "\n")
        #expect(brief.count <= 24)
        #expect(brief.contains { $0.contains("--max-rss") })
    }

    @Test func everyTopicHasAText() throws {
        for name in HelpTopic.names {
            let text = try #require(HelpTopic(name), "\(name)").text
            #expect(text.utf8.count > 80, "\(name)")
            #expect(text.hasSuffix("\n") && !text.hasSuffix("\n\n"), "\(name)")
        }
        let topics = HelpTopic.page(.topics).text
        for name in HelpTopic.names { #expect(topics.contains(name), "\(name)") }
    }

    /// The help follows the same rules as the sources (HouseRulesTests), and one more: a sentence states
    /// a fact about the program instead of giving it a voice.
    @Test func theHelpIsPlainEnglish() {
        let banned =
            /\b(doors?|ears?|bells?|strangers?|[Ww]hoever|[Ss]omebody|[Nn]obody|looks? at|looked at|hears?|tells?|told|says?|[Ff]or want of|not any more|go(es)? on|so many)\b/
        for name in HelpTopic.names {
            for line in HelpTopic(name)?.text.split(separator: "\n") ?? [] {
                #expect(line.firstMatch(of: banned) == nil, "\(name): \(line)")
            }
        }
    }

    @Test func aSettingIsExplained() {
        #expect(
            HelpTopic.setting(key: "memory-samples").text == """
                --memory-samples N: consecutive samples above max-rss before a worker is recycled.

                A value above 1 tolerates short peaks. Example: memory-samples = 3.

                  Allowed:       1 to 1000
                  Default:       1
                  Config file:   memory-samples = N
                  Environment:   SUPERVISE_MEMORY_SAMPLES
                  Scope:         each pool
                  Takes effect:  at once, when a reload is committed

                """)
    }

    @Test(arguments: ManualPage.Name.allCases)
    func manualPagesAreWellFormed(name: ManualPage.Name) {
        let page = ManualPage.roff(name, version: "1.2.3")
        let lines = page.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let known: Set<Substring> = [
            ".TH", ".SH", ".SS", ".TP", ".B", ".BR", ".PP", ".br", ".nf", ".fi", ".RS", ".RE",
        ]
        for line in lines {
            #expect(!line.isEmpty)
            if line.hasPrefix(".") {
                #expect(known.contains(line.prefix { $0 != " " }), "\(line)")
            }
            #expect(!line.hasPrefix("'"))
            for part in line.split(separator: "\\", omittingEmptySubsequences: false).dropFirst() {
                let isEscape = ["-", "e", "&", "(dq"].contains { part.hasPrefix($0) }
                #expect(isEscape, "\(line)")
            }
        }
        let sections = lines.filter { $0.hasPrefix(".SH ") }.map { $0.dropFirst(4) }
        let expected =
            switch name {
            case .supervise:
                [
                    "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "CONFIG FILE",
                    "ENVIRONMENT", "SIGNALS", "EXIT STATUS", "EXAMPLES", "SEE ALSO",
                ]
            case .conf: ["NAME", "SYNOPSIS", "DESCRIPTION", "KEYS", "EXAMPLE", "SEE ALSO"]
            }
        #expect(sections.map(String.init) == expected)
        #expect(page.contains("\"supervise 1.2.3\""))
        for setting in Setting.all {
            let key = setting.key.replacing("-", with: "\\-")
            #expect(page.contains(name == .supervise ? "\\-\\-" + key : ".B " + key + " = "))
        }
        #expect(lines.count { $0 == ".nf" } == lines.count { $0 == ".fi" })
        #expect(lines.count { $0.hasPrefix(".RS") } == lines.count { $0 == ".RE" })
    }

    @Test func theExampleFileIsTheGeneratedOne() throws {
        let committed = try String(
            contentsOf: root.appendingPathComponent("conf/supervise.conf"), encoding: .utf8)
        #expect(
            committed == HelpTopic.page(.conf).text,
            "run: supervise help conf > conf/supervise.conf")
    }

    @Test func theExampleFileWorks() throws {
        let configuration = try load(file: ExampleConfiguration.text).configuration
        #expect(configuration.pools.map(\.name) == ["web", "jobs"])
        #expect(configuration.pools[0].command == [".build/release/hello-worker"])
        #expect(configuration.pools[1].command == ["sh", "-c", "while :; do sleep 1; done"])
    }

    @Test func theExampleFilesCommentsHoldTheDefaults() throws {
        for setting in Setting.all {
            #expect(ExampleConfiguration.text.contains("\n#\(setting.key) = "))
            guard setting.defaultRemark == nil, setting.defaultText != "none" else { continue }
            let line = "\(setting.key) = \(setting.defaultText)\n"
            #expect(ExampleConfiguration.text.contains("\n#" + line))
            #expect(try load(file: line + "command = x\n") == load(file: "command = x\n"))
        }
    }

    @Test func theGuideToTheSettingsIsTheGeneratedOne() throws {
        let committed = try String(
            contentsOf: root.appendingPathComponent("conf/guides/settings.md"), encoding: .utf8)
        #expect(
            committed == SettingsTable.markdown,
            "run: supervise help settings > conf/guides/settings.md")
    }

    /// A newcomer reads it in a few minutes; everything else is in the guides.
    @Test func theReadmeIsShortAndItsLinksExist() throws {
        let text = try String(
            contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 151)
        let folder = root.appendingPathComponent("conf/guides")
        let guides = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        for guide in guides where guide.hasSuffix(".md") {
            #expect(text.contains("(conf/guides/\(guide))"), "\(guide) is not in the README")
        }
        for link in text.matches(of: /\]\(([^)#:]+)\)/) {
            let path = root.appendingPathComponent(String(link.1)).path
            #expect(FileManager.default.fileExists(atPath: path), "\(link.1)")
        }
        for guide in guides where guide.hasSuffix(".md") {
            let text = try String(
                contentsOf: folder.appendingPathComponent(guide), encoding: .utf8)
            for link in text.matches(of: /\]\(([^)#:]+)\)/) {
                let path = folder.appendingPathComponent(String(link.1)).path
                #expect(FileManager.default.fileExists(atPath: path), "\(guide): \(link.1)")
            }
        }
    }

    @Test func tablesAreMarkdown() {
        for line in SettingsTable.markdown.split(separator: "\n") where line.hasPrefix("|") {
            #expect(line.replacing("\\|", with: "").count { $0 == "|" } == 4, "\(line)")
        }
    }
}
