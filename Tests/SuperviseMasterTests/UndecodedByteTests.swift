import SuperviseCore
import SuperviseLinux
import Testing

/// SuperviseCore and SuperviseLinux use the same scalars for bytes that are not UTF-8.
struct UndecodedByteTests {
    @Test(arguments: UInt8(0x80)...0xFF)
    func aByteIsKnownByItsScalar(byte: UInt8) throws {
        let text = SystemText.text([byte])
        #expect(text.unicodeScalars.map(\.undecodedByte) == [byte])
    }

    @Test func othersStandForNone() {
        for scalar: Unicode.Scalar in ["a", "é", "\u{10FE7F}", "\u{10FF00}", "\u{FFFD}"] {
            #expect(scalar.undecodedByte == nil)
        }
    }
}
