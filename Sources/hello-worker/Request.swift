/// The head of an HTTP/1.1 request (RFC 9112), with the parts that this server uses.
struct Request: Equatable {
    var method: String
    var path: String
    var query: [String: String]
    var wantsKeepAlive: Bool
    /// The size of the head in bytes, including its empty line.
    var headLength: Int
    var bodyLength: Int

    /// The result of parsing the start of the input.
    enum Parsed: Equatable {
        case incomplete
        case request(Request)
        /// The status of the rejection.
        case refused(Int)
    }

    static let maximumHeadLength = 16_384
    static let maximumBodyLength = 1_048_576

    /// Parses the request at the start of `bytes`.
    static func parse(_ bytes: [UInt8]) -> Parsed {
        guard let headLength = endOfHead(bytes) else {
            return bytes.count > maximumHeadLength ? .refused(431) : .incomplete
        }
        // The text is only compared and partly echoed, so invalid UTF-8 is harmless.
        let text = String(decoding: bytes[..<headLength], as: UTF8.self)
        var lines = text.split(whereSeparator: \.isNewline)[...]
        guard let first = lines.popFirst() else { return .refused(400) }
        let words = first.split(separator: " ")
        guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { return .refused(400) }

        var keepAlive = words[2] != "HTTP/1.0"
        var bodyLength = 0
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { return .refused(400) }
            let value = line[line.index(after: colon)...].trimmed
            switch line[..<colon].lowercased() {
            case "connection":
                let options = value.lowercased()
                if options.contains("close") { keepAlive = false }
                if options.contains("keep-alive") { keepAlive = true }
            case "content-length":
                guard let length = Int(value), length >= 0 else { return .refused(400) }
                guard length <= maximumBodyLength else { return .refused(413) }
                bodyLength = length
            case "transfer-encoding":
                return .refused(411)
            default:
                break
            }
        }
        let target = words[1].split(separator: "?", maxSplits: 1)
        return .request(
            Request(
                method: String(words[0]), path: String(target.first ?? "/"),
                query: parseQuery(target.count > 1 ? target[1] : ""), wantsKeepAlive: keepAlive,
                headLength: headLength, bodyLength: bodyLength))
    }

    /// Four million: above any number of KiB or milliseconds in a test, and far from overflow.
    private static let largestNumber = 1 << 22

    /// A number in the query, or `fallback`; never negative.
    func number(_ name: String, default fallback: Int) -> Int {
        min(max(0, query[name].flatMap { Int($0) } ?? fallback), Request.largestNumber)
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        let end = Array("\r\n\r\n".utf8)
        guard bytes.count >= end.count else { return nil }
        let last = min(bytes.count, maximumHeadLength) - end.count
        guard last >= 0 else { return nil }
        let start = (0...last).first { bytes[$0..<$0 + end.count].elementsEqual(end) }
        return start.map { $0 + end.count }
    }

    private static func parseQuery(_ text: Substring) -> [String: String] {
        var query: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            query[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        return query
    }
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
