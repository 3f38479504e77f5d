import Testing

@testable import SuperviseLinux

struct SystemTextTests {
    @Test(
        arguments: [
            [], Array("plain".utf8), Array("é😀".utf8), [0xE9], [0x63, 0xE9, 0x66],
            [0xFF, 0xFE, 0x80],
            [0xC3], [0xC3, 0x28], [0xF0, 0x9F, 0x98], [0xED, 0xA0, 0x80], [0xC0, 0x80],
            // UTF-8 of a scalar that represents a byte.
            [0xF4, 0x8F, 0xBA, 0x80], [0xF4, 0x8F, 0xBB, 0xA9, 0xE9], [0xF4, 0x8F, 0xBF, 0xBF],
        ] as [[UInt8]])
    func bytesComeBack(_ bytes: [UInt8]) {
        #expect(SystemText.bytes(SystemText.text(bytes)) == bytes)
    }

    @Test func anyBytesComeBack() {
        var generator = SystemRandomNumberGenerator()
        // Bytes that start and continue sequences, and those of the scalars that represent bytes.
        let telling: [UInt8] = [0x41, 0x80, 0xBA, 0xBF, 0xC3, 0xE2, 0x8F, 0xF0, 0xF4, 0xFF]
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0..<12, using: &generator)).map { _ in
                telling.randomElement(using: &generator) ?? 0
            }
            #expect(SystemText.bytes(SystemText.text(bytes)) == bytes, "\(bytes)")
        }
    }

    @Test func whatIsUTF8IsLeftAsItIs() {
        #expect(SystemText.text(Array("grüße 😀".utf8)) == "grüße 😀")
    }
}
