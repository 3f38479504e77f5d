import CSupervise
import Glibc

/// The page over which a worker tells how many requests it has served, without a system call.
///
/// It is a memfd_create(2) file of 4096 bytes, sealed against shrinking, growing and further seals,
/// whose descriptor a worker finds in `SUPERVISE_WORKER_PAGE`. All numbers are in the machine's byte
/// order. Layout, version 1:
///
///     offset   0   8 bytes   magic, `SUPERVIS`
///     offset   8   UInt32    version, 1
///     offset  12   UInt32    0
///     offset  16   32 bytes  nonce, lower-case hexadecimal digits, as in `SUPERVISE_WORKER_ID`
///     offset  64   UInt64    requests served; the worker adds to it atomically
///     offset 128   UInt64    limit after which the worker sends `X_REQUESTS=` once; 0: none
///     offset 192   UInt64    connections accepted on our listeners; the preload library adds to it,
///                            and sends `X_CONNECTIONS=` at the limit if offset 64 is still 0
///     offset 256   UInt32    flags, written by the master; bit 0: the worker is to be emptied
///     offset 320   UInt32    flags, written by the preload library; bit 0: a process of the worker has
///                            loaded it; bit 1: one waits for connections on a listener of ours
///
/// The rest is zero and reserved. A later version keeps the meaning of what stands here. A worker
/// checks magic, version and nonce before it maps the page, since a grandchild may hold an unrelated
/// file under the same number. The counters, the limit and the flags have cache lines of their own.
///
/// The master never maps the page, so nothing that a worker does to it can raise SIGBUS, and never
/// trusts it: it is the worker's word.
public final class RequestPage: Sendable {
    private static let name = "supervise-requests"
    private static let sizeBytes = 4096
    private static let nonceOffset = 16
    private static let counterOffset = 64
    private static let limitOffset = 128
    private static let connectionsOffset = 192
    private static let flagsOffset = 256
    private static let reportOffset = 320
    private let descriptor: FileDescriptor

    /// A page with this nonce of 32 hexadecimal digits and this limit. Fails as memfd_create(2).
    public init(nonce: String, limit: UInt64) throws(SystemCallError) {
        precondition(nonce.utf8.count == 32, "the layout has room for 32 digits")
        let number = try systemCall("memfd_create") {
            csupervise_memory_file(Self.name, Self.sizeBytes)
        }
        descriptor = FileDescriptor(owning: number)
        var header = Array("SUPERVIS".utf8)
        withUnsafeBytes(of: UInt32(1)) { header.append(contentsOf: $0) }
        header += [0, 0, 0, 0]
        precondition(header.count == Self.nonceOffset)
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
    public func requests() -> UInt64? { number(at: Self.counterOffset) }

    /// How many connections the preload library has seen the worker accept on our listeners; nil when
    /// the page could not be read.
    public func connections() -> UInt64? { number(at: Self.connectionsOffset) }

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
        guard pread(descriptor.rawValue, &flags, 4, off_t(Self.reportOffset)) == 4 else {
            return .none
        }
        return flags & 2 != 0 ? .waits : flags & 1 != 0 ? .loaded : .none
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
        var flags: UInt32 = 1
        try systemCall("pwrite") {
            pwrite(descriptor.rawValue, &flags, 4, off_t(Self.flagsOffset))
        }
    }

    /// Changes the limit; 0 is none.
    public func setLimit(_ limit: UInt64) throws(SystemCallError) {
        var value = limit
        try systemCall("pwrite") {
            pwrite(descriptor.rawValue, &value, 8, off_t(Self.limitOffset))
        }
    }
}
