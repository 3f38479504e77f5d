import Testing

@testable import SuperviseCore

/// Messages of workers (WorkerMessage.swift).
struct WorkerMessageTests {
    private func parse(_ text: String) -> [WorkerMessage] {
        WorkerMessage.parse(Array(text.utf8))
    }

    @Test(
        arguments: [
            ("READY=1", [.ready]),
            ("READY=1\n", [.ready]),
            ("STOPPING=1", [.stopping]),
            ("STATUS=serving 3 clients", [.status("serving 3 clients")]),
            ("STATUS=a=b", [.status("a=b")]),
            ("STATUS=", [.status("")]),
            ("ERRNO=2", [.errno(2)]),
            ("X_REQUESTS=123", [.requests(123)]),
            ("X_REQUESTS=+1", [.moreRequests(1)]),
            ("X_REQUESTS=18446744073709551615", [.requests(.max)]),
            ("X_CONNECTIONS=123", [.connections(123)]),
            ("X_RECYCLE=1", [.recycle]),
            ("X_LISTENER=123", [.listener(inode: 123)]),
            ("X_NOT_ADOPTED=123", [.notAdopted(inode: 123)]),
            ("X_ALSO_BINDS=[::]:80", [.alsoBinds(address: "[::]:80")]),
            ("X_HOLD=30", [.hold(.seconds(30))]),
            ("X_HOLD=0", [.hold(.zero)]),
            ("X_HOLD=9223372036854775807", [.hold(TimeSpan(nanoseconds: .max))]),
            ("READY=1\nSTATUS=up\nX_REQUESTS=5", [.ready, .status("up"), .requests(5)]),
        ] as [(String, [WorkerMessage])])
    func understood(text: String, messages: [WorkerMessage]) {
        #expect(parse(text) == messages)
    }

    @Test(arguments: [
        "", "\n\n", "READY", "READY=0", "READY=11", "ready=1", "=1", "FOO=bar", "ERRNO=x",
        "MAINPID=1", "STOPPING=0",
    ])
    func leftOut(text: String) {
        #expect(parse(text) == [])
    }

    @Test(arguments: [
        ("X_REQUESTS", ""), ("X_REQUESTS", "-1"), ("X_REQUESTS", "+"), ("X_REQUESTS", "+-1"),
        ("X_REQUESTS", "++1"), ("X_REQUESTS", "1.5"), ("X_REQUESTS", "18446744073709551616"),
        ("X_CONNECTIONS", "+1"), ("X_CONNECTIONS", ""), ("X_CONNECTIONS", "-1"),
        ("X_HOLD", "-1"), ("X_HOLD", "soon"), ("X_HOLD", ""), ("X_RECYCLE", "0"),
    ])
    func malformed(key: String, value: String) {
        #expect(parse("\(key)=\(value)") == [.malformed(key: key, value: value)])
    }

    @Test func longTextIsCut() {
        let long = String(repeating: "x", count: 5000)
        #expect(parse("STATUS=\(long)") == [.status(String(long.prefix(512)))])
    }

    @Test func anyBytesAreAccepted() {
        var random = Jitter(seed: 1, slot: 0, incarnation: 0)
        let alphabet = Array("READY=1\nX_HOLD+-0\u{0}".utf8) + [0xFF, 0xC3, 0x80]
        for _ in 0..<20_000 {
            let datagram = (0..<random.draw(through: 30)).map { _ in
                alphabet[Int(random.draw(through: UInt64(alphabet.count - 1)))]
            }
            _ = WorkerMessage.parse(datagram)
        }
        #expect(WorkerMessage.parse([0x53, 0x54, 0x41, 0x54, 0x55, 0x53, 0x3D, 0xFF]).count == 1)
    }
}
