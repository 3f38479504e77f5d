import Testing

@testable import SuperviseSettings

@Suite struct CommandTests {
    @Test(
        arguments: [
            ("", []), ("  \t ", []), ("a", ["a"]), (" a  b\tc ", ["a", "b", "c"]),
            ("sh -c 'a b'", ["sh", "-c", "a b"]), ("a\\ b", ["a b"]), ("''", [""]),
            ("\"\"x", ["x"]),
            ("'a'\"b\"c", ["abc"]), ("\"a\\\"b\\n\\$\"", ["a\"b\\n$"]), ("'\\'", ["\\"]),
            ("$'a\\n\\t\\x41\\'b'", ["a\n\tA'b"]), ("$HOME", ["$HOME"]), ("é ü", ["é", "ü"]),
        ] as [(String, [String])])
    func splits(text: String, words: [String]) throws {
        #expect(try ShellWords.split(text) == words)
        #expect(try ShellWords.split(ShellWords.join(words)) == words)
    }

    @Test(arguments: [
        ("'a", ValueFault.unterminatedQuote("'a")), ("\"a\\\"", .unterminatedQuote("\"a\\\"")),
        ("$'a", .unterminatedQuote("$'a")), ("a\\", .unknownEscape("a\\")),
        ("$'\\q'", .unknownEscape("$'\\q'")), ("$'\\x0'", .unknownEscape("$'\\x0'")),
        ("$'\\x00'", .unknownEscape("$'\\x00'")), ("a\0b", .containsNUL),
    ])
    func refuses(text: String, fault: ValueFault) {
        #expect(outcome { () throws(ValueFault) in try ShellWords.split(text) } == .failure(fault))
    }

    @Test func anyWordsSurviveJoining() throws {
        var generator = SeededGenerator(state: 1)
        for _ in 0..<5000 {
            let words = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                anyText(&generator)
            }
            let joined = ShellWords.join(words)
            #expect(try ShellWords.split(joined) == words)
            #expect(!joined.contains("\n"))
        }
    }

    @Test func anyTextSurvivesQuoting() throws {
        var generator = SeededGenerator(state: 2)
        for _ in 0..<5000 {
            let text = anyText(&generator)
            let quoted = Quoting.quote(text)
            #expect(try Quoting.unquote(SettingsLines.trimmed(quoted)) == text)
        }
    }

    @Test(arguments: [
        ("\"a", ValueFault.unterminatedQuote("\"a")), ("\"a\"b", .textAfterQuote("\"a\"b")),
        ("'a' b", .textAfterQuote("'a' b")), ("\"\\q\"", .unknownEscape("\"\\q\"")),
        ("\"\\x00\"", .containsNUL), ("\"\\", .unknownEscape("\"\\")),
    ])
    func refusesQuotes(text: String, fault: ValueFault) {
        #expect(outcome { () throws(ValueFault) in try Quoting.unquote(text) } == .failure(fault))
    }

    @Test(arguments: [
        ("{fd}", "3"), ("--fd={fd:1}", "--fd=4"), ("{slot}/{pool}", "7/web"), ("{fd:2}", "{fd:2}"),
        ("{}", "{}"), ("{{fd}}", "{3}"), ("{\"a\":{slot}}", "{\"a\":7}"), ("{fd", "{fd"),
        ("fd}", "fd}"), ("{FD}", "{FD}"), ("{fd:}", "{fd:}"), ("{fd:99999}", "{fd:99999}"),
        ("é{slot}é", "é7é"), ("{\u{301}fd}{slot}", "{\u{301}fd}7"),
    ])
    func placeholders(word: String, expanded: String) {
        #expect(
            expandPlaceholders([word], descriptors: [3, 4], slot: 7, pool: "web") == [expanded])
    }

    @Test func largestDescriptor() {
        #expect(largestDescriptorPlaceholder(in: ["{fd:3}", "{fd}"]) == 3)
        #expect(largestDescriptorPlaceholder(in: ["{slot}"]) == nil)
    }

    private func anyText(_ generator: inout SeededGenerator) -> String {
        let alphabet: [Character] = [
            "a", "Z", "0", " ", "\t", "\n", "\r", "\r\n", "\\", "'", "\"", "$", "`", "#", ";", "=",
            "[", "]", "{", "}", "\u{1}", "\u{7F}", "é", "\u{301}", "😀", "\u{2028}",
        ]
        return String(
            (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                generator.pick(alphabet)
            })
    }
}
