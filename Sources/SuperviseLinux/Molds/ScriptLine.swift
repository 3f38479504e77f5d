extension ExecutableFormat {
    /// The words after `#!` in the first line of a script (execve(2)); empty if the file is not a
    /// script or cannot be read.
    public static func scriptLine(of path: String) -> [String] {
        let head: [UInt8]
        do throws(SystemCallError) {
            head = try SpareDescriptors.lent { () throws(SystemCallError) in
                try ProgramFile(path).bytes(at: 0, count: scriptLineBytes)
            }
        } catch {
            return []
        }
        guard head.starts(with: Array("#!".utf8)) else { return [] }
        let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
        let blanks: Set<UInt8> = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]
        return line.split(whereSeparator: blanks.contains).map { SystemText.text($0) }
    }
}
