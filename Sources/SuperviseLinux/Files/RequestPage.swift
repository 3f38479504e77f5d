import CSupervise
import CSupervisePage
import Glibc

/// The page on which a worker counts its requests without a system call; supervise_page.h defines
/// its layout.
///
/// The master never maps the page, so nothing that a worker does to it can raise SIGBUS. It
/// validates what it reads.
public final class RequestPage: Sendable {
    private static let name = "supervise-requests"
    private let descriptor: FileDescriptor

    /// Those who write to the ledger behind the page.
    public enum LedgerWriters: Sendable {
        /// Nobody: the ledger has no version.
        case none
        /// The worker's program.
        case program
        /// The program and the preload library.
        case all
    }

    /// Creates a page with this nonce of 32 hexadecimal digits and this limit, and the ledger
    /// behind it. Without room for the ledger within RLIMIT_FSIZE, there is none. Fails as
    /// memfd_create(2). With `hunt`, the record of a hunt follows the ledger, and it fails without
    /// room for that.
    public init(
        nonce: String, limit: UInt64, ledger: LedgerWriters = .none, hunt: HuntRecord.Limits? = nil
    ) throws(SystemCallError) {
        precondition(
            nonce.utf8.count == supervise_page_nonce_length, "the layout has room for 32 digits")
        var hasLedger = ledger != .none
        let number: Int32
        do throws(SystemCallError) {
            number = try Self.makeFile(hunt?.fileSize ?? supervise_page_file_size)
        } catch {
            guard error.code == EFBIG, hunt == nil else { throw error }
            hasLedger = false
            number = try Self.makeFile(supervise_page_size)
        }
        descriptor = FileDescriptor(owning: number)
        var header = Array(SUPERVISE_PAGE_MAGIC.utf8)
        withUnsafeBytes(of: UInt32(supervise_page_version)) { header.append(contentsOf: $0) }
        header += [0, 0, 0, 0]
        precondition(header.count == supervise_page_nonce_at)
        header += Array(nonce.utf8)
        try systemCall("pwrite") { pwrite(number, header, header.count, 0) }
        try setLimit(limit)
        if let hunt { try huntRecord.begin(hunt) }
        if hasLedger { try beginLedger(isObserved: ledger == .all, isHunted: hunt != nil) }
        try systemCall("fcntl") { csupervise_seal_memory(number) }
    }

    private static func makeFile(_ size: Int) throws(SystemCallError) -> Int32 {
        try systemCall("memfd_create") { csupervise_memory_file(name, size) }
    }

    private func beginLedger(isObserved: Bool, isHunted: Bool) throws(SystemCallError) {
        let flags =
            (isObserved ? supervise_ledger_observe.rawValue : 0)
            | (isHunted ? supervise_ledger_hunt.rawValue : 0)
        let start = [UInt32(supervise_ledger_version), flags]
        try systemCall("pwrite") {
            pwrite(descriptor.rawValue, start, 8, off_t(supervise_ledger_at))
        }
    }

    /// The ledger behind the page.
    public var ledger: Ledger { Ledger(descriptor: descriptor.rawValue) }

    /// The record of a hunt behind the ledger, if there is one.
    public var huntRecord: HuntRecord { HuntRecord(descriptor: descriptor.rawValue) }

    /// Takes over a page that this process created before it executed a new version.
    public init(resuming descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// The descriptor, valid while this object lives.
    public var rawValue: Int32 { descriptor.rawValue }

    /// The number of requests that the worker reports; nil if the page cannot be read, for example
    /// from a failing swap device.
    public func requests() -> UInt64? { number(at: supervise_page_requests_at) }

    /// The number of connections that the preload library counted on our listeners; nil if the page
    /// cannot be read.
    public func connections() -> UInt64? { number(at: supervise_page_connections_at) }

    private func number(at offset: Int) -> UInt64? {
        var number: UInt64 = 0
        let size = pread(descriptor.rawValue, &number, 8, off_t(offset))
        return size == 8 ? number : nil
    }

    /// The readiness reported by the preload library.
    public enum Report: Hashable, Sendable {
        /// Nothing: no process of the worker has loaded the library.
        case none
        /// No process with the library waits on a listener yet.
        case loaded
        /// A process waits or has waited on a listener.
        case waits
    }

    /// The current report.
    public func report() -> Report {
        var flags: UInt32 = 0
        guard pread(descriptor.rawValue, &flags, 4, off_t(supervise_page_reports_at)) == 4 else {
            return .none
        }
        if flags & supervise_page_waits.rawValue != 0 { return .waits }
        return flags & supervise_page_loaded.rawValue != 0 ? .loaded : .none
    }

    /// The inode of the file of the page.
    public var inode: UInt64 {
        var status = stat()
        let result = fstat(descriptor.rawValue, &status)
        precondition(result == 0, "fstat fails only for an invalid descriptor")
        return UInt64(status.st_ino)
    }

    /// The inodes of the pages that a process has open; empty if they may not be read, and on
    /// kernels before 5.14, which do not report them (`ino` of proc_pid_fdinfo(5)). The files
    /// themselves are not queried, because one of them may be on a file system that never responds.
    public static func inodes(heldBy pid: Int32) -> Set<UInt64> {
        var found: Set<UInt64> = []
        do throws(SystemCallError) {
            for number in try Directory.names("/proc/\(pid)/fd") {
                guard try Procfs.link("/proc/\(pid)/fd/\(number)").hasPrefix("/memfd:\(name)")
                else { continue }
                let text = Procfs.text("/proc/\(pid)/fdinfo/\(number)") ?? ""
                let line = text.split(separator: "\n").first { $0.hasPrefix("ino:") }
                let digits = line?.split(whereSeparator: \.isWhitespace).last
                if let inode = digits.flatMap({ UInt64($0) }) { found.insert(inode) }
            }
        } catch {
            return found
        }
        return found
    }

    /// Whether any of these processes has mapped the page (proc_pid_maps(5)); nil if that may not
    /// be read.
    public func isMapped(by pids: [Int32]) -> Bool? {
        var status = stat()
        let result = fstat(descriptor.rawValue, &status)
        precondition(result == 0, "fstat fails only for an invalid descriptor")
        return ProcessMaps.contain(" \(status.st_ino) /memfd:\(Self.name)", in: pids)
    }

    /// Makes the preload library stop accepting connections in all processes with the page.
    public func closeToNewConnections() throws(SystemCallError) {
        var flags = supervise_page_drain.rawValue
        try systemCall("pwrite") {
            pwrite(descriptor.rawValue, &flags, 4, off_t(supervise_page_flags_at))
        }
    }

    /// Makes the preload library accept no connections until this time, in nanoseconds of
    /// CLOCK_MONOTONIC; 0 ends that. Threads that wait in accept(2) accept one more.
    public func pauseAccepting(until time: UInt64) throws(SystemCallError) {
        var value = time
        try systemCall("pwrite") {
            pwrite(descriptor.rawValue, &value, 8, off_t(supervise_page_pause_at))
        }
    }

    /// Changes the limit; 0 means none.
    public func setLimit(_ limit: UInt64) throws(SystemCallError) {
        var value = limit
        try systemCall("pwrite") {
            pwrite(descriptor.rawValue, &value, 8, off_t(supervise_page_limit_at))
        }
    }
}
