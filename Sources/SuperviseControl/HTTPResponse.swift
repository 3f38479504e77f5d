/// A status code with its reason phrase.
public struct HTTPStatus: Hashable, Sendable {
    /// The code.
    public let code: Int
    /// The reason phrase.
    public let phrase: String

    static let ok = HTTPStatus(code: 200, phrase: "OK")
    static let accepted = HTTPStatus(code: 202, phrase: "Accepted")
    static let badRequest = HTTPStatus(code: 400, phrase: "Bad Request")
    static let forbidden = HTTPStatus(code: 403, phrase: "Forbidden")
    static let notFound = HTTPStatus(code: 404, phrase: "Not Found")
    static let methodNotAllowed = HTTPStatus(code: 405, phrase: "Method Not Allowed")
    static let conflict = HTTPStatus(code: 409, phrase: "Conflict")
    static let lengthRequired = HTTPStatus(code: 411, phrase: "Length Required")
    static let bodyTooLarge = HTTPStatus(code: 413, phrase: "Content Too Large")
    static let misdirected = HTTPStatus(code: 421, phrase: "Misdirected Request")
    static let headTooLarge = HTTPStatus(code: 431, phrase: "Request Header Fields Too Large")
    static let unavailable = HTTPStatus(code: 503, phrase: "Service Unavailable")
    static let versionNotSupported = HTTPStatus(code: 505, phrase: "HTTP Version Not Supported")
}

/// A response.
public struct HTTPResponse: Equatable, Sendable {
    /// The type of a body.
    public enum Content: String, Sendable {
        /// One JSON value (RFC 8259).
        case json = "application/json"
        /// One JSON value per line.
        case lines = "application/x-ndjson"
        /// The Prometheus text format.
        case metrics = "text/plain; version=0.0.4; charset=utf-8"
        /// Plain text.
        case text = "text/plain; charset=utf-8"
        /// HTML.
        case page = "text/html; charset=utf-8"
    }

    /// The status.
    public var status: HTTPStatus
    /// The type of the body.
    public var content: Content
    /// The body.
    public var body: [UInt8]
    /// The allowed methods, in a response to another method.
    public var allowedMethods: String?

    /// Creates a response.
    public init(
        _ status: HTTPStatus, _ content: Content, _ body: [UInt8], allowedMethods: String? = nil
    ) {
        self.status = status
        self.content = content
        self.body = body
        self.allowedMethods = allowedMethods
    }

    /// `{"error": …}`.
    static func error(
        _ status: HTTPStatus, _ message: String, allowedMethods: String? = nil
    ) -> HTTPResponse {
        var json = JSONWriter()
        json.object { $0.field("error", message) }
        return HTTPResponse(
            status, .json, json.bytes + [0x0A], allowedMethods: allowedMethods)
    }

    /// The head of a response. A nil `length` means a stream, which is chunked or ends with the
    /// connection.
    func head(length: Int?, isModern: Bool, keepsAlive: Bool) -> [UInt8] {
        var text =
            "HTTP/1.1 \(status.code) \(status.phrase)\r\nContent-Type: \(content.rawValue)\r\n"
        if let length {
            text += "Content-Length: \(length)\r\n"
        } else if isModern {
            text += "Transfer-Encoding: chunked\r\n"
        }
        if let allowedMethods { text += "Allow: \(allowedMethods)\r\n" }
        if content == .page {
            text += "Content-Security-Policy: \(Page.policy)\r\nReferrer-Policy: no-referrer\r\n"
            text += "Vary: Accept\r\n"
        }
        text += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        text += "Connection: \(keepsAlive ? "keep-alive" : "close")\r\n\r\n"
        return Array(text.utf8)
    }
}
