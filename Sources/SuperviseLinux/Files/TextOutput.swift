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

/// Blocking input, for programs that read something and exit.
public enum TextInput {
    /// Reads the next bytes; nil at the end. Blocks. Fails as read(2).
    public static func keys(from descriptor: Int32) throws(SystemCallError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = try systemCall("read") { read(descriptor, &bytes, bytes.count) }
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }

    /// Reads a whole file, pipe or terminal; `-` is standard input. Blocks. Fails as open(2) and
    /// read(2), with EFBIG past the limit.
    public static func whole(_ path: String, limitBytes: Int) throws(SystemCallError) -> [UInt8] {
        guard path != "-" else { return try rest(of: 0, limitBytes: limitBytes) }
        let file = FileDescriptor(
            owning: try systemCall("open") { open(path, O_RDONLY | O_CLOEXEC) })
        return try rest(of: file.rawValue, limitBytes: limitBytes)
    }

    private static func rest(
        of descriptor: Int32, limitBytes: Int
    ) throws(SystemCallError) -> [UInt8] {
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = try systemCall("read") { read(descriptor, &piece, piece.count) }
            if count == 0 { return content }
            content += piece.prefix(count)
            guard content.count <= limitBytes else {
                throw SystemCallError(call: "read", code: EFBIG)
            }
        }
    }
}
