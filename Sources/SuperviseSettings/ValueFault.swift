import SuperviseCore

/// Why a text is no value of its setting. The setting adds what is allowed.
public enum ValueFault: Error, Equatable, Sendable {
    /// Nothing was written where something is needed.
    case empty
    /// The text is not of the kind that `noun` names.
    case malformed(String, noun: String)
    /// The text is of the kind, but too small or too large.
    case outOfRange(String)
    /// The text holds a NUL, which no path, argument or variable can.
    case containsNUL
    /// A quote that is never closed.
    case unterminatedQuote(String)
    /// Something follows the closing quote of a quoted value.
    case textAfterQuote(String)
    /// A backslash before a character that it can't be before.
    case unknownEscape(String)
    /// Memory caps take sizes only.
    case percentOfMemory(String)
    /// An address without a port.
    case missingPort(String)
    /// What follows an address's last colon is no port.
    case badPort(String, port: String)
    /// An IPv6 address that is not in brackets.
    case missingBrackets(String)
    /// A socket's path or name longer than unix(7) allows.
    case socketPathTooLong(String)
    /// A value for an on-or-off option other than the words for these.
    case notABoolean(String)
    /// A signal that a program cannot catch where it is asked to do something by it.
    case uncatchable(String)
}

extension ValueFault: CustomStringConvertible {
    /// What was read and why it does not do.
    public var description: String {
        (text.map(shown) ?? "the value") + " " + reason
    }

    /// What was read, where that helps.
    private var text: String? {
        switch self {
        case .empty, .containsNUL: nil
        case .malformed(let text, _), .outOfRange(let text), .unterminatedQuote(let text),
            .textAfterQuote(let text), .unknownEscape(let text), .percentOfMemory(let text),
            .missingPort(let text), .missingBrackets(let text), .socketPathTooLong(let text),
            .notABoolean(let text), .badPort(let text, _), .uncatchable(let text):
            text
        }
    }

    /// Why it does not do, for lines that may hold a secret and are better not repeated.
    var reason: String {
        switch self {
        case .empty: "is empty"
        case .malformed(_, let noun): "is not \(noun)"
        case .outOfRange: "is out of range"
        case .containsNUL: "contains a NUL character"
        case .unterminatedQuote: "has a quote that is never closed"
        case .textAfterQuote: "goes on after its closing quote"
        case .unknownEscape: "has a backslash before something that can't be escaped"
        case .percentOfMemory: "is a percentage, not a size"
        case .missingPort(let text) where text.utf8.allSatisfy { (0x30...0x39).contains($0) }:
            "has no colon before its port; write :\(text) for all IPv4 addresses of this machine, or "
                + "127.0.0.1:\(text)"
        case .missingPort: "has no port"
        case .badPort(_, let port):
            "has the port \(shown(port)), which is no number from 0 to 65535"
        case .missingBrackets: "needs brackets around its IPv6 address, as in [::1]:8000"
        case .socketPathTooLong: "is longer than the 107 bytes of a socket's path"
        case .notABoolean: "is neither yes nor no"
        case .uncatchable: "is a signal that no program can catch, so it asks a worker for nothing"
        }
    }
}

/// A text as an error message quotes it: on one line, without control characters, not too long.
func shown(_ text: String) -> String {
    var result = "\""
    for (index, scalar) in text.unicodeScalars.enumerated() {
        if index == 80 {
            result += "…"
            break
        }
        if let byte = scalar.undecodedByte {
            result += "\\x" + String(byte, radix: 16)
            continue
        }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format, .surrogate:
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default:
            result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
