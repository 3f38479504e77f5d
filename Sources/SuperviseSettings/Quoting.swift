/// Quoted values. A config file needs no quotes: a value is the text between the equals sign and the
/// end of the line, without surrounding blanks. Quotes are needed for blanks at the ends, line breaks
/// and a backslash at the end:
///
/// - a value that begins with a double quote ends with one, and `\n`, `\t`, `\r`, `\\`, `\"` and
///   `\xHH` (a byte below 80) have the same meaning as in C;
/// - a value that begins with a single quote ends with one, and everything between is literal.
///
/// Paths, names and addresses are quoted as a whole; in `env` and env-files, the part after the name of
/// the variable is quoted. Commands follow the rules of the shell: see `ShellWords`.
enum Quoting {
    /// Removes the quotes of a value, if it is quoted.
    static func unquote(_ written: String) throws(ValueFault) -> String {
        let scalars = Array(written.unicodeScalars)
        guard let quote = scalars.first, quote == "\"" || quote == "'" else {
            return try withoutNUL(written)
        }
        var text = String.UnicodeScalarView()
        var index = 1
        while index < scalars.count, scalars[index] != quote {
            if quote == "\"", scalars[index] == "\\" {
                guard let (meant, length) = escape(scalars[(index + 1)...]) else {
                    throw .unknownEscape(written)
                }
                text.append(meant)
                index += 1 + length
            } else {
                text.append(scalars[index])
                index += 1
            }
        }
        guard index < scalars.count else { throw .unterminatedQuote(written) }
        guard index == scalars.count - 1 else { throw .textAfterQuote(written) }
        return try withoutNUL(String(text))
    }

    /// Quotes a text for a config file if necessary.
    static func quote(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let plain =
            scalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
            && scalars.first != "\"" && scalars.first != "'" && scalars.first != " "
            && scalars.last != " " && scalars.last != "\\"
        return plain ? text : "\"" + escaped(text, quote: "\"") + "\""
    }

    /// Escapes the characters that cannot appear literally inside quotes of this kind.
    static func escaped(_ text: String, quote: Unicode.Scalar) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case "\\", quote: result += "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\x" + (digits.utf8.count == 1 ? "0" : "") + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Decodes the escape sequence after a backslash and returns its length.
    static func escape(
        _ rest: ArraySlice<Unicode.Scalar>
    ) -> (meant: Unicode.Scalar, length: Int)? {
        guard let first = rest.first else { return nil }
        switch first {
        case "n": return ("\n", 1)
        case "t": return ("\t", 1)
        case "r": return ("\r", 1)
        case "\\", "\"", "'": return (first, 1)
        case "x":
            let digits = rest.dropFirst().prefix(2)
            guard digits.count == 2, digits.allSatisfy(\.properties.isASCIIHexDigit) else {
                return nil
            }
            var text = String.UnicodeScalarView()
            text.append(contentsOf: digits)
            guard let byte = UInt8(String(text), radix: 16), byte < 0x80 else { return nil }
            return (Unicode.Scalar(byte), 3)
        default: return nil
        }
    }

    /// Rejects a text with a NUL, which the kernel does not accept.
    static func withoutNUL(_ text: String) throws(ValueFault) -> String {
        guard !text.utf8.contains(0) else { throw .containsNUL }
        return text
    }
}
