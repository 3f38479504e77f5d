import Glibc
import Synchronization

/// The page of shared memory on which a worker counts its requests, layout version 1.
///
/// Counting must cost nothing, so it is one atomic add on memory that the master can read, with no
/// system call. All numbers are in the machine's byte order; the counter and the limit lie on cache
/// lines of their own, since one is written at every request and the other hardly ever.
///
///     offset   0   "SUPERVIS"                                         8 bytes
///     offset   8   version, 1                                         UInt32
///     offset  12   0                                                  UInt32
///     offset  16   the nonce, equal to $SUPERVISE_WORKER_ID           32 ASCII hex digits
///     offset  64   requests so far, added to by the worker            UInt64
///     offset 128   the limit, written by the master; 0 is no limit    UInt64
///     offset 192   connections, added to by the preload library       UInt64
///     offset 256   flags, written by the master                       UInt32
final class WorkerPage: Sendable {
    static let size = 4096
    static let magic: StaticString = "SUPERVIS"
    static let version: UInt32 = 1
    static let nonceOffset = 16
    static let nonceLength = 32
    static let counterOffset = 64
    static let limitOffset = 128

    // The mapping is never moved and only touched through atomics, which makes it safe to share.
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer

    /// Maps the page behind a descriptor, or nil when it is not the page of the worker `nonce`.
    ///
    /// The descriptor's number comes from the environment, which a grandchild inherits too, and by
    /// then the number may belong to something else. So the head is read before anything is mapped.
    init?(descriptor: Int32, nonce: String) {
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_size >= Int64(Self.size),
            Self.headMatches(descriptor: descriptor, nonce: nonce)
        else { return nil }
        let mapping = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let mapping, mapping != UnsafeMutableRawPointer(bitPattern: -1) else { return nil }
        base = mapping
    }

    deinit {
        munmap(base, Self.size)
    }

    /// The requests counted so far.
    var count: UInt64 {
        atomic(at: Self.counterOffset).pointee.load(ordering: .relaxed)
    }

    /// The limit that the master wrote; 0 is no limit.
    var limit: UInt64 {
        atomic(at: Self.limitOffset).pointee.load(ordering: .relaxed)
    }

    /// Adds to the counter; gives the new total when this very addition reached the limit.
    ///
    /// Additions are atomic, so whatever the number of threads and processes that share the page,
    /// exactly one of them sees the step across the limit.
    func add(_ requests: UInt64) -> UInt64? {
        let (before, after) = atomic(at: Self.counterOffset).pointee
            .wrappingAdd(requests, ordering: .relaxed)
        let limit = limit
        return before < limit && limit <= after ? after : nil
    }

    private func atomic(at offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    private static func headMatches(descriptor: Int32, nonce: String) -> Bool {
        let length = nonceOffset + nonceLength
        guard nonce.utf8.count == nonceLength else { return false }
        var head = [UInt8](repeating: 0, count: length)
        guard pread(descriptor, &head, length, 0) == length else { return false }
        let foundVersion = head.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
        }
        return magic.withUTF8Buffer { head.starts(with: $0) }
            && foundVersion == version
            && head[nonceOffset...].elementsEqual(nonce.utf8)
    }
}
