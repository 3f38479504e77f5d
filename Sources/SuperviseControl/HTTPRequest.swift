/// A complete request of HTTP/1.0 or 1.1 (RFC 9112), as far as the control socket looks at it.
public struct HTTPRequest: Equatable, Sendable {
    /// The method, as it was written.
    public var method: String
    /// The path, with `%` escapes undone.
    public var path: String
    /// The parameters of the query, then those of a form in the body.
    public var parameters: [Parameter]
    /// Whether the client speaks HTTP/1.1 and so understands chunks.
    public var isModern: Bool
    /// Whether the client may send another request over the same connection.
    public var keepsAlive: Bool
    /// The host that the client means, without its port; nil where it names none.
    public var host: String?
    /// Whether the client names HTML among what it takes, as browsers do and programs do not.
    public var takesHTML: Bool

    /// A name and a value; without an equals sign the value is empty.
    public struct Parameter: Equatable, Sendable {
        /// The name.
        public var name: String
        /// The value.
        public var value: String
    }
}

/// What is wrong with a request, by its status code.
public enum HTTPFault: Error, Equatable, Sendable, Codable {
    /// 400: it makes no sense.
    case malformed
    /// 411: a body in chunks, of a length that is not told.
    case lengthRequired
    /// 413: a body that is too large.
    case bodyTooLarge
    /// 431: a head that is too large.
    case headTooLarge
    /// 505: neither HTTP/1.0 nor 1.1.
    case versionNotSupported

    /// The status code and what the answer says.
    var answer: (status: HTTPStatus, message: String) {
        switch self {
        case .malformed: (.badRequest, "this is not an HTTP request")
        case .lengthRequired: (.lengthRequired, "a body needs a Content-Length")
        case .bodyTooLarge:
            (.bodyTooLarge, "a body has at most \(HTTPRequestParser.longestBody) bytes")
        case .headTooLarge:
            (.headTooLarge, "a request has at most \(HTTPRequestParser.longestHead) bytes of head")
        case .versionNotSupported: (.versionNotSupported, "HTTP/1.0 and HTTP/1.1 are understood")
        }
    }
}

/// Takes requests out of a stream of bytes, however it is cut. Total and bounded: any bytes give
/// requests or one fault, and no more is kept than one request and what was received with its end.
public struct HTTPRequestParser: Sendable, Codable {
    /// The most bytes of a request line and its headers.
    public static let longestHead = 8192
    /// The most bytes of a body.
    public static let longestBody = 4096
    private static let mostHeaders = 64

    private var buffer: [UInt8] = []
    /// Up to where no end of the head was found, so that a client that sends single bytes costs no
    /// more than one that does not.
    private var searched = 0
    private var head: HTTPRequestHead?
    private var fault: HTTPFault?

    /// A parser that has seen nothing.
    public init() {}

    /// Whether nothing of a further request has come.
    public var isEmpty: Bool { buffer.isEmpty }

    /// Adds what was received.
    public mutating func append(_ bytes: some Sequence<UInt8>) {
        guard fault == nil else { return }
        buffer.append(contentsOf: bytes)
    }

    /// The next request, once all of it is there. After a fault there is never another one.
    public mutating func next() throws(HTTPFault) -> HTTPRequest? {
        if let fault { throw fault }
        do throws(HTTPFault) {
            return try take()
        } catch {
            fault = error
            buffer = []
            throw error
        }
    }

    private mutating func take() throws(HTTPFault) -> HTTPRequest? {
        skipEmptyLines()
        guard let end = try endOfHead() else { return nil }
        let head = try readHead(endingAt: end.last)
        guard head.bodyLength <= Self.longestBody else { throw .bodyTooLarge }
        let total = end.next + head.bodyLength
        guard buffer.count >= total else { return nil }
        let body = buffer[end.next..<total]
        let request = try head.request(body: body)
        buffer.removeFirst(total)
        searched = 0
        self.head = nil
        return request
    }

    /// The head is read once, however long its body takes to come.
    private mutating func readHead(endingAt end: Int) throws(HTTPFault) -> HTTPRequestHead {
        if let head { return head }
        let read = try HTTPRequestHead(buffer[..<end], mostHeaders: Self.mostHeaders)
        head = read
        return read
    }

    /// Before a request line, empty lines are ignored (RFC 9112, 2.2).
    private mutating func skipEmptyLines() {
        guard head == nil, let first = buffer.first, first == 0x0D || first == 0x0A else { return }
        let count = buffer.prefix { $0 == 0x0D || $0 == 0x0A }.count
        buffer.removeFirst(count)
        searched = 0
    }

    /// Where the head ends and what follows begins: at an empty line, whose CR may be missing.
    private mutating func endOfHead() throws(HTTPFault) -> (last: Int, next: Int)? {
        var index = searched
        while index < buffer.count {
            if buffer[index] == 0x0A {
                var next = index + 1
                if next < buffer.count, buffer[next] == 0x0D { next += 1 }
                if next < buffer.count, buffer[next] == 0x0A {
                    guard index <= Self.longestHead else { throw .headTooLarge }
                    searched = index
                    return (index, next + 1)
                }
                if next >= buffer.count {
                    searched = index
                    break
                }
            }
            index += 1
            searched = index
        }
        guard buffer.count <= Self.longestHead else { throw .headTooLarge }
        return nil
    }
}
