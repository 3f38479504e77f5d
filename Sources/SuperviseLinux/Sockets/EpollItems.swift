import CSupervise
import Glibc

/// The items of an epoll set as /proc/PID/fdinfo lists them (proc_pid_fdinfo(5)):
/// `tfd: 5 events: 19 data: 5 pos:0 ino:1f3a sdev:8`, all but the descriptor hexadecimal.
enum EpollItems {
    /// Whether one of these sockets is watched for reading. The descriptor number of an item is not
    /// sufficient: an item outlives its descriptor while the file is open elsewhere, so the number
    /// may belong to another file.
    ///
    /// A set can have very many items, so the bytes are scanned directly.
    static func include(_ sockets: [FileIdentity], in text: [UInt8]) -> Bool {
        var lineStart = 0
        for end in text.indices where text[end] == UInt8(ascii: "\n") {
            let line = text[lineStart..<end]
            lineStart = end + 1
            guard let inode = number(after: "ino:", in: line),
                sockets.contains(where: { $0.inode == inode }),
                let device = number(after: "sdev:", in: line),
                let events = number(after: "events:", in: line),
                events & UInt64(EPOLLIN.rawValue) != 0
            else { continue }
            if sockets.contains(where: { $0.inode == inode && $0.kernelDevice == device }) {
                return true
            }
        }
        return false
    }

    /// Parses the hexadecimal number after a label. Only the last label is checked: no other text
    /// in a line can match it.
    private static func number(after label: StaticString, in line: ArraySlice<UInt8>) -> UInt64? {
        let name = UnsafeBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount)
        guard line.count > name.count else { return nil }
        var start = line.endIndex - name.count
        while start >= line.startIndex {
            if line[start] == name[0], line[start..<(start + name.count)].elementsEqual(name) {
                return number(in: line[(start + name.count)...])
            }
            start -= 1
        }
        return nil
    }

    private static func number(in text: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64?
        for byte in text {
            let digit: UInt64
            switch byte {
            case UInt8(ascii: " ") where value == nil: continue
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                digit = UInt64(byte - UInt8(ascii: "a")) + 10
            default: return value
            }
            value = (value ?? 0) << 4 | digit
        }
        return value
    }
}

extension FileIdentity {
    /// The device number as the kernel prints it: the major number above 20 bits of the minor
    /// number, unlike the `dev_t` of stat(2).
    var kernelDevice: UInt64 {
        UInt64(csupervise_device_major(device)) << 20 | UInt64(csupervise_device_minor(device))
    }
}
