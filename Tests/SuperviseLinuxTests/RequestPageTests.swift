import CSupervise
import CSupervisePage
import Glibc
import Testing

@testable import SuperviseLinux

struct RequestPageTests {
    private let nonce = "00112233445566778899aabbccddeeff"

    @Test func theLayoutIsThePublishedOne() throws {
        let page = try RequestPage(nonce: nonce, limit: 1050)
        var bytes = [UInt8](repeating: 1, count: supervise_page_file_size + 1)
        #expect(pread(page.rawValue, &bytes, bytes.count, 0) == supervise_page_file_size)
        #expect(String(decoding: bytes[0..<8], as: UTF8.self) == "SUPERVIS")
        #expect(number(bytes, 8, UInt32.self) == 1)
        #expect(number(bytes, 12, UInt32.self) == 0)
        #expect(String(decoding: bytes[16..<48], as: UTF8.self) == nonce)
        #expect(number(bytes, 64, UInt64.self) == 0)
        #expect(number(bytes, 128, UInt64.self) == 1050)
        #expect(bytes[136..<supervise_page_file_size].allSatisfy { $0 == 0 })
        #expect(page.connections() == 0)
        #expect(fcntl(page.rawValue, F_GETFD) == FD_CLOEXEC)
    }

    @Test func itsSizeAndSealsAreFinal() throws {
        let page = try RequestPage(nonce: nonce, limit: 0)
        #expect(ftruncate(page.rawValue, 0) == -1)
        #expect(ftruncate(page.rawValue, 65536) == -1)
        #expect(csupervise_seal_memory(page.rawValue) == -1)
    }

    @Test func aWorkersCountIsReadAndTheLimitChanged() throws {
        let page = try RequestPage(nonce: nonce, limit: 3)
        let script = """
            import mmap, struct
            page = mmap.mmap(3, 4096)
            page[64:72] = struct.pack('=Q', 41)
            page[192:200] = struct.pack('=Q', 1 << 40)
            """
        let child = try TestChild(["python3", "-c", script], descriptors: [page.rawValue])
        #expect(try child.exitStatus() == .exited(0))
        #expect(page.requests() == 41)
        #expect(page.connections() == 1 << 40)
        try page.setLimit(7)
        var bytes = [UInt8](repeating: 0, count: 4096)
        pread(page.rawValue, &bytes, bytes.count, 0)
        #expect(number(bytes, 128, UInt64.self) == 7)
    }

    private func number<Number: FixedWidthInteger>(
        _ bytes: [UInt8], _ offset: Int, _: Number.Type
    ) -> Number {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
    }
}
