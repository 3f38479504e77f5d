/// A request line and its headers.
struct HTTPRequestHead: Codable {
    private var method = ""
    private var target: [UInt8] = []
    private var isModern = true
    private var keepsAlive = true
    private var isForm = false
    private var takesHTML = false
    private var host: String?
    /// The size of the body in bytes.
    private(set) var bodyLength = 0

    init(_ bytes: ArraySlice<UInt8>, maxHeaders: Int) throws(HTTPFault) {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
            .map { $0.last == 0x0D ? $0.dropLast() : $0 }[...]
        guard let first = lines.popFirst() else { throw .malformed }
        try readRequestLine(first)
        guard lines.count <= maxHeaders else { throw .headTooLarge }
        var lengths: Set<Int> = []
        var connection = ""
        for line in lines {
            let (name, value) = try HTTPRequestHead.header(line)
            switch name {
            case "content-length":
                guard let length = HTTPRequestHead.number(value) else { throw .malformed }
                lengths.insert(length)
            case "transfer-encoding": throw .lengthRequired
            case "connection": connection += value.lowercased() + ","
            case "host":
                // Several Host headers are invalid (RFC 9112, 3.2).
                guard host == nil else { throw .malformed }
                host = HTTPRequestHead.hostName(value)
            case "content-type": isForm = value.hasPrefix("application/x-www-form-urlencoded")
            case "accept":
                let kinds = value.lowercased().split { $0 == "," || $0 == ";" || $0 == " " }
                takesHTML = takesHTML || kinds.contains("text/html")
            default: break
            }
        }
        guard lengths.count <= 1 else { throw .malformed }
        bodyLength = lengths.first ?? 0
        let words = connection.split { $0 == "," || $0 == " " }
        keepsAlive = isModern ? !words.contains("close") : words.contains("keep-alive")
    }

    /// The request, with the parameters of its query and its form.
    func request(body: ArraySlice<UInt8>) throws(HTTPFault) -> HTTPRequest {
        let parts = target.split(
            separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        var parameters: [HTTPRequest.Parameter] = []
        if parts.count == 2 { parameters += try HTTPRequestHead.parameters(parts[1]) }
        // curl -d declares its data as a form.
        if isForm { parameters += try HTTPRequestHead.parameters(body) }
        return HTTPRequest(
            method: method, path: try HTTPRequestHead.decoded(parts[0]), parameters: parameters,
            isModern: isModern, keepsAlive: keepsAlive, host: host, takesHTML: takesHTML)
    }

    private mutating func readRequestLine(_ line: ArraySlice<UInt8>) throws(HTTPFault) {
        let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count == 3, !words[0].isEmpty, words[0].allSatisfy(HTTPRequestHead.isToken),
            words[1].allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw .malformed }
        method = String(decoding: words[0], as: UTF8.self)
        target = Array(HTTPRequestHead.path(words[1]))
        guard target.first == UInt8(ascii: "/") else { throw .malformed }
        switch String(decoding: words[2], as: UTF8.self) {
        case "HTTP/1.1": isModern = true
        case "HTTP/1.0": isModern = false
        case let version where version.hasPrefix("HTTP/"): throw .versionNotSupported
        default: throw .malformed
        }
    }

    /// Removes the scheme and host of a target in absolute form (RFC 9112, 3.2.2).
    private static func path(_ target: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard target.starts(with: "http://".utf8) else { return target }
        let rest = target.dropFirst("http://".utf8.count)
        return rest.firstIndex(of: UInt8(ascii: "/")).map { rest[$0...] } ?? [UInt8(ascii: "/")]
    }

    private static func header(
        _ line: ArraySlice<UInt8>
    ) throws(HTTPFault) -> (name: String, value: String) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy(isToken), line.allSatisfy({ $0 >= 0x20 || $0 == 0x09 })
        else { throw .malformed }
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let value = line[(colon + 1)...].drop(while: isBlank)
        let end = value.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? value.startIndex
        return (
            String(decoding: line[..<colon], as: UTF8.self).lowercased(),
            String(decoding: value[..<end], as: UTF8.self)
        )
    }

    /// Removes the port and the brackets of an IPv6 address.
    private static func hostName(_ value: String) -> String {
        let lower = value.lowercased()
        if lower.hasPrefix("["), let end = lower.firstIndex(of: "]") {
            return String(lower[lower.index(after: lower.startIndex)..<end])
        }
        return String(lower.prefix { $0 != ":" })
    }

    /// Parses digits only: `Int` would accept a sign.
    private static func number(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return text.utf8.count > 9 ? .max / 2 : Int(text)
    }

    private static func parameters(
        _ bytes: ArraySlice<UInt8>
    ) throws(HTTPFault) -> [HTTPRequest.Parameter] {
        var found: [HTTPRequest.Parameter] = []
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            found.append(
                HTTPRequest.Parameter(
                    name: try decoded(parts[0], isForm: true),
                    value: parts.count == 2 ? try decoded(parts[1], isForm: true) : ""))
        }
        return found
    }

    /// Percent-decodes a URL (RFC 3986); in a form, a plus sign is a blank.
    private static func decoded(
        _ bytes: ArraySlice<UInt8>, isForm: Bool = false
    ) throws(HTTPFault) -> String {
        var result: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(hex),
                    let low = rest.popFirst().flatMap(hex)
                else { throw .malformed }
                result.append(high << 4 | low)
            } else {
                result.append(isForm && byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// A character of a token (RFC 9110, 5.6.2).
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
