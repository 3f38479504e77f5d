import CSupervisePage
import Glibc

/// The requests of a hunted worker, with the memory in use at the head of each; supervise_page.h
/// defines the layout.
///
/// A worker can write anything to it, so every value is validated. It is read with pread(2), never
/// mapped.
public struct HuntRecord {
    let descriptor: Int32

    /// The limits of a hunt, for those who write the record.
    public struct Limits: Equatable, Sendable {
        /// The number of requests to measure.
        public let requests: Int
        /// The time after which the hunt ends, in nanoseconds.
        public let nanoseconds: UInt64
        /// Its begin, in nanoseconds of CLOCK_MONOTONIC.
        public let begun: UInt64

        /// Creates limits.
        public init(requests: Int, nanoseconds: UInt64, begun: UInt64) {
            self.requests = requests
            self.nanoseconds = nanoseconds
            self.begun = begun
        }

        /// Some requests are not measured, because another one is in flight.
        var capacity: Int { min(2 * requests + 64, Int(supervise_hunt_most_rows)) }

        var fileSize: Int { supervise_hunt_rows_at + capacity * supervise_hunt_row_size }
    }

    /// A request.
    public struct Row: Equatable, Sendable {
        /// The process that received its head.
        public let process: Int32
        /// The bytes of live objects at its head; nil if they were not measured.
        public let bytes: UInt64?
        /// The anonymous resident memory at its head, in bytes.
        public let residentBytes: UInt64
        /// Whether another request of the process was in flight.
        public let overlaps: Bool
        /// Whether its response has ended.
        public let hasEnded: Bool
        /// The method and the path, shortened; nil if they are not kept.
        public let route: String?
    }

    /// What measures in the worker.
    public struct Runtimes: Equatable, Sendable {
        /// Python.
        public let python: Bool
        /// Node.
        public let node: Bool
        /// Python with a trace of its allocations.
        public let traced: Bool
    }

    /// The live bytes that each line of the program has allocated, at one time.
    public struct Trace: Equatable, Sendable {
        /// The number of requests before it.
        public let requests: Int
        /// The lines, as `FILE:LINE`, with their bytes.
        public let lines: [(name: String, bytes: UInt64)]

        /// Compares two traces.
        public static func == (a: Trace, b: Trace) -> Bool {
            a.requests == b.requests && a.lines.count == b.lines.count
                && zip(a.lines, b.lines).allSatisfy { $0 == $1 }
        }
    }

    func begin(_ limits: Limits) throws(SystemCallError) {
        let start = [UInt32(supervise_hunt_version), UInt32(limits.capacity)]
        let numbers = [UInt64(limits.requests), limits.nanoseconds, limits.begun]
        try systemCall("pwrite") { pwrite(descriptor, start, 8, off_t(supervise_hunt_at)) }
        try systemCall("pwrite") {
            pwrite(descriptor, numbers, 24, off_t(supervise_hunt_at + 8))
        }
    }

    /// The requests whose heads were seen, in their order; empty if there is no record.
    public func rows() -> [Row] {
        guard let start = bytes(at: supervise_hunt_at, count: 8),
            let counts = bytes(at: supervise_hunt_count_at, count: 4)
        else { return [] }
        let capacity = min(number32(start, 4), UInt32(supervise_hunt_most_rows))
        let count = Int(min(number32(counts, 0), capacity))
        let size = supervise_hunt_row_size
        guard count > 0, let rows = bytes(at: supervise_hunt_rows_at, count: count * size) else {
            return []
        }
        return (0..<count).compactMap { row(rows, $0 * size) }
    }

    /// The requests whose heads were seen, and those of them after which the next head of their
    /// process was measured, too.
    public func progress() -> (requests: Int, measured: Int) {
        let rows = rows()
        var measured = 0
        var last: [Int32: Row] = [:]
        for row in rows {
            if let before = last[row.process], before.hasEnded, !before.overlaps, !row.overlaps,
                before.bytes == nil || row.bytes != nil
            {
                measured += 1
            }
            last[row.process] = row
        }
        return (rows.count, measured)
    }

    /// What measures in the worker.
    public var runtimes: Runtimes {
        let bits = bytes(at: supervise_hunt_runtimes_at, count: 4).map { number32($0, 0) } ?? 0
        return Runtimes(
            python: bits & supervise_hunt_python.rawValue != 0,
            node: bits & supervise_hunt_node.rawValue != 0,
            traced: bits & supervise_hunt_traced.rawValue != 0)
    }

    /// The first and the last trace; nil unless there are both.
    public func traces() -> (first: Trace, last: Trace)? {
        guard let first = trace(0), let last = trace(1), last.requests > first.requests else {
            return nil
        }
        return (first, last)
    }

    private func trace(_ index: Int) -> Trace? {
        guard let lengths = bytes(at: supervise_hunt_trace_lengths_at, count: 8),
            let counts = bytes(at: supervise_hunt_trace_counts_at, count: 8)
        else { return nil }
        let most = UInt32(supervise_hunt_trace_size)
        let length = Int(min(number32(lengths, 4 * index), most))
        let start = supervise_hunt_traces_at + index * Int(most)
        guard length > 0, let text = bytes(at: start, count: length) else { return nil }
        let lines = text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard let blank = line.firstIndex(of: UInt8(ascii: " ")),
                let bytes = UInt64(String(decoding: line[..<blank], as: UTF8.self)),
                bytes < 1 << 50
            else { return nil as (name: String, bytes: UInt64)? }
            return (String(decoding: line[line.index(after: blank)...], as: UTF8.self), bytes)
        }
        return Trace(requests: Int(number32(counts, 4 * index)), lines: lines)
    }

    private func row(_ bytes: [UInt8], _ offset: Int) -> Row? {
        let pid = Int32(bitPattern: number32(bytes, offset + supervise_hunt_row_pid_at))
        guard pid > 0 else { return nil }
        let flags = number32(bytes, offset)
        func has(_ flag: supervise_hunt_row_flags) -> Bool { flags & flag.rawValue != 0 }
        // A pebibyte exceeds any real memory.
        let live = number(bytes, offset + supervise_hunt_row_bytes_at)
        let resident = number(bytes, offset + supervise_hunt_row_resident_at)
        return Row(
            process: pid,
            bytes: has(supervise_hunt_measured) && live < 1 << 50 ? live : nil,
            residentBytes: min(resident, 1 << 50),
            overlaps: has(supervise_hunt_overlaps), hasEnded: has(supervise_hunt_ended),
            route: has(supervise_hunt_ended) ? route(bytes, offset) : nil)
    }

    private func route(_ bytes: [UInt8], _ offset: Int) -> String? {
        let length = bytes[offset + supervise_hunt_row_length_at]
        guard length > 0, length <= supervise_route_length else { return nil }
        let start = offset + supervise_hunt_row_route_at
        let text = bytes[start..<start + Int(length)]
        guard text.allSatisfy({ (0x20...0x7e).contains($0) }) else { return nil }
        return String(decoding: text, as: UTF8.self)
    }

    private func bytes(at offset: Int, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return pread(descriptor, &bytes, count, off_t(offset)) == count ? bytes : nil
    }

    private func number(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
    }

    private func number32(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    }
}
