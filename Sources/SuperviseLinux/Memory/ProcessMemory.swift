import Glibc

/// The memory of one process (/proc/PID/statm, proc_pid_statm(5)), read from a file that stays
/// open: a sample is one system call, and a reused process ID cannot be mistaken for the process.
public final class ProcessMemory: Sendable {
    /// The page size in bytes.
    public static let pageBytes = UInt64(sysconf(Int32(_SC_PAGESIZE)))
    private let file: FileDescriptor

    /// Opens the file of a process. Fails with ENOENT if the process does not exist.
    public init(pid: Int32) throws(SystemCallError) {
        let number = try systemCall("open") { open("/proc/\(pid)/statm", O_RDONLY | O_CLOEXEC) }
        file = FileDescriptor(owning: number)
    }

    /// The resident set of a process in bytes, read without keeping the file open; nil if it has
    /// exited. For use when no descriptor is available.
    public static func residentBytes(of pid: Int32) throws(SystemCallError) -> UInt64? {
        try SpareDescriptors.lent { () throws(SystemCallError) in
            do throws(SystemCallError) {
                return try ProcessMemory(pid: pid).residentBytes()
            } catch  where error.kind == .notFound || error.kind == .noSuchProcess {
                return nil
            }
        }
    }

    /// Whether so many descriptors are open that those that can be reopened should be closed.
    public var isBeyondBudget: Bool { file.rawValue >= FileLimit.budget }

    /// The resident set in bytes; nil if the process has exited.
    public func residentBytes() -> UInt64? {
        withUnsafeTemporaryAllocation(byteCount: 128, alignment: 1) { buffer in
            let count = pread(file.rawValue, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { return nil }
            var fields: (UInt64, UInt64) = (0, 0)
            var index = 0
            for byte in buffer[..<count] {
                if byte == UInt8(ascii: " ") {
                    index += 1
                    if index == 2 { break }
                } else {
                    let digit = UInt64(byte & 0x0F)
                    if index == 0 {
                        fields.0 = fields.0 &* 10 &+ digit
                    } else {
                        fields.1 = fields.1 &* 10 &+ digit
                    }
                }
            }
            // All values of a zombie are 0.
            return index == 2 && fields.0 > 0 ? fields.1 * Self.pageBytes : nil
        }
    }

    /// The PSS and USS of a process from /proc/PID/smaps_rollup (proc_pid_smaps(5)); nil if it has
    /// exited or may not be read. The kernel walks all of its page tables for this, which can take
    /// seconds for a huge process. Fails with EMFILE and the like if this process lacks resources.
    public static func shares(of pid: Int32) throws(SystemCallError) -> MemoryShares? {
        let text: String
        do {
            text = String(
                decoding: try Procfs.read("/proc/\(pid)/smaps_rollup"), as: UTF8.self)
        } catch {
            if error.isShortage { throw error }
            return nil
        }
        var proportional: UInt64 = 0
        var unique: UInt64 = 0
        var lines = 0
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, let kilobytes = UInt64(words[1]) else { continue }
            lines += 1
            switch words[0] {
            case "Pss:": proportional = kilobytes * 1024
            case "Private_Clean:", "Private_Dirty:", "Private_Hugetlb:": unique += kilobytes * 1024
            default: break
            }
        }
        guard lines > 0 else { return nil }
        return MemoryShares(proportionalBytes: proportional, uniqueBytes: unique)
    }
}

/// The exact memory of a process.
public struct MemoryShares: Hashable, Sendable {
    /// PSS: private pages, and shared pages divided by the number of processes that share them.
    public let proportionalBytes: UInt64
    /// USS: the memory that would be freed if the process exited.
    public let uniqueBytes: UInt64
}
