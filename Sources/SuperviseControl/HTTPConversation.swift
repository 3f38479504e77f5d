import SuperviseCore

/// One connection, without its socket: bytes and the time go in, requests and bytes come out. At any
/// time it either reads a request, or has an answer to get rid of; a client that sends more than it
/// reads is not read from. Everything about it is bounded: what is kept, and how long it may take.
public struct HTTPConversation: Sendable, Codable {
    /// How long a request may take to arrive, from its first byte or from the connection's start.
    public static let requestTime = TimeSpan.seconds(10)
    /// How long a connection may stay without a request.
    public static let idleTime = TimeSpan.seconds(75)
    /// How long an answer may take to be taken, and a stream to move on.
    public static let answerTime = TimeSpan.seconds(30)
    /// How long the rest of what a client sends is read after the answer, so that closing does not
    /// take the answer from it.
    public static let lingerTime = TimeSpan.seconds(2)
    /// The most bytes that wait for the reader of a stream; what comes then is dropped.
    public static let longestStreamBacklog = 64 << 10

    private enum State: Equatable, Codable {
        /// A request is read. Exits: `answering`, `leaving`.
        case reading
        /// A request was given out. Exits: `reading`, `streaming`, `leaving`.
        case answering(isHead: Bool, isModern: Bool, keepsAlive: Bool)
        /// Parts of an answer come as they happen. Exit: `leaving`.
        case streaming(isChunked: Bool)
        /// The answer is the last; then comes the end. Exit: `over`.
        case leaving
        /// The connection is to be closed. No exit.
        case over
    }

    private var state = State.reading
    private var parser = HTTPRequestParser()
    private var hasEnded = false
    private var backlog: [UInt8] = []
    private var taken = 0
    /// By when the present state has to have moved on.
    public private(set) var deadline: Instant
    /// How many parts of a stream were dropped since the reader was too slow.
    public private(set) var dropped = 0
    private var toldDropped = 0

    /// A connection that was just accepted.
    public init(at now: Instant) {
        deadline = now + HTTPConversation.requestTime
    }

    /// What is to be sent next.
    public var output: ArraySlice<UInt8> { backlog[taken...] }
    /// How many bytes wait to be sent.
    public var outputBytes: Int { backlog.count - taken }
    /// Whether what the client sends is to be read now.
    public var wantsInput: Bool {
        guard !hasEnded else { return false }
        switch state {
        // A stream is read to learn that the client is gone.
        case .streaming: return true
        case .reading, .leaving: return outputBytes == 0
        case .answering, .over: return false
        }
    }
    /// Whether the connection is to be closed.
    public var isOver: Bool { state == .over }
    /// Whether its writing side is to be shut down, for the client to know that this was all.
    public var isLeaving: Bool { state == .leaving && outputBytes == 0 }
    /// Whether it is between requests or reads one; such a connection may be closed to make room.
    public var isWaitingForRequest: Bool { state == .reading && outputBytes == 0 }
    /// Whether more was received than the requests that were given out, while the next may be given out.
    public var hasReceivedMore: Bool { isWaitingForRequest && !parser.isEmpty }
    /// Whether its answer is a stream.
    public var isStreaming: Bool { if case .streaming = state { true } else { false } }

    /// Takes what was received.
    public mutating func receive(_ bytes: some Collection<UInt8>, at now: Instant) {
        switch state {
        case .reading:
            if parser.isEmpty { deadline = now + HTTPConversation.requestTime }
            parser.append(bytes)
        case .answering, .streaming, .leaving, .over:
            return
        }
    }

    /// The client sends no more. It may still read the answer.
    public mutating func endOfInput() {
        hasEnded = true
        switch state {
        case .reading, .streaming, .leaving: if outputBytes == 0 || isStreaming { state = .over }
        case .answering, .over: break
        }
    }

    /// The next request that is complete. What is wrong is answered at once, and ends it.
    public mutating func nextRequest(at now: Instant) -> HTTPRequest? {
        guard state == .reading, outputBytes == 0 else { return nil }
        do throws(HTTPFault) {
            guard let request = try parser.next() else { return nil }
            state = .answering(
                isHead: request.method == "HEAD", isModern: request.isModern,
                keepsAlive: request.keepsAlive)
            return request
        } catch {
            let (status, message) = error.answer
            refuse(.error(status, message), at: now)
            return nil
        }
    }

    /// Answers whatever the client is about to say, and ends it.
    public mutating func refuse(_ response: HTTPResponse, at now: Instant) {
        state = .answering(isHead: false, isModern: true, keepsAlive: false)
        answer(response, at: now)
    }

    /// Answers the request that was given out.
    public mutating func answer(_ response: HTTPResponse, at now: Instant) {
        guard case .answering(let isHead, let isModern, let keepsAlive) = state else { return }
        let staysOpen = keepsAlive && !hasEnded
        send(
            response.head(
                length: response.body.count, isModern: isModern, keepsAlive: staysOpen))
        if !isHead { send(response.body) }
        state = staysOpen ? .reading : .leaving
        deadline = now + HTTPConversation.answerTime
    }

    /// Answers with a stream of parts, which `stream` sends.
    public mutating func beginStream(_ content: HTTPResponse.Content, at now: Instant) {
        guard case .answering(let isHead, let isModern, _) = state else { return }
        send(
            HTTPResponse(.ok, content, []).head(length: nil, isModern: isModern, keepsAlive: false))
        state = isHead ? .leaving : .streaming(isChunked: isModern)
        deadline = now + HTTPConversation.answerTime
    }

    /// Sends a part, unless too much waits already. A reader that keeps up again is told how many
    /// parts it missed by what `gap` makes of their number.
    public mutating func stream(
        _ part: [UInt8], at now: Instant, gap: (Int) -> [UInt8] = { _ in [] }
    ) {
        guard case .streaming(let isChunked) = state, !part.isEmpty else { return }
        guard outputBytes + part.count <= HTTPConversation.longestStreamBacklog else {
            dropped += 1
            return
        }
        if outputBytes == 0 { deadline = now + HTTPConversation.answerTime }
        if dropped > toldDropped {
            sendPart(gap(dropped - toldDropped), isChunked: isChunked)
            toldDropped = dropped
        }
        sendPart(part, isChunked: isChunked)
    }

    /// Ends a stream.
    public mutating func endStream(at now: Instant) {
        guard case .streaming(let isChunked) = state else { return }
        if isChunked { send(Array("0\r\n\r\n".utf8)) }
        state = .leaving
        deadline = now + HTTPConversation.answerTime
    }

    /// So many bytes of `output` were sent.
    public mutating func sent(_ count: Int, at now: Instant) {
        guard count > 0 else { return }
        taken += count
        let isDone = taken == backlog.count
        if isDone || taken > HTTPConversation.longestStreamBacklog {
            backlog.removeFirst(taken)
            taken = 0
        }
        if isDone { backlog = [] }
        switch state {
        case .reading where isDone:
            // A request that came along is complete or has begun to arrive.
            deadline =
                now
                + (parser.isEmpty ? HTTPConversation.idleTime : HTTPConversation.requestTime)
            if hasEnded { state = .over }
        case .streaming:
            deadline = isDone ? .distantFuture : now + HTTPConversation.answerTime
        case .leaving where isDone:
            deadline = now + HTTPConversation.lingerTime
            if hasEnded { state = .over }
        case .reading, .answering, .leaving, .over: break
        }
    }

    /// Its time is up, or the socket failed.
    public mutating func end() { state = .over }

    private mutating func sendPart(_ part: [UInt8], isChunked: Bool) {
        guard !part.isEmpty else { return }
        if isChunked { send(Array((String(part.count, radix: 16) + "\r\n").utf8)) }
        send(part)
        if isChunked { send([0x0D, 0x0A]) }
    }

    private mutating func send(_ bytes: [UInt8]) {
        if backlog.isEmpty { backlog = bytes } else { backlog.append(contentsOf: bytes) }
    }
}

extension Instant {
    /// A time that never comes.
    static let distantFuture = Instant(nanoseconds: .max)
}
