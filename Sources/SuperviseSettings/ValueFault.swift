import SuperviseCore

/// The reason that a text is not a valid value. The setting adds what is allowed.
public enum ValueFault: Error, Equatable, Sendable {
    /// The value is empty.
    case empty
    /// The text is not of the kind that `noun` names.
    case malformed(String, noun: String)
    /// The value is of the right kind, but too small or too large.
    case outOfRange(String)
    /// The text contains a NUL, which paths, arguments and variables cannot.
    case containsNUL
    /// An unclosed quote.
    case unterminatedQuote(String)
    /// Something follows the closing quote of a quoted value.
    case textAfterQuote(String)
    /// An unknown escape sequence.
    case unknownEscape(String)
    /// A percentage where a size is required.
    case percentOfMemory(String)
    /// An address without a port.
    case missingPort(String)
    /// An invalid port after the last colon of an address.
    case badPort(String, port: String)
    /// An IPv6 address that is not in brackets.
    case missingBrackets(String)
    /// A socket path or name that is longer than unix(7) allows.
    case socketPathTooLong(String)
    /// A value other than the words for yes and no.
    case notABoolean(String)
    /// A signal that cannot be caught, where the program has to react to it.
    case uncatchable(String)
    /// A text that is not a schedule.
    case schedule(String, ScheduleFault)
}

extension ValueFault: CustomStringConvertible {
    /// The value and what is wrong with it.
    public var description: String {
        (text.map(shown) ?? "the value") + " " + reason
    }

    /// The value, if it is useful in the message.
    private var text: String? {
        switch self {
        case .empty, .containsNUL: nil
        case .malformed(let text, _), .outOfRange(let text), .unterminatedQuote(let text),
            .textAfterQuote(let text), .unknownEscape(let text), .percentOfMemory(let text),
            .missingPort(let text), .missingBrackets(let text), .socketPathTooLong(let text),
            .notABoolean(let text), .badPort(let text, _), .uncatchable(let text),
            .schedule(let text, _):
            text
        }
    }

    /// What is wrong, without the value, for lines that may contain a secret.
    var reason: String {
        switch self {
        case .empty: "is empty"
        case .malformed(_, let noun): "is not \(noun)"
        case .outOfRange: "is out of range"
        case .containsNUL: "contains a NUL character"
        case .unterminatedQuote: "has an unclosed quote"
        case .textAfterQuote: "continues after its closing quote"
        case .unknownEscape: "has an unknown escape sequence"
        case .percentOfMemory: "is a percentage, not a size"
        case .missingPort(let text) where text.utf8.allSatisfy { (0x30...0x39).contains($0) }:
            "lacks a colon before its port; write :\(text) for all IPv4 addresses of this machine, or "
                + "127.0.0.1:\(text)"
        case .missingPort: "has no port"
        case .badPort(_, let port):
            "has the invalid port \(shown(port)); a port is a number from 0 to 65535"
        case .missingBrackets: "needs brackets around its IPv6 address, as in [::1]:8000"
        case .socketPathTooLong: "is longer than the 107 bytes allowed for the path of a socket"
        case .notABoolean: "is not yes or no"
        case .uncatchable: "is a signal that programs cannot catch"
        case .schedule(_, let fault): fault.description
        }
    }
}

/// Quotes a text for an error message: on one line, without control characters, shortened.
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
