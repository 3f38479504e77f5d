import CSupervisePage
import Glibc
import Testing

/// A file in place of the page: the library cannot distinguish it from the master's memory file.
final class PageFile {
    let descriptor: Int32
    static let nonce = "0123456789abcdef0123456789abcdef"

    init(
        magic: String = SUPERVISE_PAGE_MAGIC, version: Int = supervise_page_version,
        nonce: String = PageFile.nonce, limit: UInt64 = 0, size: Int = supervise_page_size
    ) throws {
        var template = Array("/tmp/supervise-page-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        unlink(template)
        var bytes = [UInt8](repeating: 0, count: max(size, supervise_page_size))
        bytes.withUnsafeMutableBytes {
            $0.copyBytes(from: magic.utf8)
            $0.storeBytes(
                of: UInt32(version), toByteOffset: supervise_page_version_at, as: UInt32.self)
            $0.storeBytes(of: limit, toByteOffset: supervise_page_limit_at, as: UInt64.self)
            UnsafeMutableRawBufferPointer(rebasing: $0[supervise_page_nonce_at...])
                .copyBytes(from: nonce.utf8)
        }
        try #require(pwrite(descriptor, bytes, size, 0) == size)
    }

    deinit { close(descriptor) }

    /// The counter, as read by the master.
    var count: UInt64 {
        var value: UInt64 = 0
        return pread(descriptor, &value, 8, off_t(supervise_page_requests_at)) == 8 ? value : .max
    }

    func setLimit(_ limit: UInt64) {
        var value = limit
        _ = pwrite(descriptor, &value, 8, off_t(supervise_page_limit_at))
    }

    var environment: [String: String] {
        ["SUPERVISE_WORKER_PAGE": "\(descriptor)", "SUPERVISE_WORKER_ID": PageFile.nonce]
    }
}

/// The master's end of a notify socket.
final class NotifyListener {
    let descriptor: Int32
    let path: String

    init(isAbstract: Bool = false) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        try #require(descriptor >= 0)
        let name = "/tmp/supervise-notify-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        path = isAbstract ? "@" + name : name
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: bytes)
            if isAbstract { $0[0] = 0 }
        }
        let length = socklen_t(2 + bytes.count + (isAbstract ? 0 : 1))
        let bound = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        try #require(bound == 0)
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    /// The received datagrams, without waiting: a message to a local socket arrives at once.
    func messages() -> [String] {
        var found: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let length = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard length >= 0 else { return found }
            found.append(String(decoding: buffer[..<length], as: UTF8.self))
        }
    }
}

/// A listening TCP socket on a free port of the loopback address.
func listeningSocket() throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0 && listen(descriptor, 5) == 0)
    return descriptor
}
