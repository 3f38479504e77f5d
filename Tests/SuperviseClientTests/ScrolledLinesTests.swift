import Testing

@testable import SuperviseClient

/// The visible part of many lines in `top`.
@Suite struct ScrolledLinesTests {
    @Test func keysMoveTheView() {
        var view = ScrolledLines()
        view.lines = (1...50).map { "line \($0)" }
        view.rows = 10
        #expect(view.shown.first == "line 1" && view.shown.count == 10)
        view.move(by: .up)
        #expect(view.shown.first == "line 1")
        view.move(by: .down)
        #expect(view.shown.first == "line 2")
        view.move(by: .pageDown)
        #expect(view.shown.first == "line 11")
        view.move(by: .pageUp)
        #expect(view.shown.first == "line 2")
        view.move(by: .bottom)
        #expect(view.shown.last == "line 50" && view.footer.hasSuffix("lines 41 to 50 of 50"))
        view.move(by: .pageDown)
        #expect(view.shown.last == "line 50")
        view.move(by: .top)
        #expect(view.shown.first == "line 1")
    }

    @Test func fewerLinesOrALargerTerminalMoveItBack() {
        var view = ScrolledLines()
        view.lines = (1...50).map { "\($0)" }
        view.rows = 10
        view.move(by: .bottom)
        view.lines = (1...20).map { "\($0)" }
        #expect(view.shown.last == "20" && view.shown.count == 10)
        view.rows = 15
        #expect(view.shown.first == "6")
        view.rows = 30
        #expect(view.shown.count == 20 && view.footer == "q: quit")
        view.lines = []
        #expect(view.shown == [])
    }

    @Test func keysComeInPieces() {
        var keys = KeyReader()
        #expect(keys.read(Array("j k".utf8)) == [.down, .pageDown, .up])
        #expect(keys.read(Array("\u{1B}[A\u{1B}[6~\u{1B}[H".utf8)) == [.up, .pageDown, .top])
        #expect(keys.read([0x1B]) == [])
        #expect(keys.read(Array("[".utf8)) == [])
        #expect(keys.read(Array("Bq".utf8)) == [.down, .quit])
        // An unknown sequence, and known keys.
        #expect(keys.read(Array("\u{1B}[99~xG".utf8)) == [.bottom])
    }
}
