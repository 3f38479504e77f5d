import SuperviseCore

/// One connection, without its socket: its inputs are bytes and the time, its outputs are requests and
/// bytes. It either reads a request or sends a response; while it sends, it reads no further request.
/// Its memory and the duration of each step are bounded.
public struct HTTPConversation: Sendable, Codable {
    /// The time limit for receiving a request, from its first byte or from the start of the connection.
    public static let requestTime = TimeSpan.seconds(10)
    /// The time limit between requests.
    public static let idleTime = TimeSpan.seconds(75)
    /// The time limit for sending a response, and for progress of a stream.
    public static let answerTime = TimeSpan.seconds(30)
    /// How long further input is discarded after the last response. Closing with unread input would
    /// reset the connection and lose the response.
    public static let lingerTime = TimeSpan.seconds(2)
    /// The maximum number of bytes queued for the reader of a stream; further parts are dropped.
    public static let longestStreamBacklog = 64 << 10

    private enum State: Equatable, Codable {
        /// Reads a request. Exits: `answering`, `leaving`.
        case reading
        /// A request was returned. Exits: `reading`, `streaming`, `leaving`.
        case answering(isHead: Bool, isModern: Bool, keepsAlive: Bool)
        /// Sends a stream. Exit: `leaving`.
        case streaming(isChunked: Bool)
        /// Sends the last response. Exit: `over`.
        case leaving
        /// The connection must be closed. No exit.
        case over
    }

    private var state = State.reading
    private var parser = HTTPRequestParser()
    private var hasEnded = false
    private var backlog: [UInt8] = []
    private var taken = 0
    /// The deadline of the current state.
    public private(set) var deadline: Instant
    /// The number of parts of a stream that were dropped because the reader was too slow.
    public private(set) var dropped = 0
    private var reportedDropped = 0

    /// Creates a conversation for a new connection.
    public init(at now: Instant) {
        deadline = now + HTTPConversation.requestTime
    }

    /// The bytes to send next.
    public var output: ArraySlice<UInt8> { backlog[taken...] }
    /// The number of bytes to send.
    public var outputBytes: Int { backlog.count - taken }
    /// Whether to read from the client now.
    public var wantsInput: Bool {
        guard !hasEnded else { return false }
        switch state {
        // Reading from the client of a stream detects that it has disconnected.
        case .streaming: return true
        case .reading, .leaving: return outputBytes == 0
        case .answering, .over: return false
        }
    }
    /// Whether to close the connection.
    public var isOver: Bool { state == .over }
    /// Whether to shut down the writing side, which signals the end of the response.
    public var isLeaving: Bool { state == .leaving && outputBytes == 0 }
    /// Whether unparsed input is available and the next request can be returned.
    public var hasReceivedMore: Bool {
        state == .reading && outputBytes == 0 && !parser.isEmpty
    }
    /// Whether the response is a stream.
    public var isStreaming: Bool { if case .streaming = state { true } else { false } }

    /// Adds received bytes.
    public mutating func receive(_ bytes: some Collection<UInt8>, at now: Instant) {
        switch state {
        case .reading:
            if parser.isEmpty { deadline = now + HTTPConversation.requestTime }
            parser.append(bytes)
        case .answering, .streaming, .leaving, .over:
            return
        }
    }

    /// Handles the end of the input. The client may still read the response.
    public mutating func endOfInput() {
        hasEnded = true
        switch state {
        case .reading, .streaming, .leaving: if outputBytes == 0 || isStreaming { state = .over }
        case .answering, .over: break
        }
    }

    /// Returns the next complete request. A malformed request is rejected and ends the conversation.
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

    /// Sends a response without waiting for a request, and ends the conversation.
    public mutating func refuse(_ response: HTTPResponse, at now: Instant) {
        state = .answering(isHead: false, isModern: true, keepsAlive: false)
        answer(response, at: now)
    }

    /// Sends the response to the returned request.
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

    /// Begins a streamed response, whose parts `stream` sends.
    public mutating func beginStream(_ content: HTTPResponse.Content, at now: Instant) {
        guard case .answering(let isHead, let isModern, _) = state else { return }
        send(
            HTTPResponse(.ok, content, []).head(length: nil, isModern: isModern, keepsAlive: false))
        state = isHead ? .leaving : .streaming(isChunked: isModern)
        deadline = now + HTTPConversation.answerTime
    }

    /// Sends a part, unless the queue is full. Once a reader catches up, it receives the output of `gap`
    /// with the number of dropped parts.
    public mutating func stream(
        _ part: [UInt8], at now: Instant, gap: (Int) -> [UInt8] = { _ in [] }
    ) {
        guard case .streaming(let isChunked) = state, !part.isEmpty else { return }
        guard outputBytes + part.count <= HTTPConversation.longestStreamBacklog else {
            dropped += 1
            return
        }
        if outputBytes == 0 { deadline = now + HTTPConversation.answerTime }
        if dropped > reportedDropped {
            sendPart(gap(dropped - reportedDropped), isChunked: isChunked)
            reportedDropped = dropped
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

    /// Removes bytes of `output` that were sent.
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
            // A further request may already be complete or partly received.
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

    /// Handles an expired deadline or a failure of the socket.
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
    /// A deadline that never expires.
    static let distantFuture = Instant(nanoseconds: .max)
}
