import Glibc

/// The stack of a child between clone and exec. Only one start uses it at a time.
final class ChildStack {
    private static let size = 64 * 1024
    private let mapping: UnsafeMutableRawPointer
    private let mappedSize: Int

    /// Maps the stack above a guard page. Without it, an overflow would silently overwrite our
    /// memory.
    init() throws(SystemCallError) {
        let guardSize = sysconf(Int32(_SC_PAGESIZE))
        mappedSize = Self.size + guardSize
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | Int32(MAP_STACK)
        guard let memory = mmap(nil, mappedSize, PROT_READ | PROT_WRITE, flags, -1, 0),
            memory != MAP_FAILED
        else { throw SystemCallError(call: "mmap", code: errno) }
        mapping = memory
        try systemCall("mprotect") { mprotect(memory, guardSize, PROT_NONE) }
    }

    deinit {
        munmap(mapping, mappedSize)
    }

    /// The high end, where the stack begins.
    var end: UnsafeMutableRawPointer { mapping + mappedSize }
}

/// An array at a fixed address, for structures that outlive a call.
final class CArray<Element> {
    private let buffer: UnsafeMutableBufferPointer<Element>

    init(_ elements: [Element]) {
        buffer = .allocate(capacity: elements.count)
        _ = buffer.initialize(from: elements)
    }

    deinit {
        buffer.deinitialize()
        buffer.deallocate()
    }

    var count: Int { buffer.count }

    /// May be nil if empty.
    var pointer: UnsafeMutablePointer<Element>? { buffer.baseAddress }
}

/// A NULL-terminated vector of C strings, as for execve(2), in two allocations.
final class CStringVector {
    private let vector: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    /// The end of the string that was given as `roomAfter`.
    let room: UnsafeMutablePointer<CChar>?
    private let bytes: UnsafeMutablePointer<CChar>

    /// Copies the bytes of the texts (`SystemText`). After the first text that is in `roomAfter`,
    /// it reserves room for a process ID.
    init(_ texts: [String], roomAfter extensible: Set<String> = []) {
        let pidBytes = 12
        let strings = texts.map(SystemText.bytes)
        let total = strings.reduce(0) { $0 + $1.count + 1 } + pidBytes
        bytes = .allocate(capacity: total)
        vector = .allocate(capacity: strings.count + 1)
        var next = bytes
        var room: UnsafeMutablePointer<CChar>?
        for (index, string) in strings.enumerated() {
            vector[index] = next
            for byte in string {
                next.pointee = CChar(bitPattern: byte)
                next += 1
            }
            next.pointee = 0
            if room == nil, extensible.contains(texts[index]) {
                room = next
                next += pidBytes
            }
            next += 1
        }
        vector[strings.count] = nil
        self.room = room
    }

    /// The vector, valid while this object lives.
    var pointers: UnsafePointer<UnsafeMutablePointer<CChar>?> { UnsafePointer(vector) }

    deinit {
        vector.deallocate()
        bytes.deallocate()
    }
}
