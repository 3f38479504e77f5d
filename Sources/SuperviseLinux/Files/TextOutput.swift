import Glibc

/// Blocking output, for programs that print something and exit. The master's log uses `LogWriter`.
public enum TextOutput {
    /// Writes a whole text to a descriptor; blocks on its reader. Fails as write(2).
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

/// Blocking input, for programs that read keys from a terminal.
public enum TextInput {
    /// Reads the next bytes; nil at the end. Blocks. Fails as read(2).
    public static func keys(from descriptor: Int32) throws(SystemCallError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = try systemCall("read") { read(descriptor, &bytes, bytes.count) }
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }
}
