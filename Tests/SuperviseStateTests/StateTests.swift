import Testing

@testable import SuperviseState

private struct Sample: Codable, Equatable {
    enum Kind: Codable, Equatable {
        case plain
        case paired(Int, name: String)
    }

    struct Key: Hashable, Codable {
        var pool: Int
        var slot: Int
    }

    var count = 3
    var smallest = Int64.min
    var largest = UInt64.max
    var rate = 0.1
    var name = "wörker"
    var kinds: [Kind] = [.plain, .paired(-1, name: ""), .plain]
    var byName: [String: [UInt8]] = ["a": [], "b": [0, 255]]
    var byNumber: [Int32: Bool] = [-1: true]
    var byKey: [Key: Double] = [Key(pool: 1, slot: 2): .infinity]
    var members: Set<Int> = [1, 2, 3]
    var absent: Int?
    var present: Int? = 7
    var nested: [Int?] = [nil, 0]
}

struct StateTests {
    @Test func whatIsEncodedComesBack() throws {
        let sample = Sample()
        #expect(try State.decode(Sample.self, from: State.encode(sample)) == sample)
    }

    @Test func numbersTakeAsFewBytesAsTheyNeed() throws {
        #expect(try State.encode(UInt64(5)).count == 2)
        #expect(try State.encode(Int64(-5)).count == 2)
        #expect(try State.encode(UInt64.max).count == 11)
    }

    @Test func aNumberThatIsNotANumberStaysOne() throws {
        let bytes = try State.encode([Double.nan, -0.0])
        let numbers = try State.decode([Double].self, from: bytes)
        #expect(numbers[0].isNaN)
        #expect(numbers[1].sign == .minus)
    }

    @Test func unknownFieldsAreIgnored() throws {
        struct Newer: Codable { var kept = 1, added = [1, 2] }
        struct Older: Codable { var kept: Int }
        #expect(try State.decode(Older.self, from: State.encode(Newer())).kept == 1)
    }

    @Test func aFieldThatMayBeMissingMayBeNew() throws {
        struct Older: Codable { var kept = 1 }
        struct Newer: Codable {
            var kept: Int
            var added: String?
        }
        #expect(try State.decode(Newer.self, from: State.encode(Older())).added == nil)
    }

    @Test func aFieldThatIsMissingIsNamed() throws {
        struct Inner: Codable { var kept = 1 }
        struct Older: Codable { var list = [Inner()] }
        struct NewerInner: Codable { var kept, added: Int }
        struct Newer: Codable { var list: [NewerInner] }
        let bytes = try State.encode(Older())
        #expect(throws: StateFault.content(path: "list.0.added", "this is missing")) {
            try State.decode(Newer.self, from: bytes)
        }
    }

    @Test func aNumberOutOfRangeIsNone() throws {
        let bytes = try State.encode(["size": 256])
        #expect(throws: StateFault.content(path: "size", "this is no UInt8")) {
            try State.decode([String: UInt8].self, from: bytes)
        }
    }

    @Test func truncatedOrTrailingBytesAreErrors() throws {
        let bytes = try State.encode(Sample())
        for length in bytes.indices {
            #expect(throws: StateFault.self) {
                try State.decode(Sample.self, from: Array(bytes[..<length]))
            }
        }
        #expect(throws: StateFault.length) {
            try State.decode(Sample.self, from: bytes + [0])
        }
    }

    @Test func bytesThatAreChangedNeverTrap() throws {
        let bytes = try State.encode(Sample())
        var readable = 0
        for place in bytes.indices {
            for mask in [UInt8(0x01), 0x80, 0xFF] {
                var changed = bytes
                changed[place] ^= mask
                do {
                    _ = try State.decode(Sample.self, from: changed)
                    readable += 1
                } catch {
                    continue
                }
            }
        }
        #expect(readable < bytes.count * 3)
    }

    @Test func levelsWithoutEndAreAFault() {
        let levels = [[UInt8]](repeating: [7, 1], count: 200)
        let bytes = Array(levels.joined()) + [0]
        #expect(throws: StateFault.form) { try StateReader.read(bytes) }
    }
}
