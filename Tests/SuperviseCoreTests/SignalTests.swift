import Testing

@testable import SuperviseCore

/// Signals by name and number (Signal.swift).
struct SignalTests {
    @Test(
        arguments: [
            ("TERM", 15), ("SIGTERM", 15), ("term", 15), ("sigint", 2), ("9", 9), ("QUIT", 3),
            ("WINCH", 28), ("34", 34), ("64", 64),
        ] as [(String, Int32)])
    func understood(name: String, number: Int32) {
        #expect(Signal(name: name)?.number == number)
    }

    @Test(arguments: ["", "SIG", "0", "65", "-1", "TERMX", "SIGSIGTERM", "1.5"])
    func refused(name: String) {
        #expect(Signal(name: name) == nil)
    }

    @Test func namesAreReadBack() {
        for number: Int32 in 1...31 {
            let signal = Signal(number: number)
            #expect(Signal(name: "\(signal)") == signal)
        }
        #expect("\(Signal(number: 34))" == "SIG34")
    }
}
