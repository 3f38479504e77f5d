/// A placeholder in a command. `{fd}` and `{fd:N}` are descriptor numbers (N is the index of the
/// listener, so `{fd}` is `{fd:0}`), `{slot}` is the worker's slot and `{pool}` the pool's name. Other
/// braces are kept, so that JSON and format strings are unchanged.
public enum Placeholder: Equatable, Sendable {
    case descriptor(Int)
    case slot
    case pool

    /// Parses the text between two braces; nil if it is not a placeholder.
    init?(_ inner: String) {
        switch inner {
        case "fd": self = .descriptor(0)
        case "slot": self = .slot
        case "pool": self = .pool
        default:
            // Four digits exceed the number of listeners that a process can have by default.
            guard inner.utf8.count <= 7, inner.hasPrefix("fd:"),
                case .number(let index) = Decimal.parse(inner.dropFirst(3))
            else { return nil }
            self = .descriptor(Int(index))
        }
    }

    /// Whether a text contains the placeholder of a slot or a pool.
    public static func occur(in text: String) -> Bool {
        var found = false
        scan(text) { _, placeholder in
            if placeholder == .slot || placeholder == .pool { found = true }
        }
        return found
    }

    /// Passes each part of a word to `take`, in order: plain text, or a placeholder as written.
    static func scan(_ word: String, _ take: (Substring, Placeholder?) -> Void) {
        let utf8 = word.utf8
        var plain = word.startIndex
        var open: String.Index?
        var index = word.startIndex
        while index < word.endIndex {
            if utf8[index] == UInt8(ascii: "{") {
                open = index
            } else if utf8[index] == UInt8(ascii: "}"), let start = open {
                open = nil
                let inner = String(word[utf8.index(after: start)..<index])
                if let placeholder = Placeholder(inner) {
                    let end = utf8.index(after: index)
                    take(word[plain..<start], nil)
                    take(word[start..<end], placeholder)
                    plain = end
                }
            }
            index = utf8.index(after: index)
        }
        take(word[plain...], nil)
    }
}

/// Expands the placeholders in a command for one worker. `descriptors` are the descriptor numbers of
/// the pool's listeners in the worker, in the order of `bind`. A placeholder for a missing listener is
/// kept; loading the configuration has already rejected those.
public func expandPlaceholders(
    _ words: [String], descriptors: [Int32], slot: Int, pool: String
) -> [String] {
    words.map { word in
        var result = ""
        Placeholder.scan(word) { text, placeholder in
            switch placeholder {
            case .descriptor(let index) where descriptors.indices.contains(index):
                result += String(descriptors[index])
            case .slot: result += String(slot)
            case .pool: result += pool
            // += with a Substring would instantiate a generic type at run time, which is slow.
            case .descriptor, nil: result.append(contentsOf: text)
            }
        }
        return result
    }
}

/// The largest listener index, from 0, in the placeholders of a command, if any.
func largestDescriptorPlaceholder(in words: [String]) -> Int? {
    var largest: Int?
    for word in words {
        Placeholder.scan(word) { _, placeholder in
            if case .descriptor(let index) = placeholder { largest = max(index, largest ?? 0) }
        }
    }
    return largest
}
