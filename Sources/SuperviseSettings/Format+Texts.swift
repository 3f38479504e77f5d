import SuperviseCore

extension Format where Value == String {
    /// A path, user or other text that may be quoted.
    static func text(_ placeholder: String, allowed: String) -> Format {
        Format(placeholder, allowed: allowed, readsQuotes: true) { text throws(ValueFault) in
            let text = try Quoting.unquote(text)
            guard !text.isEmpty else { throw .empty }
            return text
        } print: {
            Quoting.quote($0)
        }
    }

    /// The owner of a file, as for chown(1).
    static let owner = Format(
        "USER[:GROUP]", allowed: "a user, user:group or :group", readsQuotes: true
    ) { text throws(ValueFault) in
        let owner = try Quoting.unquote(text)
        let parts = owner.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let last = parts.last, !last.isEmpty else {
            throw .malformed(text, noun: "an owner")
        }
        return owner
    } print: {
        Quoting.quote($0)
    }

    /// A name for logs and file names.
    static let name = Format(
        "NAME", allowed: "1 to 64 letters, digits and . _ @ -"
    ) { text throws(ValueFault) in
        guard isMasterName(text) else { throw .malformed(text, noun: "a name") }
        return text
    } print: {
        $0
    }
}

extension Format where Value == [String] {
    static let command = Format(
        "COMMAND", allowed: "a program and its arguments, split as by a shell",
        readsQuotes: true
    ) { text throws(ValueFault) in
        let words = try ShellWords.split(text)
        guard let program = words.first, !program.isEmpty else { throw .empty }
        return words
    } print: {
        ShellWords.join($0)
    }

    /// A command, or nothing.
    static let commandOrNone = Format(
        "COMMAND", allowed: "a program and its arguments, split as by a shell, or nothing",
        readsQuotes: true
    ) { text throws(ValueFault) in
        text.isEmpty ? [] : try Format<[String]>.command.parse(text)
    } print: {
        ShellWords.join($0)
    }
}

extension Format where Value == WorkerCount {
    static let workers = Format(
        "N", allowed: "1 to 100000, auto, or a range such as 2..8 or 0..2", words: ["auto"]
    ) { text throws(ValueFault) in
        if text.lowercased() == "auto" { return .auto }
        guard let range = try WorkerRange.parse(text) else {
            return .count(try Format<Int>.integer(1...WorkerRange.most, allowed: "").parse(text))
        }
        return range.lowerBound == range.upperBound ? .count(range.lowerBound) : .range(range)
    } print: {
        switch $0 {
        case .auto: "auto"
        case .count(let count): String(count)
        case .range(let range): WorkerRange.print(range)
        }
    }
}

extension Format where Value == Readiness {
    static let readiness = Format(
        "RULE", allowed: "auto, notify, exec, or a duration such as 2s",
        words: ["auto", "notify", "exec"]
    ) { text throws(ValueFault) in
        switch text.lowercased() {
        case "auto": return .auto
        case "notify": return .notify
        case "exec": return .exec
        default: break
        }
        guard case .number = Decimal.parse(String(text.prefix(1))) else {
            throw .malformed(text, noun: "a readiness rule")
        }
        let span = try DurationText.parse(text)
        guard span > .zero else { throw .outOfRange(text) }
        return .after(span)
    } print: {
        switch $0 {
        case .auto: "auto"
        case .notify: "notify"
        case .exec: "exec"
        case .after(let span): DurationText.print(span)
        }
    }
}

extension Format where Value == MoldRule {
    /// `off`, `auto` or a command.
    static let mold = Format(
        "COMMAND", allowed: "off, auto, or a command that implements the protocol of a mold",
        readsQuotes: true
    ) { text throws(ValueFault) in
        switch try Format<[String]>.command.parse(text) {
        case ["off"]: return .off
        case ["auto"]: return .auto
        case let words: return .command(words)
        }
    } print: {
        switch $0 {
        case .off: "off"
        case .auto: "auto"
        case .command(let words): Format<[String]>.command.print(words)
        }
    }
}

extension Format where Value == String {
    /// A text without blanks and control characters.
    static func word(_ placeholder: String, noun: String, allowed: String) -> Format {
        Format(placeholder, allowed: allowed) { text throws(ValueFault) in
            let isWord = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F }
            guard isWord, !text.isEmpty else { throw .malformed(text, noun: noun) }
            return text
        } print: {
            $0
        }
    }
}

extension Format where Value == ResourceLimit {
    /// A limit in bytes.
    static let sizeLimit = Format(
        "SIZE", allowed: "unlimited, or a size such as 2G, 512M or 0", words: ["unlimited"]
    ) { text throws(ValueFault) in
        text.lowercased() == "unlimited" ? .unlimited : .limited(try SizeText.parse(text))
    } print: {
        switch $0 {
        case .unlimited: "unlimited"
        case .limited(let bytes): SizeText.print(bytes)
        }
    }

    /// A limit on a count.
    static let countLimit = Format(
        "N", allowed: "unlimited, or a whole number such as 4096", words: ["unlimited"]
    ) { text throws(ValueFault) in
        if text.lowercased() == "unlimited" { return .unlimited }
        return .limited(UInt64(try Format<Int>.integer(0...Int.max, allowed: "").parse(text)))
    } print: {
        switch $0 {
        case .unlimited: "unlimited"
        case .limited(let count): String(count)
        }
    }
}

extension Format where Value == UInt64? {
    /// The size of a file; `off` is nil.
    static let size = Format<UInt64>("SIZE", allowed: "off, or a size from 1 such as 50M or 1G") {
        text throws(ValueFault) in
        let bytes = try SizeText.parse(text)
        guard bytes > 0 else { throw .outOfRange(text) }
        return bytes
    } print: {
        SizeText.print($0)
    }.orNil(["off", "0"])
}

extension Format where Value == OutputRule {
    static let output = Format(
        "OUTPUT", allowed: "inherit, prefix, none, or the path of a file", readsQuotes: true
    ) { written throws(ValueFault) in
        let text = try Quoting.unquote(written)
        switch text {
        case "": throw .empty
        case "inherit": return .inherit
        case "prefix": return .prefix
        case "none": return .none
        // A word without a slash is more likely a mistake than a file in the current directory.
        default:
            guard text.utf8.contains(UInt8(ascii: "/")), text.utf8.last != UInt8(ascii: "/"),
                largestDescriptorPlaceholder(in: [text]) == nil
            else { throw .malformed(text, noun: "an output") }
            return .file(text)
        }
    } print: {
        switch $0 {
        case .inherit: "inherit"
        case .prefix: "prefix"
        case .none: "none"
        case .file(let path): Quoting.quote(path)
        }
    }
}

extension Format where Value == BindAddress {
    static let bind = Format(
        "ADDRESS",
        allowed: "HOST:PORT, [IPV6]:PORT, :PORT, unix:PATH, unix:@NAME, fd://N or systemd:NAME",
        readsQuotes: true
    ) { text throws(ValueFault) in
        try BindAddress(parsing: try Quoting.unquote(text))
    } print: {
        Quoting.quote($0.description)
    }
}

extension Format where Value == EnvironmentVariable {
    static let variable = Format(
        "KEY=VALUE",
        allowed: "KEY=VALUE; a VALUE that begins with a quote must end with the same quote",
        readsQuotes: true
    ) { written throws(ValueFault) in
        // No name begins with a quote, so the quotes enclose the whole text.
        let isQuoted = written.hasPrefix("\"") || written.hasPrefix("'")
        let text = isQuoted ? try Quoting.unquote(written) : written
        let scalars = text.unicodeScalars
        guard let equals = scalars.firstIndex(of: "=") else {
            throw .malformed(text, noun: "a variable")
        }
        let name = String(scalars[..<equals])
        guard !name.isEmpty, name.unicodeScalars.allSatisfy(isPartOfVariableName) else {
            throw .malformed(text, noun: "a variable")
        }
        let rest = String(scalars[scalars.index(after: equals)...])
        let value = isQuoted ? rest : try Quoting.unquote(rest)
        return EnvironmentVariable(name: name, value: value)
    } print: {
        "\($0.name)=\(Quoting.quote($0.value))"
    }

    private static func isPartOfVariableName(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value > 0x20 && scalar.value != 0x7F && scalar != "\"" && scalar != "'"
    }
}

extension Format where Value == LogDestination {
    static let logDestination = Format(
        "FILE", allowed: "stderr, or the path of a file", words: ["stderr"], readsQuotes: true
    ) { text throws(ValueFault) in
        let path = try Format<String>.text("", allowed: "").parse(text)
        return path == "stderr" ? .standardError : .file(path)
    } print: {
        switch $0 {
        case .standardError: "stderr"
        case .file(let path): path == "stderr" ? "./stderr" : Quoting.quote(path)
        }
    }
}

/// Whether a text is a valid pool name.
func isPoolName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(isNameByte)
}

/// Whether a text is a valid name of a master, which becomes part of file names.
func isMasterName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
        && text.utf8.allSatisfy {
            isNameByte($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "@")
        }
}

private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
    default:
        false
    }
}
