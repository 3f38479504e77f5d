import Glibc

extension ExecutableFormat {
    /// The words after `#!` in the first line of a script (execve(2)); empty if the file is not a
    /// script or cannot be read.
    public static func scriptLine(of path: String) -> [String] {
        var head = [UInt8](repeating: 0, count: 256)
        do throws(SystemCallError) {
            let count = try SpareDescriptors.lent { () throws(SystemCallError) in
                let number = try systemCall("open") {
                    open(SystemText.path(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
                }
                let file = FileDescriptor(owning: number)
                return try systemCall("read") { read(file.rawValue, &head, head.count) }
            }
            head.removeSubrange(count...)
        } catch {
            return []
        }
        guard head.starts(with: Array("#!".utf8)) else { return [] }
        let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
        let blanks: Set<UInt8> = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]
        return line.split(whereSeparator: blanks.contains).map { SystemText.text($0) }
    }
}
