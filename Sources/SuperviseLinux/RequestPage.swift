import CSupervise
import CSupervisePage
import Glibc

/// The page on which a worker counts its requests without a system call; supervise_page.h defines its
/// layout.
///
/// The master never maps the page, so nothing that a worker does to it can raise SIGBUS. It validates
/// what it reads.
public final class RequestPage: Sendable {
    private static let name = "supervise-requests"
    private let descriptor: FileDescriptor

    /// A page with this nonce of 32 hexadecimal digits and this limit. Fails as memfd_create(2).
    public init(nonce: String, limit: UInt64) throws(SystemCallError) {
        precondition(
            nonce.utf8.count == supervise_page_nonce_length, "the layout has room for 32 digits")
        let number = try systemCall("memfd_create") {
            csupervise_memory_file(Self.name, supervise_page_size)
        }
        descriptor = FileDescriptor(owning: number)
        var header = Array(SUPERVISE_PAGE_MAGIC.utf8)
        withUnsafeBytes(of: UInt32(supervise_page_version)) { header.append(contentsOf: $0) }
        header += [0, 0, 0, 0]
        precondition(header.count == supervise_page_nonce_at)
        header += Array(nonce.utf8)
        try systemCall("pwrite") { pwrite(number, header, header.count, 0) }
        try setLimit(limit)
        try systemCall("fcntl") { csupervise_seal_memory(number) }
    }

    /// Takes over a page that this process made before it executed a new version of itself.
    public init(resuming descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// The descriptor, valid while this object lives.
    public var rawValue: Int32 { descriptor.rawValue }

    /// How many requests the worker says it has served; nil when the page could not be read, as from
    /// a failing swap device.
    public func requests() -> UInt64? { number(at: supervise_page_requests_at) }

    /// How many connections the preload library has seen the worker accept on our listeners; nil when
    /// the page could not be read.
    public func connections() -> UInt64? { number(at: supervise_page_connections_at) }

    private func number(at offset: Int) -> UInt64? {
        var number: UInt64 = 0
        let size = pread(descriptor.rawValue, &number, 8, off_t(offset))
        return size == 8 ? number : nil
    }

    /// What the preload library reports of the worker's readiness.
    public enum Report: Hashable, Sendable {
        /// Nothing: no process of the worker has loaded it.
        case none
        /// No process that has loaded it waits on a listener yet.
        case loaded
        /// One waits on a listener, or did.
        case waits
    }

    /// What it reports now.
    public func report() -> Report {
        var flags: UInt32 = 0
        guard pread(descriptor.rawValue, &flags, 4, off_t(supervise_page_reports_at)) == 4 else {
            return .none
        }
        if flags & supervise_page_waits.rawValue != 0 { return .waits }
        return flags & supervise_page_loaded.rawValue != 0 ? .loaded : .none
    }

    /// The inode of the page's file.
    public var inode: UInt64 {
        var status = stat()
        let result = fstat(descriptor.rawValue, &status)
        precondition(result == 0, "a descriptor of ours can be looked at")
        return UInt64(status.st_ino)
    }

    /// The inodes of the pages that a process has open; empty where that may not be looked at, and on
    /// kernels before 5.14, which do not tell (`ino` of proc_pid_fdinfo(5)). The files themselves are
    /// not asked: among others there may be one whose file system never answers.
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

    /// Whether any of these processes has mapped the page (proc_pid_maps(5)); nil where that may not
    /// be read.
    public func isMapped(by pids: [Int32]) -> Bool? {
        var status = stat()
        let result = fstat(descriptor.rawValue, &status)
        precondition(result == 0, "a descriptor of ours can be looked at")
        return ProcessMaps.contain(" \(status.st_ino) /memfd:\(Self.name)", in: pids)
    }

    /// Lets the preload library find no connections any more, in all processes that have the page.
    public func closeToNewConnections() throws(SystemCallError) {
        var flags = supervise_page_drain.rawValue
        try systemCall("pwrite") {
            pwrite(descriptor.rawValue, &flags, 4, off_t(supervise_page_flags_at))
        }
    }

    /// Changes the limit; 0 is none.
    public func setLimit(_ limit: UInt64) throws(SystemCallError) {
        var value = limit
        try systemCall("pwrite") {
            pwrite(descriptor.rawValue, &value, 8, off_t(supervise_page_limit_at))
        }
    }
}
