import Glibc

/// The memory of one process (/proc/PID/statm, proc_pid_statm(5)), over a file that stays open: a
/// sample is one system call, and a reused number can't be mistaken for the process.
public final class ProcessMemory: Sendable {
    /// Bytes of a page.
    public static let pageBytes = UInt64(sysconf(Int32(_SC_PAGESIZE)))
    private let file: FileDescriptor

    /// Opens the figures of a process. Fails with ENOENT when there is none.
    public init(pid: Int32) throws(SystemCallError) {
        let number = try systemCall("open") { open("/proc/\(pid)/statm", O_RDONLY | O_CLOEXEC) }
        file = FileDescriptor(owning: number)
    }

    /// The resident set of a process in bytes, read over a file that does not stay open; nil when it
    /// is gone or a zombie. For where no descriptor is left to keep.
    public static func residentBytes(of pid: Int32) throws(SystemCallError) -> UInt64? {
        try SpareDescriptors.lent { () throws(SystemCallError) in
            do throws(SystemCallError) {
                return try ProcessMemory(pid: pid).residentBytes()
            } catch  where error.kind == .notFound || error.kind == .noSuchProcess {
                return nil
            }
        }
    }

    /// Whether so many descriptors are open that those that can be had anew should be closed.
    public var isBeyondBudget: Bool { file.rawValue >= FileLimit.budget }

    /// The resident set in bytes, nil when the process is gone or a zombie.
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
            // A zombie's figures are all 0.
            return index == 2 && fields.0 > 0 ? fields.1 * Self.pageBytes : nil
        }
    }

    /// What a process has of the pages that it shares with others, from /proc/PID/smaps_rollup
    /// (proc_pid_smaps(5)); nil when it is gone or not ours to look at. The kernel walks all of its
    /// page tables for this, which can take seconds for a huge process. Fails with EMFILE and its
    /// like where we could not look.
    public static func shares(of pid: Int32) throws(SystemCallError) -> MemoryShares? {
        let text: String
        do {
            text = String(
                decoding: try Procfs.read("/proc/\(pid)/smaps_rollup"), as: UTF8.self)
        } catch {
            if error.isWant { throw error }
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

/// A process's share of memory, exactly counted.
public struct MemoryShares: Hashable, Sendable {
    /// PSS: its own pages, and of shared ones its part by the number of sharers.
    public let proportionalBytes: UInt64
    /// USS: what would be free if it went.
    public let uniqueBytes: UInt64
}
