import Foundation

/// One line of the master's log, with its fields as text, whatever the format.
struct LogLine: CustomStringConvertible {
    let fields: [String: String]
    let description: String

    /// Parses a line of `--log-format json` or `logfmt`; any other line has only `text`.
    init(_ line: Substring) {
        description = String(line)
        fields = LogLine.json(line) ?? LogLine.logfmt(line) ?? ["text": String(line)]
    }

    subscript(name: String) -> String? { fields[name] }

    var event: String? { fields["event"] }
    var pid: pid_t? { fields["pid"].flatMap { pid_t($0) } }

    /// A numeric field, such as a duration in seconds.
    func seconds(_ name: String) -> Double? { fields[name].flatMap { Double($0) } }

    /// The time of the line, in seconds since midnight.
    var timeOfDay: Double? {
        // `2026-11-21T02:03:04.567Z`
        let clock = fields["time"]?.dropLast().split(separator: "T").last?.split(separator: ":")
        let numbers = clock?.compactMap { Double($0) } ?? []
        return numbers.count == 3 ? numbers[0] * 3600 + numbers[1] * 60 + numbers[2] : nil
    }

    /// Whether any field's value contains this text.
    func mentions(_ text: String) -> Bool { fields.values.contains { $0.contains(text) } }

    private static func json(_ line: Substring) -> [String: String]? {
        guard line.hasPrefix("{"),
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)),
            let fields = object as? [String: Any]
        else { return nil }
        return fields.mapValues { "\($0)" }
    }

    private static func logfmt(_ line: Substring) -> [String: String]? {
        var fields: [String: String] = [:]
        var rest = line
        while !rest.isEmpty {
            guard let equals = rest.firstIndex(of: "=") else { return nil }
            let name = String(rest[..<equals])
            guard !name.isEmpty, !name.contains(where: { $0 == " " || $0 == "\"" }) else {
                return nil
            }
            rest = rest[rest.index(after: equals)...]
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while let character = rest.popFirst(), character != "\"" {
                    value.append(character == "\\" ? rest.popFirst() ?? "\\" : character)
                }
            } else {
                value = String(rest.prefix { $0 != " " })
                rest = rest.dropFirst(value.count)
            }
            fields[name] = value
            rest = rest.drop { $0 == " " }
        }
        return fields["event"] == nil ? nil : fields
    }
}

/// A log that is read while it is written. Tests read it a hundred times per second, so each line
/// is parsed once.
final class GrowingLog {
    private let path: String
    private var known: [LogLine] = []
    private var length = 0

    init(path: String) { self.path = path }

    /// All complete lines.
    func lines() -> [LogLine] {
        let text = readFile(path, from: length) ?? ""
        guard let end = text.utf8.lastIndex(of: UInt8(ascii: "\n")) else { return known }
        let whole = text[...end]
        known += whole.split(separator: "\n").map { LogLine($0) }
        length += whole.utf8.count
        return known
    }
}
