import CSupervisePage
import Glibc
import Synchronization

/// The page of shared memory in which a worker counts its requests (supervise_page.h).
///
/// Counting takes one atomic addition to memory that the master can read, and no system call.
final class WorkerPage: Sendable {
    // The mapping never moves and is accessed only with atomics, so it can be shared between threads.
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer

    /// Maps the page of a descriptor; nil if it is not the page of the worker `nonce`.
    ///
    /// The number of the descriptor comes from the environment. A grandchild inherits it too, and may
    /// have reused the number for another file, so the header is checked before the page is mapped.
    init?(descriptor: Int32, nonce: String) {
        var information = stat()
        guard fstat(descriptor, &information) == 0,
            information.st_size >= supervise_page_size,
            Self.headMatches(descriptor: descriptor, nonce: nonce)
        else { return nil }
        let mapping = mmap(
            nil, supervise_page_size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let mapping, mapping != UnsafeMutableRawPointer(bitPattern: -1) else { return nil }
        base = mapping
    }

    deinit {
        munmap(base, supervise_page_size)
    }

    /// The number of requests so far.
    var count: UInt64 {
        atomic(at: supervise_page_requests_at).pointee.load(ordering: .relaxed)
    }

    /// The limit that the master wrote; 0 means none.
    var limit: UInt64 {
        atomic(at: supervise_page_limit_at).pointee.load(ordering: .relaxed)
    }

    /// Adds to the counter. Returns the new total if this addition reached the limit.
    ///
    /// Additions are atomic, so exactly one of all threads and processes that share the page reaches the
    /// limit.
    func add(_ requests: UInt64) -> UInt64? {
        let (before, after) = atomic(at: supervise_page_requests_at).pointee
            .wrappingAdd(requests, ordering: .relaxed)
        let limit = limit
        return before < limit && limit <= after ? after : nil
    }

    private func atomic(at offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    private static func headMatches(descriptor: Int32, nonce: String) -> Bool {
        let length = supervise_page_nonce_at + supervise_page_nonce_length
        guard nonce.utf8.count == supervise_page_nonce_length else { return false }
        var head = [UInt8](repeating: 0, count: length)
        guard pread(descriptor, &head, length, 0) == length else { return false }
        let version = head.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: supervise_page_version_at, as: UInt32.self)
        }
        return head.starts(with: SUPERVISE_PAGE_MAGIC.utf8)
            && version == UInt32(supervise_page_version)
            && head[supervise_page_nonce_at...].elementsEqual(nonce.utf8)
    }
}
