/// A complete HTTP/1.0 or 1.1 request (RFC 9112), with the parts that the control socket uses.
public struct HTTPRequest: Equatable, Sendable {
    /// The method, as written.
    public var method: String
    /// The path, percent-decoded.
    public var path: String
    /// The parameters of the query, followed by those of a form in the body.
    public var parameters: [Parameter]
    /// Whether the client uses HTTP/1.1 and so supports chunked encoding.
    public var isModern: Bool
    /// Whether the client may send another request over the same connection.
    public var keepsAlive: Bool
    /// The requested host without its port; nil if there is none.
    public var host: String?
    /// Whether the client explicitly accepts HTML, as browsers do.
    public var takesHTML: Bool

    /// A name and a value; without an equals sign the value is empty.
    public struct Parameter: Equatable, Sendable {
        /// The name.
        public var name: String
        /// The value.
        public var value: String
    }
}

/// A problem with a request, by status code.
public enum HTTPFault: Error, Equatable, Sendable, Codable {
    /// 400: malformed.
    case malformed
    /// 411: a chunked body, without a length.
    case lengthRequired
    /// 413: the body is too large.
    case bodyTooLarge
    /// 431: the head is too large.
    case headTooLarge
    /// 505: not HTTP/1.0 or 1.1.
    case versionNotSupported

    /// The status code and the message of the response.
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

/// An incremental parser of requests. It is total and bounded: any bytes yield requests or one fault,
/// and it buffers at most one request and the bytes received together with its end.
public struct HTTPRequestParser: Sendable, Codable {
    /// The maximum size of a request line with its headers.
    public static let longestHead = 8192
    /// The maximum size of a body.
    public static let longestBody = 4096
    private static let maxHeaders = 64

    private var buffer: [UInt8] = []
    /// The position up to which the end of the head was searched, so that single bytes cost no
    /// repeated search.
    private var searched = 0
    private var head: HTTPRequestHead?
    private var fault: HTTPFault?

    /// Creates an empty parser.
    public init() {}

    /// Whether no part of a further request was received.
    public var isEmpty: Bool { buffer.isEmpty }

    /// Adds received bytes.
    public mutating func append(_ bytes: some Sequence<UInt8>) {
        guard fault == nil else { return }
        buffer.append(contentsOf: bytes)
    }

    /// Returns the next complete request. After a fault it returns no further request.
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

    /// The parsed head, kept until its body is complete.
    private mutating func readHead(endingAt end: Int) throws(HTTPFault) -> HTTPRequestHead {
        if let head { return head }
        let read = try HTTPRequestHead(buffer[..<end], maxHeaders: Self.maxHeaders)
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

    /// Finds the end of the head: an empty line, whose CR may be missing.
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
