import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

struct SpawnDescriptorTests {
    /// Lists every descriptor of the child by number and file, on its last descriptor.
    private static let list = """
        import os
        lines = []
        for name in sorted(os.listdir('/proc/self/fd'), key=int):
            try:
                status = os.fstat(int(name))
                lines.append('%s %d %d' % (name, status.st_dev, status.st_ino))
            except OSError:
                pass
        os.write(OUT, '\\n'.join(lines).encode())
        """

    @Test func onlyWhatIsPassedIsOpen() throws {
        for attributes in attributesOfBothKinds {
            let pipes = try [TestPipe(), TestPipe(), TestPipe()]
            let text = try children(of: pipes.map(\.reading.rawValue), attributes)
            let rows = text.split(separator: "\n").map { $0.split(separator: " ") }
            #expect(rows.map { String($0[0]) } == ["0", "1", "2", "3", "4", "5", "6"])
            #expect(try rows[0].dropFirst().joined(separator: " ") == identity("/dev/null"))
        }
    }

    /// Sources among the targets, crossed and repeated: the child must get each at its place. Only
    /// a separate process can arrange its low numbers, so each order runs in its own child.
    @Test func anyOrderArrives() throws {
        let pipes = try (0..<4).map { _ in try TestPipe() }
        let numbers = pipes.map(\.reading.rawValue)
        let wanted = try numbers.map { try identity("/proc/self/fd/\($0)") }
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 2, 0, 2], [1, 2, 3, 0]] {
            let text = try children(of: order.map { numbers[$0] }, SpawnAttributes())
            let rows = text.split(separator: "\n").map { $0.split(separator: " ") }
            let seen = rows.dropFirst(3).prefix(4).map { $0.dropFirst().joined(separator: " ") }
            #expect(seen == order.map { wanted[$0] })
        }
    }

    /// Only the C side moves descriptors, so a child whose own descriptors are in the way starts
    /// with sources 3 to 6.
    @Test func sourcesAmongTheTargetsAreNotLost() throws {
        let pipes = try (0..<24).map { _ in try TestPipe() }
        // Enough to include the low numbers that are free in this process.
        let numbers = pipes.flatMap { [$0.writing.rawValue, $0.reading.rawValue] }.sorted()
        let low = Array(numbers.prefix(40).reversed())
        let wanted = try low.map { try identity("/proc/self/fd/\($0)") }
        let text = try children(of: low, SpawnAttributes())
        let rows = text.split(separator: "\n").map { $0.split(separator: " ") }
        let seen = rows.dropFirst(3).prefix(40).map { $0.dropFirst().joined(separator: " ") }
        #expect(seen == wanted)
    }

    /// A child initially shares our descriptors. Its changes must not affect us.
    @Test func ourOwnStayAsTheyAre() async {
        await #expect(processExitsWith: .success) {
            SpareDescriptors.keep()
            let pipes = try (0..<60).map { _ in try TestPipe() }
            let source = try #require(pipes.last).reading.rawValue
            // Other threads of the tests open and close descriptors.
            let ours = pipes.flatMap { [$0.reading.rawValue, $0.writing.rawValue] }
            let spare = openFiles().filter { $0.value == "/dev/null" }.map(\.key)
            let before = openFiles().filter { ours.contains($0.key) || spare.contains($0.key) }
            try #require(before.count >= 2 * 60 + 4)
            for _ in 0..<3 {
                // As the third descriptor, besides the output.
                let text = try shell("readlink /proc/self/fd/4 >&3", descriptors: [source])
                try #require(text == before[source].map { "\($0)\n" })
                try #require(throws: SpawnFailure(step: .exec, code: ENOENT)) {
                    try TestChild(["/nowhere"], descriptors: [source])
                }
                let after = openFiles()
                try #require(before.allSatisfy { after[$0.key] == $0.value })
            }
        }
    }

    private func children(
        of descriptors: [Int32], _ attributes: SpawnAttributes
    ) throws -> String {
        let script = Self.list.replacing("OUT", with: "\(3 + descriptors.count)")
        let output: OwnedDescriptor
        let child: TestChild
        do {
            let pipe = try TestPipe()
            output = pipe.reading
            child = try TestChild(
                ["python3", "-c", script], attributes: attributes,
                descriptors: descriptors + [pipe.writing.rawValue])
        }
        let text = try TestPipe.text(from: output.rawValue)
        withExtendedLifetime(child) {}
        return text
    }

    private func identity(_ path: String) throws -> String {
        var status = stat()
        try systemCall("stat") { stat(path, &status) }
        return "\(status.st_dev) \(status.st_ino)"
    }

    private var attributesOfBothKinds: [SpawnAttributes] {
        var other = SpawnAttributes()
        other.credentials = Credentials(uid: 65534, gid: 65534, supplementaryGroups: [])
        return isRoot ? [SpawnAttributes(), other] : [SpawnAttributes()]
    }
}

/// The file behind each descriptor of this process.
private func openFiles() -> [Int32: String] {
    var files: [Int32: String] = [:]
    for number in Int32(0)..<1024 {
        var text = [CChar](repeating: 0, count: 256)
        let length = readlink("/proc/self/fd/\(number)", &text, text.count)
        if length > 0 {
            files[number] = String(decoding: text[..<length].map(UInt8.init), as: UTF8.self)
        }
    }
    return files
}
