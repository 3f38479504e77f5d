import Glibc

/// Plain writing, for programs that print something and end. The master's log uses `LogWriter`.
public enum TextOutput {
    /// Writes all of a text to a descriptor; waits for its reader. Fails as write(2) does.
    public static func write(_ text: String, to descriptor: Int32) throws(SystemCallError) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = try systemCall("write") {
                bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            }
            bytes = bytes.dropFirst(count)
        }
    }
}

/// Plain reading, for programs that take keys from a terminal.
public enum TextInput {
    /// The next bytes, a few at most; nil at the end. Waits. Fails as read(2) does.
    public static func keys(from descriptor: Int32) throws(SystemCallError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = try systemCall("read") { read(descriptor, &bytes, bytes.count) }
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }
}
