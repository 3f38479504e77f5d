import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// One event for the log: its name, and facts as fields in the order in which they are written.
struct LogLine: Codable {
    /// The value of a fact.
    enum Value: Codable {
        case text(String)
        case number(Int64)
        /// Seconds, written with milliseconds.
        case seconds(TimeSpan)
        /// An amount of memory.
        case bytes(UInt64)
        /// A growth rate of memory, in bytes.
        case rate(Int64, per: Occasion)
    }

    /// The unit of a rate.
    enum Occasion: String, Codable {
        case hour = "h"
        case request
        case connection
    }

    /// A fact.
    struct Field: Codable {
        let key: String
        let value: Value
    }

    let level: LogLevel
    let event: String
    var fields: [Field] = []

    init(_ level: LogLevel, _ event: String) {
        self.level = level
        self.event = event
    }

    /// Returns the line with one more fact, omitted if it is nil.
    func with(_ key: String, _ value: String?) -> LogLine {
        with(key, value.map(Value.text))
    }

    /// The field with the requests in flight.
    static let requestField = "during"
    /// The field with a single route.
    static let routeField = "route"

    /// The field with the address of a client.
    static let peerField = "peer"

    /// The line without the fields that name routes or clients.
    var withoutRoutes: LogLine {
        var line = self
        line.fields.removeAll {
            [LogLine.requestField, LogLine.routeField, LogLine.peerField].contains($0.key)
        }
        return line
    }

    /// Returns the line with one more number, omitted if it is nil.
    func with(_ key: String, _ value: (some BinaryInteger)?) -> LogLine {
        with(key, value.map { Value.number(Int64(clamping: $0)) })
    }

    /// Returns the line with one more time span, omitted if it is nil.
    func with(_ key: String, _ value: TimeSpan?) -> LogLine {
        with(key, value.map(Value.seconds))
    }

    /// Returns the line with one more amount of memory, omitted if it is nil.
    func with(_ key: String, bytes: UInt64?) -> LogLine {
        with(key, bytes.map(Value.bytes))
    }

    /// Returns the line with one more growth rate, omitted if it is nil.
    func with(_ key: String, bytes: Int64?, per occasion: Occasion) -> LogLine {
        with(key, bytes.map { Value.rate($0, per: occasion) })
    }

    private func with(_ key: String, _ value: Value?) -> LogLine {
        guard let value else { return self }
        var line = self
        line.fields.append(Field(key: key, value: value))
        return line
    }
}

/// The format of a line.
enum LogRendering {
    /// Human-readable: `2026-11-21 02:03:04.567 info  ready  pool=web slot=0 pid=4242`.
    case text
    /// `time=… level=… event=… pool=web`, for logfmt readers.
    case logfmt
    /// A JSON object (RFC 8259).
    case json

    /// Returns the line without its newline, and without a time if it is nil.
    func render(_ line: LogLine, at time: WallTime?) -> String {
        switch self {
        case .text: LogRendering.text(line, at: time)
        case .logfmt: LogRendering.logfmt(line, at: time)
        case .json: LogRendering.json(line, at: time)
        }
    }

    private static func text(_ line: LogLine, at time: WallTime?) -> String {
        let clock = time.map { $0.description.substituting(["T": " "]).dropLast() + " " } ?? ""
        let level = line.level.rawValue.padded(to: 7)
        let event = line.event.padded(to: 17)
        let pairs = line.fields.map { field in
            "\(field.key)=\(readable(field.value))"
        }
        return "\(clock)\(level) \(event) \(pairs.joined(separator: " "))"
    }

    /// Returns a human-readable value, with units.
    private static func readable(_ value: LogLine.Value) -> String {
        switch value {
        case .bytes(let bytes): bytes.memoryText
        case .rate(let bytes, let occasion):
            (bytes < 0 ? "-" : "") + bytes.magnitude.memoryText + "/" + occasion.rawValue
        case .seconds(let span): span.secondsText + "s"
        case .number, .text: plain(value)
        }
    }

    private static func logfmt(_ line: LogLine, at time: WallTime?) -> String {
        let clock = time.map { "time=\($0) " } ?? ""
        let head = "\(clock)level=\(line.level.rawValue) event=\(line.event)"
        return ([head] + line.fields.map { "\($0.key)=\(plain($0.value))" })
            .joined(separator: " ")
    }

    private static func plain(_ value: LogLine.Value) -> String {
        switch value {
        case .number(let number): String(number)
        case .seconds(let span): span.secondsText
        case .bytes(let bytes): String(bytes)
        case .rate(let bytes, per: _): String(bytes)
        case .text(let text): text.needsQuotes ? text.quotedForJSON : text
        }
    }

    /// Returns a value as text without units.
    static func bare(_ value: LogLine.Value) -> String {
        if case .text(let text) = value { text } else { plain(value) }
    }

    /// Returns the line as a JSON object that begins with the members in `head`.
    static func json(_ line: LogLine, at time: WallTime?, head: [String] = []) -> String {
        var members =
            head + (time.map { ["\"time\":\"\($0)\""] } ?? []) + [
                "\"level\":\"\(line.level.rawValue)\"",
                "\"event\":\"\(line.event)\"",
            ]
        for field in line.fields {
            let key = field.key
            switch field.value {
            case .number(let number): members.append("\"\(key)\":\(number)")
            case .seconds(let span): members.append("\"\(key)\":\(span.secondsText)")
            case .bytes(let bytes): members.append("\"\(key)\":\(bytes)")
            case .rate(let bytes, per: _): members.append("\"\(key)\":\(bytes)")
            case .text(let text): members.append("\"\(key)\":\(text.quotedForJSON)")
            }
        }
        let units = line.fields.compactMap { field in
            field.value.unit.map { "\"\(field.key)\":\"\($0)\"" }
        }
        if !units.isEmpty { members.append("\"units\":{\(units.joined(separator: ","))}") }
        return "{\(members.joined(separator: ","))}"
    }
}

extension LogLine.Value {
    /// The unit of a number, in JSON; nil without one.
    fileprivate var unit: String? {
        switch self {
        case .text, .number: nil
        case .seconds: "seconds"
        case .bytes: "bytes"
        case .rate(_, let occasion): "bytes/\(occasion.rawValue)"
        }
    }
}

extension TimeSpan {
    /// Seconds with three decimals: `1.250`.
    var secondsText: String {
        let milliseconds = nanoseconds / 1_000_000
        let fraction = String(abs(milliseconds % 1000))
        let sign = milliseconds < 0 ? "-" : ""
        let zeros = String(repeating: "0", count: 3 - fraction.count)
        return "\(sign)\(abs(milliseconds / 1000)).\(zeros)\(fraction)"
    }
}

extension UInt64 {
    /// A human-readable size, in powers of 1024 with one decimal: `63.0M`, `512B`.
    fileprivate var memoryText: String {
        let units: [(letter: String, bytes: UInt64)] = [
            ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10),
        ]
        guard let unit = units.first(where: { self >= $0.bytes }) else { return "\(self)B" }
        let tenths = self % unit.bytes * 10 / unit.bytes
        return "\(self / unit.bytes).\(tenths)\(unit.letter)"
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - utf8.count))
    }

    /// Whether a logfmt reader would not parse it as one value.
    fileprivate var needsQuotes: Bool {
        isEmpty
            || unicodeScalars.contains {
                $0.isUnprintable || $0.undecodedByte != nil || $0 == " " || $0 == "\"" || $0 == "="
                    || $0 == "\\"
            }
    }
}

extension Ending {
    var level: LogLevel {
        switch self {
        // Requests are lost, and the program has an error.
        case .retired(.killMemory), .retired(.watchdog), .retired(.stalled): .error
        case .retired, .finished: .info
        case .crashed, .bootFailed: .error
        }
    }
}
