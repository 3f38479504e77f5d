/// The placeholders of a command: `{fd}` and `{fd:N}` stand for descriptor numbers (N counts the
/// pool's listeners from 0, so that `{fd}` is `{fd:0}`), `{slot}` for the worker's slot, `{pool}`
/// for the pool's name. Other braces are left as they are, so that JSON and format strings pass.
enum Placeholder: Equatable {
    case descriptor(Int)
    case slot
    case pool

    /// The placeholder between two braces, if it is one.
    init?(_ inner: String) {
        switch inner {
        case "fd": self = .descriptor(0)
        case "slot": self = .slot
        case "pool": self = .pool
        default:
            // Four digits are more listeners than a process can have by default.
            guard inner.utf8.count <= 7, inner.hasPrefix("fd:"),
                case .number(let index) = Decimal.parse(inner.dropFirst(3))
            else { return nil }
            self = .descriptor(Int(index))
        }
    }

    /// Hands every piece of a word to `take`, in order: plain text, or a placeholder as written.
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

/// The words of a command for one worker: `descriptors` are the numbers that the pool's listeners
/// have in the worker, in the order of `bind`. A descriptor that does not exist is left as written;
/// loading the configuration has refused those already.
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
            // For += the runtime would make the generic type of a Substring.
            case .descriptor, nil: result.append(contentsOf: text)
            }
        }
        return result
    }
}

/// The largest listener, counted from 0, that a command's placeholders name, if they name any.
func largestDescriptorPlaceholder(in words: [String]) -> Int? {
    var largest: Int?
    for word in words {
        Placeholder.scan(word) { _, placeholder in
            if case .descriptor(let index) = placeholder { largest = max(index, largest ?? 0) }
        }
    }
    return largest
}
