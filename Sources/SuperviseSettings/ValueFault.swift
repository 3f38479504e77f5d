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
    /// An IPv6 address that is not in brackets.
    case missingBrackets(String)
    /// A socket's path or name longer than unix(7) allows.
    case socketPathTooLong(String)
    /// A value for an on-or-off option other than the words for these.
    case notABoolean(String)
}

extension ValueFault: CustomStringConvertible {
    /// What was read and why it does not do.
    public var description: String {
        switch self {
        case .empty: "the value is empty"
        case .malformed(let text, let noun): "\(shown(text)) is not \(noun)"
        case .outOfRange(let text): "\(shown(text)) is out of range"
        case .containsNUL: "the value contains a NUL character"
        case .unterminatedQuote(let text): "\(shown(text)) has a quote that is never closed"
        case .textAfterQuote(let text): "\(shown(text)) goes on after its closing quote"
        case .unknownEscape(let text):
            "\(shown(text)) has a backslash before something that can't be escaped"
        case .percentOfMemory(let text): "\(shown(text)) is a percentage, not a size"
        case .missingPort(let text): "\(shown(text)) has no port"
        case .missingBrackets(let text):
            "\(shown(text)) needs brackets around its IPv6 address, as in [::1]:8000"
        case .socketPathTooLong(let text): "\(shown(text)) is longer than the 107 bytes of a socket"
        case .notABoolean(let text): "\(shown(text)) is neither yes nor no"
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
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format, .surrogate:
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default:
            result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
