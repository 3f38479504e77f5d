import Glibc

/// Splits output into lines and begins each with a prefix. Bytes that are not UTF-8 pass unchanged.
public struct PrefixedLines: Sendable {
    /// Longer lines are divided.
    public static let longestLineBytes = 65_536
    /// The beginning of what follows the first part of a divided line, after the prefix.
    static let continuation = Array("... ".utf8)

    private let prefix: [UInt8]
    /// The beginning of a line whose end has not come.
    private var begun: [UInt8] = []
    /// Whether `begun` continues a line that was divided.
    private var isContinued = false

    /// Lines with this prefix, after the beginning of a line that came before.
    public init(prefix: String, begun: [UInt8] = []) {
        self.prefix = Array(prefix.utf8)
        self.begun = begun
    }

    /// The beginning of a line whose end has not come.
    public var unfinished: [UInt8] { begun }

    /// Appends the lines that these bytes complete, each with a line break, to `result`. A line that
    /// begins with `{` and ends with `}` gets no prefix, so that a JSON object remains one.
    public mutating func add(_ bytes: UnsafeRawBufferPointer, to result: inout [UInt8]) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            guard let found = memchr(start, Int32(UInt8(ascii: "\n")), rest.count) else {
                return keep(rest, &result)
            }
            let length = UnsafeRawPointer(found) - start
            let line = UnsafeRawBufferPointer(rebasing: rest[..<length])
            if begun.isEmpty, length <= Self.longestLineBytes {
                append(line, to: &result)
            } else {
                keep(line, &result)
                finish(&result)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[(length + 1)...])
        }
    }

    /// Appends the line without an end, as at the end of the output.
    public mutating func finish(to result: inout [UInt8]) {
        if !begun.isEmpty { finish(&result) }
    }

    private mutating func finish(_ result: inout [UInt8]) {
        begun.withUnsafeBytes { append($0, to: &result) }
        begun.removeAll(keepingCapacity: begun.capacity <= 1024)
        isContinued = false
    }

    private mutating func keep(_ part: UnsafeRawBufferPointer, _ result: inout [UInt8]) {
        var rest = part
        while begun.count + rest.count > Self.longestLineBytes {
            let room = Self.longestLineBytes - begun.count
            begun.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[..<room]))
            rest = UnsafeRawBufferPointer(rebasing: rest[room...])
            finish(&result)
            isContinued = true
        }
        begun.append(contentsOf: rest)
    }

    private func append(_ line: UnsafeRawBufferPointer, to result: inout [UInt8]) {
        let isObject =
            !isContinued && line.first == UInt8(ascii: "{") && line.last == UInt8(ascii: "}")
        if !isObject { result.append(contentsOf: prefix) }
        if isContinued { result.append(contentsOf: Self.continuation) }
        result.append(contentsOf: line)
        result.append(UInt8(ascii: "\n"))
    }
}
