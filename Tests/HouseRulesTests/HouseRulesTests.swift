import Background
import Foundation
import Testing

/// House rules that a reviewer would otherwise have to check: what may import what, and what the
/// sources must not contain.
@Suite(.inBackground) struct HouseRulesTests {
    private struct Source {
        let path: String
        let lines: [String]

        /// The lines without comments and without the contents of string literals.
        var code: [String] {
            lines.map { line in
                var code = line.replacing(/"([^"\\]|\\.)*"/, with: "\"\"")
                if let comment = code.firstRange(of: "//") {
                    code = String(code[..<comment.lowerBound])
                }
                return code
            }
        }
    }

    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func sources(in folder: String, suffix: String) throws -> [Source] {
        let top = root.appendingPathComponent(folder)
        let paths = try FileManager.default.subpathsOfDirectory(atPath: top.path)
        return try paths.filter { $0.hasSuffix(suffix) }.sorted().map { path in
            let text = try String(contentsOf: top.appendingPathComponent(path), encoding: .utf8)
            return Source(
                path: "\(folder)/\(path)", lines: text.components(separatedBy: .newlines))
        }
    }

    private static func findings(of pattern: some RegexComponent, in folder: String) throws
        -> [String]
    {
        try sources(in: folder, suffix: ".swift").flatMap { source in
            source.code.enumerated().filter { $0.element.contains(pattern) }
                .map { "\(source.path):\($0.offset + 1): \($0.element)" }
        }
    }

    @Test func theSearchFindsWhatIsThere() throws {
        #expect(
            try Self.findings(of: /\bmutating func handle\(/, in: "Sources/SuperviseCore") != [])
    }

    /// The child of a plain fork shares locks with threads that it does not have, so starts use the
    /// C shim.
    @Test func swiftNeverForks() throws {
        #expect(try Self.findings(of: /\bv?fork\s*\(/, in: "Sources") == [])
    }

    @Test func errorsAreNeitherDroppedNorForced() throws {
        #expect(try Self.findings(of: /\btry[?!]|\bfatalError\(|@unchecked/, in: "Sources") == [])
    }

    /// The core is a function of its events, and the settings are one of their texts.
    @Test func theInnerLayersImportNothingOfTheSystem() throws {
        #expect(try Self.findings(of: /\bimport\b/, in: "Sources/SuperviseCore") == [])
        #expect(
            try Self.findings(of: /\bimport (?!SuperviseCore|=)/, in: "Sources/SuperviseSettings")
                == [])
    }

    /// Requests and responses are bytes; other targets hold the sockets.
    @Test func theControlProtocolHoldsNoSocket() throws {
        #expect(
            try Self.findings(
                of: /\bimport (?!SuperviseCore|FoundationEssentials)/,
                in: "Sources/SuperviseControl") == [])
    }

    @Test func theKernelsSideKnowsNoPools() throws {
        #expect(
            try Self.findings(of: /\bimport Supervise|\bPool\b/, in: "Sources/SuperviseLinux")
                == [])
    }

    @Test func onlyTheInterpreterSwitchesOverActions() throws {
        let switches = try Self.findings(
            of: /case \.interruptAcceptors/, in: "Sources/SuperviseMaster")
        #expect(switches.count == 1)
    }

    @Test func filesStayReadable() throws {
        for source in try Self.sources(in: "Sources", suffix: ".swift")
            + Self.sources(in: "Sources", suffix: ".c")
        {
            #expect(source.lines.count <= 300, "\(source.path)")
        }
    }

    /// Targets whose functions and comments have a bounded size.
    private static let targetsInShortPieces = ["SuperviseCore", "SuperviseMaster"]

    @Test func functionsStayReadable() throws {
        let heads = /^ *([a-z@()]+ )*(func|init|subscript)\b/
        for target in Self.targetsInShortPieces {
            for source in try Self.sources(in: "Sources/" + target, suffix: ".swift") {
                for (first, line) in source.lines.enumerated()
                where line.contains(heads) && !line.hasSuffix("}") {
                    let indent = String(line.prefix { $0 == " " })
                    let body = source.lines[first...].dropFirst()
                    // The first line at its indentation is the end of its head, or of its body.
                    guard let next = body.firstIndex(where: { $0.isPiece(at: indent) }) else {
                        continue
                    }
                    var end = next
                    if source.lines[next].hasSuffix("{") {
                        end = body[(next + 1)...].firstIndex { $0 == indent + "}" } ?? next
                    } else if !line.hasSuffix("{") {
                        continue
                    }
                    #expect(end - first < 60, "\(source.path):\(first + 1)")
                }
            }
        }
    }

    @Test func commentsAreWrapped() throws {
        for target in Self.targetsInShortPieces {
            for source in try Self.sources(in: "Sources/" + target, suffix: ".swift") {
                for (index, line) in source.lines.enumerated()
                where line.count > 100 && line.contains(/^ *\/\//) {
                    Issue.record("\(source.path):\(index + 1) has \(line.count) columns")
                }
            }
        }
    }

    /// Targets whose comments and messages follow the rules for plain English.
    private static let targetsInPlainEnglish = [
        "CSupervise", "CSupervisePage", "CSupervisePreload", "SuperviseClient", "SuperviseControl",
        "SuperviseCore",
        "SuperviseLinux", "SuperviseMaster", "SuperviseSettings",
        "SuperviseState", "SuperviseWorker", "hello-worker", "supervise",
    ]

    /// Metaphors and personification: a program logs, reports and samples instead.
    @Test func theEnglishIsPlain() throws {
        let banned =
            /\b(doors?|ears?|bells?|strangers?|[Ww]hoever|[Ss]omebody|looks? at|looked at|hears?|tells?|(is|are|was|were) told|[Ff]or want of|any more|go(es)? on)\b/
        for target in Self.targetsInPlainEnglish {
            for suffix in [".swift", ".c", ".h", ".js", ".html"] {
                for source in try Self.sources(in: "Sources/" + target, suffix: suffix) {
                    for (index, line) in source.lines.enumerated() {
                        if let match = line.firstMatch(of: banned) {
                            Issue.record("\(source.path):\(index + 1): \"\(match.0)\"")
                        }
                    }
                }
            }
        }
    }

    /// The guide for newcomers names files, which are moved and renamed.
    @Test func theGuideToTheSourceNamesFilesThatExist() throws {
        let sources = Self.root.appendingPathComponent("Sources")
        let guide = try String(
            contentsOf: sources.appendingPathComponent("README.md"), encoding: .utf8)
        #expect(guide.components(separatedBy: .newlines).count <= 121)
        let paths = guide.matches(of: /`([A-Za-z]+\/[A-Za-z+\/.]+)`/).map { String($0.1) }
        #expect(paths.count > 30)
        for path in paths {
            let isThere = [sources, Self.root].contains {
                FileManager.default.fileExists(atPath: $0.appendingPathComponent(path).path)
            }
            #expect(isThere, "Sources/README.md names \(path)")
        }
    }

    @Test func thePackageHasNoDependencies() throws {
        let manifest = try String(
            contentsOf: Self.root.appendingPathComponent("Package.swift"), encoding: .utf8)
        #expect(!manifest.contains(".package("))
    }
}

extension String {
    /// Whether the line has this indentation and no more.
    fileprivate func isPiece(at indent: String) -> Bool {
        hasPrefix(indent) && !isEmpty && !dropFirst(indent.count).hasPrefix(" ")
            && count > indent.count
    }
}
