import SuperviseCore
import Testing

@testable import SuperviseControl

/// A client and its conversation.
private struct Client {
    var conversation = HTTPConversation(at: Instant(nanoseconds: 0))
    var now = Instant(nanoseconds: 0)
    var received = ""

    mutating func say(_ text: String) { conversation.receive(Array(text.utf8), at: now) }

    mutating func request() -> HTTPRequest? { conversation.nextRequest(at: now) }

    /// Reads so many bytes of what there is.
    mutating func read(_ count: Int = .max) {
        let bytes = conversation.output.prefix(count)
        received += String(decoding: bytes, as: UTF8.self)
        conversation.sent(bytes.count, at: now)
    }

    mutating func wait(_ span: TimeSpan) { now = now + span }
}

@Suite struct ConversationTests {
    private let hello = HTTPResponse(.ok, .text, Array("hello".utf8))

    @Test func requestsFollowEachOther() {
        var client = Client()
        client.say("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n")
        #expect(client.request()?.path == "/a")
        #expect(!client.conversation.wantsInput && client.request() == nil)
        client.conversation.answer(hello, at: client.now)
        // The next request waits until the response is sent.
        #expect(client.request() == nil && !client.conversation.wantsInput)
        client.read()
        #expect(client.request()?.path == "/b")
        client.conversation.answer(hello, at: client.now)
        client.read()
        #expect(client.conversation.wantsInput && !client.conversation.isOver)
        #expect(client.received.hasSuffix("Connection: keep-alive\r\n\r\nhello"))
        #expect(client.received.contains("Content-Length: 5\r\n"))
    }

    @Test func theLastAnswerIsFollowedByTheEnd() {
        var client = Client()
        client.say("GET / HTTP/1.0\r\n\r\n")
        #expect(client.request() != nil)
        client.conversation.answer(hello, at: client.now)
        #expect(!client.conversation.isLeaving)
        client.read()
        #expect(client.conversation.isLeaving && client.conversation.wantsInput)
        #expect(client.conversation.deadline == client.now + HTTPConversation.lingerTime)
        client.conversation.endOfInput()
        #expect(client.conversation.isOver)
    }

    @Test func aClientThatShutsItsSideStillGetsItsAnswer() {
        var client = Client()
        client.say("GET / HTTP/1.1\r\n\r\n")
        #expect(client.request() != nil)
        client.conversation.endOfInput()
        client.conversation.answer(hello, at: client.now)
        #expect(!client.conversation.isOver)
        client.read()
        #expect(client.conversation.isOver && client.received.contains("Connection: close"))
    }

    @Test func headHasNoBody() {
        var client = Client()
        client.say("HEAD / HTTP/1.1\r\n\r\n")
        #expect(client.request()?.method == "HEAD")
        client.conversation.answer(hello, at: client.now)
        client.read()
        #expect(client.received.hasSuffix("\r\n\r\n"))
        #expect(client.received.contains("Content-Length: 5"))
    }

    @Test func whatIsWrongIsAnsweredAndEnds() {
        var client = Client()
        client.say("nonsense\r\n\r\n")
        #expect(client.request() == nil)
        client.read()
        #expect(client.received.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(client.received.hasSuffix("{\"error\":\"this is not an HTTP request\"}\n"))
        #expect(client.conversation.isLeaving)
    }

    /// Single bytes do not extend the time limit of the first one.
    @Test func aRequestHasToArriveInTime() {
        var client = Client()
        client.wait(.seconds(3))
        client.say("G")
        let deadline = client.conversation.deadline
        #expect(deadline == client.now + HTTPConversation.requestTime)
        client.wait(.seconds(5))
        client.say("ET / HTTP/1.1\r\n")
        #expect(client.request() == nil && client.conversation.deadline == deadline)
        client.say("\r\n")
        #expect(client.request() != nil)
        client.conversation.answer(hello, at: client.now)
        #expect(client.conversation.deadline == client.now + HTTPConversation.answerTime)
        client.read()
        #expect(client.conversation.deadline == client.now + HTTPConversation.idleTime)
    }

    @Test func streamsComeInChunks() {
        var client = Client()
        client.say("GET / HTTP/1.1\r\n\r\n")
        #expect(client.request() != nil)
        client.conversation.beginStream(.lines, at: client.now)
        client.read()
        #expect(client.conversation.deadline == .distantFuture && client.conversation.isStreaming)
        client.conversation.stream(Array("0123456789\n".utf8), at: client.now)
        client.conversation.endStream(at: client.now)
        client.read()
        #expect(client.received.contains("Transfer-Encoding: chunked"))
        #expect(client.received.hasSuffix("\r\n\r\nb\r\n0123456789\n\r\n0\r\n\r\n"))
        #expect(client.conversation.isLeaving)
    }

    @Test func anOldClientsStreamEndsWithTheConnection() {
        var client = Client()
        client.say("GET / HTTP/1.0\r\n\r\n")
        #expect(client.request() != nil)
        client.conversation.beginStream(.lines, at: client.now)
        client.conversation.stream(Array("x\n".utf8), at: client.now)
        client.read()
        #expect(client.received.hasSuffix("\r\n\r\nx\n"))
        #expect(!client.received.contains("chunked"))
    }

    @Test func aSlowReaderGetsTheNumberOfMissedParts() {
        var client = Client()
        client.say("GET / HTTP/1.0\r\n\r\n")
        #expect(client.request() != nil)
        client.conversation.beginStream(.lines, at: client.now)
        client.read()
        let part = [UInt8](repeating: UInt8(ascii: "."), count: 10_000)
        for _ in 0..<20 {
            client.conversation.stream(part, at: client.now) { Array("<\($0)>".utf8) }
            #expect(client.conversation.outputBytes <= HTTPConversation.longestStreamBacklog)
        }
        #expect(client.conversation.dropped == 14)
        client.wait(.seconds(1))
        client.read(100)
        #expect(client.conversation.deadline == client.now + HTTPConversation.answerTime)
        client.read()
        client.received = ""
        client.conversation.stream([0x61], at: client.now) { Array("<\($0)>".utf8) }
        client.read()
        #expect(client.received == "<14>a")
        client.conversation.stream([0x62], at: client.now) { Array("<\($0)>".utf8) }
        client.read()
        #expect(client.received == "<14>ab")
    }
}
